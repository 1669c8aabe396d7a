//! What a profile can grant beside rights on paths.

use core::ops::{BitOr, BitOrAssign};

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Something that a confined task may not do unless its profiles name it: a
/// capability, or another way out of a domain that no path rule speaks about.
///
/// The number is a bit of [`Privileges`]. Those below [`Privilege::MOUNT`] are
/// the kernel's capabilities with the kernel's numbers.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    FromBytes,
    IntoBytes,
    Immutable,
    KnownLayout,
)]
#[repr(transparent)]
pub struct Privilege(pub u8);

impl Privilege {
    /// `CAP_SYS_MODULE`; also asked when the kernel loads a module on demand.
    pub const SYS_MODULE: Self = Self(16);
    /// `CAP_SYS_ADMIN`.
    pub const SYS_ADMIN: Self = Self(21);
    /// `CAP_MKNOD`.
    pub const MKNOD: Self = Self(27);
    /// `CAP_SYSLOG`; also asked by `syslog(2)`.
    pub const SYSLOG: Self = Self(34);
    /// `CAP_PERFMON`; also asked by `perf_event_open(2)`.
    pub const PERFMON: Self = Self(38);
    /// `CAP_BPF`; also asked by `bpf(2)`.
    pub const BPF: Self = Self(39);
    /// Change what is mounted.
    pub const MOUNT: Self = Self(48);
    /// Make a user namespace.
    pub const USERNS: Self = Self(49);
    /// Look into or steer the memory of a process outside of the domain or with other
    /// mounts.
    pub const PTRACE: Self = Self(50);
    /// Send a signal to a process outside of the domain, or change its
    /// priority or limits.
    pub const SIGNAL: Self = Self(51);
    /// Have memory that is executable and was written to.
    pub const EXECMEM: Self = Self(52);
    /// Connect or send to a unix socket with an abstract name.
    pub const ABSTRACT_UNIX: Self = Self(53);
    /// Use `io_uring` where it could act with other credentials unseen.
    pub const IO_URING: Self = Self(54);
    /// Have a kernel thread poll an `io_uring`.
    pub const URING_SQPOLL: Self = Self(55);
    /// Act with registered credentials in an `io_uring`.
    pub const URING_OVERRIDE_CREDS: Self = Self(56);
    /// Use the kernel's key rings.
    pub const KEYS: Self = Self(57);
    /// Use System V shared memory, semaphores and message queues.
    pub const SYSV_IPC: Self = Self(58);
    /// Put input into a terminal.
    pub const TERMINAL: Self = Self(59);
    /// None: the operation asked for rights on a path.
    pub const NONE: Self = Self(u8::MAX);

    /// Every privilege with its name in profiles, in order of its number.
    #[rustfmt::skip]
    pub const NAMES: [(Self, &'static str); 53] = [
        (Self(0), "chown"), (Self(1), "dac_override"), (Self(2), "dac_read_search"),
        (Self(3), "fowner"), (Self(4), "fsetid"), (Self(5), "kill"), (Self(6), "setgid"),
        (Self(7), "setuid"), (Self(8), "setpcap"), (Self(9), "linux_immutable"),
        (Self(10), "net_bind_service"), (Self(11), "net_broadcast"), (Self(12), "net_admin"),
        (Self(13), "net_raw"), (Self(14), "ipc_lock"), (Self(15), "ipc_owner"),
        (Self(16), "sys_module"), (Self(17), "sys_rawio"), (Self(18), "sys_chroot"),
        (Self(19), "sys_ptrace"), (Self(20), "sys_pacct"), (Self(21), "sys_admin"),
        (Self(22), "sys_boot"), (Self(23), "sys_nice"), (Self(24), "sys_resource"),
        (Self(25), "sys_time"), (Self(26), "sys_tty_config"), (Self(27), "mknod"),
        (Self(28), "lease"), (Self(29), "audit_write"), (Self(30), "audit_control"),
        (Self(31), "setfcap"), (Self(32), "mac_override"), (Self(33), "mac_admin"),
        (Self(34), "syslog"), (Self(35), "wake_alarm"), (Self(36), "block_suspend"),
        (Self(37), "audit_read"), (Self(38), "perfmon"), (Self(39), "bpf"),
        (Self(40), "checkpoint_restore"),
        (Self::MOUNT, "mount"), (Self::USERNS, "userns"), (Self::PTRACE, "ptrace"),
        (Self::SIGNAL, "signal"), (Self::EXECMEM, "execmem"),
        (Self::ABSTRACT_UNIX, "abstract_unix"), (Self::IO_URING, "io_uring"),
        (Self::URING_SQPOLL, "uring_sqpoll"),
        (Self::URING_OVERRIDE_CREDS, "uring_override_creds"), (Self::KEYS, "keys"),
        (Self::SYSV_IPC, "sysv_ipc"), (Self::TERMINAL, "terminal"),
    ];

    /// Whether this is [`Privilege::NONE`].
    #[inline(always)]
    pub const fn is_none(self) -> bool {
        self.0 == Self::NONE.0
    }

    /// The name, as profiles spell it; `None` for a number without one.
    pub fn name(self) -> Option<&'static str> {
        Self::NAMES
            .into_iter()
            .find_map(|(privilege, name)| (privilege == self).then_some(name))
    }

    /// The privilege with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES
            .into_iter()
            .find_map(|(privilege, known)| (known == name).then_some(privilege))
    }
}

/// A set of privileges: one bit for each number.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(transparent)]
pub struct Privileges(pub u64);

impl Privileges {
    /// No privilege.
    pub const NONE: Self = Self(0);

    /// Whether the set holds `privilege`. A number past the last bit is in none.
    #[inline(always)]
    pub const fn contains(self, privilege: Privilege) -> bool {
        privilege.0 < 64 && self.0 >> (privilege.0 & 63) & 1 == 1
    }

    /// The set of this one privilege.
    pub const fn of(privilege: Privilege) -> Self {
        if privilege.0 < 64 {
            Self(1 << privilege.0)
        } else {
            Self::NONE
        }
    }

    /// This set, and what having it takes anyway: who may mount has to pass the
    /// kernel's check for `CAP_SYS_ADMIN`.
    #[must_use]
    pub const fn with_implied(self) -> Self {
        let mut bits = self.0;
        if self.contains(Privilege::MOUNT) {
            bits |= Self::of(Privilege::SYS_ADMIN).0;
        }
        Self(bits)
    }

    /// The names of the privileges in this set, in order of their numbers.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Privilege::NAMES
            .into_iter()
            .filter_map(move |(privilege, name)| self.contains(privilege).then_some(name))
    }
}

impl BitOr for Privileges {
    type Output = Self;
    #[inline(always)]
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Privileges {
    #[inline(always)]
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

#[cfg(test)]
mod tests {
    use super::{Privilege, Privileges};

    #[test]
    fn every_privilege_has_one_number_and_one_name() {
        let mut all = Privileges::NONE;
        for (privilege, name) in Privilege::NAMES {
            assert!(!all.contains(privilege), "{name} shares its bit");
            assert_eq!(Privilege::from_name(name), Some(privilege), "{name}");
            assert_eq!(privilege.name(), Some(name));
            all |= Privileges::of(privilege);
        }
        assert_eq!(all.names().count(), Privilege::NAMES.len());
        assert_eq!(Privilege::NONE.name(), None);
        assert!(!Privileges(u64::MAX).contains(Privilege::NONE));
    }

    #[test]
    fn mount_implies_sys_admin() {
        let mount = Privileges::of(Privilege::MOUNT);
        assert!(mount.with_implied().contains(Privilege::SYS_ADMIN));
        let ptrace = Privileges::of(Privilege::PTRACE);
        assert_eq!(ptrace.with_implied(), ptrace);
    }
}
