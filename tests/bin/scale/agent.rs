//! An agent, and what it takes.

use std::{
    fs::{self, File},
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use enforcer_tests::{program, stop};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{FOLDER, memory, raw};

/// How long the agent may take to load its profiles.
const LOADED_WITHIN: Duration = Duration::from_mins(10);

/// How long the kernel may take to free what it was given back, and the agent to do what
/// it does each second. Where there is nothing to do, time leaps.
pub(crate) const SETTLES_WITHIN: Duration = Duration::from_millis(3500);

/// An agent that runs; it is gone at the end.
pub(crate) struct Agent {
    child: Child,
    folder: PathBuf,
    told: UnixDatagram,
}

/// What something took.
pub(crate) struct Took {
    /// Nanoseconds for which the agent ran.
    pub(crate) ran: u64,
    /// Nanoseconds from the start to the end.
    pub(crate) elapsed: u64,
}

impl Agent {
    /// Starts an agent without profiles. Tells what it took until it enforces.
    pub(crate) fn start() -> (Self, Took) {
        let folder = Path::new(FOLDER).join("agent");
        let _none = fs::remove_dir_all(&folder);
        let profiles = folder.join("profiles");
        fs::create_dir_all(&profiles).expect("make a folder");
        let socket = folder.join("told");
        let told = UnixDatagram::bind(&socket).expect("make a socket");
        told.set_read_timeout(Some(LOADED_WITHIN))
            .expect("set a time-out");
        let mut run = Command::new("enforcer");
        run.arg("run").arg("--profiles").arg(profiles);
        run.arg("--state").arg(folder.join("state"));
        run.env("NOTIFY_SOCKET", socket);
        run.stdin(Stdio::null()).stdout(Stdio::null());
        run.stderr(File::create(folder.join("log")).expect("make a log"));
        let start = Instant::now();
        let child = run.spawn().expect("start the agent");
        let mut agent = Self {
            child,
            folder,
            told,
        };
        agent.wait_until("READY=1");
        let took = Took {
            ran: agent.ran(),
            elapsed: nanoseconds(start.elapsed()),
        };
        thread::sleep(SETTLES_WITHIN);
        (agent, took)
    }

    /// Starts an agent with the profiles that `write` puts into a folder.
    pub(crate) fn with(write: impl FnOnce(&Path)) -> Self {
        let (mut agent, _) = Self::start();
        write(&agent.profiles());
        let _loaded = agent.reload();
        agent
    }

    /// Has it have no profiles.
    pub(crate) fn clear(&mut self) {
        fs::remove_dir_all(self.profiles()).expect("remove the profiles");
        fs::create_dir(self.profiles()).expect("make a folder");
        let _cleared = self.reload();
        thread::sleep(SETTLES_WITHIN);
    }

    /// The folder of its profiles.
    pub(crate) fn profiles(&self) -> PathBuf {
        self.folder.join("profiles")
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Nanoseconds for which it ran up to now.
    pub(crate) fn ran(&self) -> u64 {
        raw::ran_ns(self.id())
    }

    /// Nanoseconds for which it runs on account of `work`.
    pub(crate) fn runs_for(&self, work: impl FnOnce()) -> u64 {
        thread::sleep(SETTLES_WITHIN);
        let before = self.ran();
        work();
        thread::sleep(SETTLES_WITHIN);
        self.ran() - before
    }

    /// Memory of its own, in KiB.
    pub(crate) fn memory_kib(&self) -> u64 {
        memory::of_process_kib(self.id())
    }

    /// What the kernel says its maps take, in KiB.
    pub(crate) fn maps_kib(&self) -> u64 {
        memory::of_maps_kib(self.id())
    }

    /// Has it load its profiles anew. Tells what that took.
    pub(crate) fn reload(&mut self) -> Took {
        let start = Instant::now();
        let before = self.ran();
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::HUP).expect("signal the agent");
        self.wait_until("RELOADING=1");
        self.wait_until("READY=1");
        Took {
            ran: self.ran() - before,
            elapsed: nanoseconds(start.elapsed()),
        }
    }

    /// What `enforcer status` says.
    pub(crate) fn status(&self) -> Value {
        let output = enforcer_tests::cli(&["status", "--json"]);
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("status: {error}: {output:?} {}", self.said()))
    }

    /// The size of its database, in bytes.
    pub(crate) fn database(&self) -> u64 {
        let state = fs::read_dir(self.folder.join("state")).expect("list the state");
        let files = state.map(|entry| entry.expect("an entry"));
        files
            .filter(|file| {
                file.file_name()
                    .to_string_lossy()
                    .starts_with("enforcer.db")
            })
            .map(|file| file.metadata().expect("look at a file").len())
            .sum()
    }

    fn wait_until(&mut self, what: &str) {
        let mut message = [0; 4096];
        loop {
            let length = self.told.recv(&mut message).unwrap_or_else(|error| {
                let ended = self.child.try_wait().expect("look at a child");
                panic!(
                    "the agent tells no {what}: {error}; {ended:?}; {}",
                    self.said()
                )
            });
            let text = String::from_utf8_lossy(&message[..length]);
            if text.lines().any(|line| line == what) {
                return;
            }
        }
    }

    fn said(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        stop(&mut self.child);
        thread::sleep(SETTLES_WITHIN);
    }
}

/// A command that runs this program, under a profile or under none.
pub(crate) fn scale(profile: Option<&str>, args: &[&str]) -> Command {
    let scale = program("scale");
    let mut command = match profile {
        Some(profile) => {
            let mut command = Command::new("enforcer");
            command
                .args(["exec", "--profile", profile, "--"])
                .arg(scale);
            command
        }
        None => Command::new(scale),
    };
    command.args(args).stdin(Stdio::null());
    command
}

/// What this program prints, under a profile or under none.
pub(crate) fn output_of(profile: Option<&str>, args: &[&str]) -> String {
    let output: Output = scale(profile, args).output().expect("run this program");
    assert!(output.status.success(), "{profile:?} {args:?}: {output:?}");
    String::from_utf8(output.stdout).expect("text")
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).expect("no measurement takes centuries")
}
