//! Modes, verdicts, and the one function that decides.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, TryFromBytes};

use crate::access::Access;

/// What a profile does with an access that it does not grant.
///
/// Open, since the agent writes it: whatever is not [`Mode::AUDIT`] or
/// [`Mode::OFF`] refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct Mode(pub u32);

impl Mode {
    /// Refuses it, and reports it.
    pub const ENFORCE: Self = Self(1);
    /// Lets it through, and reports it.
    pub const AUDIT: Self = Self(2);
    /// Lets it through: the profile was taken away while tasks still ran in it.
    pub const OFF: Self = Self(3);
}

/// What became of an access.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, TryFromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(u8)]
pub enum Verdict {
    /// Granted.
    Allow = 0,
    /// Not granted and let through, since the layer is in audit mode.
    Audit = 1,
    /// Refused.
    Deny = 2,
}

/// Decides a request for `requested` where one layer in `mode` grants `granted`.
///
/// This is the whole policy semantics of one layer. It is a pure function so
/// that the kernel programs, the tests and `enforcer explain` share one copy.
#[inline(always)]
pub const fn decide(mode: Mode, requested: Access, granted: Access) -> Verdict {
    if requested.missing_from(granted).is_empty() {
        Verdict::Allow
    } else {
        refusal(mode)
    }
}

/// What a layer in `mode` says to a request that is not granted, or that could
/// not be understood.
#[inline(always)]
pub const fn refusal(mode: Mode) -> Verdict {
    match mode {
        Mode::AUDIT => Verdict::Audit,
        Mode::OFF => Verdict::Allow,
        // Unknown modes fail closed.
        _ => Verdict::Deny,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Mode, Verdict, decide};
    use crate::access::Access;

    #[test]
    fn decide_table() {
        const ODD: Mode = Mode(77);
        let both = Access::READ | Access::WRITE;
        // Columns: what it shows, mode, requested, granted, verdict.
        #[rustfmt::skip]
        let cases = [
            ("grant in full",           Mode::ENFORCE, Access::READ, Access::READ,  Verdict::Allow),
            ("grant of more",           Mode::ENFORCE, Access::READ, both,          Verdict::Allow),
            ("no grant",                Mode::ENFORCE, Access::READ, Access::NONE,  Verdict::Deny),
            ("grant in part is none",   Mode::ENFORCE, both,         Access::READ,  Verdict::Deny),
            ("grant of something else", Mode::ENFORCE, Access::READ, Access::WRITE, Verdict::Deny),
            ("audit lets through",      Mode::AUDIT,   Access::READ, Access::NONE,  Verdict::Audit),
            ("audit of a grant",        Mode::AUDIT,   Access::READ, Access::READ,  Verdict::Allow),
            ("off lets through",        Mode::OFF,     Access::READ, Access::NONE,  Verdict::Allow),
            ("nothing asked",           Mode::ENFORCE, Access::NONE, Access::NONE,  Verdict::Allow),
            ("unknown mode",            ODD,           Access::READ, Access::NONE,  Verdict::Deny),
            ("zeroed mode",             Mode(0),       Access::READ, Access::NONE,  Verdict::Deny),
        ];
        for (name, mode, requested, granted, want) in cases {
            assert_eq!(decide(mode, requested, granted), want, "{name}");
        }
    }

    proptest! {
        /// More rights never turn a grant into a refusal.
        #[test]
        fn decide_is_monotonic(mode: u32, requested: u32, granted: u32, more: u32) {
            let [requested, granted, more] = [requested, granted, more].map(Access);
            if decide(Mode(mode), requested, granted) == Verdict::Allow {
                prop_assert_eq!(decide(Mode(mode), requested, granted | more), Verdict::Allow);
            }
        }
    }
}
