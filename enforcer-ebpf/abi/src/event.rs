//! What the kernel tells the agent.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, TryFromBytes};

use crate::{
    access::Access,
    label::{Layer, Slot},
    policy::Verdict,
    reason::Reason,
};

/// What an [`Event`] tells.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, TryFromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(u8)]
pub enum EventKind {
    /// An access that a layer did not grant, for the first time under its
    /// [`ViolationKey`].
    Violation = 1,
    /// A confined task runs a new program.
    Executed = 2,
}

/// What the task tried to do.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, TryFromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(u8)]
pub enum Operation {
    /// Open a file or directory.
    Open = 1,
    /// Make a file, device, fifo or socket.
    Create = 2,
    /// Run a program.
    Execute = 3,
}

impl Operation {
    /// The name, as the command line and the store spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Create => "create",
            Self::Execute => "execute",
        }
    }
}

/// One record of the ring buffer: this head, then `path_len` bytes of path.
///
/// The record's length is fixed by its form (short or long); what follows the
/// path in it has no meaning. The agent reads the head with
/// [`TryFromBytes::try_read_from_prefix`], which checks the enums.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Event {
    /// When: nanoseconds of `CLOCK_BOOTTIME`.
    pub time_ns: u64,
    /// Who: [`crate::Label::lineage`].
    pub lineage: u64,
    /// Who: cgroup v2 id.
    pub cgroup: u64,
    /// Hash of the path ([`crate::table::hash`]), as in the [`ViolationKey`].
    pub path_hash: u64,
    /// Who: process id in the initial pid namespace.
    pub tgid: u32,
    /// Who: thread id in the initial pid namespace.
    pub tid: u32,
    /// Who: process id of the parent in the initial pid namespace.
    pub parent: u32,
    /// Who: real user id in the initial user namespace.
    pub uid: u32,
    /// Who: real group id in the initial user namespace.
    pub gid: u32,
    /// Under which profile: the layer that did not grant.
    pub slot: Slot,
    /// Which version of that profile: [`crate::table::Header::GENERATION`].
    pub generation: u32,
    /// What that profile says of the path: an index of its outcomes.
    pub outcome: u32,
    /// The rights that the operation needs.
    pub requested: Access,
    /// Those of them that were not granted.
    pub missing: Access,
    /// Bytes of path behind this head.
    pub path_len: u32,
    /// What it tells.
    pub kind: EventKind,
    /// What was tried.
    pub operation: Operation,
    /// Why it was not granted; [`Reason::NotGranted`] in [`EventKind::Executed`].
    pub reason: Reason,
    /// Which layer did not grant it.
    pub layer: Layer,
    /// What became of it.
    pub verdict: Verdict,
    /// Always 0.
    pub reserved: [u8; 7],
    /// Thread name, padded with NUL.
    pub comm: [u8; 16],
}

const _: () = {
    assert!(size_of::<Event>() == 104);
    // The kernel aligns ring buffer records to 8 bytes and no further.
    assert!(align_of::<Event>() <= 8);
};

/// What makes two violations the same one.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, TryFromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct ViolationKey {
    /// [`crate::Label::lineage`].
    pub lineage: u64,
    /// Hash of the path ([`crate::table::hash`]).
    pub path_hash: u64,
    /// The profile that did not grant.
    pub slot: Slot,
    /// The rights that the operation needs.
    pub requested: Access,
    /// What was tried.
    pub operation: Operation,
    /// Why it was not granted.
    pub reason: Reason,
    /// Which layer did not grant it.
    pub layer: Layer,
    /// What became of it.
    pub verdict: Verdict,
    /// Always 0.
    pub reserved: u32,
}

const _: () = assert!(size_of::<ViolationKey>() == 32);

/// How often a violation happened. Exact: written with atomic additions.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct ViolationCount {
    /// How often.
    pub count: u64,
    /// First time: nanoseconds of `CLOCK_BOOTTIME`.
    pub first_ns: u64,
    /// Last time: nanoseconds of `CLOCK_BOOTTIME`.
    pub last_ns: u64,
    /// 1 once an event told the agent; until then each violation tries to.
    pub told: u32,
    /// Always 0.
    pub reserved: u32,
}

/// How often an outcome granted an access, on one CPU.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct Hit {
    /// Accesses granted.
    pub count: u64,
    /// The rights that they needed.
    pub used: Access,
    /// Always 0.
    pub reserved: u32,
}

const _: () = assert!(size_of::<Hit>() == 16);
