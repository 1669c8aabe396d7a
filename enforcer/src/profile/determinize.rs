//! From an automaton that is in many places at once to one that is in one state: each set
//! of places is a state.
//!
//! The sets are found one by one, and what that takes is counted, so that patterns which
//! multiply are given up in time, whatever the machine.

use std::{
    collections::{HashMap, VecDeque},
    rc::Rc,
};

use regex_automata::{
    nfa::thompson::{NFA, State},
    util::{alphabet::Unit, primitives::StateID},
};

use super::automaton::{Automaton, DEAD, columns, index};

/// Most steps from place to place: this, and [`STEPS_A_PLACE`] for each place in the
/// patterns, up to [`MOST_STEPS`]. Rules that are written out take some ten for each of
/// their bytes; a second is gone by then.
const STEPS: usize = 48 << 20;
const STEPS_A_PLACE: usize = 512;
const MOST_STEPS: usize = 256 << 20;
/// Most states beside one for each place in the patterns, which is what takes them if
/// they are written out. Profiles have some thousand; this is where they multiply.
const STATES: usize = 64 << 10;
/// Places that are merged in the time of a step.
const MERGED_A_STEP: usize = 4;
/// Most places in all sets together, of 4 bytes each.
const PLACES: usize = 6 << 20;
/// Most states times their columns: 64 MiB of transitions.
const TRANSITIONS: usize = 16 << 20;

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
        self.sets = self.sets.wrapping_add(1);
        let mut places = Vec::with_capacity(from.len());
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
        places
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
/// nearest first. Nothing if that would be too much.
pub(super) fn determinize(nfa: &NFA) -> Option<Automaton> {
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
    let limit = STEPS.saturating_add(nfa.states().len().saturating_mul(STEPS_A_PLACE));
    let limit = limit.min(MOST_STEPS);

    let mut places = Places::new(nfa);
    let mut states = States::default();
    let mut sets = HashMap::from([(Vec::new(), 0)]);
    automaton.start = states.number(&places.start());
    // Where the state leads: by any byte, as in a `**`, and by column.
    let mut always: Vec<StateID> = Vec::new();
    let mut leads: Vec<Vec<StateID>> = vec![Vec::new(); width];
    while let Some(set) = states.open.pop_front() {
        if places.steps > limit
            || states.places > PLACES
            || states.numbers.len() > STATES + nfa.states().len()
            || states.numbers.len() * width > TRANSITIONS
        {
            return None;
        }
        let ended = places.ended(&set);
        let ended = *sets.entry(ended).or_insert_with_key(|set| {
            automaton.sets.push(set.clone());
            index(automaton.sets.len() - 1)
        });
        automaton.matched.push(ended);
        places.follow(&set, |(from, to), next| {
            if (from, to) == (0, u8::MAX) {
                always.push(next);
                return;
            }
            let [from, to] = [from, to].map(|byte| usize::from(classes.get(byte)));
            for &byte in of_class.get(from..=to).unwrap_or_default() {
                if let Some(leads) = leads.get_mut(automaton.column(byte)) {
                    leads.push(next);
                }
            }
        });
        // Where there are many `**` this is most of every set, and found once for all bytes.
        let stays = places.reached(&always);
        let by_any = states.number(&stays);
        always.clear();
        for leads in &mut leads {
            let next = if leads.is_empty() {
                by_any
            } else {
                let set = merged(&stays, &places.reached(leads));
                places.steps += set.len() / MERGED_A_STEP;
                states.number(&set)
            };
            automaton.next.push(next);
            leads.clear();
        }
    }
    Some(automaton)
}

/// The union of two sets.
#[expect(
    clippy::stable_sort_primitive,
    reason = "it merges the two runs, and takes longer for them if it is not stable"
)]
fn merged(one: &[u32], other: &[u32]) -> Vec<u32> {
    if one.is_empty() {
        return other.to_vec();
    }
    let mut all = [one, other].concat();
    all.sort();
    all.dedup();
    all
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
