//! The rights a rule can grant.

use core::ops::{BitAnd, BitOr, BitOrAssign, Not};

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// A set of access rights.
///
/// Bits outside [`Access::ALL`] have no meaning and are never granted.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(transparent)]
pub struct Access(pub u32);

impl Access {
    /// No right.
    pub const NONE: Self = Self(0);
    /// Read a file's contents, list a directory.
    pub const READ: Self = Self(1);
    /// Change a file's contents anywhere in it, truncate it.
    pub const WRITE: Self = Self(1 << 1);
    /// Add to a file's end, and nothing else.
    pub const APPEND: Self = Self(1 << 2);
    /// Make a name that did not exist.
    pub const CREATE: Self = Self(1 << 3);
    /// Take a name away.
    pub const REMOVE: Self = Self(1 << 4);
    /// Start a program.
    pub const EXECUTE: Self = Self(1 << 5);
    /// Map a file's contents as code.
    pub const MAP: Self = Self(1 << 6);
    /// Change owner, mode, times and extended attributes.
    pub const ATTRIBUTES: Self = Self(1 << 7);
    /// Read owner, mode, times and extended attributes.
    pub const METADATA: Self = Self(1 << 8);
    /// Connect or send to a socket: to a unix socket by its path, or to an address.
    pub const CONNECT: Self = Self(1 << 9);
    /// Be reached at an address of a network.
    pub const BIND: Self = Self(1 << 10);
    /// Every right.
    pub const ALL: Self = Self((1 << 11) - 1);

    /// The rights on what has a path.
    pub const ON_PATHS: Self = Self(Self::ALL.0 & !Self::BIND.0);
    /// The rights on networks. [`Access::CREATE`] is to make a socket.
    pub const ON_NETWORKS: Self = Self(Self::CREATE.0 | Self::CONNECT.0 | Self::BIND.0);

    /// The rights with their names in profiles, in order of their bits.
    pub const NAMES: [(Self, &'static str); 11] = [
        (Self::READ, "read"),
        (Self::WRITE, "write"),
        (Self::APPEND, "append"),
        (Self::CREATE, "create"),
        (Self::REMOVE, "remove"),
        (Self::EXECUTE, "execute"),
        (Self::MAP, "map"),
        (Self::ATTRIBUTES, "attributes"),
        (Self::METADATA, "metadata"),
        (Self::CONNECT, "connect"),
        (Self::BIND, "bind"),
    ];

    /// Whether the set holds no right.
    #[inline(always)]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the set holds every right of `other`.
    #[inline(always)]
    pub const fn contains(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// The rights of this set that `granted` lacks.
    #[inline(always)]
    #[must_use]
    pub const fn missing_from(self, granted: Self) -> Self {
        Self(self.0 & !granted.0)
    }

    /// This set, and what having it makes possible anyway: who may write may
    /// append, who may execute a file may map it as code, and who may open or run
    /// a file may look at its attributes.
    #[must_use]
    pub const fn with_implied(self) -> Self {
        Self(self.0 | self.implied())
    }

    /// This set without what its other rights imply: how people write it.
    #[must_use]
    pub const fn without_implied(self) -> Self {
        Self(self.0 & !self.implied())
    }

    /// What having this set makes possible anyway.
    const fn implied(self) -> u32 {
        let mut bits = 0;
        if self.0 & Self::WRITE.0 != 0 {
            bits |= Self::APPEND.0;
        }
        if self.0 & Self::EXECUTE.0 != 0 {
            bits |= Self::MAP.0;
        }
        let opens = Self::READ.0 | Self::WRITE.0 | Self::APPEND.0 | Self::EXECUTE.0;
        if self.0 & opens != 0 {
            bits |= Self::METADATA.0;
        }
        bits
    }

    /// The names of the rights in this set, in order of their bits.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES
            .into_iter()
            .filter_map(move |(right, name)| self.contains(right).then_some(name))
    }

    /// The rights in this set, one by one.
    pub fn rights(self) -> impl Iterator<Item = Self> {
        Self::NAMES
            .into_iter()
            .filter_map(move |(right, _)| self.contains(right).then_some(right))
    }

    /// The right with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES
            .into_iter()
            .find_map(|(right, known)| (known == name).then_some(right))
    }
}

impl BitOr for Access {
    type Output = Self;
    #[inline(always)]
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Access {
    #[inline(always)]
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl BitAnd for Access {
    type Output = Self;
    #[inline(always)]
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl Not for Access {
    type Output = Self;
    #[inline(always)]
    fn not(self) -> Self {
        Self(!self.0 & Self::ALL.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Access;

    #[test]
    fn every_right_has_one_name() {
        let mut all = Access::NONE;
        for (right, name) in Access::NAMES {
            assert_eq!(right.0.count_ones(), 1, "{name}");
            assert!((all & right).is_empty(), "{name} shares its bit");
            assert_eq!(Access::from_name(name), Some(right), "{name}");
            all |= right;
        }
        assert_eq!(all, Access::ALL);
        assert_eq!(Access::from_name("all"), None);
    }

    #[test]
    fn implied_rights() {
        #[rustfmt::skip]
        let cases = [
            ("write implies append",   Access::WRITE,   Access::WRITE | Access::APPEND | Access::METADATA),
            ("append is no write",     Access::APPEND,  Access::APPEND | Access::METADATA),
            ("execute implies map",    Access::EXECUTE, Access::EXECUTE | Access::MAP | Access::METADATA),
            ("read implies metadata",  Access::READ,    Access::READ | Access::METADATA),
            ("create implies nothing", Access::CREATE,  Access::CREATE),
            ("map implies nothing",    Access::MAP,     Access::MAP),
        ];
        for (name, set, want) in cases {
            assert_eq!(set.with_implied(), want, "{name}");
            assert_eq!(want.without_implied(), set, "{name}");
        }
    }
}
