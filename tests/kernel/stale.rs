//! What nobody uses for long goes.

use std::{thread::sleep, time::Duration};

use enforcer_tests::{Agent, EACCES, Folder, attempt_outside, wait_for};

/// After 12 seconds without a use, and no trial.
const OPTIONS: [&str; 4] = ["--unused-after", "12s", "--trial", "0s"];
const PATIENCE: Duration = Duration::from_mins(1);

/// A right that is used stays, however it is remembered; one that was, long ago, goes, and is
/// given back by hand. A profile that only proposes keeps both.
#[test]
fn what_is_not_used_for_long_goes() {
    let folder = Folder::new("stale");
    let [used, unused] = ["used", "unused"].map(|name| folder.write(&format!("{name}/file"), "x"));
    let path = folder.path().display();
    // All but one of them are in use as long as programs are started.
    let rules = format!(
        "mode: enforce\npaths:\n  \
         - {{ path: \"/proc/self/**\", allow: [read] }}\n  \
         - {{ path: /dev/null, allow: [read] }}\n  \
         - {{ path: \"{path}/used/**\", allow: [read] }}\n  \
         - {{ path: \"{path}/unused/**\", allow: [read] }}\n"
    );
    let text = |tighten: &str| format!("{rules}on_violation: {{ tighten: {tighten} }}\n");
    let agent = Agent::start_with(
        &OPTIONS,
        &[("stale", &text("auto")), ("proposed", &text("propose"))],
    );
    let read = |profile: &str, path: &str| agent.attempt(profile, &["read", path]);
    for profile in ["stale", "proposed"] {
        assert_eq!(read(profile, &unused), 0, "{profile}");
    }
    let state = |profile: &str| {
        let log = agent.json(&["tighten", "log", "--json"]);
        let all = log.as_array().cloned().expect("a list");
        let mut ours = all.into_iter().filter(|one| one["profile"] == profile);
        ours.next_back()
    };
    let gone = wait_for(PATIENCE, || {
        for profile in ["stale", "proposed"] {
            assert_eq!(read(profile, &used), 0, "{profile}: what is used stays");
        }
        state("stale").filter(|one| one["state"] == "applied")
    });
    let gone = gone.expect("it goes");
    assert_eq!(read("stale", &unused), EACCES);
    assert_eq!(read("stale", &used), 0);
    assert_eq!(read("proposed", &unused), 0);
    assert_eq!(attempt_outside(&["read", &unused]), 0);
    let id = gone["tightening"].as_str().expect("an id");
    assert!(agent.cli(&["tighten", "revert", id]).status.success());
    assert_eq!(read("stale", &unused), 0);
    let proposed = wait_for(PATIENCE, || {
        state("proposed").filter(|one| one["state"] == "proposed")
    });
    assert!(proposed.is_some(), "the other profile has a proposal");
}

/// Nobody knows what was not used while no agent looked.
#[test]
fn time_without_the_agent_does_not_count() {
    const TIME: [&str; 4] = ["--unused-after", "30s", "--trial", "0s"];
    let folder = Folder::new("stale-away");
    let [used, file] = ["used", "file"].map(|name| folder.write(name, "x"));
    let text = format!(
        "mode: enforce\npaths:\n  \
         - {{ path: \"/proc/self/**\", allow: [read] }}\n  \
         - {{ path: /dev/null, allow: [read] }}\n  \
         - {{ path: {used}, allow: [read] }}\n  \
         - {{ path: {file}, allow: [read] }}\n\
         on_violation: {{ tighten: auto }}\n"
    );
    let mut agent = Agent::start_with(&TIME, &[("away", &text)]);
    assert_eq!(agent.attempt("away", &["read", &file]), 0);
    agent.restart(|| sleep(Duration::from_secs(35)));
    let gone = || {
        assert_eq!(agent.attempt("away", &["read", &used]), 0);
        let log = agent.json(&["tighten", "log", "--json"]);
        let all = log.as_array().cloned().expect("a list");
        let mut ours = all.into_iter().filter(|one| one["profile"] == "away");
        ours.find(|one| one["state"] == "applied")
    };
    // It is looked for every fourth second.
    assert_eq!(wait_for(Duration::from_secs(9), gone), None);
    assert_eq!(agent.attempt("away", &["read", &file]), 0);
    let late = wait_for(Duration::from_secs(90), gone);
    assert!(late.is_some(), "it goes when it was looked for so long");
    assert_eq!(agent.attempt("away", &["read", &file]), EACCES);
    assert_eq!(agent.attempt("away", &["read", &used]), 0);
    assert_eq!(attempt_outside(&["read", &file]), 0);
}

/// A broad pattern gives place to the narrower ones in which all lies that was used.
#[test]
fn a_broad_pattern_becomes_narrower() {
    let folder = Folder::new("narrow");
    let pages: Vec<String> = (0..10)
        .map(|number| folder.write(&format!("shop/pages/{number}.html"), "x"))
        .collect();
    let [like, other] = ["shop/pages/77.html", "keys/key"].map(|name| folder.write(name, "x"));
    let path = folder.path().display();
    let rules = format!(
        "mode: enforce\npaths:\n  \
         - {{ path: \"/proc/self/**\", allow: [read] }}\n  \
         - {{ path: /dev/null, allow: [read] }}\n  \
         - {{ path: \"{path}/**\", allow: [read] }}\n\
         on_violation: {{ tighten: auto }}\n"
    );
    let agent = Agent::start_with(&OPTIONS, &[("narrow", &rules)]);
    let mut words = vec!["read-all"];
    words.extend(pages.iter().map(String::as_str));
    let gone = wait_for(PATIENCE, || {
        assert_eq!(agent.attempt("narrow", &words), 0);
        let log = agent.json(&["tighten", "log", "--json"]);
        let all = log.as_array().cloned().expect("a list");
        let mut changes = all.into_iter().rev();
        changes.find(|one| one["profile"] == "narrow" && one["state"] == "applied")
    });
    let gone = gone.expect("it becomes narrower");
    let read = |path: &str| agent.attempt("narrow", &["read", path]);
    assert_eq!(read(&other), EACCES);
    assert_eq!((read(&like), read(&pages[3])), (0, 0));
    assert_eq!(attempt_outside(&["read", &other]), 0);
    let id = gone["tightening"].as_str().expect("an id");
    assert!(agent.cli(&["tighten", "revert", id]).status.success());
    assert_eq!(read(&other), 0);
}
