//! On schedule: what was not used for long is proposed to go, or goes by itself.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;

use super::{Agent, TightenError, log};
use crate::{
    profile::{Profile, ProfileMode, Tighten},
    store::KEPT,
    tighten::{self, Overlay, OverlayState},
};

/// How often it is looked for, at most and at least.
const LOOKS: [Duration; 2] = [Duration::from_secs(1), Duration::from_hours(1)];

impl Agent {
    /// Looks for what was not used for long, if that is due.
    pub(in crate::agent) fn keep_schedule(&mut self) {
        let unused = self.options.unused_after;
        let [least, most] = LOOKS;
        let every = (unused / 8).clamp(least, most);
        if unused.is_zero() || self.scheduled.elapsed() < every {
            return;
        }
        self.scheduled = Instant::now();
        self.catch_up();
        let profiles: Vec<Arc<Profile>> = self
            .registry
            .iter()
            .filter(|(_, instance)| !instance.removed && instance.mode_override.is_none())
            .map(|(_, instance)| Arc::clone(&instance.written))
            .collect();
        for profile in profiles {
            if let Err(error) = self.look_for_stale(&profile, unused) {
                let what = format!("what of {} is not used is not known", profile.name);
                log::problem(&what, &error);
            }
        }
    }

    fn look_for_stale(&mut self, written: &Profile, unused: Duration) -> Result<(), TightenError> {
        let now = Timestamp::now();
        let patterns: Vec<&str> = tighten::own_patterns(written).collect();
        let known = self.store.keep_patterns(&written.name, &patterns, now)?;
        let tighten = written.on_violation.tighten;
        if tighten == Tighten::Off || written.mode != ProfileMode::Enforce {
            return Ok(());
        }
        let cutoff = now.saturating_sub(unused).unwrap_or(Timestamp::MIN);
        let uses = self.uses_of(&written.name)?;
        // Of a history that was cut short, nobody knows what is not in it.
        if uses.len() >= KEPT {
            return Ok(());
        }
        let Some(instance) = self.registry.get(&written.name) else {
            return Ok(());
        };
        let current = &instance.current;
        let stale = tighten::stale(&current.effective, &current.compiled, &uses, &known, cutoff);
        let fresh = self.overlays.unproposed(&written.name, &stale).fresh;
        if fresh.is_empty() {
            return Ok(());
        }
        let days = unused.as_secs() / (24 * 60 * 60);
        let time = if days == 0 {
            format!("{} seconds", unused.as_secs())
        } else {
            format!("{days} days")
        };
        let overlay = Overlay {
            id: self.overlays.next_id(self.store.last_tightening()?),
            profile: written.name.clone(),
            created: now,
            state: OverlayState::Proposed,
            trial: None,
            since: Some(cutoff),
            detections: Vec::new(),
            removals: fresh,
            reason: format!("not used for {time}"),
        };
        let id = overlay.id;
        log::proposed(&overlay);
        self.keep(&overlay, &overlay.reason)?;
        if tighten == Tighten::Auto {
            self.take_away(id, &format!("by itself, since it was not used for {time}"))?;
        }
        Ok(())
    }
}
