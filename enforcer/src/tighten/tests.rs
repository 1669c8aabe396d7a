//! Tables and properties of the planner.

use std::{path::Path, sync::Arc};

use enforcer_abi::{Access, Hit, Privileges};
use jiff::Timestamp;
use proptest::prelude::*;

use super::{Offence, Overlay, OverlayState, Overlays, Usage, beyond, in_use, plan};
use crate::{
    detection::TighteningId,
    profile::{
        Ends, Exception, OnViolation, Origin, OutcomeRules, Pattern, Profile, ProfileMode, Removal,
        Rule, compile_alone, differences,
    },
};

const READ: Access = Access::READ;
const WRITE: Access = Access::WRITE;
const CREATE: Access = Access::CREATE;

/// A profile of the file `own` with these allow-rules: pattern, rights, file.
pub(crate) fn profile(rules: &[(&str, Access, &str)]) -> Profile {
    Profile {
        name: "p".to_owned(),
        description: String::new(),
        source: Path::new("own").to_owned(),
        executables: Vec::new(),
        users: Vec::new(),
        cgroups: Vec::new(),
        privileges: Privileges::NONE,
        privileges_origin: None,
        metadata: false,
        mode: ProfileMode::Enforce,
        rules: rules
            .iter()
            .map(|&(pattern, access, file)| Rule {
                trial: Access::NONE,
                pattern: Pattern::parse(pattern).unwrap(),
                allow: access.with_implied(),
                deny: Access::NONE,
                target: None,
                owner: false,
                ends: Ends::NEVER,
                telling: crate::profile::Telling::Usual,
                reason: None,
                origin: Origin {
                    file: Arc::from(Path::new(file)),
                    line: 1,
                    column: 1,
                },
            })
            .collect(),
        on_violation: OnViolation::default(),
        permitted: 0,
        text_len: 0,
    }
}

/// What was used, by the index of the rule that granted it.
fn usage(profile: &Profile, used: &[Access]) -> Usage {
    let outcomes: Vec<_> = (0..used.len())
        .map(|rule| OutcomeRules {
            allow: Access::ALL,
            granting: vec![rule],
            ..OutcomeRules::default()
        })
        .collect();
    let hits: Vec<_> = used
        .iter()
        .map(|&used| Hit {
            count: u64::from(!used.is_empty()),
            used,
            looks: 0,
        })
        .collect();
    let mut usage = Usage::default();
    usage.add(profile, &outcomes, &hits);
    usage
}

#[test]
fn plan_table() {
    struct Case {
        name: &'static str,
        rule: (&'static str, Access, &'static str),
        used: Access,
        missing: Access,
        want: Access,
    }
    let both = READ | WRITE;
    let none = Access::NONE;
    let append = Access::APPEND;
    let others = Access::MAP | Access::REMOVE | Access::ATTRIBUTES | Access::CONNECT;
    let near = "/srv/legacy/**";
    let wide = "/srv/x/legacy/**";
    #[rustfmt::skip]
    let cases = [
        Case { name: "unused and near",             rule: (near, READ, "own"),              used: none,   missing: READ,  want: READ },
        Case { name: "another right, near",         rule: (near, CREATE, "own"),            used: none,   missing: READ,  want: CREATE },
        Case { name: "used",                        rule: (near, READ, "own"),              used: READ,   missing: READ,  want: none },
        Case { name: "used in part",                rule: (near, READ | CREATE, "own"),     used: READ,   missing: READ,  want: CREATE },
        Case { name: "from an abstraction",         rule: (near, READ, "abstraction"),      used: none,   missing: READ,  want: none },
        Case { name: "another tree",                rule: ("/var/www/**", READ, "own"),     used: none,   missing: READ,  want: none },
        Case { name: "everywhere",                  rule: ("/**", READ, "own"),             used: none,   missing: READ,  want: none },
        Case { name: "write goes with append",      rule: (near, WRITE, "own"),             used: none,   missing: READ,  want: WRITE | append },
        Case { name: "append stays with write",     rule: (near, WRITE, "own"),             used: WRITE,  missing: READ,  want: none },
        Case { name: "write goes, append was used", rule: (near, WRITE, "own"),             used: append, missing: READ,  want: WRITE },
        Case { name: "map and the others",          rule: (near, others, "own"),            used: none,   missing: READ,  want: others },
        Case { name: "map stays with execute",      rule: (near, Access::EXECUTE, "own"),   used: Access::EXECUTE, missing: READ, want: none },
        Case { name: "execute goes, map was used",  rule: (near, Access::EXECUTE, "own"),   used: Access::MAP, missing: READ, want: Access::EXECUTE },
        Case { name: "not mediated",                rule: (near, READ | Access::METADATA, "own"), used: none, missing: READ, want: READ },
        Case { name: "wide, the right refused",     rule: (wide, both, "own"),              used: none,   missing: READ,  want: READ },
        Case { name: "wide, what it implies",       rule: (wide, both, "own"),              used: none,   missing: WRITE, want: WRITE | append },
        Case { name: "wide, another right",         rule: (wide, CREATE, "own"),            used: none,   missing: READ,  want: none },
    ];
    for Case {
        name,
        rule,
        used,
        missing,
        want,
    } in cases
    {
        let path: &[u8] = if rule.0 == wide {
            b"/srv/a/b/key"
        } else {
            b"/srv/secret/key"
        };
        let profile = profile(&[rule]);
        let removals = plan(
            &profile,
            &usage(&profile, &[used]),
            Offence { path, missing },
        );
        let got = removals
            .iter()
            .fold(none, |all, removal| all | removal.access);
        assert_eq!(got, want, "{name}");
        assert!(
            removals.iter().all(|removal| removal.pattern == rule.0),
            "{name}"
        );
    }
}

#[test]
fn metadata_goes_where_it_is_mediated() {
    const NONE: Access = Access::NONE;
    const METADATA: Access = Access::METADATA;
    // Columns: what it shows, whether it is mediated, rights, used, what goes.
    #[rustfmt::skip]
    let cases = [
        ("not mediated",              false, METADATA, NONE,     NONE),
        ("mediated",                  true,  METADATA, NONE,     METADATA),
        ("it goes with read",         true,  READ,     NONE,     READ | METADATA),
        ("it stays with read",        true,  READ,     READ,     NONE),
        ("read goes, it was used",    true,  READ,     METADATA, READ),
    ];
    for (name, metadata, access, used, want) in cases {
        let profile = Profile {
            metadata,
            ..profile(&[("/srv/legacy/**", access, "own")])
        };
        let offence = Offence {
            path: b"/srv/secret/key",
            missing: READ,
        };
        let removals = plan(&profile, &usage(&profile, &[used]), offence);
        let got = removals
            .iter()
            .fold(NONE, |all, removal| all | removal.access);
        assert_eq!(got, want, "{name}");
    }
}

#[test]
fn rules_with_one_pattern_are_one() {
    let near = "/srv/legacy/**";
    let offence = Offence {
        path: b"/srv/secret/key",
        missing: READ,
    };
    #[rustfmt::skip]
    let cases = [
        ("both unused",         "own",         [Access::NONE, Access::NONE], vec![READ | CREATE]),
        ("one used",            "own",         [READ, Access::NONE],         vec![CREATE]),
        ("an abstraction's",    "abstraction", [Access::NONE, Access::NONE], vec![]),
    ];
    for (name, file, used, want) in cases {
        let profile = profile(&[(near, READ, "own"), (near, CREATE, file)]);
        let removals = plan(&profile, &usage(&profile, &used), offence);
        let got: Vec<_> = removals.iter().map(|removal| removal.access).collect();
        assert_eq!(got, want, "{name}");
    }
}

#[test]
fn arithmetic_of_removals() {
    let removal = |pattern: &str, access| Removal {
        pattern: pattern.to_owned(),
        access,
        except: Vec::new(),
    };
    let both = [removal("/a", READ | WRITE), removal("/b", READ)];
    let rest = beyond(
        &both,
        &[
            removal("/a", WRITE),
            removal("/b", READ),
            removal("/c", READ),
        ],
    );
    assert_eq!(rest, [removal("/a", READ)]);

    let profile = profile(&[("/a", READ, "own"), ("/b", READ, "own")]);
    let used = usage(&profile, &[READ, Access::NONE]);
    assert_eq!(in_use(&both, &used), [removal("/a", READ)]);
}

/// Patterns, of which some are near each other and some are equal.
fn any_rule() -> impl Strategy<Value = (&'static str, Access, &'static str)> {
    let pattern = prop::sample::select(vec![
        "/srv/www/**",
        "/srv/legacy/**",
        "/srv/legacy/*.txt",
        "/srv/*/x",
        "/srv/a/b/c",
        "/srv/**",
        "/etc/nginx/**",
        "/**",
        "/etc/passwd",
    ]);
    let file = prop::sample::select(vec!["own", "own", "abstraction"]);
    (
        pattern,
        any::<u32>().prop_map(|bits| Access(bits) & Access::ALL),
        file,
    )
}

/// Removals, some of which leave something of what they take.
fn any_removal() -> impl Strategy<Value = Removal> {
    let kept = any_rule().prop_map(|(pattern, access, _)| Exception {
        pattern: pattern.to_owned(),
        access,
    });
    let except = prop::collection::vec(kept, 0..3);
    (any_rule(), except).prop_map(|((pattern, access, _), except)| Removal {
        pattern: pattern.to_owned(),
        access,
        except,
    })
}

proptest! {
    /// No plan takes away what was used, or what an abstraction grants, adds a
    /// right, or leaves a right without one that it implies.
    #[test]
    fn plans_only_remove_what_is_unused(
        rules in prop::collection::vec(any_rule(), 1..8),
        used in prop::collection::vec(any::<u32>(), 8),
        missing: u32,
        path in prop::sample::select(vec![
            "/srv/www/x", "/srv/legacy/a/b", "/etc/shadow", "/srv/a/b/c/d/e", "/", "",
        ]),
    ) {
        let before = profile(&rules);
        let granted: Vec<_> = before.rules.iter().map(|rule| rule.allow).collect();
        let used: Vec<_> = granted.iter().zip(used).map(|(&allow, bits)| allow & Access(bits)).collect();
        let usage = usage(&before, &used);
        let offence = Offence { path: path.as_bytes(), missing: Access(missing) & Access::ALL };
        let removals = plan(&before, &usage, offence);
        let after = before.without(&removals);
        for ((old, new), used) in before.rules.iter().zip(&after.rules).zip(used) {
            prop_assert!(old.allow.contains(new.allow), "a right was added");
            prop_assert!(new.allow.contains(used), "a used right was removed");
            prop_assert!(new.allow.contains(new.allow.with_implied()), "an implied right is missing");
            if *old.origin.file != *before.source {
                prop_assert_eq!(old.allow, new.allow, "an abstraction's right was removed");
            }
        }
        prop_assert_eq!(in_use(&removals, &usage), vec![]);
        for removal in &removals {
            prop_assert!(!removal.access.is_empty());
        }
    }

    /// Whatever is taken away, no path gains a right, by the automata; and reverting gives
    /// back the very table.
    #[test]
    fn no_tightening_adds_a_right_and_revert_restores_equality(
        rules in prop::collection::vec(any_rule(), 1..6),
        removals in prop::collection::vec(any_removal(), 1..4),
    ) {
        let before = profile(&rules);
        let folder = tempfile::tempdir().unwrap();
        let mut overlays = Overlays::load(folder.path()).unwrap();
        let applied = Overlay {
            id: TighteningId(1),
            profile: before.name.clone(),
            created: Timestamp::UNIX_EPOCH,
            state: OverlayState::Applied,
            trial: None,
 since: None,
            detections: Vec::new(),
            removals,
            reason: String::new(),
        };
        overlays.put(applied.clone()).unwrap();
        let after = overlays.applied_to(&before);
        for difference in differences(&before, &after).unwrap() {
            let at = String::from_utf8_lossy(&difference.example).into_owned();
            prop_assert!(difference.gained().is_empty(), "{at} gains {:?}", difference.gained());
            prop_assert!(!difference.leads_elsewhere() || difference.after.target.is_none(), "{at}");
        }
        let state = OverlayState::Reverted;
        overlays.put(Overlay { state, ..applied }).unwrap();
        let words = |profile: &Profile| compile_alone(profile).unwrap().words;
        prop_assert_eq!(words(&overlays.applied_to(&before)), words(&before));
    }

    /// What is on trial grants as before, and names all that it would take away; on a path of
    /// which owners have no more than others, nothing else.
    #[test]
    fn a_trial_names_what_would_go(
        rules in prop::collection::vec(any_rule(), 1..6),
        removals in prop::collection::vec(any_removal(), 1..4),
        owned in 0_usize..6,
    ) {
        let mut before = profile(&rules);
        if let Some(rule) = before.rules.get_mut(owned) {
            rule.owner = true;
        }
        let after = before.without(&removals);
        let tried = compile_alone(&before.with_trial(&removals)).unwrap();
        let same = compile_alone(&before).unwrap();
        for difference in differences(&before, &after).unwrap() {
            let at = String::from_utf8_lossy(&difference.example).into_owned();
            let said = tried.judge(&difference.example).outcome;
            prop_assert!(said.trial.contains(difference.lost()), "{at}: {:?}", said.trial);
        }
        for path in ["/srv/www/x", "/srv/legacy/a.txt", "/srv/a/x", "/srv/a/b/c", "/etc/passwd", "/x"] {
            let path = path.as_bytes();
            let said = tried.judge(path).outcome;
            let [untried, left] = [&same, &compile_alone(&after).unwrap()].map(|one| one.judge(path).outcome);
            prop_assert_eq!((said.allow, said.owned), (untried.allow, untried.owned));
            if said.owned.is_empty() {
                prop_assert_eq!(said.trial, untried.allow & !left.allow);
            }
        }
    }
}
