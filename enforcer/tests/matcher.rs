//! Compiled tables against other matchers: a naive one that follows the definition
//! of globs to the letter, and `globset`.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::format_push_string,
    reason = "a test that is wrong may panic, and need not be fast"
)]

#[path = "matcher/classes.rs"]
mod classes;
#[path = "matcher/differences.rs"]
mod differences;
#[path = "matcher/glob.rs"]
mod glob;
#[path = "matcher/paths.rs"]
mod paths;
#[path = "matcher/tables.rs"]
mod tables;

use std::{cell::Cell, path::Path};

use enforcer::profile::{
    Compiled, OnViolation, Origin, Pattern, Profile, ProfileMode, Removal, Rule, compile,
};
use enforcer_abi::{Access, Privileges, Slot, table::Words as _};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use crate::{
    glob::{Piece, render},
    paths::Random,
};

/// Pairs of a profile and a path.
const PAIRS: u64 = 100_000;
const PATHS: u64 = 100;

/// A rule to be: its glob, its rights, and whether it denies them.
#[derive(Clone, Debug)]
struct Sketch {
    glob: Vec<Piece>,
    access: Access,
    denies: bool,
}

fn sketch() -> impl Strategy<Value = Sketch> {
    let access = (1..=Access::ALL.0).prop_map(Access);
    (glob::strategy(), access, prop::bool::weighted(0.3)).prop_map(|(glob, access, denies)| {
        Sketch {
            glob,
            access,
            denies,
        }
    })
}

fn rule(sketch: &Sketch) -> Option<Rule> {
    let (allow, deny) = if sketch.denies {
        (Access::NONE, sketch.access)
    } else {
        (sketch.access, Access::NONE)
    };
    Some(Rule {
        // Refused where it depends on what is around whether `**` is a directory.
        pattern: Pattern::parse(&render(&sketch.glob)).ok()?,
        allow,
        deny,
        target: None,
        reason: None,
        origin: Origin {
            file: Path::new("test.yaml").into(),
            line: 1,
            column: 1,
        },
    })
}

fn profile(rules: Vec<Rule>) -> Profile {
    Profile {
        name: "test".to_owned(),
        description: String::new(),
        source: "test.yaml".into(),
        executables: Vec::new(),
        users: Vec::new(),
        cgroups: Vec::new(),
        privileges: Privileges::NONE,
        privileges_origin: None,
        metadata: true,
        mode: ProfileMode::Enforce,
        rules,
        on_violation: OnViolation::default(),
    }
}

fn compiled(profile: &Profile) -> Compiled {
    compile(profile, &|_| Some(Slot(1))).unwrap()
}

#[test]
fn table_agrees_with_naive_matcher() {
    let pairs = Cell::new(0_u64);
    let granted = Cell::new(0_u64);
    let config = Config {
        cases: u32::try_from(PAIRS / PATHS).unwrap(),
        failure_persistence: None,
        max_global_rejects: 100_000,
        ..Config::default()
    };
    let strategy = (prop::collection::vec(sketch(), 1..7), any::<u64>());
    let result = TestRunner::new(config).run(&strategy, |(sketches, seed)| {
        let (sketches, rules): (Vec<_>, Vec<_>) = sketches
            .iter()
            .filter_map(|sketch| Some((sketch, rule(sketch)?)))
            .unzip();
        prop_assume!(!rules.is_empty());
        let profile = profile(rules);
        let table = compiled(&profile);
        let mut random = Random(seed);
        for _ in 0..PATHS {
            let globs: Vec<_> = sketches.iter().map(|sketch| &sketch.glob[..]).collect();
            let path = paths::near(&globs, &mut random);
            pairs.set(pairs.get() + 1);

            let matching: Vec<usize> = (0..sketches.len())
                .filter(|&at| glob::matches(&sketches[at].glob, &path))
                .collect();
            let (denying, granting): (Vec<_>, Vec<_>) =
                matching.iter().partition(|&&at| sketches[at].denies);
            let union = |rules: &[usize]| {
                rules
                    .iter()
                    .fold(Access::NONE, |all, &at| all | sketches[at].access)
            };
            let want = union(&granting) & !union(&denying);
            granted.set(granted.get() + u64::from(!want.is_empty()));

            let outcome = table.words.as_slice().judge(&path);
            let shown = path.escape_ascii();
            prop_assert_eq!(outcome.allow, want, "{}", shown);
            // Whose rights are all denied makes no difference.
            let granting: Vec<usize> = granting
                .into_iter()
                .filter(|&at| !(sketches[at].access & want).is_empty())
                .collect();
            let rules = table.judge(&path).rules;
            prop_assert_eq!(&rules.granting, &granting, "{}", shown);
            // A deny of what nobody allows makes none either. Beneath a deny of
            // everything, who allows is not told apart any more.
            if matching.iter().any(|&at| !sketches[at].denies) {
                prop_assert_eq!(&rules.denying, &denying, "{}", shown);
            } else {
                prop_assert!(rules.denying.is_empty() || union(&denying) == Access::ALL);
            }
            prop_assert_eq!(rules.allow, want, "{}", shown);
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    assert!(pairs.get() >= PAIRS, "{} pairs", pairs.get());
    // Neither a matcher that always grants nor one that never does gets through.
    let share = granted.get() * 100 / pairs.get();
    assert!((20..80).contains(&share), "{share} % granted");
}

#[test]
fn table_agrees_with_globset() {
    let pairs = Cell::new(0_u64);
    let matched = Cell::new(0_u64);
    let config = Config {
        cases: 500,
        failure_persistence: None,
        ..Config::default()
    };
    let strategy = (glob::shared_strategy(), any::<u64>());
    let result = TestRunner::new(config).run(&strategy, |(glob, seed)| {
        let text = render(&glob);
        let other = globset::GlobBuilder::new(&text)
            .literal_separator(true)
            .backslash_escape(true)
            .empty_alternates(true)
            .build()
            .unwrap()
            .compile_matcher();
        let sketch = Sketch {
            glob,
            access: Access::READ,
            denies: false,
        };
        // Names like `.` are refused.
        let rule = rule(&sketch);
        prop_assume!(rule.is_some());
        let table = compiled(&profile(rule.into_iter().collect()));
        let mut random = Random(seed);
        for _ in 0..PATHS {
            let path = paths::near(&[&sketch.glob], &mut random);
            let want = other.is_match(paths::os(&path));
            pairs.set(pairs.get() + 1);
            matched.set(matched.get() + u64::from(want));
            let got = table.words.as_slice().judge(&path).allow;
            prop_assert_eq!(
                got == Access::READ,
                want,
                "{} {}",
                text,
                path.escape_ascii()
            );
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    assert!(pairs.get() >= 50_000, "{} pairs", pairs.get());
    let share = matched.get() * 100 / pairs.get();
    assert!((20..90).contains(&share), "{share} % match");
}

proptest! {
    #![proptest_config(Config { cases: 64, failure_persistence: None, ..Config::default() })]

    /// A tightening takes away exactly what it says, and reverting it gives the same
    /// table to the byte.
    #[test]
    fn removals_only_remove(
        sketches in prop::collection::vec(sketch(), 1..5),
        which: prop::sample::Index,
        access in (1..=Access::ALL.0).prop_map(Access),
        seed: u64,
    ) {
        let rules: Vec<Rule> = sketches.iter().filter_map(rule).collect();
        prop_assume!(!rules.is_empty());
        let whole = profile(rules);
        let pattern = whole.rules[which.index(whole.rules.len())].pattern.text().to_owned();
        let less = whole.without(&[Removal { pattern: pattern.clone(), access }]);

        let (before, after) = (compiled(&whole), compiled(&less));
        let globs: Vec<_> = sketches.iter().map(|sketch| &sketch.glob[..]).collect();
        let mut random = Random(seed);
        for _ in 0..PATHS {
            let path = paths::near(&globs, &mut random);
            let lost = before.judge(&path).outcome.allow & !after.judge(&path).outcome.allow;
            let gained = after.judge(&path).outcome.allow & !before.judge(&path).outcome.allow;
            prop_assert!(gained.is_empty());
            prop_assert!(access.contains(lost));
        }

        let mut back = less;
        for (rule, old) in back.rules.iter_mut().zip(&whole.rules) {
            if rule.pattern.text() == pattern {
                rule.allow = old.allow;
            }
        }
        let back = compiled(&back);
        prop_assert_eq!(&back.words, &before.words);
        prop_assert_eq!(back.digest(), before.digest());
        prop_assert_eq!(compiled(&whole.without(&[])).words, before.words);
    }
}
