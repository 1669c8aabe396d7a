//! What a profile may cost to compile. Sizes are the same on every machine. Time is the
//! processor's, so that what else runs makes no difference, and a build that is not
//! optimised has ten times as much.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "budget/time.rs"]
mod time;
#[path = "budget/worst.rs"]
mod worst;

use std::{fmt::Write as _, path::Path, time::Duration};

use enforcer::profile::{Profile, RULES, check, compile_alone, lint};
use enforcer_abi::limits::TABLE_WORDS;

use self::time::{UNOPTIMISED, timed};

/// A profile of so many rules, as people write them: files, trees, names in a folder, and
/// names anywhere beneath one.
fn profile(count: usize) -> Profile {
    let mut text = "name: p\nmode: enforce\npaths:\n".to_owned();
    for at in 0..count {
        let path = match at % 10 {
            0..5 => format!("/etc/app-{at}/settings-{at}.conf"),
            5 | 6 => format!("/srv/site-{at}/public/**"),
            7 | 8 => format!("/var/log/daemon-{at}/*.log"),
            _ => format!("/usr/lib/plugins-{at}/**/module-*.so"),
        };
        writeln!(text, "  - {{ path: \"{path}\", allow: [read] }}").unwrap();
    }
    Profile::parse(&text, Path::new("p.yaml"), Path::new("")).unwrap()
}

#[test]
fn what_profiles_cost() {
    // Columns: rules, states of the table, its words, time to compile and to lint.
    #[rustfmt::skip]
    let cases = [
        (60,    1_500,  TABLE_WORDS[0], Duration::from_millis(100)),
        (1_000, 25_000, TABLE_WORDS[1], Duration::from_secs(5)),
    ];
    for (rules, states, words, time) in cases {
        let profile = profile(rules);
        let (compiled, compiling) = timed(|| compile_alone(&profile).unwrap());
        let (warnings, linting) = timed(|| lint(&profile).unwrap());
        assert!(warnings.is_empty(), "{rules} rules: {warnings:?}");
        println!(
            "{rules} rules: {} states, {} words, compiled in {compiling:?}, linted in {:?}",
            compiled.states,
            compiled.words.len(),
            linting,
        );
        assert!(
            compiled.states <= states,
            "{rules} rules: {} states",
            compiled.states
        );
        assert!(
            compiled.words.len() <= words,
            "{rules} rules: {} words",
            compiled.words.len()
        );
        let most = time * UNOPTIMISED;
        assert!(
            compiling <= most,
            "{rules} rules: compiled in {compiling:?}"
        );
        assert!(linting <= most, "{rules} rules: linted in {linting:?}");
    }
}

/// As many rules as a profile may have.
#[test]
fn ten_thousand_rules() {
    let mut text = "name: p\nmode: enforce\npaths:\n".to_owned();
    for at in 0..RULES {
        let path = match at % 3 {
            0 => format!("a/{at}/**"),
            1 => format!("b/*/file-{at}"),
            _ => format!("c/{at}/file"),
        };
        let right = ["read", "write"][at % 2];
        writeln!(text, "- {{ path: \"/srv/data/{path}\", allow: [{right}] }}").unwrap();
    }
    let (checked, took) = timed(|| {
        let profile = Profile::parse(&text, Path::new("p.yaml"), Path::new("")).unwrap();
        check(&profile).unwrap()
    });
    println!("{RULES} rules: {took:?}");
    assert!(checked.warnings.is_empty(), "{:?}", checked.warnings);
    assert!(took < Duration::from_secs(2) * UNOPTIMISED, "{took:?}");
}

/// A text of up to 64 KiB is read and checked in a second, or refused by then.
#[test]
fn no_text_takes_a_second() {
    for (name, text, want) in worst::cases() {
        assert!(text.len() <= worst::LEN, "{name}: {} bytes", text.len());
        let (checked, took) = timed(|| {
            let profile = Profile::parse(&text, Path::new("p.yaml"), Path::new("")).unwrap();
            check(&profile)
        });
        let error = checked.err();
        let told = error.as_ref().map(ToString::to_string);
        println!("{name}: {took:?}, {}", told.unwrap_or_default());
        let code = error.as_ref().map(|error| (&error.fault).into());
        assert_eq!(code, want, "{name}: {error:?}");
        assert!(
            took < Duration::from_secs(1) * UNOPTIMISED,
            "{name}: {took:?}"
        );
        if code == Some(worst::TOO_LARGE) {
            // The first two lines are no rules.
            assert!(error.unwrap().origin.line > 2, "{name}: no rule is named");
        }
    }
}

/// Patterns that multiply are told by their lines, among many that do not.
#[test]
fn what_is_too_much_is_named() {
    // Columns: what it shows, patterns that are too much, which of them are named.
    #[rustfmt::skip]
    let cases: [(&str, &[&str], &[usize]); 3] = [
        ("one",               &["/srv/**a????????????????????????"], &[0]),
        ("two of them",       &["/**a???????????????????", "/usr/**", "/**b???????????????????"], &[0, 2]),
        ("all together",      &["/**/a/**/a", "/**/b/**/b", "/**/c/**/c", "/**/d/**/d", "/**/e/**/e", "/**/f/**/f", "/**/g/**/g", "/**/h/**/h", "/**/i/**/i", "/**/j/**/j", "/**/k/**/k", "/**/l/**/l", "/**/m/**/m", "/**/n/**/n"], &[]),
    ];
    for (name, patterns, named) in cases {
        let mut profile = profile(60);
        let other = profile.rules.len();
        for pattern in patterns {
            let mut rule = profile.rules[0].clone();
            rule.pattern = enforcer::profile::Pattern::parse(pattern).unwrap();
            rule.origin.line = u32::try_from(profile.rules.len() + 4).unwrap();
            profile.rules.push(rule);
        }
        let (refused, took) = timed(|| compile_alone(&profile));
        let error = refused.unwrap_err();
        println!("{name}: {error}, after {took:?}");
        assert!(
            took < Duration::from_secs(5) * UNOPTIMISED,
            "{name}: {took:?}"
        );
        let text = error.to_string();
        let line = |at: usize| format!("p.yaml:{}:", other + at + 4);
        for &at in named {
            assert!(text.contains(&line(at)), "{name}: {text}");
        }
        // None of those that are harmless is named.
        let lines = text.split("p.yaml:").skip(1);
        for number in lines.filter_map(|rest| rest.split(':').next()) {
            let number: usize = number.parse().unwrap();
            assert!(number >= other + 4, "{name}: {text}");
        }
    }
}
