//! Trials: tightenings that take nothing away yet.
//!
//! The kernel judges every access by what would be left as well, and tells where the two
//! differ. One such use, unless an attack's, ends the trial, and the tightening is a
//! proposal again; without one it holds when the time is over. Should it then refuse
//! something to who violates nothing else, it is taken back.

use std::{collections::BTreeSet, time::Instant};

use enforcer_abi::{Access, Reason, Verdict};
use jiff::Timestamp;

use super::{Agent, TightenError, log};
use crate::{
    detection::{Detection, TighteningId, base_name, finding::leaves_profile, verdict_name},
    tighten::{Overlay, OverlayState},
};

impl Agent {
    /// Has a proposal take away by itself, after a trial if there is to be one.
    pub(super) fn take_away(&mut self, id: TighteningId, cause: &str) -> Result<(), TightenError> {
        if self.tightening(id)?.state == OverlayState::OnTrial {
            return Ok(());
        }
        if self.options.trial.is_zero() {
            self.apply(id, &format!("applied {cause}"))?;
        } else {
            self.try_out(id, &format!("on trial {cause}"))?;
        }
        Ok(())
    }

    /// Puts a tightening on trial.
    pub(in crate::agent) fn try_out(
        &mut self,
        id: TighteningId,
        cause: &str,
    ) -> Result<Overlay, TightenError> {
        let overlay = self.tightening(id)?;
        let state = overlay.state;
        if matches!(state, OverlayState::Applied | OverlayState::OnTrial) {
            return Err(TightenError::Already { id, state });
        }
        self.replay(&overlay)?;
        let overlay = self.begin_trial(overlay);
        self.change(overlay, OverlayState::OnTrial, cause)
    }

    /// Has the trial of a tightening begin now. It lasts as long as the agent sees what is
    /// done under the profile, by a clock that nobody sets.
    fn begin_trial(&mut self, overlay: Overlay) -> Overlay {
        self.trials.insert(overlay.id, Instant::now());
        let until = Timestamp::now().saturating_add(self.options.trial);
        Overlay {
            trial: Some(until.unwrap_or(Timestamp::MAX)),
            ..overlay
        }
    }

    /// Has those tightenings hold whose trial is over. That of one whose profile was not
    /// loaded meanwhile, or the agent did not run, begins anew.
    pub(in crate::agent) fn end_trials(&mut self) {
        let on_trial = |agent: &Self| -> Vec<Overlay> {
            let overlays = agent.overlays.iter();
            let on_trial = overlays.filter(|one| one.state == OverlayState::OnTrial);
            on_trial.cloned().collect()
        };
        for overlay in on_trial(self) {
            if self.registry.get(&overlay.profile).is_none() {
                self.trials.remove(&overlay.id);
            } else if !self.trials.contains_key(&overlay.id) {
                let anew = self.begin_trial(overlay);
                log::tightened(&anew, "its trial begins anew");
                if let Err(error) = self.keep(&anew, "its trial begins anew") {
                    log::problem(
                        &format!("until when {} is on trial is not kept", anew.id),
                        &error,
                    );
                }
            }
        }
        if !self.trials.keys().any(|&id| self.is_over(id)) {
            return;
        }
        // What was told against one of them counts.
        self.catch_up();
        for overlay in on_trial(self) {
            let id = overlay.id;
            if self.is_over(id)
                && let Err(error) = self.promote(overlay)
            {
                log::problem(&format!("the trial of {id} does not end"), &error);
            }
        }
        let ids: BTreeSet<_> = on_trial(self).iter().map(|overlay| overlay.id).collect();
        self.trials.retain(|id, _| ids.contains(id));
    }

    /// Whether a trial has begun under this agent and is over.
    fn is_over(&self, id: TighteningId) -> bool {
        let begun = self.trials.get(&id);
        begun.is_some_and(|begun| begun.elapsed() >= self.options.trial)
    }

    fn promote(&mut self, overlay: Overlay) -> Result<(), TightenError> {
        // What was used meanwhile was told. The counters of all that was since the profile was
        // loaded do not say by whom.
        let replayed = if overlay.since.is_some() {
            self.replay(&overlay)
        } else {
            self.replay_history(&overlay)
        };
        match replayed {
            Ok(()) => self.change(
                overlay,
                OverlayState::Applied,
                "nobody used what it takes away while it was on trial",
            ),
            Err(error @ (TightenError::InHistory { .. } | TightenError::InUse { .. })) => {
                self.change(overlay, OverlayState::Proposed, &error.to_string())
            }
            Err(error) => return Err(error),
        }
        .map(drop)
    }

    /// Takes in what a new detection says of the profile's tightenings: that one on trial
    /// would have refused, or one that held by itself did, what is no attack.
    pub(super) fn weigh(&mut self, detection: &Detection) -> Result<(), TightenError> {
        let is_doubt = detection.reason == Reason::OnTrial.name();
        let is_refusal = detection.verdict == verdict_name(Verdict::Deny)
            && leaves_profile(&detection.reason)
            && detection.privilege.is_none();
        let (state, next) = if is_doubt {
            (OverlayState::OnTrial, OverlayState::Proposed)
        } else if is_refusal {
            (OverlayState::Applied, OverlayState::Reverted)
        } else {
            return Ok(());
        };
        let overlays: Vec<_> = self
            .overlays
            .of(base_name(&detection.profile), state)
            .filter(|overlay| overlay.trial.is_some())
            .cloned()
            .collect();
        for overlay in overlays {
            let taken = self.taken(&overlay, detection);
            let (is_met, cause) = if is_doubt && detection.path.is_empty() {
                // More happened at once than could be told.
                (true, "used what it may take away: the object is not known")
            } else if is_doubt {
                let used = "used what it would take away";
                (!(taken & detection.missing).is_empty(), used)
            } else {
                let refused = "was refused what it took away, and violates nothing else";
                (taken.contains(detection.missing), refused)
            };
            if is_met && !self.is_attack(&overlay, detection)? {
                self.change(overlay, next, &format!("{} {cause}", detection.id))?;
            }
        }
        Ok(())
    }

    /// The rights that a tightening takes away on the object of a detection.
    fn taken(&self, overlay: &Overlay, detection: &Detection) -> Access {
        let Some(profile) = self.registry.profile(&overlay.profile) else {
            return Access::NONE;
        };
        let matching = profile
            .rules
            .iter()
            .filter(|rule| rule.pattern.matches(&detection.path));
        let mut taken = Access::NONE;
        for rule in matching {
            let mut removals = overlay.removals.iter();
            if let Some(removal) = removals.find(|one| one.pattern == rule.pattern.text()) {
                taken |= removal.taken_of(&detection.path) & rule.allow;
            }
        }
        taken
    }

    /// Whether something was refused to who did this, or would have been, that the
    /// tightening is not to blame for, and nobody has settled it.
    fn is_attack(&self, overlay: &Overlay, detection: &Detection) -> Result<bool, TightenError> {
        let refused = self.store.refused_to(detection.lineage)?;
        Ok(refused.iter().any(|one| {
            base_name(&one.profile) != overlay.profile
                || !self.taken(overlay, one).contains(one.missing)
        }))
    }
}
