//! Why the agent cannot start, or cannot go on.

use std::{io, path::PathBuf};

use super::{loaded::ChangeError, server::SocketError};
use crate::{
    kernel::{AccessError, LoadError, ReadError},
    profile::ProfileError,
    store::StoreError,
    tighten::OverlayError,
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
    /// The tightenings cannot be read.
    #[error(transparent)]
    Overlays(#[from] OverlayError),
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
