//! Programs that run, and talking to them.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    os::unix::{net::UnixDatagram, process::CommandExt as _},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use enforcer_tests::wait_for;
use rustix::process::{Pid, Signal, kill_process};

use super::scene;

/// How long an emulated machine may take for one step.
const PATIENCE: Duration = Duration::from_mins(2);

/// Where a service says that it is ready.
const NOTIFY: &str = "/run/systemd/notify";

/// A program that runs until this goes.
pub(super) struct Service {
    child: Child,
    said: Arc<Mutex<String>>,
    told: UnixDatagram,
}

impl Service {
    /// Starts it, with what it says added to a log, as by what opens the log for it.
    pub(super) fn logging(command: &mut Command, log: &str) -> Self {
        let log = fs::File::options().create(true).append(true).open(log);
        let log = log.expect("open a log");
        let child = command.stdin(Stdio::null());
        child.stdout(log.try_clone().expect("copy a descriptor"));
        let child = child.stderr(log).spawn();
        let child = child.unwrap_or_else(|err| panic!("{command:?}: {err}"));
        let (told, _) = UnixDatagram::pair().expect("make sockets");
        let said = Arc::default();
        Self { child, said, told }
    }

    /// Starts it, with what it says kept here.
    pub(super) fn start(command: &mut Command) -> Self {
        let _absent = fs::remove_file(NOTIFY);
        fs::create_dir_all("/run/systemd").expect("make a folder");
        let told = UnixDatagram::bind(NOTIFY).expect("make a socket");
        scene::mode(NOTIFY, 0o777);
        told.set_nonblocking(true).expect("do not wait");
        let (mut reader, writer) = std::io::pipe().expect("make a pipe");
        let other = writer.try_clone().expect("copy a descriptor");
        command.env("NOTIFY_SOCKET", NOTIFY).stdin(Stdio::null());
        command.stdout(writer).stderr(other);
        let child = command
            .spawn()
            .unwrap_or_else(|err| panic!("{command:?}: {err}"));
        // Its ends of the pipe would stay open here.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let said = Arc::new(Mutex::new(String::new()));
        let saying = Arc::clone(&said);
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = reader.read(&mut bytes) {
                let text = String::from_utf8_lossy(&bytes[..length]);
                saying.lock().expect("a lock").push_str(&text);
            }
        });
        Self { child, said, told }
    }

    /// Waits until it tells the system that it is ready.
    pub(super) fn ready(mut self) -> Self {
        let mut message = [0; 4096];
        wait("it to be ready", || {
            let ended = self.child.try_wait().expect("look at a child");
            assert!(ended.is_none(), "it ended, {ended:?}: {}", self.said());
            let length = self.told.recv(&mut message).unwrap_or(0);
            let text = String::from_utf8_lossy(&message[..length]);
            text.lines().any(|line| line == "READY=1")
        });
        self
    }

    /// Waits until it listens on a port of this machine.
    pub(super) fn listening(mut self, port: u16) -> Self {
        wait("it to listen", || {
            let ended = self.child.try_wait().expect("look at a child");
            assert!(ended.is_none(), "it ended, {ended:?}: {}", self.said());
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        self
    }

    /// What it said until now.
    pub(super) fn said(&self) -> String {
        self.said.lock().expect("a lock").clone()
    }

    /// Sends it a signal.
    pub(super) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("signal a child");
    }

    /// Has it end in order.
    pub(super) fn stop(mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        self.child.wait().expect("wait for a child")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _gone = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let ended = wait_for(Duration::from_secs(20), || {
            self.child.try_wait().expect("look at a child")
        });
        if ended.is_none() {
            let _gone = self.child.kill();
            let _status = self.child.wait();
        }
        if thread::panicking() {
            println!("it said: {}", self.said());
        }
    }
}

/// A command that runs as a user of the scene, with nothing of this environment.
pub(super) fn command(user: &str, program: &str, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args).current_dir("/").env_clear();
    command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin");
    command.env("LANG", "C.UTF-8");
    if user != "root" {
        command.uid(scene::id(user)).gid(scene::id(user));
    }
    command
}

/// Runs a command that has to succeed, and returns what it prints.
pub(super) fn run(command: &mut Command) -> String {
    let output = output(command);
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs a command, and returns all that it prints, however it ends.
pub(super) fn says(command: &mut Command) -> String {
    let output = output(command);
    let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    format!("{out}{err}")
}

fn output(command: &mut Command) -> Output {
    command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|err| panic!("{command:?}: {err}"))
}

/// Waits until it is so.
pub(super) fn wait(what: &str, mut is_so: impl FnMut() -> bool) {
    let found = wait_for(PATIENCE, || is_so().then_some(()));
    assert!(found.is_some(), "waited in vain for {what}");
}

/// The text of a file; nothing if there is none.
pub(super) fn file(path: &str) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Says something to a port of this machine, and returns the answer up to its end, or to
/// where these words are in it.
pub(super) fn ask(port: u16, words: &[u8], until: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("connect");
    stream.set_read_timeout(Some(PATIENCE)).expect("set a time");
    stream.write_all(words).expect("ask");
    let mut answer = Vec::new();
    let mut bytes = [0; 8192];
    loop {
        let length = stream.read(&mut bytes).expect("an answer");
        answer.extend(&bytes[..length]);
        let text = String::from_utf8_lossy(&answer);
        if length == 0 || !until.is_empty() && text.contains(until) {
            return text.into_owned();
        }
    }
}
