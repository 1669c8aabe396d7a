//! Who violates a profile that wants it so keeps no right but to read.

use enforcer_tests::{
    Agent, EACCES, Folder, Obedient, WITHIN, attempt_outside, profile, program, wait_for,
};
use serde_json::Value;

const EPERM: i32 = 1;
const BADMSG: i32 = 74;

/// A profile that grants everything in `work`, with a rule whose refusals are not told.
pub(crate) fn contained(mode: &str, folder: &Folder) -> String {
    let path = folder.path().display();
    let rules = format!(
        "  - {{ path: \"{path}/work/**\", allow: [read, write, create, remove, attributes] }}\n  \
         - {{ path: \"{path}/dull\", deny: [read], quiet: true }}\n"
    );
    profile(mode, &rules)
        + &format!("exec:\n  - {{ path: \"{path}/work/copy\", inherit: true }}\n")
        + "privileges: [signal]\non_violation: { respond: contain }\n"
}

/// The detection of what was tried on a path for a reason.
fn detection(agent: &Agent, path: &str, reason: &str) -> Value {
    let find = || {
        let mut all = agent.detections().into_iter();
        all.find(|one| one["path"] == path && one["reason"] == reason)
    };
    wait_for(WITHIN, find).unwrap_or_else(|| panic!("{path}: no detection, {reason}"))
}

/// Threads that do system calls as fast as they can are refused the next one.
#[test]
fn the_next_call_is_refused() {
    let folder = Folder::new("contain-spin");
    let secret = folder.write("secret", "x");
    let work = folder.join("work");
    let agent = Agent::start(&[
        ("contain", &contained("enforce", &folder)),
        (
            "refuse",
            &contained("enforce", &folder).replace("respond: contain", "respond: none"),
        ),
    ]);
    folder.write("work/file", "x");
    for _ in 0..5 {
        assert_eq!(agent.attempt("contain", &["spin", &work, &secret]), 0);
    }
    let violation = detection(&agent, &secret, "not-granted");
    assert_eq!(violation["response"], "contained");
    assert_eq!(agent.counter("contained"), 5);
    let own = folder.join("work/own");
    let next = detection(&agent, &own, "contained");
    assert_eq!(
        (&next["response"], &next["operation"]),
        (&"none".into(), &"create".into())
    );
    assert!(agent.refusals("contained") > 0);
    // Others of the profile, of one that does not contain, and outsiders go on.
    let file = folder.join("work/file");
    assert_eq!(agent.attempt("contain", &["write", &file]), 0);
    assert_eq!(agent.attempt("refuse", &["spin", &work, &secret]), BADMSG);
    assert_eq!(attempt_outside(&["write", &file]), 0);
}

/// Only reading is left, to the process and to what it starts, until it is released; then
/// it can be contained again.
#[test]
fn nothing_but_reading_is_left() {
    let folder = Folder::new("contain-left");
    let secret = folder.write("secret", "x");
    let file = folder.write("work/file", "x");
    let copy = folder.join("work/copy");
    std::fs::copy(program("attempt"), &copy).unwrap();
    let new = folder.join("work/new");
    let agent = Agent::start(&[("contain", &contained("enforce", &folder))]);
    let mut process = Obedient::new(Some("contain"));
    let mut outsider = Obedient::new(None);
    // Columns: what is done, the errno when contained.
    let cases = [
        (format!("read {file}"), 0),
        (format!("in-child read {file}"), 0),
        (format!("write {file}"), EACCES),
        (format!("in-child write {file}"), EACCES),
        (format!("read-thread {file}"), 0),
        (format!("append {file}"), EACCES),
        (format!("chmod {file}"), EACCES),
        (format!("mkdir {new}"), EACCES),
        (format!("fork-exec {copy} read {file}"), EACCES),
        (format!("signal-check {}", outsider.pid()), EPERM),
    ];
    let rmdir = format!("rmdir {new}");
    for round in 0..2 {
        for (words, _) in &cases {
            assert_eq!(process.told(words), 0, "{round}: {words}");
        }
        assert_eq!(process.told(&rmdir), 0);
        assert_eq!(process.told(&format!("read {secret}")), EACCES);
        for (words, want) in &cases {
            assert_eq!(process.told(words), *want, "{round}: {words}");
            assert_eq!(outsider.told(words), 0, "outside: {words}");
        }
        assert_eq!(outsider.told(&rmdir), 0);

        let violation = detection(&agent, &secret, "not-granted");
        let id = violation["id"].as_str().unwrap();
        let response = || agent.json(&["detections", "show", id, "--json"])["response"].clone();
        let is_contained = wait_for(WITHIN, || (response() == "contained").then_some(()));
        assert!(is_contained.is_some(), "{round}: {}", response());
        let released = agent.json(&["release", id, "--json"]);
        assert_eq!(released["response"], "released", "{round}");
        assert_eq!(
            process.told(&format!("write {file}")),
            0,
            "{round}: released"
        );
    }
    let other = detection(&agent, &file, "contained");
    let output = agent.cli(&["release", other["id"].as_str().unwrap()]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && text.contains("contained nobody"),
        "{text}"
    );
}

/// What is no refusal, or one that nobody is to be told of, contains nobody.
#[test]
fn only_violations_contain() {
    let folder = Folder::new("contain-only");
    let secret = folder.write("secret", "x");
    let dull = folder.write("dull", "x");
    let file = folder.write("work/file", "x");
    let none = contained("enforce", &folder).replace("respond: contain", "respond: none");
    let agent = Agent::start(&[
        ("contain", &contained("enforce", &folder)),
        ("trial", &contained("audit", &folder)),
        ("refuse", &none),
    ]);
    // Columns: profile, what is read, its errno, the errno of writing after that.
    #[rustfmt::skip]
    let cases = [
        ("contain", &file,   0,      0),
        ("contain", &dull,   EACCES, 0),
        ("trial",   &secret, 0,      0),
        ("refuse",  &secret, EACCES, 0),
        ("contain", &secret, EACCES, EACCES),
    ];
    for (profile, path, errno, after) in cases {
        let mut process = Obedient::new(Some(profile));
        assert_eq!(
            process.told(&format!("read {path}")),
            errno,
            "{profile}: {path}"
        );
        assert_eq!(
            process.told(&format!("write {file}")),
            after,
            "{profile}: {path}"
        );
    }
    assert_eq!(agent.counter("contained"), 1);
}

/// Who is contained reaches no other process of its domain, and has no privilege.
#[test]
fn others_are_out_of_reach() {
    let folder = Folder::new("contain-reach");
    let secret = folder.write("secret", "x");
    let agent = Agent::start(&[("contain", &contained("enforce", &folder))]);
    let mut process = Obedient::new(Some("contain"));
    let mut other = Obedient::new(Some("contain"));
    let (own, others) = (process.pid(), other.pid());
    // Columns: what is done, the errno before, and when contained.
    let cases = [
        (format!("signal-check {others}"), 0, EPERM),
        (format!("signal-check {own}"), 0, 0),
        (format!("priority {own}"), 0, 0),
    ];
    for (words, before, _) in &cases {
        assert_eq!(process.told(words), *before, "{words}");
    }
    assert_eq!(process.told(&format!("read {secret}")), EACCES);
    for (words, _, after) in &cases {
        assert_eq!(process.told(words), *after, "{words}");
    }
    assert_eq!(other.told(&format!("signal-check {own}")), 0);
    assert_eq!(agent.counter("contained"), 1);
}
