//! Why a tightening cannot be changed.

use super::{super::loaded::ChangeError, lost_text, removals_text};
use crate::{
    detection::{DetectionId, TighteningId},
    history::Use,
    kept::KeptError,
    kernel::AccessError,
    profile::Removal,
    store::StoreError,
    tighten::OverlayState,
};

/// Why a tightening cannot be changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TightenError {
    /// There is no such tightening.
    #[error("there is no tightening {id}")]
    NoTightening {
        /// Its name.
        id: TighteningId,
    },
    /// There is no such detection.
    #[error("there is no detection {id}")]
    NoDetection {
        /// Its name.
        id: DetectionId,
    },
    /// It is in that state already.
    #[error("the tightening {id} is {} already", state.name())]
    Already {
        /// Its name.
        id: TighteningId,
        /// Its state.
        state: OverlayState,
    },
    /// Only what is applied can be taken back.
    #[error("the tightening {id} was never applied")]
    NotApplied {
        /// Its name.
        id: TighteningId,
    },
    /// Nobody knows what it would take away.
    #[error(
        "the tightening {id} is of the profile {profile}, which is not loaded; `enforcer status` lists those that are"
    )]
    NotLoaded {
        /// Its name.
        id: TighteningId,
        /// The profile.
        profile: String,
    },
    /// It would take away what is used.
    #[error(
        "the tightening {id} would take away what is in use ({}); `enforcer tighten plan` shows what is not",
        removals_text(used)
    )]
    InUse {
        /// Its name.
        id: TighteningId,
        /// What is used.
        used: Vec<Removal>,
    },
    /// It would take away what was used before.
    #[error(
        "the tightening {id} would take away what the history shows in use ({}); `enforcer tighten plan` lists it",
        lost_text(lost)
    )]
    InHistory {
        /// Its name.
        id: TighteningId,
        /// What was used, with the rights that it would lose.
        lost: Vec<Use>,
    },
    /// There is nothing to take away.
    #[error("there is nothing unused to take away near what {id} is about")]
    NothingUnused {
        /// The detection.
        id: DetectionId,
    },
    /// The overlay cannot be written.
    #[error("the overlay of the tightening cannot be kept")]
    Overlay {
        /// Why.
        source: KeptError,
    },
    /// The overlay could not be written back after a failure.
    #[error(
        "the kernel refused the tightening {id}, and its file cannot be written back; restart the agent to apply what the file says"
    )]
    Torn {
        /// Its name.
        id: TighteningId,
        /// Why.
        source: KeptError,
    },
    /// The table cannot be made or loaded.
    #[error("the profile {profile} cannot be changed")]
    Change {
        /// The profile.
        profile: String,
        /// Why.
        source: ChangeError,
    },
    /// The kernel does not tell what was used.
    #[error("cannot tell what was used of the profile {profile}")]
    Usage {
        /// The profile.
        profile: String,
        /// Why.
        source: AccessError,
    },
    /// The store failed. The change holds.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl TightenError {
    pub(super) fn overlay(source: KeptError) -> Self {
        Self::Overlay { source }
    }
}
