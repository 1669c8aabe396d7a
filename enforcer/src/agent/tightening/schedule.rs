//! On schedule: what was not used for long is proposed to go, or goes by itself; and so do
//! broad patterns, but for the narrower ones in which all lies that was used.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;

use super::{Agent, ChangeError, TightenError, log};
use crate::{
    draft::Root,
    learn::found,
    profile::{Profile, ProfileMode, Removal, Tighten},
    store::KEPT,
    text,
    tighten::{self, Files, Overlay, OverlayState},
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
        self.note_observed();
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
        let mut known = self.store.keep_patterns(&written.name, &patterns, now)?;
        let tighten = written.on_violation.tighten;
        if tighten == Tighten::Off || written.mode != ProfileMode::Enforce {
            return Ok(());
        }
        let Some(cutoff) = self.store.observed_for(&written.name, unused, now)? else {
            return Ok(());
        };
        let uses = self.store.all_uses(&written.name)?;
        // Of a history that was cut short, nobody knows what is not in it.
        if uses.len() >= KEPT {
            return Ok(());
        }
        let Some(instance) = self.registry.get(&written.name) else {
            return Ok(());
        };
        let current = &instance.current;
        let counted = self.store.used_since(&written.name, cutoff)?;
        let (effective, compiled) = (&current.effective, &current.compiled);
        let stale = tighten::stale(effective, compiled, &uses, &counted, &known, cutoff);
        let suspects = self.store.suspects()?;
        let mut legitimate = uses;
        legitimate.retain(|one| tighten::is_legitimate(one, &suspects));
        // Of what was not all looked at nobody knows the objects.
        let unseen = self.store.unseen_since(&written.name, cutoff)?;
        known.retain(|pattern, _| !unseen.contains(pattern));
        let root = Root::at(Path::new("/")).ok();
        let narrower = root.map_or(Ok(Vec::new()), |root| {
            let files = Files {
                existing: &root,
                find: &found,
            };
            tighten::narrower(effective, compiled, &legitimate, &known, cutoff, &files)
        });
        let narrower = narrower.map_err(|source| TightenError::Change {
            profile: written.name.clone(),
            source: ChangeError::from(Box::new(source)),
        })?;
        let time = text::time(unused);
        let unused = format!("not used for {time}");
        self.propose_on_schedule(written, &stale, cutoff, &unused)?;
        let narrow = format!("all that was used in {time} and longer lies in narrower patterns");
        self.propose_on_schedule(written, &narrower, cutoff, &narrow)
    }

    /// Proposes what was planned on schedule, or has it go by itself, as the profile wants it.
    fn propose_on_schedule(
        &mut self,
        written: &Profile,
        planned: &[Removal],
        cutoff: Timestamp,
        reason: &str,
    ) -> Result<(), TightenError> {
        let fresh = self.overlays.unproposed(&written.name, planned).fresh;
        if fresh.is_empty() {
            return Ok(());
        }
        let overlay = Overlay {
            id: self.overlays.next_id(self.store.last_tightening()?),
            profile: written.name.clone(),
            created: Timestamp::now(),
            state: OverlayState::Proposed,
            trial: None,
            since: Some(cutoff),
            detections: Vec::new(),
            removals: fresh,
            reason: reason.to_owned(),
        };
        let id = overlay.id;
        log::proposed(&overlay);
        self.keep(&overlay, &overlay.reason)?;
        if written.on_violation.tighten == Tighten::Auto {
            self.take_away(id, &format!("by itself: {reason}"))?;
        }
        Ok(())
    }
}
