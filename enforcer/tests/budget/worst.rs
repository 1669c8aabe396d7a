//! Texts of up to 64 KiB that take long for their length, as somebody may write them to do
//! harm, or by mistake.

use std::fmt::{Display, Write as _};

use enforcer::profile::limits::{PATTERN_LEN, PATTERNS_LEN, SIGN_LEN};

/// Longest text, in bytes.
pub(crate) const LEN: usize = 64 << 10;

/// What it shows, the text, and the code of why it is refused, if it is.
pub(crate) type Case = (&'static str, String, Option<&'static str>);

/// The code of what makes too large an automaton.
pub(crate) const TOO_LARGE: &str = "too-large";

/// The texts.
pub(crate) fn cases() -> Vec<Case> {
    let anywhere = |at: char| format!("/**/{at}x/**");
    let folders = |count| allow("read", numbers(count, "/", "/**"));
    let programs = || applies_to("executables", numbers(1_500, "/usr/bin/", ""));
    #[rustfmt::skip]
    let cases = vec![
        ("marks behind a letter",      paths(&[allow("read", [behind('a', 15)])]),                          None),
        ("more of them",               paths(&[allow("read", [behind('a', 24)])]),                          Some(TOO_LARGE)),
        ("among all bytes",            paths(&[bytes(), allow("write", [behind('a', 12)])]),                None),
        ("more, among all bytes",      paths(&[bytes(), allow("write", [behind('a', 13)])]),                Some(TOO_LARGE)),
        ("several, among all bytes",   paths(&[bytes(), allow("write", letters(6).map(|at| behind(at, 12)))]), Some(TOO_LARGE)),
        ("behind several letters",     paths(&[allow("read", letters(3).map(|at| behind(at, 8)))]),         Some(TOO_LARGE)),
        ("with denied ones",           paths(&[allow("read", letters(2).map(|at| behind(at, 6))), deny(letters(12).map(anywhere))]), Some(TOO_LARGE)),
        ("all denied",                 paths(&[allow("read", ["/**".into()]), deny(letters(3).map(|at| behind(at, 8)))]), Some(TOO_LARGE)),
        ("letters anywhere",           paths(&[allow("read", letters(11).map(|at| format!("/**/{at}/**")))]), None),
        ("letters in any name",        paths(&[allow("read", letters(20).map(|at| format!("/**{at}**")))]), Some(TOO_LARGE)),
        ("letters twice",              paths(&[allow("read", letters(13).map(|at| format!("/**/{at}/**/{at}")))]), Some(TOO_LARGE)),
        ("letters one after another",  paths(&[allow("read", letters(3).map(|at| format!("/{}", format!("*{at}").repeat(30))))]), None),
        ("folders and denied names",   paths(&[folders(400), deny(numbers(400, "/**/n", ""))]),             Some("table-too-large")),
        ("folders and names in them",  paths(&[folders(700), allow("write", numbers(700, "/*/n", ""))]),    Some(TOO_LARGE)),
        ("combinations",               combinations(60),                                                   None),
        ("the same rule",              paths(&[allow("read", (0..1_900).map(|_| "/**".into()))]),           None),
        ("programs",                   programs(),                                                          None),
        ("programs that are written",  programs() + &paths(&[allow("write", ["/usr/**".into()])]),          None),
        ("programs behind marks",      applies_to("executables", [behind('a', 12)]) + &paths(&[allow("write", [behind('b', 12)])]), Some(TOO_LARGE)),
        ("cgroups behind marks",       applies_to("cgroups", letters(2).map(|at| behind(at, 10))),          Some(TOO_LARGE)),
        ("exec",                       "exec:\n".to_owned() + &lines(numbers(1_500, "- { path: /usr/bin/", " }")), None),
        ("ports",                      "network:\n".to_owned() + &lines((0..1_100).map(|at| format!("- {{ protocol: tcp, port: {}, allow: [bind] }}", 1_000 + 7 * at))), None),
        ("ports of one rule",          format!("network:\n- {{ protocol: tcp, allow: [bind], port: [{}] }}\n", numbers(9_000, "", "").collect::<Vec<_>>().join(",")), None),
        ("marks by a variable",        expanded("?"),                                                       None),
        ("stars by a variable",        expanded("*a"),                                                      Some(TOO_LARGE)),
        ("braces by a variable",       expanded("{,?}"),                                                    Some(TOO_LARGE)),
    ];
    let whole = |text| format!("name: p\nmode: enforce\n{text}");
    cases
        .into_iter()
        .map(|(name, text, code)| (name, whole(text), code))
        .collect()
}

fn lines<T: Display>(all: impl IntoIterator<Item = T>) -> String {
    all.into_iter().fold(String::new(), |mut text, line| {
        writeln!(text, "{line}").unwrap();
        text
    })
}

fn paths(rules: &[String]) -> String {
    "paths:\n".to_owned() + &rules.concat()
}

/// Rules that grant a right on each of these paths.
fn allow(right: &str, paths: impl IntoIterator<Item = String>) -> String {
    let rule = |path| format!("- {{ path: '{path}', allow: [{right}] }}");
    lines(paths.into_iter().map(rule))
}

/// Rules that deny all on each of these paths.
fn deny(paths: impl IntoIterator<Item = String>) -> String {
    let rule = |path| format!("- {{ path: '{path}', deny: [all] }}");
    lines(paths.into_iter().map(rule))
}

fn applies_to(kind: &str, patterns: impl IntoIterator<Item = String>) -> String {
    let subject = |pattern| format!("  - '{pattern}'");
    format!(
        "applies_to:\n  {kind}:\n{}",
        lines(patterns.into_iter().map(subject))
    )
}

/// A letter that may be any one of the name, and so many of any after it.
fn behind(letter: char, marks: usize) -> String {
    format!("/srv/**{letter}{}", "?".repeat(marks))
}

fn letters(count: u8) -> impl Iterator<Item = char> {
    (0..count).map(|at| char::from(b'a' + at))
}

fn numbers(count: usize, before: &str, after: &str) -> impl Iterator<Item = String> {
    (0..count).map(move |at| format!("{before}{at}{after}"))
}

/// A rule for each byte but a few, so that no two of them are alike.
fn bytes() -> String {
    let bytes = (1..=u8::MAX).filter(|byte| !b"/.".contains(byte));
    allow("read", bytes.map(|byte| format!("/bytes/\\x{byte:02x}")))
}

/// Folders and names in all of them, a combination for each of both, in a folder with a long
/// name.
fn combinations(count: u8) -> String {
    let long = "x".repeat(3_800);
    let folders = (0..count).map(|at| format!("${{long}}/{at}/**"));
    let names = (0..count).map(|at| format!("${{long}}/*/\\x{:02x}", b'0' + at));
    format!(
        "variables: {{ long: /{long} }}\n{}",
        paths(&[allow("read", folders), allow("write", names)])
    )
}

/// As much of `piece` as the patterns of a profile may have, by a variable.
fn expanded(piece: &str) -> String {
    let signs = piece.bytes().filter(|byte| b"*?[{,".contains(byte)).count();
    let len = piece.len() + signs * (SIGN_LEN - 1);
    let times = PATTERN_LEN / piece.len() - 1;
    let rules = PATTERNS_LEN / (times * len + 1);
    let rules = (0..rules).map(|_| "/${long}".to_owned());
    format!(
        "variables: {{ long: '{}' }}\n{}",
        piece.repeat(times),
        paths(&[allow("read", rules)])
    )
}
