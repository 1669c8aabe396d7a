//! What people decide: how far they are with detections, proposals that they decline, and
//! profiles that they changed.

use std::path::Path;

use super::{Agent, loaded::Changed, log, tightening::TightenError};
use crate::{
    detection::{DetectionId, State, TighteningId},
    profile::Profile,
    protocol::{Failure, FailureKind, views::Reloaded},
    tighten::{Overlay, OverlayState},
};

impl Agent {
    /// Notes how far people are with detections.
    pub(super) fn settle(
        &mut self,
        ids: Vec<DetectionId>,
        state: State,
    ) -> Result<Vec<DetectionId>, Failure> {
        if let Some(id) = self.store.settle(&ids, state)? {
            return Err(Failure::new(
                FailureKind::NotFound,
                format!("there is no detection {id}"),
            ));
        }
        log::settled(&ids, state);
        Ok(ids)
    }

    /// Loads the profiles of the folder anew.
    pub(super) fn load_folder(&mut self) -> Result<Reloaded, Failure> {
        Ok(reloaded(self.reload()?))
    }

    /// Loads a profile that lies elsewhere.
    pub(super) fn load_file(&mut self, text: &str, file: &Path) -> Result<Reloaded, Failure> {
        let profile = self.parse(text, file)?;
        Ok(reloaded(self.load_profile(profile)?))
    }

    /// Loads a profile that a client has read.
    pub(super) fn load_profile(&mut self, profile: Profile) -> Result<Changed, Failure> {
        let staged = self.registry.stage_file(profile, &self.overlays)?;
        let changed = self.registry.commit(staged, &mut self.kernel)?;
        log::changed(&changed);
        Ok(changed)
    }

    /// Has a proposal not be made again.
    pub(super) fn decline(
        &mut self,
        id: TighteningId,
        cause: &str,
    ) -> Result<Overlay, TightenError> {
        let overlay = self.tightening(id)?;
        match overlay.state {
            OverlayState::OnTrial => self.change(overlay, OverlayState::Reverted, cause),
            OverlayState::Proposed => {
                let declined = Overlay {
                    state: OverlayState::Reverted,
                    ..overlay
                };
                self.keep(&declined, cause)?;
                log::tightened(&declined, cause);
                Ok(declined)
            }
            state @ (OverlayState::Applied | OverlayState::Reverted) => {
                Err(TightenError::Already { id, state })
            }
        }
    }
}

fn reloaded(changed: Changed) -> Reloaded {
    let Changed {
        loaded,
        removed,
        stuck,
    } = changed;
    let stuck = stuck.into_iter().map(|(name, _)| name).collect();
    Reloaded {
        loaded,
        removed,
        stuck,
    }
}
