//! From patterns to one deterministic automaton that tells which of them match.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
};

use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_syntax::hir::Hir;

use super::{
    determinize::determinize,
    work::{Exhausted, Work},
};

/// The state that matches nothing, whatever follows.
pub(super) const DEAD: u32 = 0;

/// Most memory for the automaton of the patterns before its states are told
/// apart, in bytes.
const NFA_BYTES: usize = 32 << 20;
/// Steps for a byte of it.
const NFA_BYTE: u64 = 6;

/// Most states while an automaton is made, most of them times its columns, and most patterns
/// in all of its sets: what bounds the memory, some 64 MiB for each. The work ends before as a
/// rule.
pub(super) const STATES: usize = 1 << 20;
pub(super) const TRANSITIONS: usize = 16 << 20;
pub(super) const MATCHES: usize = 2 << 20;

/// Why there is no automaton.
#[derive(Debug, thiserror::Error)]
pub(super) enum AutomatonError {
    /// The automaton of the patterns, before its states are told apart, is too large.
    #[error("too large")]
    NfaTooLarge,
    /// It takes too much work.
    #[error("too much work")]
    Exhausted,
    /// The patterns are no regular expressions.
    #[error(transparent)]
    Nfa(#[from] Box<thompson::BuildError>),
}

/// An automaton over bytes, whose states tell which patterns match a path that
/// ends there.
#[derive(Clone, Debug)]
pub(super) struct Automaton {
    /// The column of each byte: bytes that no pattern tells apart share one.
    pub(super) columns: [u8; 256],
    /// A byte of each column, the easiest to read.
    pub(super) bytes: Vec<u8>,
    /// By state, then by column: the state that follows.
    pub(super) next: Vec<u32>,
    /// By state: which of `sets`.
    pub(super) matched: Vec<u32>,
    /// Sets of patterns, by their indices in order. The first is empty.
    pub(super) sets: Vec<Vec<usize>>,
    /// The state before any byte.
    pub(super) start: u32,
}

impl From<Exhausted> for AutomatonError {
    fn from(Exhausted: Exhausted) -> Self {
        Self::Exhausted
    }
}

impl Automaton {
    /// Builds the automaton of `patterns`. Its states can all be reached.
    pub(super) fn build(patterns: &[&Hir], work: &mut Work) -> Result<Self, AutomatonError> {
        if patterns.is_empty() {
            return Ok(Self::dead());
        }
        let nfa = thompson::Compiler::new()
            .configure(nfa_config())
            .build_many_from_hir(patterns)
            .map_err(|error| match error.size_limit() {
                Some(_) => AutomatonError::NfaTooLarge,
                None => Box::new(error).into(),
            })?;
        work.take(nfa.memory_usage(), NFA_BYTE)?;
        Ok(determinize(&nfa, work)?)
    }

    /// The automaton of no pattern.
    fn dead() -> Self {
        Self {
            columns: [0; 256],
            bytes: vec![b'a'],
            next: vec![DEAD],
            matched: vec![0],
            sets: vec![Vec::new()],
            start: DEAD,
        }
    }

    /// Calls the patterns by other numbers: the pattern `at` is `names[at]`, and the names
    /// are in order.
    pub(super) fn rename(&mut self, names: &[usize]) {
        for set in &mut self.sets {
            for pattern in set {
                if let Some(&name) = names.get(*pattern) {
                    *pattern = name;
                }
            }
        }
    }

    /// The patterns that match a path which ends in `state`.
    pub(super) fn set(&self, state: u32) -> &[usize] {
        let set = self.sets.get(self.set_number(state) as usize);
        set.map_or(&[], Vec::as_slice)
    }

    /// Which of `sets` that is.
    pub(super) fn set_number(&self, state: u32) -> u32 {
        self.matched.get(state as usize).copied().unwrap_or(0)
    }

    /// The state to which `byte` leads.
    pub(super) fn step(&self, state: u32, byte: u8) -> u32 {
        let row = self.row(state);
        row.get(self.column(byte)).copied().unwrap_or(DEAD)
    }

    /// The column of `byte`.
    pub(super) fn column(&self, byte: u8) -> usize {
        self.columns
            .get(usize::from(byte))
            .map_or(0, |&column| column.into())
    }

    /// How many states there are, [`DEAD`] among them.
    pub(super) fn len(&self) -> usize {
        self.matched.len()
    }

    /// The states that follow `state`, by column.
    pub(super) fn row(&self, state: u32) -> &[u32] {
        let width = self.bytes.len();
        let from = state as usize * width;
        self.next.get(from..from + width).unwrap_or_default()
    }

    /// A shortest path of the set `set`.
    pub(super) fn example(&self, set: u32) -> Vec<u8> {
        // By state: the state before it, and the byte from there.
        let mut before = vec![None; self.len()];
        let mut queue = VecDeque::from([self.start]);
        while let Some(state) = queue.pop_front() {
            if self.matched.get(state as usize) == Some(&set) {
                return path_to(state, self.start, &before);
            }
            for (&next, &byte) in self.row(state).iter().zip(&self.bytes) {
                if next != DEAD
                    && next != self.start
                    && let Some(entry @ None) = before.get_mut(next as usize)
                {
                    *entry = Some((state, byte));
                    queue.push_back(next);
                }
            }
        }
        Vec::new()
    }
}

/// The bytes from `start` to `state`.
fn path_to(mut state: u32, start: u32, before: &[Option<(u32, u8)>]) -> Vec<u8> {
    let mut path = Vec::new();
    while state != start
        && let Some(Some((from, byte))) = before.get(state as usize)
    {
        path.push(*byte);
        state = *from;
    }
    path.reverse();
    path
}

/// The column of each byte, and a byte of each column, where `class` tells which bytes
/// share one. Columns whose bytes are easy to read come first, `/` last, so that
/// examples are paths as people write them.
pub(super) fn columns<C: Eq + Hash>(class: impl Fn(u8) -> C) -> ([u8; 256], Vec<u8>) {
    let mut best: HashMap<C, u8> = HashMap::new();
    for byte in 0..=u8::MAX {
        let entry = best.entry(class(byte)).or_insert(byte);
        if rank(byte) < rank(*entry) {
            *entry = byte;
        }
    }
    let mut bytes: Vec<u8> = best.values().copied().collect();
    bytes.sort_unstable_by_key(|&byte| (rank(byte), byte));
    let mut columns = [0; 256];
    for (byte, column) in (0..=u8::MAX).zip(&mut columns) {
        let best = best.get(&class(byte));
        let place = bytes.iter().position(|byte| Some(byte) == best);
        *column = place
            .and_then(|place| u8::try_from(place).ok())
            .unwrap_or(0);
    }
    (columns, bytes)
}

fn rank(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' => 0,
        b'0'..=b'9' => 1,
        b'/' => 4,
        _ if byte.is_ascii_graphic() => 2,
        _ => 3,
    }
}

/// How expressions over bytes are read.
pub(super) fn nfa_config() -> thompson::Config {
    thompson::Config::new()
        .utf8(false)
        .which_captures(WhichCaptures::None)
        .nfa_size_limit(Some(NFA_BYTES))
}

/// `number` as a table stores it. Automata are limited to fewer than 2^32 states.
pub(super) fn index(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
