//! Why the loaded profiles cannot be changed.

use std::path::PathBuf;

use super::super::ranges::NoRoom;
use crate::{kernel::AccessError, profile::CompileError};

/// Why a change cannot be made. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// There are too many profiles.
    #[error(
        "there is no slot for another profile; restart the agent to forget those that were removed"
    )]
    NoSlot,
    /// There are too many outcomes.
    #[error(transparent)]
    NoRoom(#[from] NoRoom),
    /// There is no such profile.
    #[error("there is no profile {name}")]
    NotLoaded {
        /// Its name.
        name: String,
    },
    /// The name belongs to another file.
    #[error("the name {name} of {} is taken by {}", file.display(), other.display())]
    NameTaken {
        /// The name.
        name: String,
        /// The file of the profile that wants it.
        file: PathBuf,
        /// The file of the profile that has it.
        other: PathBuf,
    },
    /// A profile cannot be compiled.
    #[error(transparent)]
    Compile(#[from] Box<CompileError>),
    /// The kernel refused.
    #[error("{}", if *.restored { "the kernel refused a change; all is as before" } else { "the kernel refused a change and to take it back; restart the agent" })]
    Kernel {
        /// What it said.
        source: AccessError,
        /// Whether it has the tables from before again.
        restored: bool,
    },
}
