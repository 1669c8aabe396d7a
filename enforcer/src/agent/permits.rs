//! Permits in the running agent: given, ended, and taken out of the profiles when their time
//! is over. The kernel does not wait for that.

use std::{collections::BTreeSet, time::Duration};

use jiff::Timestamp;

use super::{Agent, clock, log};
use crate::{
    detection::{PermitId, base_name},
    permit::Permit,
    profile::{Profile, ends},
    protocol::{Failure, FailureKind},
};

impl Agent {
    /// Lets something through for a time.
    pub(super) fn permit(
        &mut self,
        profile: &str,
        time: Duration,
        reason: String,
        rules: Vec<String>,
    ) -> Result<Permit, Failure> {
        // One in a mode of its own has the rules of its profile.
        let profile = base_name(profile);
        let written = self.registry.profile(profile).ok_or_else(|| {
            Failure::new(
                FailureKind::NotFound,
                format!(
                    "the profile {profile} is not loaded; `enforcer status` lists those that are"
                ),
            )
        })?;
        let id = self.overlays.permits().next_id();
        let permit = Permit::new(id, written, time, reason, rules)
            .map_err(|error| Failure::new(FailureKind::BadRequest, error.to_string()))?;
        // What was refused until now is not permitted.
        self.catch_up();
        let kept = self.overlays.permits_mut().put(permit.clone());
        kept.map_err(|error| Failure::internal(&error))?;
        if let Err(failure) = self.load_permitted(profile) {
            let removed = self.overlays.permits_mut().remove(id);
            removed.map_err(|error| Failure::internal(&error))?;
            return Err(failure);
        }
        log::permitted(&permit, "begun");
        Ok(permit)
    }

    /// Ends a permit before its time.
    pub(super) fn end_permit(&mut self, id: PermitId) -> Result<Permit, Failure> {
        let permit = self.overlays.permits().get(id).cloned().ok_or_else(|| {
            Failure::new(FailureKind::NotFound, format!("there is no permit {id}"))
        })?;
        let now = Timestamp::now();
        if !permit.holds(now) {
            let end = permit.end();
            return Err(Failure::new(
                FailureKind::Conflict,
                format!("{id} ended at {end:.0}"),
            ));
        }
        // What was done under it is told of as that.
        self.catch_up();
        let ended = Permit {
            ended: Some(now),
            ..permit.clone()
        };
        let put = self.overlays.permits_mut().put(ended.clone());
        put.map_err(|error| Failure::internal(&error))?;
        if let Err(failure) = self.load_permitted(&ended.profile) {
            // It holds on: the file says so again.
            let put = self.overlays.permits_mut().put(permit);
            put.map_err(|error| Failure::internal(&error))?;
            return Err(failure);
        }
        log::permitted(&ended, "ended");
        Ok(ended)
    }

    /// All permits, the first first.
    pub(super) fn permits(&self) -> Vec<&Permit> {
        self.overlays.permits().iter().collect()
    }

    /// Those that hold.
    pub(super) fn permits_in_force(&self) -> Vec<Permit> {
        let now = Timestamp::now();
        let permits = self.overlays.permits().iter();
        permits
            .filter(|permit| permit.holds(now))
            .cloned()
            .collect()
    }

    /// Takes out of the profiles what ended since the last call. Nothing is granted by it any
    /// more: it is for who looks at what holds.
    pub(super) fn drop_ended(&mut self) {
        let now = ends::now();
        let since = std::mem::replace(&mut self.dropped_until, now);
        if now < self.next_end(since) {
            return;
        }
        let is_over = |end: u32| end > since && end <= now;
        let has_ended = |profile: &Profile| {
            let mut rules = profile.rules.iter();
            is_over(profile.permitted) || rules.any(|rule| is_over(rule.ends.until))
        };
        let over: BTreeSet<String> = self
            .registry
            .iter()
            .filter(|(_, instance)| !instance.removed && has_ended(&instance.current.effective))
            .map(|(name, _)| base_name(name).to_owned())
            .collect();
        if !over.is_empty() {
            // What was done until then is told of as permitted.
            self.catch_up();
        }
        for profile in over {
            if let Err(failure) = self.load_permitted(&profile) {
                log::problem(
                    &format!("what ended stays in the profile {profile}"),
                    &failure,
                );
            }
        }
        for permit in self.overlays.permits().iter() {
            if permit.ended.is_none() && is_over(permit.until_second()) {
                log::permitted(permit, "over");
            }
        }
    }

    /// When the first of what is granted for a time ends after `since`, in seconds since 1970,
    /// UTC. It is looked for once for all that is loaded: there may be many rules.
    fn next_end(&mut self, since: u32) -> u32 {
        let generation = self.registry.generation();
        if self.next_end.0 != generation {
            let instances = self.registry.iter();
            let ends = instances.flat_map(|(_, instance)| {
                let profile = &instance.current.effective;
                let rules = profile.rules.iter().map(|rule| rule.ends.until);
                rules.chain([profile.permitted])
            });
            let next = ends.filter(|&end| end > since).min();
            self.next_end = (generation, next.unwrap_or(u32::MAX));
        }
        self.next_end.1
    }

    /// Tells the kernel what time it is, should that have changed otherwise than by passing.
    pub(super) fn set_clock(&mut self) {
        let booted = clock::booted(self.kernel.clock());
        if let Err(error) = self.kernel.set_booted(booted) {
            log::problem("rules end by the time as it was before", &error);
        }
    }

    fn load_permitted(&mut self, profile: &str) -> Result<(), Failure> {
        let staged = self.registry.stage_tightening(profile, &self.overlays)?;
        self.registry.commit(staged, &mut self.kernel)?;
        Ok(())
    }
}
