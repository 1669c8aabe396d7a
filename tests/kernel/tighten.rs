//! The loop: a violation takes unused rights near it away.

use std::time::Duration;

use enforcer_tests::{Agent, EACCES, Folder, profile, wait_for};

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
