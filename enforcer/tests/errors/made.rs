//! Cases that are made: too large to be kept, or not met by `enforcer check`.

use std::fmt::Write as _;

use enforcer::profile::{CompileFault, Origin, Problem, limits, rights_from_name};
use regex_automata::nfa::thompson;

/// A profile of that name, with these lines.
fn profile(name: &str, rest: &str) -> Vec<u8> {
    format!("name: {name}\nmode: enforce\n{rest}").into_bytes()
}

/// A profile of a rule for each path, by itself.
fn rules(name: &str, paths: impl IntoIterator<Item = String>) -> Vec<u8> {
    let mut rest = "paths:\n".to_owned();
    for path in paths {
        writeln!(rest, "  - {{ path: {path}, allow: [read] }}").unwrap();
    }
    profile(name, &rest)
}

/// Names that have little in common: `count` of them, of `len` letters.
fn names(count: usize, len: usize) -> impl Iterator<Item = String> {
    let mut state = 7_u32;
    let mut letter = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b'a' + u8::try_from((state >> 16) % 26).unwrap())
    };
    (0..count).map(move |_| (0..len).map(|_| letter()).collect())
}

/// Files with their cases; `None` is no file.
pub(crate) fn files() -> Vec<(&'static str, Option<Vec<u8>>)> {
    let long = "#".repeat(limits::FILE_LEN + 1);
    let pattern = format!("/{}", "a".repeat(limits::PATTERN_LEN));
    let rule = "  - { path: \"/${long}\", allow: [read] }\n";
    let expanded = format!(
        "variables: {{ long: {} }}\npaths:\n{}",
        "a".repeat(4000),
        rule.repeat(300)
    );
    let many = (0..=limits::RULES).map(|number| format!("/{number}"));
    // In each of 190 folders, each of 180 names: all of them are told apart.
    let folders = (0..190).map(|number| format!("'/{number}/**'"));
    let bytes = (1..=182_u8).filter(|byte| !b"/.".contains(byte));
    let bytes = bytes.map(|byte| format!("'/*/\\x{byte:02x}'"));
    let not_text = b"name: not-text\nmode: \xff\n".to_vec();
    let files = [
        ("file-too-long", long.into_bytes()),
        ("not-text", not_text),
        ("glob-too-long", rules("glob-too-long", [pattern])),
        ("too-many-rules", rules("too-many-rules", many)),
        ("patterns-too-long", profile("patterns-too-long", &expanded)),
        (
            "table-too-large",
            rules(
                "table-too-large",
                names(2200, 100).map(|name| format!("/{name}")),
            ),
        ),
        (
            "too-many-outcomes",
            rules("too-many-outcomes", folders.chain(bytes)),
        ),
    ];
    let files = files.into_iter().map(|(case, bytes)| (case, Some(bytes)));
    files.chain([("read", None)]).collect()
}

/// What a folder of profiles cannot come to, or no profile should.
pub(crate) fn problems() -> Vec<Problem> {
    let origin = Origin {
        file: std::path::Path::new("other/web.yaml").into(),
        line: 1,
        column: 1,
    };
    let profile = "web".to_owned();
    vec![
        Problem::NameTaken {
            name: profile.clone(),
            other: origin,
        },
        Problem::FileNotYaml,
        Problem::MoreErrors,
        Problem::Access(rights_from_name("open").unwrap_err()),
        Problem::Compile(CompileFault::NoTarget {
            name: "logrotate".to_owned(),
        }),
        Problem::Compile(CompileFault::Nfa {
            profile,
            source: Box::new(thompson::NFA::new("(").unwrap_err()),
        }),
    ]
}
