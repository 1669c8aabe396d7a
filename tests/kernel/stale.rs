//! What nobody uses for long goes.

use std::time::Duration;

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
