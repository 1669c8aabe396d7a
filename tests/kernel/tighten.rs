//! The loop: a violation takes unused rights near it away.

use std::time::Duration;

use enforcer_tests::{Agent, EACCES, Folder, profile, wait_for};
use serde_json::Value;

struct Scene {
    folder: Folder,
    text: String,
}

impl Scene {
    /// `used` and `unused` are granted, `secret` beside them is not.
    fn new(name: &str, tighten: &str) -> Self {
        let folder = Folder::new(name);
        for file in ["used/file", "unused/file", "secret/file"] {
            folder.write(file, "x");
        }
        let rules = format!(
            "  - {{ path: \"{0}/used/**\", allow: [read] }}\n  - {{ path: \"{0}/unused/**\", allow: [read] }}",
            folder.path().display()
        );
        let text =
            profile("enforce", &rules) + &format!("on_violation: {{ tighten: {tighten} }}\n");
        Self { folder, text }
    }

    fn read(&self, agent: &Agent, name: &str) -> i32 {
        agent.attempt("p", &["read", &self.folder.join(name)])
    }
}

fn digest(agent: &Agent) -> String {
    agent.profile("p")["digest"]
        .as_str()
        .expect("a digest")
        .to_owned()
}

/// Waits until the profile's rights are not those of `digest`.
fn changed(agent: &Agent, digest_before: &str) -> Option<String> {
    wait_for(Duration::from_secs(2), || {
        Some(digest(agent)).filter(|now| now != digest_before)
    })
}

#[test]
fn auto_takes_unused_rights_away_and_revert_gives_them_back() {
    let scene = Scene::new("auto", "auto");
    let mut agent = Agent::start(&[("p", &scene.text)]);
    let before = digest(&agent);
    assert_eq!(scene.read(&agent, "used/file"), 0);
    assert_eq!(scene.read(&agent, "secret/file"), EACCES);
    let tightened = changed(&agent, &before).expect("the profile is tightened");

    assert_eq!(
        scene.read(&agent, "unused/file"),
        EACCES,
        "what was unused is gone"
    );
    assert_eq!(scene.read(&agent, "used/file"), 0, "what was used stays");

    let log = agent.json(&["tighten", "log", "--json"]);
    let entry = log
        .as_array()
        .and_then(|log| log.last())
        .cloned()
        .expect("an entry");
    assert_eq!(entry["state"], "applied", "{log}");
    let id = entry["tightening"].as_str().expect("an id").to_owned();
    let detection = agent
        .detection(&scene.folder.join("secret/file"))
        .expect("a detection");
    assert_eq!(
        detection["tightenings"][0],
        id.as_str(),
        "the detection names the tightening"
    );

    // It holds beyond the agent's end.
    agent.restart(|| {});
    assert_eq!(digest(&agent), tightened);
    assert_eq!(scene.read(&agent, "unused/file"), EACCES, "after a restart");

    // That refusal is a detection, too. What was used before the restart stays.
    let again = scene.folder.join("unused/file");
    agent.detection(&again).expect("a detection");
    assert_eq!(digest(&agent), tightened, "nothing more is taken away");
    assert_eq!(
        scene.read(&agent, "used/file"),
        0,
        "used before the restart"
    );

    let reverted = agent.cli(&["tighten", "revert", &id]);
    assert!(reverted.status.success(), "{reverted:?}");
    assert_eq!(digest(&agent), before, "the same rights, to the byte");
    assert_eq!(scene.read(&agent, "unused/file"), 0, "given back");
}

/// What a profile's new text has not been seen to need, its history has: nothing of that is
/// taken away, and it is told.
#[test]
fn what_the_history_shows_in_use_stays() {
    let scene = Scene::new("replayed", "auto");
    let agent = Agent::start(&[("p", &scene.text)]);
    for name in ["used/file", "unused/file"] {
        assert_eq!(scene.read(&agent, name), 0);
    }
    let known = || {
        let rows = agent.json(&["history", "p", "--json"]).to_string();
        (rows.contains("/used/file") && rows.contains("/unused/file")).then_some(())
    };
    wait_for(Duration::from_secs(20), known).expect("a history");
    // Another text was never used.
    let text = scene.text.clone() + "description: changed\n";
    let text = text.replace("/used/**", "/{used,other}/**");
    assert!(agent.reload("p", &text));
    let before = digest(&agent);
    assert_eq!(scene.read(&agent, "secret/file"), EACCES);
    let secret = scene.folder.join("secret/file");
    let id = agent.detection(&secret).expect("a detection")["id"].clone();
    let plan = agent.json(&["tighten", "plan", "--json"]);
    let plan = plan.as_array().and_then(|all| {
        let of = |one: &&Value| {
            one["detections"]
                .as_array()
                .is_some_and(|all| all.contains(&id))
        };
        all.iter().find(of).cloned()
    });
    let plan = plan.expect("a plan");
    let lost = plan["lost"].to_string();
    assert!(
        lost.contains("/unused/file") && lost.contains("/used/file"),
        "{plan}"
    );
    let tightening = plan["id"].as_str().expect("it is proposed");
    let applied = agent.cli(&["tighten", "apply", tightening]);
    let told = String::from_utf8_lossy(&applied.stderr).into_owned();
    assert_eq!(applied.status.code(), Some(2), "{told}");
    assert!(told.contains("what the history shows in use"), "{told}");
    assert_eq!(
        digest(&agent),
        before,
        "nothing is taken away, by itself or by hand"
    );
    for name in ["used/file", "unused/file"] {
        assert_eq!(scene.read(&agent, name), 0, "{name}");
    }
}

#[test]
fn propose_changes_nothing_until_it_is_applied() {
    let scene = Scene::new("propose", "propose");
    let agent = Agent::start(&[("p", &scene.text)]);
    let before = digest(&agent);
    assert_eq!(scene.read(&agent, "used/file"), 0);
    assert_eq!(scene.read(&agent, "secret/file"), EACCES);
    let detection = agent
        .detection(&scene.folder.join("secret/file"))
        .expect("a detection");
    let id = detection["id"].as_str().expect("an id");
    let plan = agent.json(&["tighten", "plan", id, "--json"]).to_string();
    assert!(plan.contains("unused/**"), "{plan}");
    assert!(!plan.contains("/used/**"), "{plan}");
    assert_eq!(digest(&agent), before, "a plan changes nothing");
    let applied = agent.cli(&["tighten", "apply", id]);
    assert!(applied.status.success(), "{applied:?}");
    assert_ne!(digest(&agent), before);
    assert_eq!(scene.read(&agent, "unused/file"), EACCES);
}

#[test]
fn off_proposes_nothing() {
    let scene = Scene::new("off", "off");
    let agent = Agent::start(&[("p", &scene.text)]);
    let before = digest(&agent);
    assert_eq!(scene.read(&agent, "secret/file"), EACCES);
    let detection = agent
        .detection(&scene.folder.join("secret/file"))
        .expect("a detection");
    assert_eq!(
        detection["tightenings"].as_array().map(Vec::len),
        Some(0),
        "{detection}"
    );
    assert_eq!(digest(&agent), before);
}
