//! Profiles that somebody wrote badly, or to do harm: no text makes the loader, the
//! compiler or the lints panic. `cargo xtask fuzz` looks further.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "fuzzed/profile.rs"]
mod profile;
#[path = "budget/time.rs"]
mod time;

use std::{
    cell::Cell,
    env, fs,
    path::{Path, PathBuf},
    time::Duration,
};

use proptest::{
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, TestRunner},
};

use self::{
    profile::{Came, exercise},
    time::{UNOPTIMISED, timed},
};

/// Texts that are tried.
const CASES: u32 = 400;

/// The variable that names a folder of texts.
const SLOW: &str = "ENFORCER_SLOW_TEXTS";

/// What may stand in a profile.
const TOKENS: [&str; 48] = [
    "name: p\n",
    "mode: audit\n",
    "paths:\n",
    "exec:\n",
    "include: [base, nameservice]\n",
    "variables: { a: /x, b: [\"${a}\", y] }\n",
    "privileges: [chown, mount]\n",
    "metadata: true\n",
    "  - { path: \"/**\", allow: [read] }\n",
    "  - { path: \"/a/**/b\", deny: [all], reason: r }\n",
    "  - { path: \"${a}/*\", allow: [execute] }\n",
    "  - { path: /bin/a, profile: q }\n",
    "applies_to: { executables: [\"/bin/*\"], users: [33], units: [a.service] }\n",
    "network:\n",
    "  - { protocol: tcp, port: 80-443, allow: [bind] }\n",
    "  - { address: [10.0.0.0/8, \"fd00::/8\"], deny: [all], quiet: true }\n",
    "  - { family: netlink, protocol: [route, 9], allow: [create] }\n",
    "owner: true",
    "audit: true",
    "quiet: true",
    "bind",
    "allow",
    "deny",
    "read",
    "all",
    "path",
    "inherit: true",
    "**",
    "/**/",
    "*",
    "?",
    "[a-z]",
    "{a,b}",
    "${a}",
    "\\x00",
    "\\",
    "\"",
    "'",
    "&a ",
    "*a",
    "<<: ",
    "!!binary ",
    "---\n",
    "#",
    "\t",
    "\u{1b}[2J",
    "é",
    "\r",
];

/// A change of a text.
#[derive(Clone, Debug)]
enum Change {
    Insert(Index, &'static str),
    Remove(Index, usize),
    Repeat(Index, usize),
    SwapLines(Index, Index),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => (any::<Index>(), select(&TOKENS[..])).prop_map(|(at, token)| Change::Insert(at, token)),
        2 => (any::<Index>(), 1..12_usize).prop_map(|(at, len)| Change::Remove(at, len)),
        1 => (any::<Index>(), 1..60_usize).prop_map(|(at, len)| Change::Repeat(at, len)),
        4 => (any::<Index>(), any::<Index>()).prop_map(|(one, other)| Change::SwapLines(one, other)),
    ]
}

impl Change {
    fn apply(&self, text: &str) -> String {
        let letters: Vec<char> = text.chars().collect();
        let place = |at: &Index| at.index(letters.len() + 1);
        let part = |from: usize, len: usize| letters.iter().skip(from).take(len);
        match self {
            Self::Insert(at, token) => {
                let at = place(at);
                let before = part(0, at).copied().chain(token.chars());
                before.chain(part(at, letters.len()).copied()).collect()
            }
            Self::Remove(at, len) => {
                let at = place(at);
                part(0, at).chain(part(at + len, letters.len())).collect()
            }
            Self::Repeat(at, len) => {
                let at = place(at);
                part(0, at + len).chain(part(at, letters.len())).collect()
            }
            Self::SwapLines(one, other) => {
                let mut lines: Vec<&str> = text.lines().collect();
                let count = lines.len();
                if count > 0 {
                    lines.swap(one.index(count), other.index(count));
                }
                lines.join("\n") + "\n"
            }
        }
    }
}

fn manifest() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn abstractions() -> PathBuf {
    manifest().join("../profiles/abstractions")
}

/// Profiles that make tables, and those of which something is wrong. Without those whose
/// tables take long to be refused.
fn seeds() -> [Vec<String>; 2] {
    let folders = [
        manifest().join("../profiles"),
        manifest().join("tests/errors"),
    ];
    let mut texts = vec![include_str!("../src/profile/reference/example.yaml").to_owned()];
    for folder in folders {
        let mut files: Vec<PathBuf> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        files.retain(|file| file.extension().is_some_and(|end| end == "yaml"));
        files.retain(|file| !file.to_str().unwrap().contains("too-large"));
        texts.extend(
            files
                .into_iter()
                .map(|file| fs::read_to_string(file).unwrap()),
        );
    }
    texts
        .into_iter()
        .partition(|text| exercise(text, &abstractions()) == Came::Table)
        .into()
}

#[test]
fn no_text_is_too_much() {
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    };
    let tables = Cell::new(0_u32);
    let [good, bad] = seeds();
    let seed = prop_oneof![3 => select(good), 1 => select(bad)];
    let strategy = (seed, prop::collection::vec(change(), 0..4));
    let result = TestRunner::new(config).run(&strategy, |(seed, changes)| {
        let text = changes
            .iter()
            .fold(seed, |text, change| change.apply(&text));
        if exercise(&text, &abstractions()) == Came::Table {
            tables.set(tables.get() + 1);
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    // Texts that are no profiles would not show much.
    assert!(tables.get() * 10 >= CASES, "{} tables", tables.get());
}

#[test]
fn what_is_shipped_makes_tables() {
    let shipped = fs::read_to_string(manifest().join("../profiles/nginx.yaml")).unwrap();
    assert_eq!(exercise(&shipped, &abstractions()), Came::Table);
    assert_eq!(exercise("name: p\n", &abstractions()), Came::Nowhere);
}

/// What took libFuzzer long, whose build is slower, takes no second here: `cargo xtask fuzz`
/// names the folder.
#[test]
fn slow_texts() {
    let Some(folder) = env::var_os(SLOW) else {
        println!("left out: {SLOW} names no folder of texts");
        return;
    };
    for entry in fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        let bytes = fs::read(&file).unwrap();
        let (_, took) =
            timed(|| str::from_utf8(&bytes).map(|text| exercise(text, &abstractions())));
        println!("{}: {took:?}", file.display());
        assert!(
            took < Duration::from_secs(1) * UNOPTIMISED,
            "{}: {took:?}",
            file.display()
        );
    }
}
