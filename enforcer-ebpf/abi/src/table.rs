//! The compiled form of a profile, and the walk of a path over it.
//!
//! A table is an array of 32-bit words: a header, then the states of one
//! deterministic automaton over path bytes, its transitions, and its outcomes.
//! A state is named by the word at which its record starts.
//!
//! ```text
//! header      [Header::WORDS]
//! state       base, otherwise, outcome and uniform, class   one record a state
//! transitions (state, next) pairs               the pair of byte b is at base + 2*b
//! outcome     allow, target and scrub, owned, audit, quiet, trial, expiry   one record an outcome
//! ```
//!
//! A transition belongs to the state that its pair names; a byte whose pair
//! belongs to another state leads to `otherwise`. So states share the space
//! that they leave free, and a state under `**`, where nearly every byte leads
//! back to itself, costs next to nothing.
//!
//! An outcome may give place to another one at a time ([`crate::expiry`]); those that no
//! state names follow such.
//!
//! States have equal classes if and only if all that lies at and beneath their
//! paths has equal rights; class 0 is where nothing is granted.
//!
//! The agent builds tables (`enforcer::profile::compile`). This module only
//! reads them. It runs in the kernel, where the verifier has to see that every
//! index is inside: a table of a size class is an array whose length is a power
//! of two, and every index is masked. So a damaged table gives wrong answers,
//! never a read outside it.

use crate::{
    access::Access,
    containment::Respond,
    expiry::{Expiry, Moment},
    label::Slot,
    limits::EXPIRIES,
    policy::{Mode, Reach},
    privilege::Privileges,
};

/// The header's words, by index.
#[derive(Debug)]
pub struct Header;

impl Header {
    /// [`Header::MAGIC`] in a table, 0 in an empty one.
    pub const CHECK: u32 = 0;
    /// The state in which a path starts.
    pub const START: u32 = 1;
    /// Where the outcomes start.
    pub const OUTCOMES: u32 = 2;
    /// How many outcomes there are.
    pub const OUTCOME_COUNT: u32 = 3;
    /// The [`Mode`].
    pub const MODE: u32 = 4;
    /// Counts the tables that the agent has loaded.
    pub const GENERATION: u32 = 5;
    /// The hit counter of outcome 0; the others follow.
    pub const HITS: u32 = 6;
    /// The lower half of the [`Privileges`]; the upper follows.
    pub const PRIVILEGES: u32 = 7;
    /// How a violation is answered: [`Respond`].
    pub const RESPOND: u32 = 9;
    /// Until when the profile lets everything through, whatever its mode: seconds since
    /// 1970, UTC; 0: not at all.
    pub const PERMITTED: u32 = 10;
    /// Words in the header.
    pub const WORDS: u32 = 11;

    /// Says that this is a table, and of which layout.
    pub const MAGIC: u32 = 0x656e_6605;
}

/// Words in a state's record.
pub const STATE_WORDS: u32 = 4;
/// Words in an outcome's record.
pub const OUTCOME_WORDS: u32 = 10;
/// The bit of a state's class that says that some right of its outcome expires.
pub const EXPIRES: u32 = 1 << 31;
/// The bit of an outcome's target that says that an exec is scrubbed.
pub const SCRUB: u32 = 1 << 31;
/// The bit of a state's outcome that says that every byte of a path leads from the state
/// to itself: whatever lies beneath has the same outcome.
pub const UNIFORM: u32 = 1 << 31;
/// The state from which no path leads to a grant: the first record.
pub const DEAD: u32 = Header::WORDS;

/// What a table says of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The index of the outcome in its table.
    pub index: u32,
    /// The rights that the profile grants on the path.
    pub allow: Access,
    /// The rights that it grants besides on what belongs to the task's user.
    pub owned: Access,
    /// The rights of which a use is told though it is granted.
    pub audit: Access,
    /// The rights of which a refusal is not told.
    pub quiet: Access,
    /// The rights that a tightening on trial would take away.
    pub trial: Access,
    /// The profile to which an exec of the path leads. [`Slot::NONE`]: the one
    /// that the task is in.
    pub target: Slot,
    /// Whether the program must not trust its environment: `AT_SECURE`.
    pub scrub: bool,
    /// The class of the path, and whether what it grants [`EXPIRES`].
    pub class: u32,
    /// When it ends.
    pub expiry: Expiry,
}

impl Outcome {
    /// What a move of the object needs to know.
    #[inline(always)]
    pub const fn reach(&self) -> Reach {
        Reach {
            class: self.class,
            allow: self.allow,
            target: self.target,
            owned: self.owned,
        }
    }
}

/// A table's words, of whatever length.
pub trait Words {
    /// The word at `at`. Any `at` gives a word.
    fn word(&self, at: u32) -> u32;

    /// Whether there is a table at all.
    #[inline(always)]
    fn is_table(&self) -> bool {
        self.word(Header::CHECK) == Header::MAGIC
    }

    /// The mode of the profile.
    #[inline(always)]
    fn mode(&self) -> Mode {
        Mode(self.word(Header::MODE))
    }

    /// How a violation of the profile is answered.
    #[inline(always)]
    fn respond(&self) -> Respond {
        Respond(self.word(Header::RESPOND))
    }

    /// The privileges that the profile grants.
    #[inline(always)]
    fn privileges(&self) -> Privileges {
        let low = u64::from(self.word(Header::PRIVILEGES));
        let high = u64::from(self.word(Header::PRIVILEGES + 1));
        Privileges(high << 32 | low)
    }

    /// The state that `byte` leads to from `state`.
    #[inline(always)]
    fn step(&self, state: u32, byte: u8) -> u32 {
        let pair = self
            .word(state)
            .wrapping_add(u32::from(byte).wrapping_mul(2));
        if self.word(pair) == state {
            self.word(pair.wrapping_add(1))
        } else {
            self.word(state.wrapping_add(1))
        }
    }

    /// Whether every byte of a path leads from `state` to itself.
    #[inline(always)]
    fn is_uniform(&self, state: u32) -> bool {
        self.word(state.wrapping_add(2)) & UNIFORM != 0
    }

    /// Until when the profile lets everything through: [`Header::PERMITTED`].
    #[inline(always)]
    fn permitted(&self) -> u32 {
        self.word(Header::PERMITTED)
    }

    /// The index of the outcome of a path that ends in `state`, before anything expired.
    #[inline(always)]
    fn outcome_of(&self, state: u32) -> u32 {
        self.word(state.wrapping_add(2)) & !UNIFORM
    }

    /// When the outcome with this index ends.
    #[inline(always)]
    fn expiry(&self, index: u32) -> Expiry {
        let record = self.record(index);
        Expiry {
            until: self.word(record.wrapping_add(6)),
            then: self.word(record.wrapping_add(7)),
            within: self.word(record.wrapping_add(8)),
            beyond: self.word(record.wrapping_add(9)),
        }
    }

    /// The index of the outcome that has taken the place of the one with this index by
    /// `moment`.
    #[inline(always)]
    fn at(&self, index: u32, moment: Moment) -> u32 {
        let mut index = index;
        for _ in 0..EXPIRIES {
            match self.expiry(index).next(moment) {
                Some(next) => index = next,
                None => break,
            }
        }
        index
    }

    /// Where the record of the outcome with this index is.
    #[inline(always)]
    fn record(&self, index: u32) -> u32 {
        self.word(Header::OUTCOMES)
            .wrapping_add(index.wrapping_mul(OUTCOME_WORDS))
    }

    /// What the outcome with `index` says of a path that ends in `state`.
    #[inline(always)]
    fn outcome_at(&self, state: u32, index: u32) -> Outcome {
        let record = self.record(index);
        let target = self.word(record.wrapping_add(1));
        Outcome {
            index,
            allow: Access(self.word(record)),
            owned: Access(self.word(record.wrapping_add(2))),
            audit: Access(self.word(record.wrapping_add(3))),
            quiet: Access(self.word(record.wrapping_add(4))),
            trial: Access(self.word(record.wrapping_add(5))),
            target: Slot(target & !SCRUB),
            scrub: target & SCRUB != 0,
            class: self.word(state.wrapping_add(3)),
            expiry: self.expiry(index),
        }
    }

    /// What the table says of a path that ends in `state`, before anything expired.
    #[inline(always)]
    fn outcome(&self, state: u32) -> Outcome {
        self.outcome_at(state, self.outcome_of(state))
    }

    /// What the table says of `path`, before anything expired.
    ///
    /// The kernel programs walk in chunks over a longer buffer, with the same
    /// [`Words::step`]; a test in a virtual machine compares the two.
    fn judge(&self, path: &[u8]) -> Outcome {
        let start = self.word(Header::START);
        self.outcome(
            path.iter()
                .fold(start, |state, &byte| self.step(state, byte)),
        )
    }
}

/// A table of a size class, as it lies in a map value.
///
/// An array and not a structure around one: for a structure, 6.1 notes in a map
/// that it has looked for timers in it, and then takes a table that the agent
/// made for another kind of map.
impl<const WORDS: usize> Words for [u32; WORDS] {
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "size classes are small")]
    #[expect(
        clippy::indexing_slicing,
        reason = "masked by a length that is a power of two"
    )]
    fn word(&self, at: u32) -> u32 {
        const { assert!(WORDS.is_power_of_two()) };
        self[(at & (WORDS as u32 - 1)) as usize]
    }
}

/// A table before it has a size class. What is past its end reads as 0.
impl Words for [u32] {
    fn word(&self, at: u32) -> u32 {
        self.get(at as usize).copied().unwrap_or(0)
    }
}

/// Start value of [`hash`].
pub const HASH_START: u64 = 0xcbf2_9ce4_8422_2325;

/// Takes `byte` into a hash: FNV-1a of 64 bits.
#[inline(always)]
pub const fn hash_step(hash: u64, byte: u8) -> u64 {
    (hash ^ byte as u64).wrapping_mul(0x0000_0100_0000_01b3)
}

/// The hash of `path` by which violations are told apart.
pub fn hash(path: &[u8]) -> u64 {
    path.iter()
        .fold(HASH_START, |hash, &byte| hash_step(hash, byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{DEAD, Header, OUTCOME_WORDS, SCRUB, STATE_WORDS, UNIFORM, Words, hash};
    use crate::{access::Access, expiry::Moment, label::Slot};

    /// A table by hand, for `/a` (read) and nothing else.
    fn hand_made() -> Vec<u32> {
        let [dead, start, slash, a] = [0, 1, 2, 3].map(|at| DEAD + at * STATE_WORDS);
        let pairs = DEAD + 4 * STATE_WORDS;
        // The pairs of '/' and 'a' lie beyond the states, each at its place.
        let outcomes = pairs + 2 * 256;
        let mut words = vec![0; outcomes as usize];
        let header = [Header::MAGIC, start, outcomes, 2, 1, 7, 0, 1, 1 << 16, 0, 9];
        words[..Header::WORDS as usize].copy_from_slice(&header);
        for (state, outcome, class) in [(dead, 0, 0), (start, 0, 1), (slash, 0, 2), (a, 1, 3)] {
            let at = state as usize;
            let uniform = if state == dead { UNIFORM } else { 0 };
            words[at..at + 4].copy_from_slice(&[pairs, dead, outcome | uniform, class]);
        }
        for (state, byte, next) in [(start, b'/', slash), (slash, b'a', a)] {
            let at = (pairs + 2 * u32::from(byte)) as usize;
            words[at..at + 2].copy_from_slice(&[state, next]);
        }
        words.extend([0; OUTCOME_WORDS as usize]);
        let [owned, audit, quiet] = [Access::WRITE, Access::READ, Access::MAP];
        let trial = Access::EXECUTE;
        words.extend([
            Access::READ.0,
            3 | SCRUB,
            owned.0,
            audit.0,
            quiet.0,
            trial.0,
            100,
            0,
            0,
            0,
        ]);
        words
    }

    #[test]
    fn judge_hand_made() {
        let words = hand_made();
        assert!(words.is_table());
        #[rustfmt::skip]
        let cases: [(&str, &[u8], u32); 6] = [
            ("the path itself",   b"/a",  1),
            ("nothing",           b"",    0),
            ("a part of it",      b"/",   0),
            ("more than it",      b"/aa", 0),
            ("another",           b"/b",  0),
            ("without the slash", b"a",   0),
        ];
        for (name, path, want) in cases {
            assert_eq!(words.judge(path).index, want, "{name}");
        }
        let outcome = words.judge(b"/a");
        assert_eq!((outcome.allow, outcome.target), (Access::READ, Slot(3)));
        assert_eq!((outcome.scrub, outcome.class), (true, 3));
        let told = (outcome.owned, outcome.audit, outcome.quiet);
        assert_eq!(told, (Access::WRITE, Access::READ, Access::MAP));
        assert_eq!(outcome.trial, Access::EXECUTE);
        assert!(words.is_uniform(DEAD) && !words.is_uniform(words.word(Header::START)));
        assert_eq!(words.privileges().0, 1 << 48 | 1);
        assert_eq!(words.permitted(), 9);
        let at = |now| words.at(1, Moment { now, age: 0 });
        assert_eq!((at(99), at(100)), (1, 0));
    }

    proptest! {
        /// Whatever the words and the path, a walk ends and reads inside.
        #[test]
        fn damage_is_harmless(words: [u32; 64], path: Vec<u8>, index: u32) {
            let _outcome = words.judge(&path);
            let _outcome = words.as_slice().judge(&path);
            let _index = words.at(index, Moment { now: 1, age: 1 });
        }
    }

    #[test]
    fn hash_is_fnv1a() {
        // Test vectors of the FNV reference.
        for (text, want) in [
            ("", 0xcbf2_9ce4_8422_2325),
            ("a", 0xaf63_dc4c_8601_ec8c),
            ("foobar", 0x8594_4171_f739_67e8_u64),
        ] {
            assert_eq!(hash(text.as_bytes()), want, "{text}");
        }
    }
}
