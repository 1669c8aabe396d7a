//! Which patterns are to blame for an automaton that is too large.
//!
//! A state of the automaton is a set of places in the patterns. Of all states some are
//! met here, and of each pattern is counted in how many different sets of places it was,
//! and how evenly. A pattern of which that is unknown until the end multiplies the
//! states; one of which nothing is left in nearly all of them does not, however long it
//! is.

use std::collections::{BTreeMap, HashMap, HashSet};

use regex_automata::{
    nfa::thompson::{self, NFA},
    util::{alphabet::Unit, primitives::StateID},
};
use regex_syntax::hir::Hir;

use super::{automaton::nfa_config, determinize::Places};

/// Most states that are met.
const STATES: usize = 16 << 10;
/// Most steps from place to place, which bound the time.
const STEPS: usize = 4 << 20;
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
    search.run();
    let mut guilt: Vec<(usize, f64)> = search.spread().into_iter().enumerate().collect();
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
    met: HashSet<Vec<u32>>,
    /// Those from which nobody went on.
    open: Vec<Vec<u32>>,
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

    fn run(&mut self) {
        let start = self.places.start();
        self.meet(start);
        // Depth first, and first to where the least is left: what is written out ends, and
        // what multiplies does not.
        while let Some(state) = self.open.pop()
            && self.met.len() < STATES
            && self.places.steps < STEPS
        {
            let before = self.open.len();
            for byte in self.bytes.clone() {
                let mut next = Vec::new();
                self.places.follow(&state, |(from, to), at| {
                    if (from..=to).contains(&byte) {
                        next.push(at);
                    }
                });
                self.places.steps += state.len();
                let next = self.places.reached(&next);
                self.meet(next);
            }
            if let Some(new) = self.open.get_mut(before..) {
                new.sort_by_key(|state| std::cmp::Reverse(state.len()));
            }
        }
    }

    fn meet(&mut self, state: Vec<u32>) {
        if !state.is_empty() && self.met.insert(state.clone()) {
            self.open.push(state);
        }
    }

    /// By pattern: the bits that it takes to tell where in it a state is, in thousandths.
    fn spread(&self) -> Vec<f64> {
        // In order, since a sum of fractions depends on it.
        let mut counts: BTreeMap<(u32, Vec<u32>), u32> = BTreeMap::new();
        for state in &self.met {
            let mut places: HashMap<u32, Vec<u32>> = HashMap::new();
            for &at in state {
                let owner = self.owners.get(at as usize).copied().unwrap_or(u32::MAX);
                places.entry(owner).or_default().push(at);
            }
            for of_pattern in places {
                *counts.entry(of_pattern).or_default() += 1;
            }
        }
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
        for ((owner, _), count) in counts {
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
