//! How large a profile may be, and how many there may be.

use std::{
    fmt::Write as _,
    fs,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use enforcer::profile::RULES;
use enforcer_abi::{Slot, limits::SLOTS};
use enforcer_tests::{Agent, BASE_RULES, EACCES, Folder, wait_for};

use super::tasks::available_kib;
use crate::background::Background;

/// How long an agent may take to say that it will not start.
const PATIENCE: Duration = Duration::from_mins(5);

/// A profile that needs nothing but what test programs need, after its name.
fn head() -> String {
    format!("mode: enforce\npaths:{BASE_RULES}")
}

/// Rules in [`head`].
fn base_rules() -> usize {
    BASE_RULES.matches("path:").count()
}

/// Has an agent start with the profiles in `folder`, which must fail. Returns its
/// exit status, and what it says.
fn refused_to_start(folder: &Folder) -> (Option<i32>, String) {
    Agent::end_shared();
    let stderr = folder.path().join("stderr");
    let mut run = Command::new("enforcer");
    run.args(["run", "--profiles", &folder.join("profiles")]);
    run.args(["--state", &folder.join("state")]);
    run.stdin(Stdio::null())
        .stderr(fs::File::create(&stderr).unwrap());
    let mut agent = Background::start(&mut run);
    let ended = wait_for(PATIENCE, || agent.ended());
    let text = fs::read_to_string(stderr).unwrap();
    let status = ended.unwrap_or_else(|| panic!("it started: {text}"));
    (status.code(), text)
}

/// As many rules as a profile may have are loaded and decide; one more is told by
/// its place.
#[test]
fn a_profile_has_ten_thousand_rules() {
    let folder = Folder::new("rules");
    let top = folder.path().to_str().unwrap().to_owned();
    // The pattern of a rule, and a file in the folder that it grants.
    let rule = |number: usize| match number % 3 {
        0 => (format!("a/{number}/**"), format!("a/{number}/in/it")),
        1 => (format!("b/*/file-{number}"), format!("b/in/file-{number}")),
        _ => (format!("c/{number}/file"), format!("c/{number}/file")),
    };
    let right = |number: usize| ["read", "write"][number % 2];
    let mut text = head();
    let count = RULES - base_rules();
    for number in 0..count {
        let (pattern, _) = rule(number);
        let right = right(number);
        let line = format!("  - {{ path: \"{top}/{pattern}\", allow: [{right}] }}");
        writeln!(text, "{line}").unwrap();
    }
    let files = [0, 1, 2, count / 2, count / 2 + 1, count / 2 + 2, count - 1]
        .map(|number| (right(number), folder.write(&rule(number).1, "x")));

    let start = Instant::now();
    let agent = Agent::start(&[("large", &text)]);
    println!(
        "{RULES} rules: loaded in {:.1} s",
        start.elapsed().as_secs_f32()
    );
    for (right, file) in &files {
        for what in ["read", "write"] {
            let want = if what == *right { 0 } else { EACCES };
            assert_eq!(agent.attempt("large", &[what, file]), want, "{what} {file}");
        }
    }

    text += "  - { path: /one/too/many, allow: [read] }\n";
    assert!(!agent.reload("large", &text), "it is not loaded");
    let file = folder.write("large.yaml", &format!("name: large\n{text}"));
    let checked = agent.cli(&["check", &file]);
    let said = String::from_utf8_lossy(&checked.stderr);
    assert_eq!(checked.status.code(), Some(1), "{said}");
    assert!(
        said.contains(&format!("{file}:")) && said.contains(&RULES.to_string()),
        "{said}"
    );
}

/// A thousand profiles are loaded at once, each for a program of its own, and each
/// decides for itself.
#[test]
fn a_thousand_profiles() {
    let folder = Folder::new("thousand");
    let count = 1_000;
    let top = folder.path().to_str().unwrap().to_owned();
    let profiles = (0..count).map(|number| {
        let text = format!(
            "applies_to: {{ executables: [\"{top}/program-{number}\"] }}\n{}  - {{ path: \"{top}/data/{number}/**\", allow: [read] }}\n",
            head()
        );
        (format!("p{number}"), text)
    });
    let profiles: Vec<_> = profiles.collect();
    let profiles: Vec<_> = profiles
        .iter()
        .map(|(name, text)| (&**name, &**text))
        .collect();
    let file = |number: usize| folder.write(&format!("data/{number}/file"), "x");
    let files = [0, count / 2, count - 1].map(|number| (number, file(number)));
    let before = available_kib();
    let start = Instant::now();
    let agent = Agent::start(&profiles);
    println!(
        "{count} profiles: loaded in {:.1} s, and take {} KiB",
        start.elapsed().as_secs_f32(),
        before.saturating_sub(available_kib())
    );
    for (number, _) in &files {
        for (other, file) in &files {
            let want = if number == other { 0 } else { EACCES };
            let attempt = agent.attempt(&format!("p{number}"), &["read", file]);
            assert_eq!(attempt, want, "p{number}: {file}");
        }
    }
}

/// As many profiles as there are slots, and one: nothing is loaded, and the one that
/// has none is named.
#[test]
fn a_profile_without_a_slot() {
    let folder = Folder::new("slots");
    let count = SLOTS - Slot::FIRST.0 as usize + 1;
    for number in 0..count {
        let name = format!("p{number:04}");
        let text = format!("name: {name}\n{}", head());
        folder.write(&format!("profiles/{name}.yaml"), &text);
    }
    let (status, said) = refused_to_start(&folder);
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains(&format!("p{:04}", count - 1)), "{said}");
}
