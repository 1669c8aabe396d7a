//! Harness of the end-to-end tests: an agent with profiles of the test's own,
//! and the command line as a user would type it.
//!
//! Only what a test starts through [`Agent::exec`], and the programs that its
//! profiles name, is ever confined.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

/// Where a guest has this package's programs.
pub const PROGRAMS: &str = "/usr/lib/enforcer";

/// `EACCES`, the errno of a refusal.
pub const EACCES: i32 = 13;

/// How long a detection may take to appear.
pub const WITHIN: Duration = Duration::from_secs(1);

/// What every test program needs to start.
pub const BASE_RULES: &str = "
  - { path: /usr/lib/enforcer/*, allow: [read, map] }
  - { path: \"/proc/self/**\",   allow: [read] }
  - { path: /dev/null,           allow: [read, write] }
";

/// The path of a program of this package.
pub fn program(name: &str) -> PathBuf {
    Path::new(PROGRAMS).join(name)
}

/// Waits until `check` gives something, for `limit` at most.
pub fn wait_for<T>(limit: Duration, mut check: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        if let Some(found) = check() {
            return Some(found);
        }
        if start.elapsed() > limit {
            return None;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Starts an agent, and waits until it enforces. `None` if it does not come up.
pub fn start_agent(run: &mut Command) -> Option<Child> {
    let mut child = run.stdin(Stdio::null()).spawn().expect("start the agent");
    if cli(&["status", "--wait", "300"]).status.success() {
        return Some(child);
    }
    stop(&mut child);
    None
}

/// Has a process end in order, and waits for its end.
pub fn stop(child: &mut Child) {
    let pid = rustix::process::Pid::from_child(child);
    let _gone = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    let _status = child.wait();
}

/// A folder of the test's own.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Makes `/srv/test-NAME-N`.
    pub fn new(name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = PathBuf::from(format!("/srv/test-{name}-{count}"));
        fs::create_dir_all(&path).expect("make a folder; is this a guest?");
        Self(path)
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The path of `name` in it, as text.
    pub fn join(&self, name: &str) -> String {
        self.0
            .join(name)
            .to_str()
            .expect("test paths are text")
            .to_owned()
    }

    /// Writes a file in it, with the folders that it needs.
    pub fn write(&self, name: &str, contents: &str) -> String {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("make a folder");
        fs::write(&path, contents).expect("write a file");
        self.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _best_effort = fs::remove_dir_all(&self.0);
    }
}

/// An agent with profiles of the test's own.
#[derive(Debug)]
pub struct Agent {
    child: Child,
    folder: Folder,
}

impl Agent {
    /// Starts an agent with these profiles, by name and text after the `name:`
    /// line, and waits until it enforces them.
    pub fn start(profiles: &[(&str, &str)]) -> Self {
        let folder = Folder::new("agent");
        for (name, text) in profiles {
            folder.write(
                &format!("profiles/{name}.yaml"),
                &format!("name: {name}\n{text}"),
            );
        }
        Self::start_in(folder)
    }

    /// Starts an agent in a folder with `profiles/`, and perhaps `state/`.
    pub fn start_in(folder: Folder) -> Self {
        fs::create_dir_all(folder.join("profiles")).expect("make a folder");
        let mut run = Command::new("enforcer");
        run.args(["run", "--profiles", &folder.join("profiles")]);
        run.args(["--state", &folder.join("state")]);
        let child = start_agent(&mut run).expect("the agent comes up");
        Self { child, folder }
    }

    /// Stops the agent, and gives back its folder.
    pub fn stop(mut self) -> Folder {
        stop(&mut self.child);
        std::mem::replace(&mut self.folder, Folder::new("gone"))
    }

    /// Replaces a profile's text, after its `name:` line, and has it loaded.
    pub fn reload(&self, name: &str, text: &str) {
        let before = self.generation(name);
        self.folder.write(
            &format!("profiles/{name}.yaml"),
            &format!("name: {name}\n{text}"),
        );
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::HUP).expect("signal the agent");
        wait_for(Duration::from_secs(10), || {
            (self.generation(name) != before).then_some(())
        })
        .expect("the agent loads the profile again");
    }

    fn generation(&self, name: &str) -> Option<u64> {
        self.profile(name)["generation"].as_u64()
    }

    /// What `enforcer status` says of a profile; null if it is not there.
    pub fn profile(&self, name: &str) -> Value {
        let status = self.json(&["status", "--json"]);
        let profiles = status["profiles"].as_array().expect("a list of profiles");
        profiles
            .iter()
            .find(|profile| profile["name"] == name)
            .cloned()
            .unwrap_or_default()
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

    /// Every detection there is.
    pub fn detections(&self) -> Vec<Value> {
        let output = self.cli(&["detections", "list", "--json"]);
        // 1 says that there are none.
        assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
        let text = String::from_utf8(output.stdout).expect("JSON is text");
        match serde_json::from_str(&text) {
            Ok(Value::Array(list)) => list,
            _ => text
                .lines()
                .map(|line| serde_json::from_str(line).expect("JSON lines"))
                .collect(),
        }
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
        stop(&mut self.child);
    }
}

/// Runs `enforcer ARGS`.
pub fn cli(args: &[&str]) -> Output {
    Command::new("enforcer")
        .args(args)
        .stdin(Stdio::null())
        .output()
        .expect("run enforcer")
}

/// Runs `attempt ARGS` unconfined; its exit status is an errno.
pub fn attempt_outside(args: &[&str]) -> i32 {
    errno(
        &Command::new(program("attempt"))
            .args(args)
            .output()
            .expect("run attempt"),
    )
}

/// The errno that a test program ended with.
pub fn errno(output: &Output) -> i32 {
    output
        .status
        .code()
        .unwrap_or_else(|| panic!("ended by a signal: {output:?}"))
}

/// A profile without `name:`, which grants what test programs need and `rules`,
/// one a line.
pub fn profile(mode: &str, rules: &str) -> String {
    format!("mode: {mode}\npaths:{BASE_RULES}{rules}\n")
}

/// An access control list as an extended attribute has it:
/// `u::rw,u:1000:r,g::r,m::r,o::r`.
pub fn acl() -> Vec<u8> {
    const NOBODY: u32 = u32::MAX;
    // Columns: tag, rights, id.
    let entries: [(u16, u16, u32); 5] = [
        (0x01, 6, NOBODY),
        (0x02, 4, 1000),
        (0x04, 4, NOBODY),
        (0x10, 4, NOBODY),
        (0x20, 4, NOBODY),
    ];
    let mut acl = 2_u32.to_le_bytes().to_vec();
    for (tag, rights, id) in entries {
        acl.extend(tag.to_le_bytes());
        acl.extend(rights.to_le_bytes());
        acl.extend(id.to_le_bytes());
    }
    acl
}
