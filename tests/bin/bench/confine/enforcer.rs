//! This product: an agent, with profiles as a user would write them.

use std::{
    fmt::Write as _,
    fs::{self, File},
    process::{Child, Command, Stdio},
};

use enforcer_tests::{start_agent, stop};
use serde_json::Value;

use super::SetUp;
use crate::{
    place,
    rules::{Paths, rules},
};

/// Where the agent has its profiles, its state, and what it says.
const PROFILES: &str = "/run/bench/profiles";
const STATE: &str = "/run/bench/state";
const LOG: &str = "/run/bench/log";

/// The profile of the process.
const NAME: &str = "bench";

/// Which profiles there are, with so many rules in each.
pub(super) enum Set {
    /// None.
    Empty,
    /// One, of a program that does not run.
    Other(usize),
    /// One of the process.
    One(usize),
    /// One in each layer: of the user, of the programs, of the process.
    Layers(usize),
    /// One of the process, in audit mode.
    Audit(usize),
}

/// An agent that runs, and that it is gone at the end.
pub(super) struct Agent {
    child: Child,
    /// Whether its profiles are those of what is measured.
    confines: bool,
}

/// Starts an agent with these profiles.
pub(super) fn set_up(set: &Set) -> SetUp {
    fs::create_dir_all(PROFILES).expect("make a folder");
    let programs = format!("executables: [{}, /usr/sbin/nginx]", place::BENCH);
    let user = format!("users: [\"{}\"]", place::USER);
    let applies_to = |whom: &str| format!("applies_to: {{ {whom} }}\n");
    match *set {
        Set::Empty => {}
        Set::Other(count) => {
            let other = applies_to("executables: [/usr/sbin/somebody]");
            write("other", "enforce", &other, count);
        }
        Set::One(count) => write(NAME, "enforce", "", count),
        Set::Audit(count) => write(NAME, "audit", "", count),
        Set::Layers(count) => {
            write(NAME, "enforce", "", count);
            write("programs", "enforce", &applies_to(&programs), count);
            write("user", "enforce", &applies_to(&user), count);
        }
    }
    let mut run = Command::new("enforcer");
    run.args(["run", "--profiles", PROFILES, "--state", STATE]);
    run.stdout(Stdio::null());
    run.stderr(File::create(LOG).expect("make a log"));
    let child =
        start_agent(&mut run).unwrap_or_else(|| panic!("the agent does not come up: {}", said()));
    let confines = !matches!(set, Set::Empty | Set::Other(_));
    let words = ["enforcer", "exec", "--profile", NAME, "--"];
    SetUp {
        confiner: words
            .map(Into::into)
            .into_iter()
            .filter(|_| confines)
            .collect(),
        refuses: confines && !matches!(set, Set::Audit(_)),
        agent: Some(Agent { child, confines }),
    }
}

impl Agent {
    /// Checks that nothing was refused, and in audit mode would have been; and that every
    /// profile was asked.
    pub(super) fn refused_nothing(&self) {
        let status = json(&["status", "--json"]);
        for profile in status["profiles"].as_array().expect("a list") {
            let was_asked = profile["hits"].as_u64().is_some_and(|hits| hits > 0);
            assert_eq!(was_asked, self.confines, "{profile}");
        }
        let reasons = &status["reasons"];
        let total = &status["detections"]["total"];
        if total == 0 && reasons.as_object().is_some_and(serde_json::Map::is_empty) {
            return;
        }
        let detections = json(&["detections", "list", "--json"]);
        panic!("what is measured was refused something: {reasons} {detections:#}");
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        stop(&mut self.child);
    }
}

/// Writes a profile.
fn write(name: &str, mode: &str, whom: &str, count: usize) {
    let mut text = format!(
        "name: {name}\nmode: {mode}\n{whom}privileges: [setuid, setgid]\n\
         network: [{{ protocol: [tcp, udp], allow: [bind, connect] }}]\npaths:\n"
    );
    for rule in rules(count) {
        let pattern = match &rule.paths {
            Paths::Tree(folder) => format!("{folder}{{,/**}}"),
            Paths::Pattern(pattern) => pattern.clone(),
        };
        let rights = rule.rights.join(", ");
        writeln!(text, "  - {{ path: \"{pattern}\", allow: [{rights}] }}").expect("write text");
    }
    fs::write(format!("{PROFILES}/{name}.yaml"), text).expect("write a profile");
}

/// What `enforcer ARGS` prints.
fn json(args: &[&str]) -> Value {
    let output = enforcer_tests::cli(args);
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("enforcer {args:?}: {error}: {output:?} {}", said()))
}

fn said() -> String {
    fs::read_to_string(LOG).unwrap_or_default()
}
