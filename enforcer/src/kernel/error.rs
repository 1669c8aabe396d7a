//! What can go wrong with the kernel side.

use aya::maps::MapError;
use enforcer_abi::{
    Slot,
    limits::{SLOTS, TABLE_CLASSES, TABLE_WORDS},
};

use super::Unsupported;

/// Why the programs could not be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The binary has no programs in it.
    #[error("built without the kernel programs; build with `cargo xtask build`")]
    NoObject,
    /// This host cannot enforce.
    #[error(transparent)]
    Unsupported(#[from] Unsupported),
    /// The kernel's BTF could not be read by the loader.
    #[error("cannot read the kernel's type information")]
    Btf {
        /// What the loader says.
        source: aya::BtfError,
    },
    /// The object could not be loaded.
    #[error("cannot load the kernel programs")]
    Object {
        /// What the loader says.
        source: Box<aya::EbpfError>,
    },
    /// The object lacks a program for a hook.
    #[error(
        "the kernel programs lack {program}, for the hook {hook}; build again with `cargo xtask build`"
    )]
    NoProgram {
        /// The hook.
        hook: &'static str,
        /// The program.
        program: &'static str,
    },
    /// The kernel does not take a program.
    #[error("cannot load the program for the hook {hook}")]
    Program {
        /// The hook.
        hook: &'static str,
        /// What the kernel says.
        source: Box<aya::programs::ProgramError>,
    },
    /// A map is missing or of another shape.
    #[error("cannot use the map {map}")]
    Map {
        /// The map.
        map: &'static str,
        /// What is wrong, unless it is missing.
        source: Option<Box<MapError>>,
    },
}

/// Why a map could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccessError {
    /// The kernel refused.
    #[error("cannot {action} the map {map}")]
    Map {
        /// What was tried.
        action: &'static str,
        /// The map.
        map: &'static str,
        /// What the kernel says.
        source: Box<MapError>,
    },
    /// The kernel has no hook for what a profile wants mediated.
    #[error(
        "the kernel has no hook {hook}, which `metadata: true` takes; use a kernel that has it, or leave `metadata` out"
    )]
    NoHook {
        /// The hook.
        hook: &'static str,
    },
    /// A program cannot be attached.
    #[error(
        "cannot attach the program for the hook {hook}, which the profiles need; look into the \
         kernel's log for why, and load them again"
    )]
    Attach {
        /// The hook.
        hook: &'static str,
        /// What the kernel says.
        source: Box<aya::programs::ProgramError>,
    },
    /// A table is longer than the largest size class.
    #[error("a table of {words} words is longer than the longest, {}", TABLE_WORDS[TABLE_CLASSES - 1])]
    TableTooLong {
        /// Its length.
        words: usize,
    },
    /// A slot outside the maps.
    #[error("slot {} is not below {SLOTS}", slot.0)]
    NoSuchSlot {
        /// The slot.
        slot: Slot,
    },
}
