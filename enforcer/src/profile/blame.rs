//! Which patterns are to blame for an automaton that is too large.
//!
//! A state of the automaton is a set of places in the patterns. Of all states some are
//! met here, and of each pattern is counted in how many different sets of places it was,
//! and how evenly. A pattern of which that is unknown until the end multiplies the
//! states; one of which nothing is left in nearly all of them does not, however long it
//! is.

use std::rc::Rc;

use foldhash::{HashMap, HashMapExt as _, HashSet, HashSetExt as _};
use regex_automata::{
    nfa::thompson::{self, NFA},
    util::{alphabet::Unit, primitives::StateID},
};
use regex_syntax::hir::Hir;

use super::{
    automaton::nfa_config,
    determinize::Places,
    work::{Exhausted, Work},
};

/// Most states that are met.
const STATES: usize = 16 << 10;
/// Steps for a move from place to place, a byte of a state, and a place in the state that it
/// leads to.
const STEP: u64 = 8;
const STATE: u64 = 100;
const MET: u64 = 20;
/// Most patterns that are named.
const NAMED: usize = 5;

/// The patterns that are to blame, by their indices, the most guilty first. None if that
/// cannot be told.
pub(super) fn blame(patterns: &[&Hir]) -> Vec<usize> {
    let nfa = thompson::Compiler::new()
        .configure(nfa_config())
        .build_many_from_hir(patterns);
    // Too large already: no one pattern is, since the text of each is limited.
    let Ok(nfa) = nfa else {
        return Vec::new();
    };
    let mut search = Search::new(&nfa);
    // It is told from what was met until there is no work left.
    search.run(&mut Work::to_blame());
    let mut guilt = search.spread();
    // Of one state nothing is told: then it is the size.
    if guilt.iter().all(|&guilt| guilt == 0.0) {
        guilt = search.sizes();
    }
    let mut guilt: Vec<(usize, f64)> = guilt.into_iter().enumerate().collect();
    guilt.sort_by(|one, other| other.1.total_cmp(&one.1));
    let most = guilt.first().map_or(0.0, |&(_, most)| most);
    guilt
        .into_iter()
        .filter(|&(_, guilt)| guilt > 0.0 && guilt >= most / 2.0)
        .map(|(at, _)| at)
        .take(NAMED)
        .collect()
}

/// A walk over states of the automaton that would be.
struct Search<'a> {
    nfa: &'a NFA,
    places: Places<'a>,
    /// By state of the NFA: the pattern it belongs to.
    owners: Vec<u32>,
    /// A byte of each kind.
    bytes: Vec<u8>,
    /// Sets of places that were met.
    met: HashSet<Rc<[u32]>>,
    /// Those from which nobody went on.
    open: Vec<Rc<[u32]>>,
}

impl<'a> Search<'a> {
    fn new(nfa: &'a NFA) -> Self {
        let mut owners = vec![u32::MAX; nfa.states().len()];
        let mut places = Places::new(nfa);
        for pattern in nfa.patterns() {
            let mut open: Vec<StateID> = nfa.start_pattern(pattern).into_iter().collect();
            while !open.is_empty() {
                let mut new = places.reached(&open);
                new.retain(|&at| match owners.get_mut(at as usize) {
                    Some(owner) if *owner == u32::MAX => {
                        *owner = pattern.as_u32();
                        true
                    }
                    _ => false,
                });
                open.clear();
                places.follow(&new, |_, next| open.push(next));
            }
        }
        let bytes = nfa.byte_classes().representatives(0..=u8::MAX);
        Self {
            nfa,
            places: Places::new(nfa),
            owners,
            bytes: bytes.filter_map(Unit::as_u8).collect(),
            met: HashSet::new(),
            open: Vec::new(),
        }
    }

    /// Meets states until there is no work left.
    fn run(&mut self, work: &mut Work) {
        let start = self.places.start();
        self.meet(&start);
        // Depth first, and first to where the least is left: what is written out ends, and
        // what multiplies does not.
        while let Some(state) = self.open.pop()
            && self.met.len() < STATES
        {
            if let Err(Exhausted) = self.go_on(&state, work) {
                return;
            }
        }
    }

    /// Meets the states that follow `state`.
    fn go_on(&mut self, state: &[u32], work: &mut Work) -> Result<(), Exhausted> {
        let before = self.open.len();
        for byte in self.bytes.clone() {
            let mut next = Vec::new();
            self.places.follow(state, |(from, to), at| {
                if (from..=to).contains(&byte) {
                    next.push(at);
                }
            });
            self.places.steps += state.len();
            let next = self.places.reached(&next);
            work.take(std::mem::take(&mut self.places.steps), STEP)?;
            work.take(next.len(), MET)?;
            work.take(1, STATE)?;
            self.meet(&next);
        }
        if let Some(new) = self.open.get_mut(before..) {
            new.sort_by_key(|state| std::cmp::Reverse(state.len()));
        }
        Ok(())
    }

    fn meet(&mut self, state: &[u32]) {
        if !state.is_empty() && !self.met.contains(state) {
            let state: Rc<[u32]> = state.into();
            self.met.insert(Rc::clone(&state));
            self.open.push(state);
        }
    }

    /// The pattern that a place belongs to.
    fn owner(&self, place: u32) -> u32 {
        self.owners.get(place as usize).copied().unwrap_or(u32::MAX)
    }

    /// By pattern: how many states it has.
    fn sizes(&self) -> Vec<f64> {
        let mut sizes = vec![0.0; self.nfa.pattern_len()];
        for &owner in &self.owners {
            if let Some(size) = sizes.get_mut(owner as usize) {
                *size += 1.0;
            }
        }
        sizes
    }

    /// By pattern: the bits that it takes to tell where in it a state is, in thousandths.
    fn spread(&self) -> Vec<f64> {
        let mut counts: HashMap<&[u32], u32> = HashMap::new();
        for state in &self.met {
            // The places in a pattern follow one another.
            for part in state.chunk_by(|&one, &other| self.owner(one) == self.owner(other)) {
                *counts.entry(part).or_default() += 1;
            }
        }
        let counts = counts.into_iter();
        let mut counts: Vec<(u32, u32)> = counts
            .filter_map(|(part, count)| Some((self.owner(*part.first()?), count)))
            .collect();
        // In order, since a sum of fractions depends on it.
        counts.sort_unstable();
        let all = f64::from(u32::try_from(self.met.len()).unwrap_or(u32::MAX));
        let bits = |count: u32| {
            let share = f64::from(count) / all;
            if count == 0 {
                0.0
            } else {
                -share * share.log2()
            }
        };
        let patterns = self.nfa.pattern_len();
        let mut spread = vec![0.0; patterns];
        let mut present = vec![0; patterns];
        for (owner, count) in counts {
            let owner = owner as usize;
            if let (Some(spread), Some(present)) = (spread.get_mut(owner), present.get_mut(owner)) {
                *spread += bits(count);
                *present += count;
            }
        }
        let met = u32::try_from(self.met.len()).unwrap_or(u32::MAX);
        for (spread, present) in spread.iter_mut().zip(present) {
            *spread += bits(met.saturating_sub(present));
            // What differs by less is the same, on every machine.
            *spread = (*spread * 1000.0).round();
        }
        spread
    }
}

#[cfg(test)]
mod tests {
    use super::blame;
    use crate::profile::Pattern;

    #[test]
    fn who_is_to_blame() {
        let files: Vec<String> = (0..300)
            .map(|number| format!("/etc/file-{number}.conf"))
            .collect();
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        // Columns: what it shows, patterns, those to blame.
        #[rustfmt::skip]
        let cases: [(&str, Vec<&str>, &[usize]); 5] = [
            ("one",                 vec!["/srv/**", "/**a????????????", "/etc/*"], &[1]),
            ("two",                 vec!["/**a????????", "/usr/**", "/**b????????"], &[0, 2]),
            ("among many files",    [files.clone(), vec!["/**a??????????", "/**b??????????"]].concat(), &[300, 301]),
            ("in one folder alone", [files.clone(), vec!["/srv/**a????????????"]].concat(), &[300]),
            ("a file alone",        vec!["/etc/passwd"], &[0]),
        ];
        for (name, patterns, want) in cases {
            let patterns: Vec<_> = patterns
                .iter()
                .map(|text| Pattern::parse(text).unwrap())
                .collect();
            let mut got = blame(&patterns.iter().map(Pattern::hir).collect::<Vec<_>>());
            got.sort_unstable();
            assert_eq!(got, want, "{name}");
        }
    }
}
