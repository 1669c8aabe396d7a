//! The agent as its user sees it.

use enforcer_tests::{Agent, EACCES, Folder, WITHIN, cli, profile, wait_for};

/// What was counted is exact after a storm of one violation.
#[test]
fn counts_are_exact() {
    let folder = Folder::new("count");
    let secret = folder.write("secret", "x");
    let agent = Agent::start(&[("p", &profile("enforce", ""))]);
    let rounds = 3_000;
    assert_eq!(
        agent.attempt("p", &["read-storm", &secret, &rounds.to_string()]),
        0
    );
    let count = wait_for(WITHIN, || {
        let detection = agent.detection(&secret)?;
        (detection["count"] == rounds).then_some(())
    });
    assert!(count.is_some(), "{:?}", agent.detection(&secret));
}

/// A detection tells who it was, though the process is gone.
#[test]
fn a_detection_tells_who_it_was() {
    let folder = Folder::new("who");
    let secret = folder.write("secret", "x");
    let agent = Agent::start(&[("p", &profile("enforce", ""))]);
    assert_eq!(agent.attempt("p", &["read", &secret]), EACCES);
    let detection = agent
        .detection(&secret)
        .expect("a detection within a second");
    assert_eq!(
        detection["who"]["exe"], "/usr/lib/enforcer/attempt",
        "{detection}"
    );
    assert_eq!(detection["who"]["comm"], "attempt", "{detection}");
    assert_eq!(detection["who"]["uid"], 0, "{detection}");
    assert_eq!(detection["count"], 1, "{detection}");
    let id = detection["id"].as_str().expect("an id");

    let shown = agent.cli(&["detections", "show", id]);
    let text = String::from_utf8(shown.stdout).unwrap();
    assert!(
        text.contains(&secret) && text.contains("enforcer explain"),
        "{text}"
    );
    let explained = agent.cli(&["explain", id]);
    let text = String::from_utf8(explained.stdout).unwrap();
    assert!(text.contains(&secret), "{text}");
}

/// Detections outlive the agent. While there is none, commands say so.
#[test]
fn detections_are_kept() {
    let folder = Folder::new("kept");
    let secret = folder.write("secret", "x");
    let mut agent = Agent::start(&[("p", &profile("enforce", ""))]);
    assert_eq!(agent.attempt("p", &["read", &secret]), EACCES);
    let before = agent.detection(&secret).expect("a detection");
    agent.restart(no_agent);
    let after = agent.detection(&secret).expect("it is still there");
    assert_eq!(before["id"], after["id"]);
    assert_eq!(after["count"], 1);
}

/// A reload takes all profiles or none.
#[test]
fn a_bad_reload_changes_nothing() {
    let folder = Folder::new("reload");
    let file = folder.write("file", "x");
    let rule = format!("  - {{ path: \"{file}\", allow: [read] }}");
    let granted = profile("enforce", &rule);
    let agent = Agent::start(&[("p", &granted), ("q", &granted)]);
    let read = |profile: &str| agent.attempt(profile, &["read", &file]);
    assert_eq!((read("p"), read("q")), (0, 0));
    assert!(agent.reload("p", &profile("enforce", "")));
    assert_eq!((read("p"), read("q")), (EACCES, 0), "it holds at once");
    assert!(!agent.reload("q", "mode: enforced\n"));
    assert!(!agent.reload("p", &granted), "the other has an error");
    assert_eq!((read("p"), read("q")), (EACCES, 0), "nothing changed");
}

/// Errors in profiles are told with their place, and nothing is enforced.
#[test]
fn a_profile_with_an_error_is_not_loaded() {
    let folder = Folder::new("error");
    let file = folder.write(
        "profiles/p.yaml",
        "name: p\nmode: enforce\npaths:\n  - { path: /a, allow: [raed] }\n",
    );
    for args in [
        vec!["check", &file],
        vec![
            "run",
            "--profiles",
            &folder.join("profiles"),
            "--state",
            &folder.join("state"),
        ],
    ] {
        let output = cli(&args);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{args:?}: {text}");
        assert!(
            text.contains(&format!("{file}:4:")) && text.contains("read"),
            "{text}"
        );
    }
}

/// Without an agent the command line says how to get one.
fn no_agent() {
    for args in [
        vec!["status"],
        vec!["detections", "list"],
        vec!["exec", "--profile", "p", "--", "true"],
    ] {
        let output = cli(&args);
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{args:?}");
        assert!(text.contains("enforcer run"), "{args:?}: {text}");
    }
}
