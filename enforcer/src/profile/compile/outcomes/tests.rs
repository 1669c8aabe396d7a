use std::path::Path;

use enforcer_abi::{Access, expiry::Moment, limits::EXPIRIES, table::Words as _};
use proptest::prelude::*;

use crate::profile::{CompileFault, Compiled, Ends, Profile, compile_alone};

fn profile(rules: &str) -> Profile {
    let text = format!("name: p\nmode: enforce\nmetadata: true\npaths:\n{rules}");
    Profile::parse(&text, Path::new("p.yaml"), Path::new("")).unwrap()
}

/// What a table grants on `path` at `moment`.
fn granted(table: &Compiled, path: &str, moment: Moment) -> Access {
    let words = table.words.as_slice();
    let index = words.at(words.judge(path.as_bytes()).index, moment);
    // What follows has its own rules, by its own index.
    let rules = table.outcomes.get(index as usize).unwrap();
    let allow = words.outcome_at(enforcer_abi::table::DEAD, index).allow;
    assert_eq!(rules.allow, allow);
    allow
}

#[test]
fn what_ends_is_granted_until_then() {
    let profile = profile(
        "  - { path: /a, allow: [read] }\n\
         \x20 - { path: /a, allow: [write], until: 2026-12-01 }\n\
         \x20 - { path: /a, allow: [execute], until: 2026-12-02 }\n\
         \x20 - { path: /a, allow: [remove], for: 10s }\n\
         \x20 - { path: /b, allow: [read], until: 2026-12-01, for: 10s }\n\
         \x20 - { path: /b, deny: [write] }\n",
    );
    let table = compile_alone(&profile).unwrap();
    let first = 1_796_083_200;
    let second = first + 86_400;
    let [read, write, execute, remove] =
        [Access::READ, Access::WRITE, Access::EXECUTE, Access::REMOVE].map(Access::with_implied);
    #[rustfmt::skip]
    let cases = [
        ("all",             "/a", first - 1,  9,  read | write | execute | remove),
        ("one is over",     "/a", first,      9,  read | execute | remove),
        ("two are",         "/a", second,     9,  read | remove),
        ("all are",         "/a", second,     10, read),
        ("by age alone",    "/a", first - 1,  10, read | write | execute),
        ("by both",         "/a", first,      10, read | execute),
        ("both in one",     "/b", first - 1,  9,  read),
        ("its time",        "/b", first,      9,  Access::NONE),
        ("its age",         "/b", first - 1,  10, Access::NONE),
        ("nothing ends",    "/c", u32::MAX,   u32::MAX, Access::NONE),
    ];
    for (name, path, now, age, want) in cases {
        assert_eq!(granted(&table, path, Moment { now, age }), want, "{name}");
    }
}

#[test]
fn what_changes_nothing_does_not_end() {
    let table = compile_alone(&profile(
        "  - { path: /a, allow: [read] }\n  - { path: /a, allow: [read], until: 2026-12-01 }\n",
    ));
    let table = table.unwrap();
    let outcome = table.judge(b"/a").outcome;
    assert!(outcome.expiry.is_never());
    assert_eq!(outcome.class & enforcer_abi::table::EXPIRES, 0);
}

#[test]
fn so_many_times_end_on_a_path() {
    let rules = |count: u32| {
        let rules = (1..=count)
            .map(|at| format!("  - {{ path: /a, allow: [read], until: 2026-12-{at:02} }}\n"));
        rules.collect::<String>()
    };
    let table = compile_alone(&profile(&rules(EXPIRIES))).unwrap();
    let moment = Moment {
        now: u32::MAX,
        age: 0,
    };
    assert_eq!(granted(&table, "/a", moment), Access::NONE);
    let error = compile_alone(&profile(&rules(EXPIRIES + 1))).unwrap_err();
    assert!(
        matches!(error.fault, CompileFault::TooManyEnds { .. }),
        "{error}"
    );
}

proptest! {
    /// At any time, a table grants what one without the rules that ended would.
    #[test]
    fn a_table_says_what_is_left(
        rules in prop::collection::vec(
            (0..4_usize, 0..4_usize, any::<bool>(), 0..4_u32, 0..4_u32, any::<bool>()),
            1..9,
        ),
        now in 0..5_u32,
        age in 0..5_u32,
    ) {
        let patterns = ["/a", "/a*", "/**", "/b/*"];
        let rights = ["read", "write", "execute", "remove"];
        let lines = rules.iter().map(|&(pattern, right, denies, ..)| {
            let verb = if denies { "deny" } else { "allow" };
            let (pattern, right) = (patterns[pattern], rights[right]);
            format!("  - {{ path: \"{pattern}\", {verb}: [{right}] }}\n")
        });
        let mut ending = profile(&lines.collect::<Vec<_>>().concat());
        for (rule, &(.., until, within, owner)) in ending.rules.iter_mut().zip(&rules) {
            if rule.deny.is_empty() {
                rule.ends = Ends { until, within };
                rule.owner = owner;
            }
        }
        let mut left = ending.clone();
        for rule in &mut left.rules {
            let Ends { until, within } = rule.ends;
            if (until != 0 && now >= until) || (within != 0 && age >= within) {
                rule.allow = Access::NONE;
            }
            rule.ends = Ends::NEVER;
        }
        let [ending, left] = [&ending, &left].map(|profile| compile_alone(profile).unwrap());
        let words = ending.words.as_slice();
        for path in ["/a", "/ab", "/b/c", "/c", "/"] {
            let index = words.at(words.judge(path.as_bytes()).index, Moment { now, age });
            let got = words.outcome_at(enforcer_abi::table::DEAD, index);
            let want = left.judge(path.as_bytes()).outcome;
            prop_assert_eq!((got.allow, got.owned), (want.allow, want.owned), "{}", path);
        }
    }
}
