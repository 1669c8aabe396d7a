//! Rights classes: equal if and only if all that lies at and beneath two paths has
//! equal rights.

use std::collections::{HashSet, VecDeque};

use enforcer::profile::{Compiled, Target, compile};
use enforcer_abi::{
    Access, Slot,
    table::{DEAD, Words},
};
use proptest::prelude::*;

use crate::{
    Sketch,
    paths::{self, Random},
    profile, rule, sketch,
};

/// Pairs of paths for each profile.
const PAIRS: usize = 40;

/// Where a walk from a path to what is beneath it stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum At {
    /// At the path itself: only a `/` leads beneath it.
    Itself,
    /// Behind a `/`, where no path ends.
    Slash,
    /// In a name.
    Name,
}

impl At {
    fn step(self, byte: u8) -> Option<Self> {
        let allowed = match self {
            Self::Itself => byte == b'/',
            Self::Slash => byte != b'/' && byte != 0,
            Self::Name => byte != 0,
        };
        let next = if byte == b'/' {
            Self::Slash
        } else {
            Self::Name
        };
        allowed.then_some(next)
    }
}

/// What a table says of the path that ends in `state`, as far as rights go.
fn rights(words: &[u32], state: u32) -> (Access, Access, Slot, bool) {
    let outcome = words.outcome(state);
    (outcome.allow, outcome.owned, outcome.target, outcome.scrub)
}

/// What can follow both of two paths and be at or beneath them, such that the rights
/// there differ: by trying every pair of states.
fn witness(words: &[u32], one: u32, other: u32) -> Option<Vec<u8>> {
    let start = (one, other, At::Itself);
    let mut seen = HashSet::from([start]);
    let mut queue = VecDeque::from([(start, Vec::new())]);
    while let Some(((one, other, at), suffix)) = queue.pop_front() {
        if at != At::Slash && rights(words, one) != rights(words, other) {
            return Some(suffix);
        }
        for byte in 0..=u8::MAX {
            let Some(at) = at.step(byte) else { continue };
            let [one, other] = [one, other].map(|state| words.step(state, byte));
            if one != other && seen.insert((one, other, at)) {
                queue.push_back(((one, other, at), [&suffix[..], &[byte]].concat()));
            }
        }
    }
    None
}

/// The table of these rules, where some execs lead to another profile. None where such
/// rules contradict one another.
fn with_targets(sketches: &[Sketch], targets: u8) -> Option<Compiled> {
    let mut rules: Vec<_> = sketches.iter().filter_map(rule).collect();
    for (at, rule) in rules.iter_mut().enumerate() {
        if rule.allow.contains(Access::EXECUTE) {
            rule.target = Some(match targets >> at & 1 {
                0 => Target::Inherit,
                _ => Target::Profile("other".to_owned()),
            });
        }
    }
    compile(&profile(rules), &|_| Some(Slot(7))).ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn classes_tell_rights_apart(
        sketches in prop::collection::vec(sketch(), 1..5),
        targets: u8,
        seed: u64,
    ) {
        let table = with_targets(&sketches, targets);
        prop_assume!(table.as_ref().is_some_and(|table| table.states < 400));
        let table = table.unwrap();
        let words = table.words.as_slice();
        let globs: Vec<_> = sketches.iter().map(|sketch| &sketch.glob[..]).collect();
        let mut random = Random(seed);
        let walk = |path: &[u8]| {
            path.iter().fold(words[1], |state, &byte| words.step(state, byte))
        };
        for _ in 0..PAIRS {
            let [one, other] = [(); 2].map(|()| paths::near(&globs, &mut random));
            let shown = format!("{} {}", one.escape_ascii(), other.escape_ascii());
            let [first, second] = [&one, &other].map(|path| words.judge(path).class);
            let found = witness(words, walk(&one), walk(&other));
            prop_assert_eq!(first == second, found.is_none(), "{} {:?}", shown, found);
            prop_assert_eq!(first == 0, witness(words, walk(&one), DEAD).is_none(), "{}", shown);

            if let Some(suffix) = found {
                let [one, other] = [&one, &other].map(|path| [&path[..], &suffix].concat());
                prop_assert_ne!(rights(words, walk(&one)), rights(words, walk(&other)));
            }
            if first == second {
                let beneath = paths::near(&globs, &mut random);
                let [one, other] = [&one, &other].map(|path| [&path[..], &beneath].concat());
                prop_assert_eq!(rights(words, walk(&one)), rights(words, walk(&other)), "{}", shown);
            }
        }
    }
}

#[test]
fn class_table() {
    let rules = |text: &str| {
        let text = format!("name: p\nmode: enforce\n{text}");
        let profile = enforcer::profile::Profile::parse(&text, "p.yaml".as_ref(), "".as_ref());
        compile(&profile.unwrap(), &|_| Some(Slot(7))).unwrap()
    };
    let table = rules(
        r#"
paths:
  - { path: "/srv/{a,b}/**", allow: [read] }
  - { path: "/srv/*.log", allow: [append] }
  - { path: "/srv/c/**", allow: [read, write] }
  - { path: "/srv/c/**", deny: [write] }
  - { path: "/srv/d/**", allow: [read] }
  - { path: "/srv/d/x", deny: [all] }
  - { path: "/srv/e", allow: [read] }
  - { path: "/srv/e/**", allow: [write] }
  - { path: "/srv/e/**", deny: [all] }
"#,
    );
    let class = |path: &str| table.judge(path.as_bytes()).outcome.class;
    // Columns: what it shows, two paths, whether they are of one class.
    #[rustfmt::skip]
    let cases = [
        ("by one rule",              "/srv/a",     "/srv/b",         true),
        ("deeper",                   "/srv/a/x",   "/srv/b/x/y",     true),
        ("the directory has none",   "/srv/a",     "/srv/a/x",       false),
        ("other rules, same rights", "/srv/a",     "/srv/c",         true),
        ("a deny beneath",           "/srv/a",     "/srv/d",         false),
        ("a deny elsewhere",         "/srv/a/x",   "/srv/d/y",       true),
        ("denied",                   "/srv/e/x",   "/root",          true),
        ("denied, not beneath it",   "/srv/d/x/y", "/srv/a/x",       true),
        ("a file and a folder",      "/srv/e",     "/srv/a/x",       false),
        ("a longer name has rights", "/srv/x",     "/root",          true),
        ("it has them itself",       "/srv/x.log", "/root",          false),
        ("whatever it is called",    "/srv/x.log", "/srv/y.log.log", true),
        ("above",                    "/srv",       "/root",          false),
        ("nowhere",                  "/root",      "/etc/shadow",    true),
    ];
    for (name, one, other, want) in cases {
        assert_eq!(class(one) == class(other), want, "{name}");
    }
    assert_eq!(class("/root"), 0);
}
