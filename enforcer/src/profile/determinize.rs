//! From an automaton that is in many places at once to one that is in one state: each set
//! of places is a state.
//!
//! The sets are found one by one, and what that takes is counted, so that patterns which
//! multiply are given up in time, whatever the machine.

use std::{collections::VecDeque, rc::Rc};

use foldhash::{HashMap, HashMapExt as _};
use regex_automata::{
    nfa::thompson::{NFA, State},
    util::{alphabet::Unit, primitives::StateID},
};

use super::{
    automaton::{Automaton, DEAD, MATCHES, STATES, TRANSITIONS, columns, index},
    work::{Exhausted, Work},
};

/// Steps for a move from place to place, a place that a byte leads to, one that is merged and
/// compared, a set that is looked up, a new one, a new set of patterns, and a column of a state.
const MOVED: u64 = 3;
const LED: u64 = 2;
const MERGED: u64 = 4;
const LOOKED_UP: u64 = 40;
const NEW: u64 = 500;
const NEW_SET: u64 = 700;
const COLUMN: u64 = 2;
/// Most places in all sets together, of 4 bytes each, and most that the bytes of one lead to.
const PLACES: usize = 6 << 20;

/// Walks an automaton by sets of its places. A place is a state that takes a byte or ends
/// a pattern, by its number.
pub(super) struct Places<'a> {
    nfa: &'a NFA,
    /// By state: the last set that it was found to lead to, by its number.
    last: Vec<u32>,
    sets: u32,
    open: Vec<StateID>,
    /// What was done so far.
    pub(super) steps: usize,
}

impl<'a> Places<'a> {
    pub(super) fn new(nfa: &'a NFA) -> Self {
        Self {
            nfa,
            last: vec![0; nfa.states().len()],
            sets: 0,
            open: Vec::new(),
            steps: 0,
        }
    }

    /// The places before any byte.
    pub(super) fn start(&mut self) -> Vec<u32> {
        let nfa = self.nfa;
        let starts = nfa
            .patterns()
            .filter_map(|pattern| nfa.start_pattern(pattern));
        self.reached(&starts.collect::<Vec<_>>())
    }

    /// The places that the states `from` lead to without a byte, in order.
    pub(super) fn reached(&mut self, from: &[StateID]) -> Vec<u32> {
        let mut places = Vec::with_capacity(from.len());
        self.reach(from, &mut places);
        places
    }

    /// As [`Places::reached`], in place of what is in `places`.
    fn reach(&mut self, from: &[StateID], places: &mut Vec<u32>) {
        self.sets = self.sets.wrapping_add(1);
        places.clear();
        self.open.extend_from_slice(from);
        while let Some(at) = self.open.pop() {
            self.steps += 1;
            match self.last.get_mut(at.as_usize()) {
                Some(last) if *last != self.sets => *last = self.sets,
                _ => continue,
            }
            match self.nfa.state(at) {
                State::Union { alternates } => self.open.extend_from_slice(alternates),
                State::BinaryUnion { alt1, alt2 } => self.open.extend([*alt1, *alt2]),
                State::Capture { next, .. } | State::Look { next, .. } => self.open.push(*next),
                State::Fail => {}
                State::ByteRange { .. }
                | State::Sparse(_)
                | State::Dense(_)
                | State::Match { .. } => places.push(at.as_u32()),
            }
        }
        places.sort_unstable();
    }

    /// Calls `lead` with each range of bytes by which the set `from` leads on, and to
    /// which state.
    pub(super) fn follow(&self, from: &[u32], mut lead: impl FnMut((u8, u8), StateID)) {
        for &at in from {
            match state(self.nfa, at) {
                Some(State::ByteRange { trans }) => lead((trans.start, trans.end), trans.next),
                Some(State::Sparse(sparse)) => {
                    for trans in &sparse.transitions {
                        lead((trans.start, trans.end), trans.next);
                    }
                }
                Some(State::Dense(dense)) => {
                    for byte in 0..=u8::MAX {
                        if let Some(next) = dense.matches_byte(byte) {
                            lead((byte, byte), next);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// The patterns that end in a set.
    fn ended(&self, set: &[u32]) -> Vec<usize> {
        let patterns = set.iter().filter_map(|&at| match state(self.nfa, at)? {
            State::Match { pattern_id } => Some(pattern_id.as_usize()),
            _ => None,
        });
        let mut patterns: Vec<usize> = patterns.collect();
        patterns.sort_unstable();
        patterns
    }
}

fn state(nfa: &NFA, at: u32) -> Option<&State> {
    nfa.states().get(at as usize)
}

/// Whether a pattern of `nfa` matches the whole of `path`.
pub(super) fn matches(nfa: &NFA, path: &[u8]) -> bool {
    let mut places = Places::new(nfa);
    let mut set = places.start();
    for &byte in path {
        let mut next = Vec::new();
        places.follow(&set, |(from, to), state| {
            if (from..=to).contains(&byte) {
                next.push(state);
            }
        });
        set = places.reached(&next);
    }
    !places.ended(&set).is_empty()
}

/// The automaton whose states are the sets of places of `nfa` that can be reached, the
/// nearest first.
///
/// # Errors
///
/// If that is too much work.
pub(super) fn determinize(nfa: &NFA, work: &mut Work) -> Result<Automaton, Exhausted> {
    let classes = nfa.byte_classes();
    let (columns, bytes) = columns(|byte| classes.get(byte));
    let width = bytes.len();
    let mut automaton = Automaton {
        columns,
        next: vec![DEAD; width],
        bytes,
        matched: vec![0],
        sets: vec![Vec::new()],
        start: DEAD,
    };
    // By class of bytes: a byte of it. A class has bytes that follow one another.
    let of_class: Vec<u8> = classes
        .representatives(0..=u8::MAX)
        .filter_map(Unit::as_u8)
        .collect();

    let mut places = Places::new(nfa);
    let mut states = States::default();
    let mut sets = HashMap::new();
    sets.insert(Vec::new(), 0);
    let mut matches = 0;
    automaton.start = states.number(&places.start());
    // Where the state leads: by any byte, as in a `**`, and by column.
    let mut always: Vec<StateID> = Vec::new();
    let mut leads: Vec<Vec<StateID>> = vec![Vec::new(); width];
    let (mut stays, mut moves, mut both) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(set) = states.open.pop_front() {
        let count = states.numbers.len();
        if count > STATES || count * width > TRANSITIONS {
            return Err(Exhausted);
        }
        let known = (count, sets.len());
        let ended = places.ended(&set);
        let mut led = set.len() + ended.len();
        let ended = *sets.entry(ended).or_insert_with_key(|set| {
            matches += set.len();
            automaton.sets.push(set.clone());
            index(automaton.sets.len() - 1)
        });
        automaton.matched.push(ended);
        places.follow(&set, |(from, to), next| {
            led += 1;
            if (from, to) == (0, u8::MAX) {
                always.push(next);
                return;
            }
            let [from, to] = [from, to].map(|byte| usize::from(classes.get(byte)));
            led += to - from;
            if led > PLACES {
                return;
            }
            for &byte in of_class.get(from..=to).unwrap_or_default() {
                if let Some(leads) = leads.get_mut(automaton.column(byte)) {
                    leads.push(next);
                }
            }
        });
        if led > PLACES || matches > MATCHES {
            return Err(Exhausted);
        }
        work.take(led, LED)?;
        work.take(width, COLUMN)?;
        // Where there are many `**` this is most of every set, and found once for all bytes.
        places.reach(&always, &mut stays);
        let by_any = states.number(&stays);
        always.clear();
        // Columns side by side often lead to the same.
        let mut last: (&[StateID], u32) = (&[], by_any);
        for leads in &leads {
            let next = if leads.is_empty() {
                by_any
            } else if leads == last.0 {
                last.1
            } else {
                places.reach(leads, &mut moves);
                merge(&stays, &moves, &mut both);
                work.take(both.len(), MERGED)?;
                work.take(1, LOOKED_UP)?;
                let next = states.number(&both);
                if states.places > PLACES {
                    return Err(Exhausted);
                }
                last = (leads, next);
                next
            };
            automaton.next.push(next);
        }
        leads.iter_mut().for_each(Vec::clear);
        work.take(states.numbers.len() - known.0, NEW)?;
        work.take(sets.len() - known.1, NEW_SET)?;
        work.take(std::mem::take(&mut places.steps), MOVED)?;
    }
    Ok(automaton)
}

/// The union of two sets, in order.
fn merge(mut one: &[u32], mut other: &[u32], all: &mut Vec<u32>) {
    all.clear();
    while let ([a, rest_of_one @ ..], [b, rest_of_other @ ..]) = (one, other) {
        all.push(*a.min(b));
        if a <= b {
            one = rest_of_one;
        }
        if b <= a {
            other = rest_of_other;
        }
    }
    all.extend_from_slice(one);
    all.extend_from_slice(other);
}

/// Sets of places with their numbers, in the order in which they are met.
#[derive(Default)]
struct States {
    numbers: HashMap<Rc<[u32]>, u32>,
    open: VecDeque<Rc<[u32]>>,
    /// How many places they have together.
    places: usize,
}

impl States {
    fn number(&mut self, set: &[u32]) -> u32 {
        if set.is_empty() {
            return DEAD;
        }
        if let Some(&number) = self.numbers.get(set) {
            return number;
        }
        // The first number is that of the dead state.
        let number = index(self.numbers.len() + 1);
        self.places += set.len();
        let set: Rc<[u32]> = set.into();
        self.open.push_back(Rc::clone(&set));
        self.numbers.insert(set, number);
        number
    }
}
