//! Why the agent cannot start, or cannot go on, and what clients are told of that.

use std::{io, path::PathBuf};

use super::{loaded::ChangeError, server::SocketError, tightening::TightenError};
use crate::{
    kept::KeptError,
    kernel::{AccessError, LoadError, ReadError},
    profile::ProfileError,
    protocol::{Failure, FailureKind, chain},
    store::StoreError,
};

/// Why the agent cannot start, or cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AgentError {
    /// Profiles have errors.
    #[error("{} in the profiles; `enforcer check` shows them", errors.len())]
    Profiles {
        /// They, each with its place.
        errors: Vec<ProfileError>,
    },
    /// The kernel side cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Another agent has the state directory.
    #[error("another agent uses the state directory {}; stop it, or choose another one with --state", path.display())]
    StateInUse {
        /// The directory.
        path: PathBuf,
    },
    /// A file cannot be used.
    #[error("cannot use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The tightenings or permits cannot be read.
    #[error(transparent)]
    Overlays(#[from] KeptError),
    /// The programs cannot be told what time it is.
    #[error(transparent)]
    Clock(#[from] AccessError),
    /// The profiles cannot be put into the kernel.
    #[error("cannot load the profiles")]
    Change {
        /// Why.
        #[from]
        source: ChangeError,
    },
    /// The socket cannot be made.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// Events cannot be read.
    #[error(transparent)]
    Events(#[from] ReadError),
    /// The runtime cannot be started.
    #[error("cannot {action}")]
    Runtime {
        /// What was tried.
        action: &'static str,
        /// Why it failed.
        source: io::Error,
    },
}

/// Why counts cannot be brought up to date.
#[derive(Debug, thiserror::Error)]
pub(super) enum FoldError {
    /// The kernel does not tell them.
    #[error(transparent)]
    Kernel(#[from] AccessError),
    /// The store does not take them.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::internal(&error)
    }
}

impl From<ChangeError> for Failure {
    fn from(error: ChangeError) -> Self {
        let kind = match error {
            ChangeError::NotLoaded { .. } => FailureKind::NotFound,
            ChangeError::Compile(_)
            | ChangeError::UnknownUser { .. }
            | ChangeError::TwoUsers { .. }
            | ChangeError::Lacks { .. } => FailureKind::InvalidProfile,
            ChangeError::NameTaken { .. } | ChangeError::NoSlot { .. } | ChangeError::NoRoom(_) => {
                FailureKind::Conflict
            }
            ChangeError::Accounts { .. } | ChangeError::Kernel { .. } => FailureKind::Internal,
        };
        let message = match kind {
            FailureKind::InvalidProfile => error.to_string(),
            _ => chain(&error),
        };
        Self::new(kind, message)
    }
}

impl From<TightenError> for Failure {
    fn from(error: TightenError) -> Self {
        let kind = match error {
            TightenError::NoTightening { .. }
            | TightenError::NoDetection { .. }
            | TightenError::NothingUnused { .. } => FailureKind::NotFound,
            TightenError::Already { .. }
            | TightenError::NotApplied { .. }
            | TightenError::InUse { .. }
            | TightenError::InHistory { .. } => FailureKind::Conflict,
            _ => FailureKind::Internal,
        };
        Self::new(kind, chain(&error))
    }
}

impl From<AgentError> for Failure {
    fn from(error: AgentError) -> Self {
        match error {
            AgentError::Profiles { errors } => {
                let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
                Self::new(FailureKind::InvalidProfile, lines.join("\n"))
            }
            AgentError::Change { source } => source.into(),
            error => Self::internal(&error),
        }
    }
}
