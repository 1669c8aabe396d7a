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
#[path = "matcher/questions.rs"]
mod questions;
#[path = "matcher/tables.rs"]
mod tables;

use std::{cell::Cell, path::Path};

use enforcer::profile::{
    Compiled, Ends, OnViolation, Origin, Pattern, Profile, ProfileMode, Removal, Rule, Telling,
    compile,
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
    /// Whether it grants what belongs to the task's user alone.
    owner: bool,
    /// Whether it is told of as is not usual: audited if it allows, quiet if it denies.
    odd: bool,
}

impl Sketch {
    /// Reading, granted to everybody.
    fn readable(glob: Vec<Piece>) -> Self {
        Self {
            glob,
            access: Access::READ,
            denies: false,
            owner: false,
            odd: false,
        }
    }
}

fn sketch() -> impl Strategy<Value = Sketch> {
    let access = (1..=Access::ON_PATHS.0).prop_map(Access);
    let [denies, owner, odd] = [0.3, 0.3, 0.3].map(prop::bool::weighted);
    (glob::strategy(), access, denies, owner, odd).prop_map(|(glob, access, denies, owner, odd)| {
        Sketch {
            glob,
            access,
            denies,
            owner: owner && !denies,
            odd,
        }
    })
}

/// What rules say of one path, right by right.
#[derive(Debug, Default, PartialEq, Eq)]
struct Say {
    allow: Access,
    owned: Access,
    audit: Access,
    quiet: Access,
}

impl Say {
    /// What these rules, which all match a path, say of it.
    fn of(matching: &[&Sketch]) -> Self {
        let mut say = Self::default();
        for right in (0..16).map(|bit| Access(1 << bit)) {
            let about = || matching.iter().filter(|one| one.access.contains(right));
            let mut denies = about().filter(|one| one.denies).peekable();
            let allows = || about().filter(|one| !one.denies);
            if denies.peek().is_some() {
                if denies.all(|one| one.odd) {
                    say.quiet |= right;
                }
                continue;
            }
            if allows().any(|one| !one.owner) {
                say.allow |= right;
            } else if allows().any(|one| one.owner) {
                say.owned |= right;
            }
            if allows().any(|one| one.odd) {
                say.audit |= right;
            }
        }
        say
    }
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
        owner: sketch.owner,
        ends: Ends::NEVER,
        trial: Access::NONE,
        telling: match (sketch.odd, sketch.denies) {
            (false, _) => Telling::Usual,
            (true, false) => Telling::Audit,
            (true, true) => Telling::Quiet,
        },
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
        permitted: 0,
        text_len: 0,
    }
}

fn compiled(profile: &Profile) -> Compiled {
    compile(profile, &|_| Some(Slot(1))).unwrap()
}

/// Tries so many cases, and writes none of them down. Many that are drawn make no profile.
fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config {
        cases,
        failure_persistence: None,
        max_global_rejects: 100_000,
        ..Config::default()
    })
}

#[test]
fn table_agrees_with_naive_matcher() {
    let pairs = Cell::new(0_u64);
    let granted = Cell::new(0_u64);
    let strategy = (prop::collection::vec(sketch(), 1..7), any::<u64>());
    let mut runner = runner(u32::try_from(PAIRS / PATHS).unwrap());
    let result = runner.run(&strategy, |(sketches, seed)| {
        let (sketches, rules): (Vec<&Sketch>, Vec<_>) = sketches
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
            let (denying, granting): (Vec<usize>, Vec<usize>) =
                matching.iter().partition(|&&at| sketches[at].denies);
            let union = |rules: &[usize]| {
                rules
                    .iter()
                    .fold(Access::NONE, |all, &at| all | sketches[at].access)
            };
            let matched: Vec<&Sketch> = matching.iter().map(|&at| sketches[at]).collect();
            let say = Say::of(&matched);
            let want = say.allow | say.owned;
            granted.set(granted.get() + u64::from(!want.is_empty()));

            let outcome = table.words.as_slice().judge(&path);
            let shown = path.escape_ascii();
            let said = Say {
                allow: outcome.allow,
                owned: outcome.owned,
                audit: outcome.audit,
                quiet: outcome.quiet,
            };
            prop_assert_eq!(&said, &say, "{}", shown);
            // Whose rights are all denied makes no difference.
            let granting: Vec<usize> = granting
                .into_iter()
                .filter(|&at| !(sketches[at].access & want).is_empty())
                .collect();
            let rules = table.judge(&path).rules;
            prop_assert_eq!(&rules.granting, &granting, "{}", shown);
            // A deny of what nobody allows makes none either. Beneath a deny of
            // everything, who allows is not told apart any more.
            if matched.iter().any(|one| !one.denies || one.odd) {
                prop_assert_eq!(&rules.denying, &denying, "{}", shown);
            } else {
                prop_assert!(rules.denying.is_empty() || union(&denying) == Access::ALL);
            }
            prop_assert_eq!(
                (rules.allow, rules.owned),
                (say.allow, say.owned),
                "{}",
                shown
            );
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
        let sketch = Sketch::readable(glob);
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
        let less = whole.without(&[Removal { pattern: pattern.clone(), access, except: Vec::new() }]);

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
