//! Every message about a profile, as `enforcer check` shows it.
//!
//! A case is called after the message's code, and what follows a dot tells cases of one
//! code apart. `errors/CASE.yaml` is a profile, `errors/CASE/` a folder of profiles, and
//! what is too large to be kept is made here. `errors/CASE.txt` is what is shown.
//! `ENFORCER_UPDATE=1 cargo test --test errors` writes these anew.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "errors/made.rs"]
mod made;

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use enforcer::profile::{Lint, Problem};

/// Set, it writes what is shown anew.
const UPDATE: &str = "ENFORCER_UPDATE";

/// What a case shows, and the codes of what is wrong.
struct Shown {
    text: String,
    codes: Vec<String>,
}

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/errors"))
}

/// Runs `enforcer check` on `object` in the folder `dir`.
fn check(dir: &Path, object: &str) -> Shown {
    let run = |arguments: &[&str]| -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_enforcer"));
        let command = command.arg("check").args(arguments).arg(object);
        command.current_dir(dir).output().unwrap()
    };
    let said = run(&[]);
    let mut text = format!("$ enforcer check {object}\n");
    text.push_str(str::from_utf8(&said.stdout).unwrap());
    text.push_str(str::from_utf8(&said.stderr).unwrap());
    writeln!(text, "exit status: {}", said.status.code().unwrap()).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&run(&["--json"]).stdout).unwrap();
    let all = json.as_array().unwrap().iter();
    let codes = all.map(|one| one["code"].as_str().unwrap().to_owned());
    Shown {
        codes: codes.collect(),
        text,
    }
}

/// All cases with what they show.
fn cases() -> BTreeMap<String, Shown> {
    let mut cases = BTreeMap::new();
    for entry in fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let path = folder().join(&name);
        if let Some(stem) = name.strip_suffix(".yaml") {
            cases.insert(stem.to_owned(), check(&folder(), &name));
        } else if path.is_dir() && name != enforcer::profile::ABSTRACTIONS {
            cases.insert(name.clone(), check(&folder(), &name));
        }
    }
    for (case, bytes) in made::files() {
        let dir = tempfile::tempdir().unwrap();
        let file = format!("{case}.yaml");
        if let Some(bytes) = bytes {
            fs::write(dir.path().join(&file), bytes).unwrap();
        }
        cases.insert(case.to_owned(), check(dir.path(), &file));
    }
    for problem in made::problems() {
        let code = problem.code().to_owned();
        let text = format!("{problem}\n");
        let codes = vec![code.clone()];
        cases.insert(code, Shown { text, codes });
    }
    cases
}

#[test]
fn every_message_is_shown() {
    let cases = cases();
    let mut wrong = Vec::new();
    for (case, Shown { text, codes }) in &cases {
        let file = folder().join(format!("{case}.txt"));
        if env::var_os(UPDATE).is_some() {
            fs::write(&file, text).unwrap();
        }
        let want = fs::read_to_string(&file).unwrap_or_default();
        if *text != want {
            wrong.push(format!(
                "{case} shows something else (set {UPDATE}=1 if that is meant):\n{text}"
            ));
        }
        if codes.first().map(String::as_str) != case.split('.').next() {
            wrong.push(format!("{case} is about {codes:?}"));
        }
        if text.chars().any(|c| c.is_control() && c != '\n') {
            wrong.push(format!("{case} shows a control character"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    let shown: BTreeSet<&str> = cases.keys().map(String::as_str).collect();
    let has_case = |code: &&str| {
        shown
            .iter()
            .any(|case| case.split('.').next() == Some(code))
    };
    let without: Vec<&str> = Problem::codes()
        .chain(Lint::codes())
        .filter(|code| !has_case(code))
        .collect();
    assert!(without.is_empty(), "no case shows {without:?}");

    for entry in fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if let Some(case) = name.strip_suffix(".txt") {
            assert!(shown.contains(case), "{name} belongs to no case");
        }
    }
}

/// Codes are a contract: none is given twice, and none looks like two words of a case.
#[test]
fn codes_are_names() {
    let mut seen = BTreeSet::new();
    for code in Problem::codes().chain(Lint::codes()) {
        assert!(seen.insert(code), "{code} is given twice");
        let fits = |c: char| c.is_ascii_lowercase() || c == '-';
        assert!(!code.is_empty() && code.chars().all(fits), "{code}");
    }
}
