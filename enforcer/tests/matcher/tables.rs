//! Tables of every size, and what must hold of their words.

use std::collections::HashSet;

use enforcer::profile::Pattern;
use enforcer_abi::{
    Access,
    limits::TABLE_WORDS,
    table::{DEAD, Header, OUTCOME_WORDS, STATE_WORDS, UNIFORM, Words},
};
use proptest::prelude::*;

use crate::{Sketch, compiled, glob::Piece, paths::Random, profile, rule, sketch};

/// A table in a map value of its size class: an index is masked, as in the kernel.
struct Masked(Vec<u32>);

impl Words for Masked {
    fn word(&self, at: u32) -> u32 {
        self.0[at as usize & (self.0.len() - 1)]
    }
}

/// A profile of `count` files with names of `len` bytes that have little in common.
fn files(count: usize, len: usize) -> Vec<Sketch> {
    let mut random = Random(7);
    (0..count)
        .map(|_| {
            let name =
                (0..len).map(|_| Piece::Byte(b'a' + u8::try_from(random.below(26)).unwrap()));
            Sketch::readable(std::iter::once(Piece::Byte(b'/')).chain(name).collect())
        })
        .collect()
}

#[test]
fn every_size_class() {
    for (class, count, len) in [(0, 20, 20), (1, 300, 20), (2, 1000, 60)] {
        let sketches = files(count, len);
        let table = compiled(&profile(sketches.iter().filter_map(rule).collect()));
        assert_eq!(
            table.class_words(),
            TABLE_WORDS[class],
            "{} words",
            table.words.len()
        );

        let mut words = table.words.clone();
        words.resize(table.class_words(), 0);
        let masked = Masked(words);
        for (at, sketch) in sketches.iter().enumerate() {
            let path = crate::paths::exactly(&sketch.glob);
            assert_eq!(masked.judge(&path), table.judge(&path).outcome);
            assert_eq!(table.judge(&path).rules.granting, [at]);
            let longer = [&path[..], b"x"].concat();
            for other in [&path[1..], &path[..len], &longer] {
                assert_eq!(masked.judge(other).index, 0);
            }
        }
    }
}

#[test]
fn too_large_a_table_is_refused() {
    let sketches = files(2200, 100);
    let profile = profile(sketches.iter().filter_map(rule).collect());
    let error = enforcer::profile::compile(&profile, &|_| None).unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("test.yaml:1:1: profile `test` needs a table of "),
        "{text}"
    );
}

#[test]
fn too_large_an_automaton_is_refused() {
    let mut profile = profile(files(1, 1).iter().filter_map(rule).collect());
    let pattern = format!("/**a{}", "?".repeat(40));
    profile.rules[0].pattern = Pattern::parse(&pattern).unwrap();
    let error = enforcer::profile::compile(&profile, &|_| None).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("this makes too large an automaton of profile `test`;"),
        "{text}"
    );
}

#[test]
fn no_rule_at_all() {
    let table = compiled(&profile(Vec::new()));
    assert!(table.words.as_slice().is_table());
    assert_eq!(table.words[Header::START as usize], DEAD);
    assert_eq!(table.judge(b"/etc/passwd").outcome.allow, Access::NONE);
    assert_eq!(table.outcomes.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// The words keep to the layout: every index stays inside its region, and only a
    /// state's own pairs name it.
    #[test]
    fn words_keep_to_the_layout(sketches in prop::collection::vec(sketch(), 1..7)) {
        let table = compiled(&profile(sketches.iter().filter_map(rule).collect()));
        let words = table.words.as_slice();
        prop_assert_eq!(&words[..DEAD as usize], &[
            Header::MAGIC, words[1], words[2], u32::try_from(table.outcomes.len()).unwrap(), 1, 0, 0, 0, 0, 0, 0,
        ]);
        let outcomes = words[Header::OUTCOMES as usize];
        let pairs = DEAD + u32::try_from(table.states).unwrap() * STATE_WORDS;
        prop_assert_eq!(
            u32::try_from(words.len()).unwrap(),
            outcomes + words[Header::OUTCOME_COUNT as usize] * OUTCOME_WORDS
        );
        let states: HashSet<u32> = (DEAD..pairs).step_by(STATE_WORDS as usize).collect();
        prop_assert!(states.contains(&words[Header::START as usize]));
        for &state in &states {
            let record = &words[state as usize..][..4];
            prop_assert_eq!((record[0] - pairs) % 2, 0);
            prop_assert!((pairs..=outcomes - 512).contains(&record[0]));
            prop_assert!(states.contains(&record[1]));
            prop_assert!(record[2] & !UNIFORM < words[Header::OUTCOME_COUNT as usize]);
            // Said of a state if and only if no byte of a path leads away from it.
            let stays = (1..=u8::MAX).all(|byte| words.step(state, byte) == state);
            prop_assert_eq!(words.is_uniform(state), stays);
            prop_assert!(record[3] < u32::try_from(table.states).unwrap());
        }
        prop_assert_eq!(&words[DEAD as usize + 1..][..3], &[DEAD, UNIFORM, 0]);
        for pair in words[pairs as usize..outcomes as usize].chunks(2) {
            prop_assert!(pair == [0, 0] || states.contains(&pair[0]) && states.contains(&pair[1]));
        }
    }

    /// No two states of a table do the same, so equal rights beneath two directories
    /// are one state.
    #[test]
    fn states_are_distinct(sketches in prop::collection::vec(sketch(), 1..5)) {
        let table = compiled(&profile(sketches.iter().filter_map(rule).collect()));
        prop_assume!(table.states < 200);
        let words = table.words.as_slice();
        let states: Vec<u32> =
            (0..u32::try_from(table.states).unwrap()).map(|at| DEAD + at * STATE_WORDS).collect();
        // Moore's algorithm, until no class splits: slow and simple.
        let mut classes: Vec<u32> = states.iter().map(|&state| words.outcome(state).index).collect();
        loop {
            let keys: Vec<Vec<u32>> = states
                .iter()
                .zip(&classes)
                .map(|(&state, &class)| {
                    let next = (0..=u8::MAX).map(|byte| words.step(state, byte));
                    let next = next.map(|next| classes[((next - DEAD) / STATE_WORDS) as usize]);
                    std::iter::once(class).chain(next).collect()
                })
                .collect();
            let mut distinct = keys.clone();
            distinct.sort_unstable();
            distinct.dedup();
            let before = classes.iter().collect::<HashSet<_>>().len();
            if distinct.len() == before {
                break;
            }
            classes = keys
                .iter()
                .map(|key| u32::try_from(distinct.binary_search(key).unwrap()).unwrap())
                .collect();
        }
        prop_assert_eq!(classes.into_iter().collect::<HashSet<_>>().len(), states.len());
    }
}
