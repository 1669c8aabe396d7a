//! What the kernel tells the agent.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, TryFromBytes};

use crate::{
    access::Access,
    containment::Response,
    label::{Layer, Slot},
    policy::Verdict,
    privilege::Privilege,
    reason::Reason,
    table::HASH_START,
};

/// What an [`Event`] tells.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, TryFromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(u8)]
pub enum EventKind {
    /// An access that a layer did not grant, or granted by a rule that wants it told
    /// ([`Reason::Watched`]), for the first time under its [`ViolationKey`].
    Violation = 1,
    /// A task entered a domain by an exec.
    Executed = 2,
    /// A confined task runs a program that the agent was not told of, and may do
    /// something to tell.
    Running = 3,
    /// An access that a layer granted, for the first time under its [`UseKey`], or with a
    /// right that no earlier one needed.
    Used = 4,
}

macro_rules! operations {
    ($($(#[$doc:meta])* $variant:ident = $number:literal $name:literal,)*) => {
        /// What the task tried to do.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, TryFromBytes, IntoBytes, Immutable, KnownLayout,
        )]
        #[repr(u8)]
        pub enum Operation {
            $($(#[$doc])* $variant = $number,)*
        }

        impl Operation {
            /// Every operation, in order of its number.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name, as the command line and the store spell it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

operations! {
    /// Open a file or directory.
    Open = 1 "open",
    /// Make a regular file.
    Create = 2 "create",
    /// Run a program.
    Execute = 3 "execute",
    /// Make a directory.
    Mkdir = 4 "mkdir",
    /// Make a fifo, socket or device.
    Mknod = 5 "mknod",
    /// Make a symbolic link.
    Symlink = 6 "symlink",
    /// Take away a file's name.
    Unlink = 7 "unlink",
    /// Take away a directory.
    Rmdir = 8 "rmdir",
    /// Move an object.
    Rename = 9 "rename",
    /// Give a file another name.
    Link = 10 "link",
    /// Cut a file.
    Truncate = 11 "truncate",
    /// Change an object's mode.
    Chmod = 12 "chmod",
    /// Change an object's owner.
    Chown = 13 "chown",
    /// Change an object's times.
    Utimes = 14 "utimes",
    /// Set or remove an extended attribute or an access control list.
    Xattr = 15 "xattr",
    /// Change an object's flags.
    Ioctl = 16 "ioctl",
    /// Map a file as code, or write to one by memory.
    Map = 17 "map",
    /// Connect or send to a unix socket, or to an address of a network.
    Connect = 18 "connect",
    /// Receive a descriptor from another process.
    Receive = 19 "receive",
    /// Keep a descriptor over an exec into another domain.
    Inherit = 20 "inherit",
    /// Change how an open file is written to.
    Fcntl = 21 "fcntl",
    /// Be told of what happens to an object.
    Watch = 22 "watch",
    /// Look at an object's attributes.
    Stat = 23 "stat",
    /// Something that takes a [`Privilege`] and is no access to a path.
    Privilege = 24 "privilege",
    /// Make a socket of a family other than unix.
    Socket = 25 "socket",
    /// Be reached at an address of a network.
    Bind = 26 "bind",
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
    /// Why it was not granted; [`Reason::NotGranted`] in what is no violation.
    pub reason: Reason,
    /// Which layer did not grant it.
    pub layer: Layer,
    /// What became of it.
    pub verdict: Verdict,
    /// The privilege that it takes; [`Privilege::NONE`] for an access to a path.
    pub privilege: Privilege,
    /// What else was done about it.
    pub response: Response,
    /// Always 0.
    pub reserved: [u8; 5],
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
    /// The privilege that it takes; [`Privilege::NONE`] for an access to a path.
    pub privilege: Privilege,
    /// What else was done about it.
    pub response: Response,
    /// Always 0.
    pub reserved: [u8; 2],
}

impl ViolationKey {
    /// A number by which a containment tells what it answers. Two violations may share one;
    /// then who is released after one of them is so after the other, too.
    #[inline(always)]
    pub const fn number(&self) -> u64 {
        const PRIME: u64 = 0x0000_0100_0000_01b3;
        let what = (self.slot.0 as u64) << 32 | self.requested.0 as u64;
        let how = (self.operation as u64) << 24
            | (self.reason as u64) << 16
            | (self.layer as u64) << 8
            | self.privilege.0 as u64;
        let mut number = (HASH_START ^ self.lineage).wrapping_mul(PRIME);
        number = (number ^ self.path_hash).wrapping_mul(PRIME);
        number = (number ^ what).wrapping_mul(PRIME);
        (number ^ how).wrapping_mul(PRIME)
    }
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

/// What makes two uses of a profile the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct UseKey {
    /// Hash of the path ([`crate::table::hash`]).
    pub path_hash: u64,
    /// The profile that granted.
    pub slot: Slot,
    /// If the object is run: a part of the address by which the kernel knows the program
    /// that runs it; else 0.
    pub program: u32,
}

const _: () = assert!(size_of::<UseKey>() == 16);

/// What an outcome granted, on one CPU.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct Hit {
    /// Accesses granted, but for those that were granted from memory: what was granted
    /// to the domain before, on the same object or in the same folder.
    pub count: u64,
    /// The rights that any of them needed.
    pub used: Access,
    /// How many of them were looked at for the history since the agent last set it to 0:
    /// [`crate::limits::LOOKS`] at most.
    pub looks: u32,
}

const _: () = assert!(size_of::<Hit>() == 16);

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{Operation, ViolationKey};
    use crate::{
        access::Access,
        containment::Response,
        label::{Layer, Slot},
        policy::Verdict,
        privilege::Privilege,
        reason::Reason,
    };

    #[test]
    fn violations_have_numbers() {
        let key = ViolationKey {
            lineage: 1,
            path_hash: 2,
            slot: Slot(3),
            requested: Access::READ,
            operation: Operation::Open,
            reason: Reason::NotGranted,
            layer: Layer::User,
            verdict: Verdict::Deny,
            privilege: Privilege::NONE,
            response: Response::Contained,
            reserved: [0; 2],
        };
        let cases = [
            key,
            ViolationKey { lineage: 2, ..key },
            ViolationKey {
                path_hash: 1,
                ..key
            },
            ViolationKey {
                slot: Slot(4),
                ..key
            },
            ViolationKey {
                requested: Access::WRITE,
                ..key
            },
            ViolationKey {
                operation: Operation::Stat,
                ..key
            },
            ViolationKey {
                reason: Reason::RightsGrow,
                ..key
            },
            ViolationKey {
                layer: Layer::Process,
                ..key
            },
            ViolationKey {
                privilege: Privilege::BPF,
                ..key
            },
        ];
        let numbers: HashSet<_> = cases.iter().map(ViolationKey::number).collect();
        assert_eq!(numbers.len(), cases.len());
    }

    #[test]
    fn operations_are_numbered_and_named_once() {
        let names: HashSet<_> = Operation::ALL.iter().map(|one| one.name()).collect();
        assert_eq!(names.len(), Operation::ALL.len());
        for (number, operation) in (1..).zip(Operation::ALL) {
            assert_eq!(*operation as usize, number, "{}", operation.name());
        }
    }
}
