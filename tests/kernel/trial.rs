//! Tightenings on trial: what they would refuse is told, and what they refuse after that
//! to who does nothing else gives it back.

use std::{thread::sleep, time::Duration};

use enforcer_tests::{Agent, EACCES, Folder, Obedient, profile, wait_for};
use jiff::Timestamp;
use serde_json::Value;

/// How long a trial takes.
const TRIAL: [&str; 2] = ["--trial", "8s"];
/// How long it may take to end.
const PATIENCE: Duration = Duration::from_secs(30);

struct Scene {
    agent: Agent,
    used: String,
    unused: String,
    secret: String,
    // It has to be there longer than what is confined to it.
    folder: Folder,
}

impl Scene {
    /// `used` is, `unused` beside it is not, and the profile does not grant `secret`.
    fn new(name: &str) -> Self {
        let folder = Folder::new(name);
        let [used, unused, secret] =
            ["used", "unused", "secret"].map(|name| folder.write(&format!("{name}/file"), "x"));
        let path = folder.path().display();
        let rules = format!(
            "  - {{ path: \"{path}/used/**\", allow: [read] }}\n  - {{ path: \"{path}/unused/**\", allow: [read] }}\n"
        );
        let text = profile("enforce", &rules) + "on_violation: { tighten: auto }\n";
        let agent = Agent::start_with(&TRIAL, &[("trial", &text)]);
        let scene = Self {
            agent,
            used,
            unused,
            secret,
            folder,
        };
        assert_eq!(scene.read(&scene.used), 0);
        scene
    }

    /// Reads, as a process that does nothing else.
    fn read(&self, path: &str) -> i32 {
        self.agent.attempt("trial", &["read", path])
    }

    /// What became of the profile's tightenings, the first state first.
    fn states(&self) -> Vec<String> {
        let log = self.agent.json(&["tighten", "log", "--json"]);
        let text = |one: &Value, key: &str| one[key].as_str().unwrap_or_default().to_owned();
        let all: Vec<Value> = log.as_array().cloned().expect("a list");
        let detection = self.agent.detection(&self.secret);
        let ids = detection.map_or(Value::Null, |one| one["tightenings"].clone());
        let is_ours = |one: &&Value| {
            ids.as_array()
                .is_some_and(|ids| ids.contains(&one["tightening"]))
        };
        all.iter()
            .filter(is_ours)
            .map(|one| text(one, "state"))
            .collect()
    }

    fn expect(&self, want: &[&str]) {
        let mut last = Vec::new();
        let is_so = || {
            last = self.states();
            (last == want).then_some(())
        };
        let found = wait_for(PATIENCE, is_so);
        assert!(
            found.is_some(),
            "{last:?}, not {want:?}, in {}",
            self.folder.path().display()
        );
    }
}

/// What nobody used before, somebody uses while it is on trial: it is granted, and told, and
/// stays.
#[test]
fn a_use_ends_the_trial() {
    let scene = Scene::new("trial-use");
    assert_eq!(scene.read(&scene.secret), EACCES);
    scene.expect(&["proposed", "on-trial"]);
    assert_eq!(scene.read(&scene.used), 0);
    assert_eq!(scene.states(), ["proposed", "on-trial"]);
    for _ in 0..3 {
        assert_eq!(scene.read(&scene.unused), 0, "it is granted as before");
    }
    let detection = scene.agent.detection(&scene.unused).expect("it is told");
    assert_eq!(
        (&detection["reason"], &detection["verdict"]),
        (&"on-trial".into(), &"allowed".into())
    );
    scene.expect(&["proposed", "on-trial", "proposed"]);
    assert_eq!(scene.read(&scene.unused), 0);
}

/// An attack does not keep what is on trial; nor does it give back what is taken away. One
/// who does nothing else does.
#[test]
fn what_is_refused_after_the_trial_is_given_back() {
    let scene = Scene::new("trial-over");
    let mut attacker = Obedient::new(Some("trial"));
    assert_eq!(attacker.told(&format!("read {}", scene.secret)), EACCES);
    scene.expect(&["proposed", "on-trial"]);
    assert_eq!(attacker.told(&format!("read {}", scene.unused)), 0);
    let told = scene.agent.detection(&scene.unused).expect("it is told");
    assert_eq!(told["reason"], "on-trial");
    scene.expect(&["proposed", "on-trial", "applied"]);

    assert_eq!(attacker.told(&format!("read {}", scene.unused)), EACCES);
    let is_refused = || {
        let mut all = scene.agent.detections().into_iter();
        all.find(|one| one["path"] == scene.unused.as_str() && one["verdict"] == "denied")
    };
    wait_for(PATIENCE, is_refused).expect("a detection");
    assert_eq!(scene.states(), ["proposed", "on-trial", "applied"]);
    assert_eq!(scene.read(&scene.used), 0);

    assert_eq!(scene.read(&scene.unused), EACCES);
    scene.expect(&["proposed", "on-trial", "applied", "reverted"]);
    assert_eq!(scene.read(&scene.unused), 0);
}

/// A trial lasts as long as somebody looks: it begins anew with the agent.
#[test]
fn a_restart_begins_the_trial_anew() {
    let mut scene = Scene::new("trial-restart");
    assert_eq!(scene.read(&scene.secret), EACCES);
    scene.expect(&["proposed", "on-trial"]);
    let id = scene.agent.detection(&scene.secret).expect("a detection")["tightenings"][0].clone();
    let time = |one: &Value| one.as_str().and_then(|text| text.parse::<Timestamp>().ok());
    let until = |agent: &Agent| {
        let plan = agent.json(&["tighten", "plan", "--json"]);
        let ours = plan.as_array()?.iter().find(|one| one["id"] == id)?;
        time(&ours["trial"])
    };
    let before = until(&scene.agent).expect("it is on trial");
    // Longer than the trial takes.
    scene.agent.restart(|| sleep(Duration::from_secs(9)));
    let anew = wait_for(PATIENCE, || {
        until(&scene.agent).filter(|&anew| anew > before)
    });
    let anew = anew.expect("it is on trial still");
    scene.expect(&["proposed", "on-trial", "applied"]);
    let log = scene.agent.json(&["tighten", "log", "--json"]);
    let mut all = log.as_array().into_iter().flatten();
    let applied = all.find(|one| one["tightening"] == id && one["state"] == "applied");
    let applied = applied.and_then(|one| time(&one["at"])).expect("a time");
    assert!(applied >= anew, "{applied} is before {anew}");
}

/// By hand, a proposal is put on trial, and taken back from there.
#[test]
fn a_trial_by_hand() {
    let scene = Scene::new("trial-hand");
    assert_eq!(scene.read(&scene.secret), EACCES);
    scene.expect(&["proposed", "on-trial"]);
    let detection = scene.agent.detection(&scene.secret).expect("a detection");
    let id = detection["tightenings"][0]
        .as_str()
        .expect("an id")
        .to_owned();
    let plan = scene.agent.json(&["tighten", "plan", "--json"]);
    let ours = plan
        .as_array()
        .and_then(|all| all.iter().find(|one| one["id"] == id.as_str()).cloned());
    assert!(ours.is_some_and(|one| one["trial"].is_string()), "{plan}");
    let again = scene.agent.cli(&["tighten", "try", &id]);
    assert_eq!(again.status.code(), Some(2), "{again:?}");
    assert!(
        scene
            .agent
            .cli(&["tighten", "revert", &id])
            .status
            .success()
    );
    assert!(scene.agent.cli(&["tighten", "try", &id]).status.success());
    scene.expect(&["proposed", "on-trial", "reverted", "on-trial", "applied"]);
    assert_eq!(scene.read(&scene.unused), EACCES);
}
