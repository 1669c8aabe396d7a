//! Profiles that are learned from one run of a program, and hold in the next.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use enforcer::profile::{ABSTRACTIONS, DEFAULT_DIR, Profile};
use enforcer_abi::Access;
use enforcer_tests::{Agent, Folder, wait_for};
use rustix::process::{Pid, Signal, kill_process};

use super::{
    Misuse, Service, command,
    program::{BY_NETWORK, line},
    run, scene,
};
use crate::background::skip;

/// How long the agent may take to watch.
const PATIENCE: Duration = Duration::from_mins(2);
/// How much later the second run is, in seconds.
const LATER: u64 = 86_400;

/// What a command is refused that uses no network: it has no socket to wait or call with.
const NO_NETWORK: [Misuse; 2] = [
    Misuse::domain(&["tcp-bind", "0.0.0.0:4445"], ("create", "ipv4/tcp")),
    Misuse::domain(&["tcp-connect", scene::LISTENER], ("create", "ipv4/tcp")),
];

/// What is learned of a program.
pub(super) struct Lesson {
    /// The name of the profile; that of the one that is shipped.
    pub(super) name: &'static str,
    /// Programs that it needs.
    pub(super) needs: &'static [&'static str],
    /// What is done before somebody watches.
    pub(super) before: fn(),
    /// A run, with other data each time.
    pub(super) taught: Taught,
    /// What is refused by what was learned.
    pub(super) misuses: &'static [Misuse],
}

/// How a program is run.
pub(super) enum Taught {
    /// It is started by others, and runs until it is stopped: what `enforcer learn` is told
    /// of it, and a run.
    Service(&'static [&'static str], fn(u32) -> Service),
    /// It is a command, which succeeds: what there is for it, and its words.
    Command(fn(u32), &'static [&'static str]),
}

impl Lesson {
    /// Shows that what is learned of the first run is all that the second needs, and no more
    /// than it should be.
    pub(super) fn check(&self) {
        let missing = self.needs.iter().find(|need| !Path::new(need).exists());
        if let Some(missing) = missing {
            return skip(&format!("no {missing}"));
        }
        scene::prepare();
        (self.before)();
        let agent = Agent::start(&[]);
        let folder = Folder::new("lesson");
        let text = self.learn(&agent, &folder);
        println!("{text}");
        let mut wrong = self.compare(&folder);
        let body = text.replacen(&format!("\nname: {}\n", self.name), "\n", 1);
        assert!(agent.reload(self.name, &body));

        let later = later();
        run(&mut command(
            "root",
            "/usr/bin/busybox",
            &["date", "-s", &format!("@{later}")],
        ));
        let service = match self.taught {
            Taught::Service(_, run) => Some(run(2)),
            Taught::Command(prepare, words) => {
                prepare(2);
                let output = agent.exec(self.name, words);
                if !output.status.success() {
                    wrong.push(format!("the second run: {output:?}"));
                }
                None
            }
        };
        let refused = agent.counter("denied") + agent.counter("audited");
        let ours = |one: &serde_json::Value| one["profile"] == self.name;
        let told: Vec<_> = agent.detections();
        let told: Vec<_> = told.iter().filter(|one| ours(one)).map(line).collect();
        if refused > 0 || !told.is_empty() {
            wrong.push(format!("the second run: {refused} refusals: {told:#?}"));
        }
        let networks: &[Misuse] = match self.taught {
            Taught::Service(..) => &BY_NETWORK,
            Taught::Command(..) => &NO_NETWORK,
        };
        let checks = self.misuses.iter().chain(networks);
        let checks = checks.map(|misuse| misuse.check(&agent, self.name));
        wrong.extend(checks.filter_map(Result::err));
        drop(service);
        drop(agent);
        assert!(wrong.is_empty(), "{}\n{text}", wrong.join("\n"));
        assert!(self.misuses.len() >= 10, "too few misuses");
    }

    /// Has a profile written of the first run.
    fn learn(&self, agent: &Agent, folder: &Folder) -> String {
        let file = folder.join(&format!("{}.yaml", self.name));
        let common = [
            "learn",
            "--mode",
            "enforce",
            "--profiles",
            DEFAULT_DIR,
            "-o",
            &file,
        ];
        let start = |subject: &[&str]| -> Child {
            let mut enforcer = Command::new("enforcer");
            enforcer.args(common).args(subject);
            enforcer.stdin(Stdio::null()).stdout(Stdio::null());
            // A file would be one that the program writes to.
            enforcer
                .stderr(Stdio::piped())
                .spawn()
                .expect("run enforcer")
        };
        let child = match self.taught {
            Taught::Service(subject, run) => {
                let child = start(subject);
                let learning = format!("learn-{}", self.name);
                let watches = || (agent.profile(&learning)["removed"] == false).then_some(());
                wait_for(PATIENCE, watches).expect("somebody watches");
                drop(run(1));
                kill_process(Pid::from_child(&child), Signal::INT).expect("interrupt");
                child
            }
            Taught::Command(prepare, words) => {
                prepare(1);
                start(&[&["--"], words].concat())
            }
        };
        let output = child.wait_with_output().expect("wait for enforcer");
        println!("{}", String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{output:?}");
        fs::read_to_string(&file).expect("a profile")
    }

    /// What is wrong with it beside the one that is shipped.
    fn compare(&self, folder: &Folder) -> Vec<String> {
        let abstractions = Path::new(DEFAULT_DIR).join(ABSTRACTIONS);
        let load = |folder: &Path| {
            let file = folder.join(format!("{}.yaml", self.name));
            Profile::load(&file, &abstractions).expect("a profile")
        };
        let [learned, shipped] = [load(folder.path()), load(Path::new(DEFAULT_DIR))];
        let own = |profile: &Profile| {
            let rules = profile.rules.iter();
            rules
                .filter(|rule| *rule.origin.file == *profile.source)
                .count()
        };
        let mut wrong = Vec::new();
        let [ours, theirs] = [own(&learned), own(&shipped)];
        println!("{ours} rules, and {theirs} by hand");
        if ours > 2 * theirs {
            wrong.push(format!("{ours} rules, and {theirs} by hand"));
        }
        let changes = Access::WRITE | Access::CREATE | Access::REMOVE;
        for rule in &learned.rules {
            let text = rule.pattern.text();
            if text.starts_with("/**") && !(rule.allow & changes).is_empty() {
                wrong.push(format!("too wide: {text}"));
            }
        }
        wrong
    }
}

/// A day from now, in seconds since 1970.
fn later() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.expect("a time after 1970").as_secs() + LATER
}
