//! Grants that expire: what a table says for a time, and what it says then.
//!
//! The outcome of a path holds until a deadline. Behind it another one follows, in which
//! the rules that ended say nothing. So nobody has to load a table for a right to end.

/// When an access happens, as far as grants that expire depend on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// Seconds since 1970, UTC.
    pub now: u32,
    /// Seconds since the process came under the profile.
    pub age: u32,
}

/// When an outcome of a table ends, and which one follows.
///
/// Two deadlines, since either may be the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expiry {
    /// It ends at this time: seconds since 1970, UTC. 0: never.
    pub until: u32,
    /// The index of the outcome that follows then.
    pub then: u32,
    /// It ends for a process that is under the profile for so many seconds. 0: never.
    pub within: u32,
    /// The index of the outcome that follows then.
    pub beyond: u32,
}

impl Expiry {
    /// Never.
    pub const NEVER: Self = Self {
        until: 0,
        then: 0,
        within: 0,
        beyond: 0,
    };

    /// Whether the outcome holds for ever.
    #[inline(always)]
    pub const fn is_never(&self) -> bool {
        self.until | self.within == 0
    }

    /// The index of the outcome that has taken its place by `moment`, if one has.
    #[inline(always)]
    pub const fn next(&self, moment: Moment) -> Option<u32> {
        if self.until != 0 && moment.now >= self.until {
            Some(self.then)
        } else if self.within != 0 && moment.age >= self.within {
            Some(self.beyond)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Expiry, Moment};

    #[test]
    fn whichever_is_first_ends_it() {
        let both = Expiry {
            until: 100,
            then: 1,
            within: 10,
            beyond: 2,
        };
        let until = Expiry { within: 0, ..both };
        let within = Expiry { until: 0, ..both };
        #[rustfmt::skip]
        let cases = [
            ("before both",       both,          99,  9,  None),
            ("at the time",       both,          100, 9,  Some(1)),
            ("at the age",        both,          99,  10, Some(2)),
            ("at both",           both,          100, 10, Some(1)),
            ("no age counts",     until,         99,  u32::MAX, None),
            ("no time counts",    within,        u32::MAX, 9, None),
            ("nothing counts",    Expiry::NEVER, u32::MAX, u32::MAX, None),
        ];
        for (name, expiry, now, age, want) in cases {
            assert_eq!(expiry.next(Moment { now, age }), want, "{name}");
            assert_eq!(expiry.is_never(), expiry == Expiry::NEVER, "{name}");
        }
    }
}
