//! An agent with profiles of a test's own.
//!
//! To start one takes longer than most tests, so they share one, each with its
//! profiles. A test that is about the first profile has one of its own.

use std::{
    collections::HashMap,
    fs, io,
    os::unix::{fs::symlink, net::UnixDatagram},
    process::{Child, Command, Output},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{Folder, WITHIN, cli, errno, program, start_agent, stop, wait_for};

/// Where a guest has the profiles that are shipped.
const SHIPPED: &str = "/etc/enforcer/profiles";

/// How long loading profiles may take.
const RELOADED_WITHIN: Duration = Duration::from_mins(5);

/// The agent that tests share, while none has it.
static SHARED: Mutex<Option<Running>> = Mutex::new(None);

/// An agent with profiles of the test's own. Only what happened since is told of.
#[derive(Debug)]
pub struct Agent {
    // `None` while it starts again.
    running: Option<Running>,
    is_shared: bool,
    /// Counts of detections, by their id, and of reasons and more, from before.
    detections: HashMap<String, u64>,
    counts: Value,
}

/// An agent that runs.
#[derive(Debug)]
struct Running {
    child: Child,
    folder: Folder,
    /// Its options, besides the folders.
    options: &'static [&'static str],
    /// What it tells a service manager.
    told: UnixDatagram,
}

impl Agent {
    /// Has the shared agent enforce these profiles, by name and text after the
    /// `name:` line, and no others.
    pub fn start(profiles: &[(&str, &str)]) -> Self {
        Self::start_with(&[], profiles)
    }

    /// Has the shared agent enforce these of the profiles that are shipped, as they are.
    pub fn shipped(names: &[&str]) -> Self {
        let text = |name: &str| {
            let path = format!("{SHIPPED}/{name}.yaml");
            let text = fs::read_to_string(&path).unwrap_or_else(|err| panic!("{path}: {err}"));
            text.replacen(&format!("\nname: {name}\n"), "\n", 1)
        };
        let texts: Vec<_> = names.iter().map(|&name| (name, text(name))).collect();
        let profiles: Vec<_> = texts.iter().map(|(name, text)| (*name, &**text)).collect();
        Self::start(&profiles)
    }

    /// As [`Agent::start`], and it remembers nothing.
    pub fn without_cache(profiles: &[(&str, &str)]) -> Self {
        Self::start_with(&["--no-cache"], profiles)
    }

    /// As [`Agent::start`], with these options.
    pub fn start_with(options: &'static [&'static str], profiles: &[(&str, &str)]) -> Self {
        let running =
            take_shared(options).unwrap_or_else(|| Running::start(Folder::new("agent"), options));
        running.write(profiles);
        running.reload();
        let mut agent = Self {
            running: Some(running),
            is_shared: true,
            detections: HashMap::new(),
            counts: Value::Null,
        };
        let detections = agent.detections().into_iter();
        agent.detections = detections.map(|one| (id(&one), count(&one))).collect();
        agent.counts = agent.json(&["status", "--json"]);
        for (name, _) in profiles {
            let loaded = named(&agent.counts, name);
            assert_ne!(loaded, Value::Null, "{name} is not loaded");
        }
        agent
    }

    /// Starts an agent of the test's own with these profiles.
    pub fn alone(profiles: &[(&str, &str)]) -> Self {
        let folder = Folder::new("agent");
        write(&folder, profiles);
        Self::start_in(folder)
    }

    /// Starts an agent of the test's own with the profiles in a folder of its own.
    pub fn start_in(folder: Folder) -> Self {
        Self::end_shared();
        Self {
            running: Some(Running::start(folder, &[])),
            is_shared: false,
            detections: HashMap::new(),
            counts: Value::Null,
        }
    }

    /// Has no agent run.
    pub fn end_shared() {
        if let Some(shared) = SHARED.lock().unwrap_or_else(PoisonError::into_inner).take() {
            shared.stop();
        }
    }

    /// Stops the agent, and starts it again with the same profiles and the same state.
    /// `between` is called while there is none.
    pub fn restart(&mut self, between: impl FnOnce()) {
        let running = self.running.take().expect("it runs");
        let options = running.options;
        let folder = running.stop();
        between();
        self.running = Some(Running::start(folder, options));
        self.counts = Value::Null;
    }

    /// Does something while the agent stands still.
    pub fn paused(&self, work: impl FnOnce()) {
        let pid = Pid::from_child(&self.running().child);
        kill_process(pid, Signal::STOP).expect("stop the agent");
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        kill_process(pid, Signal::CONT).expect("let the agent go on");
        if let Err(panic) = done {
            std::panic::resume_unwind(panic);
        }
    }

    /// Replaces a profile's text, after its `name:` line, and has it loaded.
    /// Returns whether it was.
    pub fn reload(&self, name: &str, text: &str) -> bool {
        let before = self.generation(name);
        let running = self.running();
        write(&running.folder, &[(name, text)]);
        running.reload();
        self.generation(name) != before
    }

    fn generation(&self, name: &str) -> Option<u64> {
        self.profile(name)["generation"].as_u64()
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("it runs")
    }

    /// What `enforcer status` says of a profile; null if it is not there.
    pub fn profile(&self, name: &str) -> Value {
        named(&self.json(&["status", "--json"]), name)
    }

    /// How often a reason refused something, or would have.
    pub fn refusals(&self, reason: &str) -> u64 {
        self.since("reasons", reason)
    }

    /// One of the counters of `enforcer status`.
    pub fn counter(&self, name: &str) -> u64 {
        self.since("counters", name)
    }

    fn since(&self, table: &str, name: &str) -> u64 {
        let number = |status: &Value| status[table][name].as_u64().unwrap_or(0);
        number(&self.json(&["status", "--json"])) - number(&self.counts)
    }

    /// Runs `enforcer ARGS`.
    pub fn cli(&self, args: &[&str]) -> Output {
        cli(args)
    }

    /// Runs `enforcer ARGS`, which has to succeed and print one JSON value.
    pub fn json(&self, args: &[&str]) -> Value {
        let output = self.cli(args);
        assert!(output.status.success(), "enforcer {args:?}: {output:?}");
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|err| panic!("enforcer {args:?}: {err}: {output:?}"))
    }

    /// Runs a command under a profile.
    pub fn exec(&self, profile: &str, command: &[&str]) -> Output {
        let mut args = vec!["exec", "--profile", profile, "--"];
        args.extend(command);
        self.cli(&args)
    }

    /// Runs `attempt ARGS` under a profile; its exit status is an errno.
    pub fn attempt(&self, profile: &str, args: &[&str]) -> i32 {
        let attempt = program("attempt");
        let mut command = vec![attempt.to_str().expect("text")];
        command.extend(args);
        errno(&self.exec(profile, &command))
    }

    /// Every detection there is, with how often it happened.
    pub fn detections(&self) -> Vec<Value> {
        let list = self.json(&["detections", "list", "--json"]);
        let list = list.as_array().cloned().expect("a list");
        list.into_iter()
            .filter_map(|mut detection| {
                let before = self.detections.get(&id(&detection)).copied().unwrap_or(0);
                let since = count(&detection) - before;
                detection["count"] = since.into();
                (since > 0).then_some(detection)
            })
            .collect()
    }

    /// Waits for the detection of an access to `path`.
    pub fn detection(&self, path: &str) -> Option<Value> {
        wait_for(WITHIN, || {
            self.detections()
                .into_iter()
                .find(|detection| detection["path"] == path)
        })
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let Some(running) = self.running.take() else {
            return;
        };
        // After a test that failed, who knows.
        if !self.is_shared || std::thread::panicking() {
            running.stop();
            return;
        }
        running.write(&[]);
        running.reload();
        *SHARED.lock().unwrap_or_else(PoisonError::into_inner) = Some(running);
    }
}

impl Running {
    /// Starts an agent, and waits until it enforces.
    fn start(folder: Folder, options: &'static [&'static str]) -> Self {
        fs::create_dir_all(folder.join("profiles")).expect("make a folder");
        let socket = folder.join("told");
        let _gone = fs::remove_file(&socket);
        let told = UnixDatagram::bind(&socket).expect("make a socket");
        told.set_read_timeout(Some(RELOADED_WITHIN))
            .expect("set a time-out");
        let mut run = Command::new("enforcer");
        run.args(["run", "--profiles", &folder.join("profiles")]);
        run.args(["--state", &folder.join("state")]).args(options);
        if !options.contains(&"--trial") {
            // Tightenings hold at once.
            run.args(["--trial", "0s"]);
        }
        run.env("NOTIFY_SOCKET", socket);
        let child = start_agent(&mut run).expect("the agent comes up");
        let running = Self {
            child,
            folder,
            options,
            told,
        };
        running.wait_until("READY=1");
        running
    }

    /// Has these be its profiles, once it reloads them.
    fn write(&self, profiles: &[(&str, &str)]) {
        fs::remove_dir_all(self.folder.join("profiles")).expect("remove the profiles");
        fs::create_dir(self.folder.join("profiles")).expect("make a folder");
        let abstractions = self.folder.join("profiles/abstractions");
        symlink(format!("{SHIPPED}/abstractions"), abstractions).expect("make a link");
        write(&self.folder, profiles);
    }

    /// Has it load its profiles anew, and waits until it has.
    fn reload(&self) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::HUP).expect("signal the agent");
        self.wait_until("RELOADING=1");
        self.wait_until("READY=1");
    }

    /// Waits until it tells this.
    fn wait_until(&self, what: &str) {
        let mut message = [0; 4096];
        loop {
            let got: io::Result<usize> = self.told.recv(&mut message);
            let length = got.unwrap_or_else(|error| panic!("the agent tells no {what}: {error}"));
            let text = String::from_utf8_lossy(&message[..length]);
            if text.lines().any(|line| line == what) {
                return;
            }
        }
    }

    fn stop(mut self) -> Folder {
        stop(&mut self.child);
        self.folder
    }
}

fn write(folder: &Folder, profiles: &[(&str, &str)]) {
    for (name, text) in profiles {
        folder.write(
            &format!("profiles/{name}.yaml"),
            &format!("name: {name}\n{text}"),
        );
    }
}

/// Takes the shared agent, if there is one with these options, and it still runs.
fn take_shared(options: &[&str]) -> Option<Running> {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let mut running = shared.take()?;
    if running.options != options {
        running.stop();
        return None;
    }
    let status = running.child.try_wait().expect("look at a child");
    status.is_none().then_some(running)
}

/// What `status` says of a profile; null if it is not there.
fn named(status: &Value, name: &str) -> Value {
    let profiles = status["profiles"].as_array().expect("a list of profiles");
    profiles
        .iter()
        .find(|profile| profile["name"] == name && profile["removed"] == false)
        .cloned()
        .unwrap_or_default()
}

fn id(detection: &Value) -> String {
    detection["id"].as_str().expect("an id").to_owned()
}

fn count(detection: &Value) -> u64 {
    detection["count"].as_u64().expect("a count")
}
