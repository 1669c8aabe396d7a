//! Harness of the end-to-end tests: an agent with profiles of the test's own,
//! and the command line as a user would type it.
//!
//! Only what a test starts through [`Agent::exec`], and the programs that its
//! profiles name, is ever confined.

mod agent;
pub mod measure;
mod obedient;

pub use agent::Agent;
use enforcer::kernel::Series;
pub use obedient::Obedient;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

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
    let has_ended = |child: &mut Child| child.try_wait().expect("look at a child").is_some();
    let mut wait = Command::new("enforcer")
        .args(["status", "--wait", "300"])
        .stdout(Stdio::null())
        .spawn()
        .expect("run enforcer");
    while !has_ended(&mut wait) && !has_ended(&mut child) {
        thread::sleep(Duration::from_millis(20));
    }
    let _ended = wait.kill();
    if wait.wait().expect("wait for a child").success() {
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

/// The series of the running kernel, as in `(6, 12)`.
pub fn series() -> (u32, u32) {
    let name = rustix::system::uname();
    let release = name.release().to_str().expect("a release is text");
    let Series(major, minor) = Series::of_release(release).expect("a release");
    (major, minor)
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

/// A rule on a path, as a line of a profile.
pub fn rule(path: &str, rights: &str) -> String {
    format!("  - {{ path: \"{path}\", allow: [{rights}] }}\n")
}

/// A name as that of a folder.
pub fn folder_name(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect()
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
