//! Which claim decides on a cgroup: the outermost.
//!
//! What is beneath a cgroup belongs to its claim. An automaton of such patterns would have
//! to know which of all units it is beneath, that is a state for each set of units. So the
//! patterns are those of the cgroups alone, and what is beneath the first that matches is
//! walked here, with as much as it takes to see claims at odds:
//!
//! - beneath a unit, only what is no unit's is at odds with it: a unit's processes may make
//!   cgroups with whatever names;
//! - beneath anything else, all claims of other profiles are.

use foldhash::{HashMap, HashMapExt as _};
use regex_syntax::hir::Hir;

use super::{Claim, Kind, NAME, at_odds, conflict, to_blame, too_large};
use crate::profile::{
    CompileError,
    automaton::{Automaton, DEAD, STATES, TRANSITIONS, index},
    compile::build,
    work::{Exhausted, Work},
};

/// Steps for a state, a column of one, and a claim that matches there.
const STATE: u64 = 250;
const COLUMN: u64 = 20;
const CLAIM: u64 = 10;

/// Where a walk is.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum State {
    /// No claim matched what is above.
    Open {
        all: u32,
        /// The state of those that are no unit's.
        others: u32,
        place: Place,
    },
    /// A claim matched; which, says its set.
    Beneath { set: u32, rest: Rest },
}

/// As much of a path as makes a difference here.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Place {
    Start,
    /// Behind its first byte. What matches here has everything beneath it.
    Root,
    Inside,
}

/// What is still looked for beneath a cgroup that is claimed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Rest {
    /// Claims that are no unit's, as a state of their automaton.
    Others(u32),
    /// Any claims.
    All(u32),
    /// Nothing.
    None,
}

/// The automaton that tells which of `claims` decides.
///
/// # Errors
///
/// If two claims are at odds, or there are too many ways in which they meet.
pub(super) fn outermost(claims: &[Claim<'_>], work: &mut Work) -> Result<Automaton, CompileError> {
    let all = automaton(claims, |_| true, work)?;
    let others = automaton(claims, |claim| !claim.is_leaf, work)?;
    let mut sets = HashMap::new();
    sets.insert(0, 0);
    let mut walk = Walk {
        claims,
        all: &all,
        others: &others,
        numbers: HashMap::new(),
        met: Vec::new(),
        sets,
        result: Automaton {
            columns: all.columns,
            bytes: all.bytes.clone(),
            next: vec![DEAD; all.bytes.len()],
            matched: vec![0],
            sets: vec![Vec::new()],
            start: DEAD,
        },
    };
    walk.run(work)?;
    Ok(walk.result)
}

/// The automaton of the claims that are `wanted`, by the indices of all.
fn automaton(
    claims: &[Claim<'_>],
    wanted: impl Fn(&Claim<'_>) -> bool,
    work: &mut Work,
) -> Result<Automaton, CompileError> {
    let wanted = claims.iter().enumerate().filter(|(_, claim)| wanted(claim));
    let (names, patterns): (Vec<usize>, Vec<&Hir>) =
        wanted.map(|(at, claim)| (at, claim.pattern.hir())).unzip();
    let mut automaton = build(NAME, &patterns, work)
        .map_err(|unbuilt| to_blame(claims, unbuilt.renamed(&names)))?;
    automaton.rename(&names);
    Ok(automaton)
}

struct Walk<'a> {
    claims: &'a [Claim<'a>],
    all: &'a Automaton,
    others: &'a Automaton,
    numbers: HashMap<State, u32>,
    /// By number less one: the state, and the state and byte by which it was met.
    met: Vec<(State, u32, u8)>,
    /// By set of `all`: that of the result.
    sets: HashMap<u32, u32>,
    result: Automaton,
}

impl Walk<'_> {
    fn run(&mut self, work: &mut Work) -> Result<(), CompileError> {
        let start = State::Open {
            all: self.all.start,
            others: self.others.start,
            place: Place::Start,
        };
        self.result.start = self.number(start, DEAD, 0);
        let mut done = 0;
        while let Some(&(state, _, _)) = self.met.get(done) {
            done += 1;
            let width = self.result.bytes.len();
            let too_many = self.met.len() > STATES || self.met.len() * width > TRANSITIONS;
            let taken = work.take(1, STATE).and_then(|()| work.take(width, COLUMN));
            if too_many || taken.is_err() {
                return Err(too_large(self.claims));
            }
            let number = index(done);
            self.check(state, number, work)?;
            let set = self.set(state);
            let known = *self.sets.entry(set).or_insert_with(|| {
                let set = self.all.sets.get(set as usize).cloned();
                self.result.sets.push(set.unwrap_or_default());
                index(self.result.sets.len() - 1)
            });
            self.result.matched.push(known);
            for byte in self.result.bytes.clone() {
                let next = self.step(state, byte);
                let next = self.number(next, number, byte);
                self.result.next.push(next);
            }
        }
        Ok(())
    }

    /// The number of a state, which the state `from` leads to.
    fn number(&mut self, state: State, from: u32, byte: u8) -> u32 {
        if let State::Open { all: DEAD, .. } = state {
            return DEAD;
        }
        *self.numbers.entry(state).or_insert_with(|| {
            self.met.push((state, from, byte));
            index(self.met.len())
        })
    }

    /// The set of the claims that decide on a path which ends in `state`.
    fn set(&self, state: State) -> u32 {
        match state {
            State::Open { all, .. } => self.all.set_number(all),
            State::Beneath { set, .. } => set,
        }
    }

    fn step(&self, state: State, byte: u8) -> State {
        match state {
            State::Open { all, others, place } => {
                let set = self.all.set_number(all);
                let [next, next_others] =
                    [self.all.step(all, byte), self.others.step(others, byte)];
                if set != 0 && (byte == b'/' || place == Place::Root) {
                    let rest = if self.is_of_units(set) {
                        Rest::others(next_others)
                    } else {
                        Rest::all(next)
                    };
                    return State::Beneath { set, rest };
                }
                State::Open {
                    all: next,
                    others: next_others,
                    place: match place {
                        Place::Start => Place::Root,
                        Place::Root | Place::Inside => Place::Inside,
                    },
                }
            }
            State::Beneath { set, rest } => {
                let rest = match rest {
                    Rest::Others(state) => Rest::others(self.others.step(state, byte)),
                    Rest::All(state) => Rest::all(self.all.step(state, byte)),
                    Rest::None => Rest::None,
                };
                State::Beneath { set, rest }
            }
        }
    }

    /// Whether all claims of a set are of units in whose cgroup no other unit is put.
    fn is_of_units(&self, set: u32) -> bool {
        let set = self.all.sets.get(set as usize);
        let mut claims = set.into_iter().flatten();
        claims.all(|&at| self.claims.get(at).is_some_and(|claim| claim.is_leaf))
    }

    /// Refuses `state` if claims are at odds there.
    fn check(&self, state: State, number: u32, work: &mut Work) -> Result<(), CompileError> {
        let set = |automaton: &Automaton, number: u32| {
            let set = automaton.sets.get(number as usize);
            set.cloned().unwrap_or_default()
        };
        let outer = set(self.all, self.set(state));
        let inner = match state {
            State::Open { .. } => Vec::new(),
            State::Beneath { rest, .. } => match rest {
                Rest::Others(state) => set(self.others, self.others.set_number(state)),
                Rest::All(state) => set(self.all, self.all.set_number(state)),
                Rest::None => Vec::new(),
            },
        };
        // Told in the order of the profiles, whichever is the outer one.
        let mut both = [outer, inner].concat();
        work.take(both.len(), CLAIM)
            .map_err(|Exhausted| too_large(self.claims))?;
        both.sort_unstable();
        match at_odds(&both, self.claims) {
            Some((first, second)) => {
                let example = self.path_to(number);
                Err(conflict(first, second, Kind::Cgroup, example))
            }
            None => Ok(()),
        }
    }

    /// The bytes by which the walk came to a state.
    fn path_to(&self, mut number: u32) -> Vec<u8> {
        let mut path = Vec::new();
        while let Some(&(_, from, byte)) = self.met.get((number as usize).wrapping_sub(1))
            && from != DEAD
        {
            path.push(byte);
            number = from;
        }
        path.reverse();
        path
    }
}

impl Rest {
    fn others(state: u32) -> Self {
        if state == DEAD {
            Self::None
        } else {
            Self::Others(state)
        }
    }

    fn all(state: u32) -> Self {
        if state == DEAD {
            Self::None
        } else {
            Self::All(state)
        }
    }
}
