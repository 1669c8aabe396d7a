use std::{collections::BTreeMap, path::Path};

use enforcer_abi::{Access, Operation};
use jiff::Timestamp;

use super::{EVIDENCE, EXCEPTIONS, Files, narrower};
use crate::{
    history::Use,
    learn::{Entry, Existing, recorded::Found},
    profile::{Profile, Removal, compile_alone, differences},
    tighten::own_patterns,
};

struct Nothing;

impl Existing for Nothing {
    fn names(&self, _folder: &[u8]) -> Option<Vec<Entry>> {
        None
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn used(path: String, access: Access) -> Use {
    Use {
        profile: "p".to_owned(),
        program: b"/bin/a".to_vec(),
        build: None,
        lineage: 1,
        path: path.into_bytes(),
        operations: [Operation::Open].into(),
        access,
        is_granted: true,
        first: at(0),
        last: at(50),
        told: 1,
    }
}

fn profile(rules: &str) -> Profile {
    let text = format!("name: p\nmode: enforce\npaths:\n{rules}");
    Profile::parse(&text, Path::new("p.yaml"), Path::new("")).unwrap()
}

/// What is proposed of a profile with these uses, whose patterns it has since second 1.
fn proposed(profile: &Profile, uses: &[Use], cutoff: i64) -> Vec<Removal> {
    let known: BTreeMap<String, Timestamp> = own_patterns(profile)
        .map(|pattern| (pattern.to_owned(), at(1)))
        .collect();
    let compiled = compile_alone(profile).unwrap();
    let files = Files {
        existing: &Nothing,
        find: &|_| {
            Some(Found {
                is_folder: false,
                uid: 0,
            })
        },
    };
    narrower(profile, &compiled, uses, &known, at(cutoff), &files).unwrap()
}

fn pages(count: usize) -> Vec<Use> {
    (0..count)
        .map(|number| used(format!("/srv/shop/pages/{number}.html"), Access::READ))
        .collect()
}

#[test]
fn a_broad_pattern_becomes_what_was_used() {
    let profile = profile("  - { path: \"/srv/**\", allow: [read, write] }\n");
    let mut uses = pages(EVIDENCE);
    uses.push(used("/srv/shop/state".to_owned(), Access::WRITE));
    let removals = proposed(&profile, &uses, 10);
    let [removal] = &removals[..] else {
        panic!("{removals:?}");
    };
    assert_eq!(removal.pattern, "/srv/**");
    let kept: Vec<&str> = removal.except.iter().map(|one| &*one.pattern).collect();
    assert_eq!(kept, ["/srv/shop/pages/[0-9]*.html", "/srv/shop/state"]);
    let after = profile.without(&removals);
    let compiled = compile_alone(&after).unwrap();
    let read = Access::READ & !Access::METADATA;
    #[rustfmt::skip]
    let cases = [
        ("what was used",       "/srv/shop/pages/3.html", read),
        ("what is like it",     "/srv/shop/pages/77.html", read),
        ("what was not",        "/srv/secrets/key",       Access::NONE),
        ("beside it",           "/srv/shop/other",        Access::NONE),
    ];
    for (name, path, want) in cases {
        let allow = compiled.judge(path.as_bytes()).outcome.allow & !Access::METADATA;
        assert_eq!(allow, want, "{name}");
    }
    let state = compiled.judge(b"/srv/shop/state").outcome.allow;
    assert!(state.contains(Access::WRITE) && !state.contains(Access::READ));
    for difference in differences(&profile, &after).unwrap() {
        assert!(difference.gained().is_empty(), "{difference:?}");
    }
}

#[test]
fn it_stays_without_evidence() {
    let broad = "  - { path: \"/srv/**\", allow: [read] }\n";
    let scattered = (0..=EXCEPTIONS).map(|number| {
        let paths = [
            format!("/srv/a{number}x/one"),
            format!("/srv/a{number}x/b/two"),
        ];
        paths.map(|path| used(path, Access::READ))
    });
    let scattered: Vec<Use> = scattered.flatten().collect();
    #[rustfmt::skip]
    let cases = [
        ("too few",            broad, pages(EVIDENCE - 1), 10),
        ("too young",          broad, pages(EVIDENCE), 0),
        ("nothing in common",  broad, scattered, 10),
        ("no broad one",       "  - { path: \"/srv/shop/*/*\", allow: [read] }\n", pages(EVIDENCE), 10),
        ("it ends by itself",  "  - { path: \"/srv/**\", allow: [read], until: 2100-01-01 }\n", pages(EVIDENCE), 10),
        ("nothing would go",   "  - { path: \"/srv/shop/pages/**\", allow: [read] }\n  - { path: \"/srv/**\", deny: [all] }\n", pages(EVIDENCE), 10),
        // One more level than the pattern has.
        ("it would gain",      "  - { path: \"/srv/**/pages/?.html\", allow: [read] }\n", pages(EVIDENCE), 10),
    ];
    for (name, rules, uses, cutoff) in cases {
        assert_eq!(proposed(&profile(rules), &uses, cutoff), [], "{name}");
    }
}
