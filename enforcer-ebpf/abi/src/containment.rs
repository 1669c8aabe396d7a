//! Containment: the answer to a violation that is given in the hook.
//!
//! The process that violated a profile which wants it so keeps no right of that profile
//! but to read: its other threads and what it starts from then on have no more, until the
//! agent releases it.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, TryFromBytes};

use crate::access::Access;

/// What the kernel programs do about a violation, as a table says it. Whatever is not
/// [`Respond::NONE`] contains.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(transparent)]
pub struct Respond(pub u32);

impl Respond {
    /// The access is refused, and that is all.
    pub const NONE: Self = Self(0);
    /// The process is contained.
    pub const CONTAIN: Self = Self(1);

    /// Whether the process is contained.
    #[inline(always)]
    pub const fn contains(self) -> bool {
        self.0 != 0
    }
}

/// What the kernel programs did about a violation, besides refusing it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, TryFromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(u8)]
pub enum Response {
    /// Nothing.
    None = 0,
    /// The process was contained.
    Contained = 1,
}

impl Response {
    /// The name, as the command line and the store spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Contained => "contained",
        }
    }
}

/// Who is contained, and why.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct Containment {
    /// The violation that it answers: [`crate::ViolationKey::number`].
    pub violation: u64,
    /// Since when: nanoseconds of the kernel programs' clock.
    pub since_ns: u64,
    /// The layers whose profiles want it so: 1 << [`crate::Layer`]. 0: nobody is contained.
    pub layers: u32,
    /// Always 0.
    pub reserved: u32,
}

impl Containment {
    /// The rights that are left, where the profile grants them.
    pub const LEFT: Access = Access(Access::READ.0 | Access::METADATA.0);

    /// Nobody is contained.
    pub const NONE: Self = Self {
        violation: 0,
        since_ns: 0,
        layers: 0,
        reserved: 0,
    };

    /// Whether, of these layers, that with this number keeps no more than
    /// [`Containment::LEFT`].
    #[inline(always)]
    pub const fn holds_in(layers: u32, layer: u32) -> bool {
        layers >> (layer & 31) & 1 != 0
    }
}
