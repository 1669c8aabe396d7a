//! Removals as they are kept: one YAML file for each tightening.
//!
//! The files in `STATE/overlays` decide which tightenings hold; the user's
//! profile is never rewritten. A change of state is written and synced *before*
//! the kernel gets the table that goes with it, and written back if the kernel
//! refuses that table. So a crash in between is a crash after the change: the
//! next start reads the file and loads the rights that it says.

use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::beyond;
use crate::{
    detection::{DetectionId, TighteningId},
    kept::{Keep, Kept, KeptError},
    permit::Permits,
    profile::{Profile, Removal, ends},
};

/// A tightening: rights that are, or would be, taken away from a profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overlay {
    /// Its name, and the stem of its file's name.
    pub id: TighteningId,
    /// The profile that it tightens.
    pub profile: String,
    /// When it was proposed.
    pub created: Timestamp,
    /// Whether it holds.
    pub state: OverlayState,
    /// Until when it is on trial, or was before it came to hold by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<Timestamp>,
    /// Only what was used since then counts against it; `None`: whenever it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The detections because of which.
    pub detections: Vec<DetectionId>,
    /// What goes.
    pub removals: Vec<Removal>,
    /// Why, for people.
    pub reason: String,
}

/// Whether a tightening holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OverlayState {
    /// It waits for somebody to accept it.
    Proposed,
    /// It takes nothing away yet. Every use is told of what it would.
    OnTrial,
    /// It holds.
    Applied,
    /// Somebody took it back. It is not proposed again.
    Reverted,
}

impl OverlayState {
    /// The name, as the command line and the store spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::OnTrial => "on-trial",
            Self::Applied => "applied",
            Self::Reverted => "reverted",
        }
    }
}

impl Keep for Overlay {
    type Id = TighteningId;
    const WHAT: &str = "tightening";
    const WITHOUT: &str = "give its rights back";

    fn id(&self) -> TighteningId {
        self.id
    }
}

/// What is left to propose of a plan, beside the proposals that there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unproposed {
    /// Removals that nobody has proposed.
    pub fresh: Vec<Removal>,
    /// Open proposals that have some of the plan's removals.
    pub joined: Vec<TighteningId>,
}

/// All tightenings there are, and all permits, as their files say: what holds beside the
/// written profiles.
#[derive(Debug)]
pub struct Overlays {
    all: Kept<Overlay>,
    permits: Permits,
}

impl Overlays {
    /// Reads the tightenings in the folder `overlays` of the state directory, and the permits
    /// in `permits`.
    ///
    /// # Errors
    ///
    /// A file that cannot be read or understood: what it takes away would
    /// silently be granted again.
    pub fn load(state: &Path) -> Result<Self, KeptError> {
        Ok(Self {
            all: Kept::load(&state.join("overlays"))?,
            permits: Permits::load(&state.join("permits"))?,
        })
    }

    /// Writes an overlay to its file, wholly or not at all, and keeps it.
    ///
    /// # Errors
    ///
    /// If the file cannot be written; the overlay is then as before.
    pub fn put(&mut self, overlay: Overlay) -> Result<(), KeptError> {
        self.all.put(overlay)
    }

    /// Returns the overlay with this name.
    pub fn get(&self, id: TighteningId) -> Option<&Overlay> {
        self.all.get(id)
    }

    /// Returns all overlays, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Overlay> {
        self.all.iter()
    }

    /// The permits.
    pub fn permits(&self) -> &Permits {
        &self.permits
    }

    /// The permits, to change them.
    pub fn permits_mut(&mut self) -> &mut Permits {
        &mut self.permits
    }

    /// Returns a name that no overlay has, beyond `last` as well.
    pub fn next_id(&self, last: TighteningId) -> TighteningId {
        let highest = self.all.iter().next_back();
        let highest = highest.map_or(last, |overlay| overlay.id.max(last));
        TighteningId(highest.0.saturating_add(1))
    }

    /// Returns the overlays of a profile that are in `state`.
    pub fn of<'a>(
        &'a self,
        profile: &'a str,
        state: OverlayState,
    ) -> impl Iterator<Item = &'a Overlay> {
        self.all
            .iter()
            .filter(move |overlay| overlay.profile == profile && overlay.state == state)
    }

    /// Returns `profile` as it holds now: with what its applied overlays leave of it, and
    /// those on trial, without the rules that ended, and with what is permitted for a time.
    pub fn applied_to(&self, profile: &Profile) -> Profile {
        let removals = |state| -> Vec<Removal> {
            self.of(&profile.name, state)
                .flat_map(|overlay| overlay.removals.iter().cloned())
                .collect()
        };
        let tightened = profile
            .without(&removals(OverlayState::Applied))
            .with_trial(&removals(OverlayState::OnTrial));
        let now = ends::now();
        self.permits.added_to(tightened.without_ended(now), now)
    }

    /// Returns what is left to propose of `planned` for a profile.
    ///
    /// What somebody took back is not proposed again: that would undo a person's
    /// decision at the next violation.
    pub fn unproposed(&self, profile: &str, planned: &[Removal]) -> Unproposed {
        let wanted = self
            .of(profile, OverlayState::Reverted)
            .fold(planned.to_vec(), |rest, overlay| {
                beyond(&rest, &overlay.removals)
            });
        let mut unproposed = Unproposed {
            fresh: wanted,
            joined: Vec::new(),
        };
        let open = [OverlayState::Proposed, OverlayState::OnTrial];
        for overlay in open.into_iter().flat_map(|state| self.of(profile, state)) {
            let rest = beyond(&unproposed.fresh, &overlay.removals);
            if rest != unproposed.fresh {
                unproposed.joined.push(overlay.id);
                unproposed.fresh = rest;
            }
        }
        unproposed
    }
}

#[cfg(test)]
mod tests;
