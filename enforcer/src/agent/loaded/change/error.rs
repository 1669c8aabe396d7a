//! Why the loaded profiles cannot be changed.

use std::{io, path::PathBuf};

use enforcer_abi::{Slot, limits::SLOTS};

use super::super::ranges::NoRoom;
use crate::{
    kernel::{AccessError, hooks::Feature},
    profile::{CompileError, Origin},
};

/// Why a change cannot be made. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// There are too many profiles.
    #[error(
        "there is no slot for the profile {name}, and {} have one; load fewer, or restart the agent to forget those that were removed",
        SLOTS - Slot::FIRST.0 as usize
    )]
    NoSlot {
        /// The first that has none.
        name: String,
    },
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
    /// A profile names a user that there is not.
    #[error("{origin}: {} has no user {user}; write the user's id", path.display())]
    UnknownUser {
        /// Where the user stands.
        origin: Origin,
        /// The user.
        user: String,
        /// Where names are looked up.
        path: PathBuf,
    },
    /// Names of users cannot be looked up.
    #[error("cannot read {} to look up a user; write the user's id", path.display())]
    Accounts {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Two profiles name one user.
    #[error("{origin}: the profile {other} claims the user {uid}, too; one of them has to let go")]
    TwoUsers {
        /// Where the second profile names the user.
        origin: Origin,
        /// The user's id.
        uid: u32,
        /// The first profile.
        other: String,
    },
    /// A rule needs what this kernel cannot do.
    #[error("{origin}: this takes Linux {}: {}", feature.since(), feature.without())]
    Lacks {
        /// Where the rule stands.
        origin: Origin,
        /// What it needs.
        feature: Feature,
    },
    /// The kernel refused.
    #[error("{}", if *.restored { "the kernel refused a change; all is as before" } else { "the kernel refused a change and to take it back; restart the agent" })]
    Kernel {
        /// What it said.
        source: AccessError,
        /// Whether it has the tables from before again.
        restored: bool,
    },
}
