//! Modes, verdicts, and the one function that decides.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, TryFromBytes};

use crate::{access::Access, label::Slot, table::EXPIRES};

/// What a profile does with an access that it does not grant.
///
/// Open, since the agent writes it: whatever is none of the modes that let
/// through refuses.
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
    /// Lets it through, and reports it as something to be learnt.
    pub const LEARN: Self = Self(4);
}

/// What became of an access.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, TryFromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(u8)]
pub enum Verdict {
    /// Granted.
    Allow = 0,
    /// Not granted and let through, since the layer is learning.
    Learn = 1,
    /// Not granted and let through, since the layer is in audit mode.
    Audit = 2,
    /// Refused.
    Deny = 3,
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
        Mode::LEARN => Verdict::Learn,
        Mode::OFF => Verdict::Allow,
        // Unknown modes fail closed.
        _ => Verdict::Deny,
    }
}

/// What a table says of a path and of what lies beneath it, as far as a move or a
/// link of the object needs to know.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct Reach {
    /// Two paths with equal classes have equal rights at and beneath them. 0:
    /// nothing is granted there. With [`EXPIRES`], the rights are for a time.
    pub class: u32,
    /// The rights on the object itself.
    pub allow: Access,
    /// Where an exec of the object leads.
    pub target: Slot,
    /// The rights besides on the object itself, if it belongs to the task's user.
    pub owned: Access,
}

impl Reach {
    /// The rights on the object, which belongs to the task's user or not.
    #[inline(always)]
    #[must_use]
    pub const fn granted(self, is_own: bool) -> Access {
        if is_own {
            Access(self.allow.0 | self.owned.0)
        } else {
            self.allow
        }
    }

    /// Whether an object would have a right under `new` that it has not under
    /// this one, whoever owns it; for a directory, with what is beneath it.
    ///
    /// For a directory the answer is on the safe side: two classes are compared
    /// for equality alone. So it is where this one's rights expire, and the new ones'
    /// may not.
    #[inline(always)]
    pub const fn grows_to(self, new: Self, is_directory: bool) -> bool {
        if is_directory || self.class & EXPIRES != 0 {
            return new.class != 0 && new.class != self.class;
        }
        let [before, after] = [self.granted(true), new.granted(true)];
        let other_target = after.contains(Access::EXECUTE) && new.target.0 != self.target.0;
        !self.allow.contains(new.allow) || !before.contains(after) || other_target
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{EXPIRES, Mode, Reach, Verdict, decide};
    use crate::{access::Access, label::Slot};

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
            ("learning lets through",   Mode::LEARN,   Access::READ, Access::NONE,  Verdict::Learn),
            ("off lets through",        Mode::OFF,     Access::READ, Access::NONE,  Verdict::Allow),
            ("nothing asked",           Mode::ENFORCE, Access::NONE, Access::NONE,  Verdict::Allow),
            ("unknown mode",            ODD,           Access::READ, Access::NONE,  Verdict::Deny),
            ("zeroed mode",             Mode(0),       Access::READ, Access::NONE,  Verdict::Deny),
        ];
        for (name, mode, requested, granted, want) in cases {
            assert_eq!(decide(mode, requested, granted), want, "{name}");
        }
    }

    #[test]
    fn rights_grow() {
        let reach = |class, allow, target| Reach {
            class,
            allow,
            target: Slot(target),
            owned: Access::NONE,
        };
        let owned = |class, allow, owned| Reach {
            owned,
            ..reach(class, allow, 0)
        };
        let read = Access::READ;
        let run = Access::EXECUTE;
        let both = read | run;
        let ends = 1 | EXPIRES;
        // Columns: what it shows, old, new, is a directory, grows.
        #[rustfmt::skip]
        let cases = [
            ("the same",                     reach(1, read, 0), reach(1, read, 0),         false, false),
            ("less",                         reach(1, both, 2), reach(2, read, 0),         false, false),
            ("nothing",                      reach(1, read, 0), reach(0, Access::NONE, 0), false, false),
            ("more",                         reach(1, read, 0), reach(2, both, 0),         false, true),
            ("something else",               reach(1, read, 0), reach(2, run, 0),          false, true),
            ("another program's profile",    reach(1, run, 2),  reach(2, run, 3),          false, true),
            ("a target that counts for none", reach(1, read, 2), reach(2, read, 3),        false, false),
            ("what is owned",                owned(1, read, run), owned(2, read, both),    false, false),
            ("more that is owned",           owned(1, read, run), owned(2, read, Access::WRITE), false, true),
            ("no longer only what is owned", owned(1, read, run), reach(2, both, 0),       false, true),
            ("only what is owned from now",  reach(1, both, 0), owned(2, read, run),       false, false),
            ("a directory of the same class", reach(1, read, 0), reach(1, read, 0),        true,  false),
            ("a directory of another class", reach(1, both, 0), reach(2, read, 0),         true,  true),
            ("a directory to nowhere",       reach(1, read, 0), reach(0, Access::NONE, 0), true,  false),
            ("what ends, to the same",       reach(ends, read, 0), reach(ends, read, 0),   false, false),
            ("what ends, to nowhere",        reach(ends, read, 0), reach(0, Access::NONE, 0), false, false),
            ("what ends, to what may not",   reach(ends, read, 0), reach(2, read, 0),      false, true),
            ("what stays, to what ends",     reach(2, read, 0), reach(ends, read, 0),      false, false),
        ];
        for (name, old, new, is_directory, want) in cases {
            assert_eq!(old.grows_to(new, is_directory), want, "{name}");
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
