//! Profiles that are learned.

use std::{
    fs,
    io::Write as _,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use enforcer_tests::{
    Agent, EACCES, Folder, attempt_outside, errno, profile, program, rule, wait_for,
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// How long the agent, and what is watched, may take for a step.
const PATIENCE: Duration = Duration::from_mins(2);
/// How long processes may take to be under the profile, of which nothing tells.
const SETTLED: Duration = Duration::from_secs(8);
const BUSYBOX: &str = "/usr/bin/busybox";

/// A profile that is being learned.
struct Lesson {
    file: String,
}

impl Lesson {
    /// One into a file of a folder. Its name is the test's own.
    fn new(folder: &Folder, name: &str) -> Self {
        let file = folder.join(&format!("{name}.yaml"));
        Self { file }
    }

    /// Watches what these arguments say.
    fn start(&self, subject: &[&str]) -> Child {
        let mut command = Command::new("enforcer");
        command.args(["learn", "--mode", "enforce", "-o", &self.file]);
        command.args(subject).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("run enforcer")
    }

    /// The same until it ends by itself.
    fn run(&self, subject: &[&str]) -> Output {
        let child = self.start(subject);
        child.wait_with_output().expect("wait for enforcer")
    }

    /// The profile as tests write it.
    fn text(&self, name: &str) -> String {
        let text = fs::read_to_string(&self.file).unwrap_or_else(|err| panic!("{err}"));
        text.replacen(&format!("name: {name}\n"), "", 1)
    }
}

/// Waits until somebody watches under a profile for `name`.
fn watches(agent: &Agent, name: &str) {
    let learning = format!("learn-{name}");
    let is_so = || {
        let found = agent.profile(&learning);
        (found != Value::Null).then_some(())
    };
    wait_for(PATIENCE, is_so).expect("somebody watches");
}

/// Waits until nobody does.
fn watches_no_more(agent: &Agent, name: &str) {
    let learning = format!("learn-{name}");
    let is_so = || (agent.profile(&learning) == Value::Null).then_some(());
    wait_for(PATIENCE, is_so).expect("nobody watches any more");
}

/// Ends watching by a signal.
fn end(child: Child, signal: Signal) -> Output {
    kill_process(Pid::from_child(&child), signal).expect("signal it");
    child.wait_with_output().expect("wait for enforcer")
}

/// Copies `attempt`, for a profile to be about the copy alone.
fn copy(folder: &Folder) -> String {
    let copy = folder.join("copy");
    fs::copy(attempt(), &copy).expect("copy a program");
    copy
}

/// Has a copy read a file, and returns the errno.
fn read(copy: &str, file: &str) -> i32 {
    let mut command = Command::new(copy);
    errno(&command.args(["read", file]).output().expect("run it"))
}

fn attempt() -> String {
    program("attempt").to_str().expect("text").to_owned()
}

/// What a command needed is granted, and no more; who was not watched is not touched.
#[test]
fn a_command_is_learned() {
    let folder = Folder::new("learn-command");
    let [used, other] = ["used", "other"].map(|name| folder.write(name, "x"));
    let agent = Agent::start(&[("lesson", &profile("audit", ""))]);
    let lesson = Lesson::new(&folder, "lesson");
    let output = lesson.run(&["--", &attempt(), "read", &used]);
    assert!(output.status.success(), "{output:?}");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("learned: "), "{told}");
    assert!(told.contains("distinct accesses"), "{told}");

    let text = lesson.text("lesson");
    assert!(agent.reload("lesson", &text), "{text}");
    // The profile confines the program wherever it is started; so a copy is outside.
    let copy = copy(&folder);
    for (words, inside) in [
        (["read", &used], 0),
        (["read", &other], EACCES),
        (["write", &used], EACCES),
    ] {
        assert_eq!(agent.attempt("lesson", &words), inside, "{words:?}\n{text}");
        let outside = Command::new(&copy).args(words).output().unwrap();
        assert_eq!(errno(&outside), 0, "{words:?}");
    }
    assert!(agent.detection(&other).is_some());
    let learning = agent.profile("learn-lesson");
    assert_eq!(learning, Value::Null, "nobody watches any more");
}

/// It is added to a profile what that does not grant. What stands in it stays.
#[test]
fn a_profile_is_added_to() {
    let folder = Folder::new("learn-merge");
    let [first, second] = ["first", "second"].map(|name| folder.write(name, "x"));
    let _agent = Agent::start(&[]);
    let lesson = Lesson::new(&folder, "merged");
    let text = format!(
        "name: merged\nmode: enforce\n\npaths:\n  # the first\n  - {{ path: {first}, allow: [read] }}\n"
    );
    fs::write(&lesson.file, &text).unwrap();
    for round in 0..2 {
        let output = lesson.run(&["--", &attempt(), "read", &second]);
        assert!(output.status.success(), "{output:?}");
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        let now = fs::read_to_string(&lesson.file).unwrap();
        assert!(
            now.contains("  # the first\n") && now.contains(&first),
            "{now}"
        );
        assert!(now.contains(&second), "{now}");
        let adds = shown
            .lines()
            .any(|line| line.starts_with('+') && line.contains(&second));
        assert_eq!(adds, round == 0, "{round}: {shown}");
    }
}

/// What descends from a command is watched until it is gone, too.
#[test]
fn descendants_are_watched() {
    let folder = Folder::new("learn-descendants");
    let used = folder.write("used", "x");
    let _agent = Agent::start(&[]);
    let lesson = Lesson::new(&folder, "daemon");
    let script = format!("(busybox sleep 3; busybox cat {used}) >/dev/null 2>&1 &");
    let output = lesson.run(&["--", BUSYBOX, "sh", "-c", &script]);
    assert!(output.status.success(), "{output:?}");
    let text = lesson.text("daemon");
    assert!(text.contains(&used), "{text}");
}

/// Each way in which watching ends leaves a profile.
#[test]
fn watching_ends() {
    let folder = Folder::new("learn-ends");
    let agent = Agent::start(&[]);
    let started = Instant::now();
    let sleep = ["--", BUSYBOX, "sleep", "1000"];
    let timed = Lesson::new(&folder, "timed");
    let output = timed.run(&[&["--for", "3s"], &sleep[..]].concat());
    assert!(output.status.success(), "{output:?}");
    let stopped = Lesson::new(&folder, "stopped");
    let child = stopped.start(&sleep);
    watches(&agent, "stopped");
    // It is put under the profile by its exec.
    std::thread::sleep(SETTLED);
    let output = end(child, Signal::INT);
    assert!(output.status.success(), "{output:?}");
    assert!(started.elapsed() < Duration::from_mins(10));
    for (lesson, name) in [(timed, "timed"), (stopped, "stopped")] {
        let text = lesson.text(name);
        let output = agent.exec(&lesson.file, &[BUSYBOX, "sleep", "0"]);
        assert!(output.status.success(), "{output:?}\n{text}");
    }
    let none = Lesson::new(&folder, "none");
    let output = none.run(&["--", "/nowhere"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(!fs::exists(&none.file).unwrap());
}

/// A process that reads a file once it is told to.
struct Waiting {
    child: Child,
}

impl Waiting {
    fn start(script: &str) -> Self {
        let script = format!("read line; {script}");
        let mut command = Command::new(BUSYBOX);
        command.args(["sh", "-c", &script]).stdin(Stdio::piped());
        let child = command.stdout(Stdio::null()).spawn().expect("a shell");
        Self { child }
    }

    fn pid(&self) -> String {
        self.child.id().to_string()
    }

    fn go(mut self) {
        let mut stdin = self.child.stdin.take().expect("its input");
        stdin.write_all(b"go\n").expect("tell it");
        drop(stdin);
        self.child.wait().expect("wait for it");
    }
}

/// Running processes and units are watched from now on.
#[test]
fn processes_and_units_are_learned() {
    let folder = Folder::new("learn-running");
    let used = folder.write("used", "x");
    let agent = Agent::start(&[]);
    let waiting = Waiting::start(&format!("busybox cat {used}"));
    let lesson = Lesson::new(&folder, "process");
    let child = lesson.start(&["--pid", &waiting.pid()]);
    watches(&agent, "process");
    std::thread::sleep(SETTLED);
    waiting.go();
    let output = child.wait_with_output().expect("wait for enforcer");
    assert!(output.status.success(), "{output:?}");
    let text = lesson.text("process");
    assert!(text.contains(&used), "{text}");

    let cgroup = "/sys/fs/cgroup/system.slice/lesson.service";
    fs::create_dir_all(cgroup).unwrap();
    let lesson = Lesson::new(&folder, "lesson");
    let child = lesson.start(&["--unit", "lesson.service"]);
    watches(&agent, "lesson");
    let attempt = attempt();
    let script = format!("echo 0 > {cgroup}/cgroup.procs; exec {attempt} read {used}");
    let mut command = Command::new(BUSYBOX);
    assert!(
        command
            .args(["sh", "-c", &script])
            .status()
            .unwrap()
            .success()
    );
    let output = end(child, Signal::INT);
    assert!(output.status.success(), "{output:?}");
    let text = lesson.text("lesson");
    assert!(text.contains("units: [lesson.service]"), "{text}");
    assert!(text.contains(&used), "{text}");

    let copy = copy(&folder);
    let lesson = Lesson::new(&folder, "copy");
    let child = lesson.start(&["--executable", &copy]);
    watches(&agent, "copy");
    assert_eq!(read(&copy, &used), 0);
    assert_eq!(
        attempt_outside(&["read", &lesson.file]),
        2,
        "it is not there yet"
    );
    let output = end(child, Signal::INT);
    assert!(output.status.success(), "{output:?}");
    let text = lesson.text("copy");
    assert!(text.contains(&format!("executables: [{copy}]")), "{text}");
    assert!(text.contains(&used), "{text}");
}

/// Nothing is learned from who was refused something meanwhile, by another profile.
#[test]
fn attacks_are_not_learned() {
    let folder = Folder::new("learn-poison");
    let [clean, poison, secret] = ["clean", "poison", "secret"].map(|name| folder.write(name, "x"));
    let evil = folder.join("evil");
    fs::copy(program("attempt"), &evil).unwrap();
    let guard = profile("enforce", &rule(&poison, "read"))
        + &format!("applies_to: {{ executables: [{evil}] }}\n");
    let agent = Agent::start(&[("guard", &guard)]);

    let lesson = Lesson::new(&folder, "poisoned");
    let script = format!("busybox cat {clean}; {evil} read {poison}; {evil} read {secret}");
    let output = lesson.run(&["--", BUSYBOX, "sh", "-c", &script]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        told.contains("nothing is learned from the processes of D"),
        "{told}"
    );
    assert!(!fs::exists(&lesson.file).unwrap(), "{told}");

    // Of two processes one is attacked.
    let good = Waiting::start(&format!("busybox cat {clean}"));
    let bad = Waiting::start(&script);
    let lesson = Lesson::new(&folder, "pair");
    let child = lesson.start(&["--pid", &good.pid(), "--pid", &bad.pid()]);
    watches(&agent, "pair");
    std::thread::sleep(SETTLED);
    good.go();
    bad.go();
    let output = child.wait_with_output().expect("wait for enforcer");
    assert!(output.status.success(), "{output:?}");
    let text = lesson.text("pair");
    assert!(text.contains(&clean), "{text}");
    for only in [&poison, &secret, &evil] {
        assert!(!text.contains(only.as_str()), "{only}\n{text}");
    }
    assert!(agent.detection(&secret).is_some());
}

/// A watch lasts no longer than the one who watches, however that ends, and a name has one.
#[test]
fn a_watch_ends_with_its_client() {
    let folder = Folder::new("learn-killed");
    let [used, later, other] = ["used", "later", "other"].map(|name| folder.write(name, "x"));
    let copy = copy(&folder);
    let agent = Agent::start(&[]);
    let lesson = Lesson::new(&folder, "killed");
    let subject = ["--executable", &*copy];
    let mut child = lesson.start(&subject);
    watches(&agent, "killed");
    let second = lesson.run(&subject);
    assert_eq!(second.status.code(), Some(2), "{second:?}");
    let told = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(
        told.contains("another client watches under the profile learn-killed"),
        "{told}"
    );
    assert_eq!(read(&copy, &used), 0);
    agent.detection(&used).expect("the first one watches on");

    child.kill().expect("kill it");
    child.wait().expect("wait for it");
    watches_no_more(&agent, "killed");
    assert_eq!(read(&copy, &later), 0);
    let detections = agent.detections();
    let is_recorded = detections.iter().any(|one| one["path"] == *later);
    assert!(!is_recorded, "{detections:#?}");
    assert!(!fs::exists(&lesson.file).unwrap());

    // An ssh session that drops sends SIGHUP.
    let child = lesson.start(&subject);
    watches(&agent, "killed");
    assert_eq!(read(&copy, &later), 0);
    let output = end(child, Signal::HUP);
    assert!(output.status.success(), "{output:?}");
    watches_no_more(&agent, "killed");
    let text = lesson.text("killed");

    // Nothing claims the program any more.
    assert!(agent.reload("killed", &text), "{text}");
    assert_eq!(read(&copy, &later), 0, "{text}");
    assert_eq!(read(&copy, &other), EACCES, "{text}");
}
