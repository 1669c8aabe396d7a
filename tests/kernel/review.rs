//! What people decide of what was refused.

use std::fs;

use enforcer_tests::{Agent, EACCES, Folder, WITHIN, attempt_outside, profile, program, wait_for};
use serde_json::Value;

const EPERM: i32 = 1;

/// A profile in a style of its own, with a rule that denies `secret`.
fn text(folder: &Folder) -> String {
    let path = folder.path().display();
    let rules = format!(
        "      # what nobody may\n  - {{path: '{path}/secret',   deny: [ all ]}}   # ever\n  # the end\n"
    );
    profile("enforce", &rules) + "\n\nnetwork:\n - {protocol: udp, allow: [create]}   # no more\n"
}

/// What one decision comes to.
struct Row<'a> {
    name: &'static str,
    /// Arguments of `attempt`.
    attempt: &'a [&'a str],
    /// What the detection is about: a path, an address, a privilege.
    object: &'a str,
    /// The errno of a refusal.
    refused: i32,
    /// How it is decided, and what is behind the detection's name.
    decision: [&'static str; 2],
    /// The exit status of that.
    exit: i32,
    /// The errno afterwards.
    after: i32,
    state: &'static str,
    /// The rule that is added.
    rule: Option<String>,
}

/// The detection about an object that came last.
fn detection(agent: &Agent, object: &str) -> Value {
    let find = || {
        let mut all = agent.detections().into_iter();
        all.rfind(|one| one["path"] == object || one["privilege"] == object)
    };
    wait_for(WITHIN, find).unwrap_or_else(|| panic!("{object}: no detection"))
}

/// What is accepted is granted from then on, what is kept stays refused, and the rest of the
/// profile's file stays as it is. Others are not touched.
#[test]
fn decisions() {
    let folder = Folder::new("review");
    let [file, kept, attack, secret] =
        ["file", "kept", "attack", "secret"].map(|name| folder.write(name, "x"));
    let in_tree = folder.write("tree/one", "x");
    let copy = folder.join("copy");
    fs::copy(program("attempt"), &copy).unwrap();
    let address = "udp:127.0.0.1:7009";
    let read = |path: &str, rights: &str| format!("{{ path: {path}, allow: [{rights}] }}");
    #[rustfmt::skip]
    let rows = [
        Row { name: "a file", attempt: &["read", &file], object: &file, refused: EACCES,
              decision: ["--accept", ""], exit: 0, after: 0, state: "resolved",
              rule: Some(read(&file, "read")) },
        Row { name: "a right more", attempt: &["write", &file], object: &file, refused: EACCES,
              decision: ["--accept", "=exact"], exit: 0, after: 0, state: "resolved",
              rule: Some(read(&file, "write")) },
        Row { name: "a folder", attempt: &["read", &in_tree], object: &in_tree, refused: EACCES,
              decision: ["--accept", "=folder"], exit: 0, after: 0, state: "resolved",
              rule: Some(read(&folder.join("tree/*"), "read")) },
        Row { name: "a program", attempt: &["fork-exec", &copy, "read", "/dev/null"], object: &copy, refused: EACCES,
              decision: ["--accept", ""], exit: 0, after: 0, state: "resolved",
              rule: Some(format!("{{ path: {copy}, inherit: true }}")) },
        Row { name: "an address", attempt: &["udp-connect", "127.0.0.1:7009"], object: address, refused: EACCES,
              decision: ["--accept", ""], exit: 0, after: 0, state: "resolved",
              rule: Some("{ protocol: udp, address: 127.0.0.1, port: 7009, allow: [connect] }".to_owned()) },
        Row { name: "a privilege", attempt: &["host-name"], object: "sys_admin", refused: EPERM,
              decision: ["--accept", ""], exit: 0, after: 0, state: "resolved",
              rule: Some("sys_admin".to_owned()) },
        Row { name: "kept denied", attempt: &["read", &kept], object: &kept, refused: EACCES,
              decision: ["--deny", ""], exit: 0, after: EACCES, state: "resolved", rule: None },
        Row { name: "an attack", attempt: &["read", &attack], object: &attack, refused: EACCES,
              decision: ["--attack", ""], exit: 0, after: EACCES, state: "acknowledged", rule: None },
        Row { name: "a deny is not lifted", attempt: &["read", &secret], object: &secret, refused: EACCES,
              decision: ["--accept", ""], exit: 1, after: EACCES, state: "open", rule: None },
        Row { name: "no pattern without evidence", attempt: &["append", &kept], object: &kept, refused: EACCES,
              decision: ["--accept", "=pattern"], exit: 1, after: EACCES, state: "open", rule: None },
    ];
    let text = text(&folder);
    let agent = Agent::start(&[("reviewed", &text), ("unreviewed", &text)]);
    let source = agent.profile("reviewed")["source"]
        .as_str()
        .unwrap()
        .to_owned();
    for row in rows {
        let name = row.name;
        assert_eq!(
            agent.attempt("reviewed", row.attempt),
            row.refused,
            "{name}"
        );
        let found = detection(&agent, row.object);
        let id = found["id"].as_str().unwrap();
        let before = fs::read_to_string(&source).unwrap();
        let shown = agent.json(&["review", "--profile", "reviewed", "--json"]);
        assert!(shown.to_string().contains(id), "{name}: {shown}");

        let [how, choice] = row.decision;
        let which = format!("{id}{choice}");
        let mut command = vec!["review", how, &which];
        if how == "--accept" {
            command.extend(["--reason", "so it is"]);
            let mut dry = command.clone();
            dry.push("--dry-run");
            agent.cli(&dry);
            let now = fs::read_to_string(&source).unwrap();
            assert_eq!(now, before, "{name}: nothing is done");
        }
        let output = agent.cli(&command);
        assert_eq!(output.status.code(), Some(row.exit), "{name}: {output:?}");
        assert_eq!(agent.attempt("reviewed", row.attempt), row.after, "{name}");
        assert_eq!(
            agent.attempt("unreviewed", row.attempt),
            row.refused,
            "{name}: another profile"
        );
        assert_eq!(attempt_outside(row.attempt), 0, "{name}: outside");
        let state = agent.json(&["detections", "show", id, "--json"])["state"].clone();
        assert_eq!(state, row.state, "{name}");

        // Lines are added behind others, and none is another.
        let after = fs::read_to_string(&source).unwrap();
        let mut new = after.lines();
        for line in before.lines() {
            assert!(
                new.any(|one| one == line),
                "{name}: {line:?} is gone: {after}"
            );
        }
        let added = after.lines().count() - before.lines().count();
        match &row.rule {
            None => assert_eq!(added, 0, "{name}: {after}"),
            Some(rule) => {
                let line = format!("- {rule}");
                let at = after.lines().position(|one| one.trim() == line);
                let at = at.unwrap_or_else(|| panic!("{name}: no {line}: {after}"));
                let above = after.lines().nth(at - 1).unwrap().trim();
                let is_said = above.starts_with("# allowed on ")
                    && above.ends_with(&format!("after {id}: so it is"));
                assert!(is_said, "{name}: {above}");
            }
        }
    }
}

/// What the agent does not load is not left in the file.
#[test]
fn a_folder_with_an_error() {
    let folder = Folder::new("review-error");
    let file = folder.write("file", "x");
    let agent = Agent::start(&[("p", &profile("enforce", ""))]);
    assert_eq!(agent.attempt("p", &["read", &file]), EACCES);
    let found = detection(&agent, &file);
    let id = found["id"].as_str().unwrap();
    let source = agent.profile("p")["source"].as_str().unwrap().to_owned();
    let before = fs::read_to_string(&source).unwrap();
    assert!(!agent.reload("wrong", "mode: enforced\n"));
    let output = agent.cli(&["review", "--accept", id]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("wrong.yaml:2:"), "{told}");
    assert_eq!(fs::read_to_string(&source).unwrap(), before);
    assert_eq!(agent.attempt("p", &["read", &file]), EACCES);
    let state = agent.json(&["detections", "show", id, "--json"])["state"].clone();
    assert_eq!(state, "open");
}

/// A proposal that is declined is not made again.
#[test]
fn a_proposal_is_declined() {
    let folder = Folder::new("review-proposal");
    for name in ["unused/file", "secret/file"] {
        folder.write(name, "x");
    }
    let rules = format!(
        "  - {{ path: \"{}/unused/**\", allow: [read] }}",
        folder.path().display()
    );
    let text = profile("enforce", &rules) + "on_violation: { tighten: propose }\n";
    let agent = Agent::start(&[("declined", &text)]);
    let secret = folder.join("secret/file");
    let proposed = || {
        assert_eq!(agent.attempt("declined", &["read", &secret]), EACCES);
        detection(&agent, &secret)["tightenings"].clone()
    };
    let id = proposed()[0].as_str().expect("a proposal").to_owned();
    let shown = agent.json(&["review", "--profile", "declined", "--json"]);
    assert_eq!(shown["proposals"][0]["id"], id.as_str(), "{shown}");
    let output = agent.cli(&["review", "--deny", &id]);
    assert!(output.status.success(), "{output:?}");
    let shown = agent.json(&["review", "--profile", "declined", "--json"]);
    assert_eq!(
        shown["proposals"].as_array().map(Vec::len),
        Some(0),
        "{shown}"
    );
    assert_eq!(
        proposed().as_array().map(Vec::len),
        Some(0),
        "it is not proposed again"
    );
    assert_eq!(
        agent.attempt("declined", &["read", &folder.join("unused/file")]),
        0
    );
}

/// Who has no terminal is not asked.
#[test]
fn questions_need_a_terminal() {
    let agent = Agent::start(&[("p", &profile("enforce", ""))]);
    let output = agent.cli(&["review"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("--accept"), "{told}");
}
