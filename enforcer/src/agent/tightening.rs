//! Tightenings in the running agent: proposed, applied, taken back.
//!
//! An overlay's file is written before the kernel gets the table that goes with
//! it, and written back if that fails. So the files always say which rights the
//! next start loads, and a crash between the two is one after the change.
//!
//! - `trial`: what is on trial first, and may be taken back
//! - `plans`: what is and would be proposed; `schedule`: what was not used for long; `text`: all of it for people

mod error;
mod plans;
mod schedule;
mod text;
mod trial;

use std::collections::{HashMap, hash_map::Entry};

use jiff::Timestamp;

pub(super) use self::error::TightenError;
pub use self::text::{lost_text, removals_text};
use super::{
    Agent,
    loaded::{ChangeError, Instance},
    log,
};
use crate::{
    detection::{Detection, DetectionId, TighteningId, base_name, finding::leaves_profile},
    history::Use,
    profile::{Escaped, ProfileMode, Removal, Tighten},
    tighten::{self, Offence, Overlay, OverlayState, Usage},
};

/// Detections that a proposal names at most. A storm of them would have its file
/// written again for each.
const LINKED: usize = 64;

/// What was used of profiles, read once for a batch of detections. What is used
/// meanwhile is seen when a tightening is applied.
pub(super) type Usages = HashMap<String, Usage>;

impl Agent {
    /// Returns what would be taken away after a detection, beside what is
    /// proposed already.
    fn planned(
        &self,
        detection: &Detection,
        usages: &mut Usages,
    ) -> Result<Vec<Removal>, TightenError> {
        let name = base_name(&detection.profile);
        let Some(instance) = self.registry.get(name) else {
            return Ok(Vec::new());
        };
        let is_violation_of_paths = detection.privilege.is_none()
            && !detection.is_learned()
            && leaves_profile(&detection.reason)
            && !detection.path.is_empty();
        if !is_violation_of_paths {
            return Ok(Vec::new());
        }
        let usage = match usages.entry(name.to_owned()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(self.usage(name)?),
        };
        let offence = Offence {
            path: &detection.path,
            missing: detection.missing,
        };
        Ok(tighten::plan(&instance.current.effective, usage, offence))
    }

    fn usage(&self, profile: &str) -> Result<Usage, TightenError> {
        self.registry
            .usage(profile, &self.kernel)
            .map_err(|source| TightenError::Usage {
                profile: profile.to_owned(),
                source,
            })
    }

    /// Does what the violated profile says is to be done after a new detection.
    /// Returns the tightenings that it leads to.
    pub(super) fn answer(
        &mut self,
        detection: &Detection,
        usages: &mut Usages,
    ) -> Result<Vec<TighteningId>, TightenError> {
        let name = base_name(&detection.profile);
        let Some(written) = self.registry.profile(name) else {
            return Ok(Vec::new());
        };
        let tighten = written.on_violation.tighten;
        // What a profile on trial would refuse is what its author has to look at,
        // not an attack.
        let enforced = detection.verdict
            == crate::detection::verdict_name(enforcer_abi::Verdict::Deny)
            && written.mode == ProfileMode::Enforce;
        self.weigh(detection)?;
        if tighten == Tighten::Off || !enforced || !self.knows_usage {
            return Ok(Vec::new());
        }
        let ids = self.propose(detection, usages)?;
        if tighten == Tighten::Auto {
            for &id in &ids {
                // What is in use by now keeps nothing else from going.
                if let Err(error) = self.take_away(id, &format!("by itself after {}", detection.id))
                {
                    log::problem(&format!("{id} stays a proposal"), &error);
                }
            }
        }
        Ok(ids)
    }

    /// Makes sure that what can be taken away after a detection is proposed, and
    /// returns the proposals.
    fn propose(
        &mut self,
        detection: &Detection,
        usages: &mut Usages,
    ) -> Result<Vec<TighteningId>, TightenError> {
        let profile = base_name(&detection.profile).to_owned();
        let planned = self.planned(detection, usages)?;
        let unproposed = self.overlays.unproposed(&profile, &planned);
        let mut ids = unproposed.joined;
        for &id in &ids {
            self.link(id, detection.id)?;
        }
        if !unproposed.fresh.is_empty() {
            let overlay = Overlay {
                id: self.overlays.next_id(self.store.last_tightening()?),
                profile,
                created: Timestamp::now(),
                state: OverlayState::Proposed,
                trial: None,
                since: None,
                detections: vec![detection.id],
                removals: unproposed.fresh,
                reason: format!(
                    "never used since the profile was loaded, and near {}",
                    Escaped(&detection.path)
                ),
            };
            ids.push(overlay.id);
            log::proposed(&overlay);
            self.keep(&overlay, &format!("proposed after {}", detection.id))?;
        }
        Ok(ids)
    }

    /// Adds a detection to those that a proposal names.
    fn link(&mut self, id: TighteningId, detection: DetectionId) -> Result<(), TightenError> {
        let Some(overlay) = self.overlays.get(id) else {
            return Ok(());
        };
        if overlay.detections.contains(&detection) || overlay.detections.len() >= LINKED {
            return Ok(());
        }
        let mut overlay = overlay.clone();
        overlay.detections.push(detection);
        self.keep(&overlay, "another detection")
    }

    /// Applies a tightening.
    pub(super) fn apply(&mut self, id: TighteningId, cause: &str) -> Result<Overlay, TightenError> {
        let overlay = self.tightening(id)?;
        if overlay.state == OverlayState::Applied {
            return Err(TightenError::Already {
                id,
                state: overlay.state,
            });
        }
        self.replay(&overlay)?;
        let overlay = Overlay {
            trial: None,
            ..overlay
        };
        self.change(overlay, OverlayState::Applied, cause)
    }

    /// Makes sure that a tightening takes away nothing that was used: what was unused when it
    /// was proposed may be used by now.
    fn replay(&mut self, overlay: &Overlay) -> Result<(), TightenError> {
        if overlay.since.is_some() {
            // What the store has of it is up to a minute old.
            self.note_observed();
        }
        let used = self.counted(overlay)?;
        if !used.is_empty() {
            let id = overlay.id;
            return Err(TightenError::InUse { id, used });
        }
        self.replay_history(overlay)
    }

    /// Returns what of a tightening's removals was used as the kernel counts: since the profile
    /// was loaded, or since the tightening says.
    fn counted(&self, overlay: &Overlay) -> Result<Vec<Removal>, TightenError> {
        let usage = match overlay.since {
            None => self.usage(&overlay.profile)?,
            Some(since) => self.store.used_since(&overlay.profile, since)?,
        };
        Ok(tighten::in_use(&overlay.removals, &usage))
    }

    /// Makes sure that a tightening takes away nothing that the history shows in use.
    fn replay_history(&self, overlay: &Overlay) -> Result<(), TightenError> {
        let lost = self.lost(overlay)?;
        if !lost.is_empty() {
            let id = overlay.id;
            return Err(TightenError::InHistory { id, lost });
        }
        Ok(())
    }

    /// Returns what the history shows in use and a tightening would take away.
    fn lost(&self, overlay: &Overlay) -> Result<Vec<Use>, TightenError> {
        let instance = self.loaded(overlay)?;
        let current = &instance.current;
        let after = current.effective.without(&overlay.removals);
        let mut uses = self.store.all_uses(&overlay.profile)?;
        if let Some(since) = overlay.since {
            uses.retain(|one: &Use| one.last >= since);
        }
        let suspects = self.store.suspects()?;
        tighten::lost(&current.compiled, &after, &uses, &suspects).map_err(|source| {
            TightenError::Change {
                profile: overlay.profile.clone(),
                source: ChangeError::from(Box::new(source)),
            }
        })
    }

    /// Returns the instance of a tightening's profile: without it nobody knows what it takes
    /// away.
    fn loaded(&self, overlay: &Overlay) -> Result<&Instance, TightenError> {
        let instance = self.registry.get(&overlay.profile);
        instance.ok_or_else(|| TightenError::NotLoaded {
            id: overlay.id,
            profile: overlay.profile.clone(),
        })
    }

    /// Applies what can be taken away after a detection.
    pub(super) fn apply_after(
        &mut self,
        id: DetectionId,
        cause: &str,
    ) -> Result<Vec<Overlay>, TightenError> {
        let detection = self
            .store
            .detection(id)?
            .ok_or(TightenError::NoDetection { id })?;
        let ids = self.propose(&detection, &mut Usages::new())?;
        if ids.is_empty() {
            return Err(TightenError::NothingUnused { id });
        }
        // All or none.
        for &id in &ids {
            self.replay(&self.tightening(id)?)?;
        }
        ids.into_iter().map(|id| self.apply(id, cause)).collect()
    }

    /// Takes a tightening back.
    pub(super) fn revert(
        &mut self,
        id: TighteningId,
        cause: &str,
    ) -> Result<Overlay, TightenError> {
        let overlay = self.tightening(id)?;
        match overlay.state {
            OverlayState::Applied | OverlayState::OnTrial => {
                self.change(overlay, OverlayState::Reverted, cause)
            }
            OverlayState::Proposed => Err(TightenError::NotApplied { id }),
            state @ OverlayState::Reverted => Err(TightenError::Already { id, state }),
        }
    }

    pub(super) fn tightening(&self, id: TighteningId) -> Result<Overlay, TightenError> {
        self.overlays
            .get(id)
            .cloned()
            .ok_or(TightenError::NoTightening { id })
    }

    /// Brings a tightening into another state: its file, then the kernel, then the
    /// store, which only mirrors.
    pub(super) fn change(
        &mut self,
        before: Overlay,
        state: OverlayState,
        cause: &str,
    ) -> Result<Overlay, TightenError> {
        let after = Overlay {
            state,
            ..before.clone()
        };
        self.overlays
            .put(after.clone())
            .map_err(TightenError::overlay)?;
        let loaded = self
            .registry
            .stage_tightening(&after.profile, &self.overlays)
            .and_then(|staged| self.registry.commit(staged, &mut self.kernel));
        match loaded {
            Ok(_changed) => {
                log::tightened(&after, cause);
                self.store.mirror(&after, Timestamp::now(), cause)?;
                Ok(after)
            }
            Err(source) => {
                let id = before.id;
                let profile = before.profile.clone();
                self.overlays
                    .put(before)
                    .map_err(|source| TightenError::Torn { id, source })?;
                Err(TightenError::Change { profile, source })
            }
        }
    }

    /// Writes an overlay whose state does not change what holds.
    pub(super) fn keep(&mut self, overlay: &Overlay, cause: &str) -> Result<(), TightenError> {
        self.overlays
            .put(overlay.clone())
            .map_err(TightenError::overlay)?;
        self.store.mirror(overlay, Timestamp::now(), cause)?;
        Ok(())
    }
}
