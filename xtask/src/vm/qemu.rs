//! The machine that a guest runs on.

use std::fs::{self, File};
use std::io::{self, PipeReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::util;

/// How often to look whether the guest has ended.
const POLL: Duration = Duration::from_millis(10);

/// How long a machine may take until it begins the command. Most take some seconds, those with
/// a large root a minute.
const BOOTED_WITHIN: Duration = Duration::from_mins(5);
/// How often it is started at most. Under emulation, 6.12 was once seen to wait for ever in its
/// driver of serial ports (`univ8250_setup_irq`), before anything of ours ran.
const BOOTS: u32 = 3;

/// What the guest's init says when it starts the command.
const STARTED: &str = "started";

/// What to do with what the command writes to stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// Hand it on as it comes.
    Pass,
    /// Hand it on and keep it.
    Keep,
    /// Keep it.
    Take,
}

/// A machine to be started.
#[derive(Debug)]
pub(crate) struct Machine<'a> {
    /// The kernel.
    pub(crate) kernel: &'a Path,
    /// Its root.
    pub(crate) initrd: &'a Path,
    /// Its command line.
    pub(crate) append: &'a str,
    /// Whether guest time counts instructions.
    pub(crate) icount: bool,
    /// Number of processors.
    pub(crate) processors: u32,
    /// Memory in MiB.
    pub(crate) memory: u64,
    /// When to give up.
    pub(crate) timeout: Duration,
    /// What to do with the command's stdout; stderr is handed on.
    pub(crate) output: Output,
    /// What every line that is handed on begins with.
    pub(crate) label: &'a str,
    /// Folder for the console's log.
    pub(crate) dir: &'a Path,
}

/// How a machine ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Whether the command was started.
    pub(crate) started: bool,
    /// The command's exit status, if it came to one.
    pub(crate) status: Option<u8>,
    /// Whether the time was up.
    pub(crate) timed_out: bool,
    /// Whether it did not come up: the command was not begun.
    stuck: bool,
    /// What the command wrote to stdout, if kept.
    pub(crate) stdout: Vec<u8>,
}

impl Machine<'_> {
    /// Runs the machine until it ends. One that does not come up is started again.
    ///
    /// # Errors
    ///
    /// If QEMU cannot be started. A guest that crashes is not an error here.
    pub(crate) fn run(&self) -> Result<Ended> {
        for _ in 1..BOOTS {
            let ended = self.run_once()?;
            if !ended.stuck {
                return Ok(ended);
            }
            util::say(format_args!(
                "{}: the machine did not come up in {} s; it is started again",
                self.label,
                BOOTED_WITHIN.as_secs()
            ));
        }
        self.run_once()
    }

    fn run_once(&self) -> Result<Ended> {
        let (out, out_end) = io::pipe().context("cannot make a pipe")?;
        let (err, err_end) = io::pipe().context("cannot make a pipe")?;
        let log = File::create(self.dir.join("qemu.log"))?;
        let mut command = self.command();
        // QEMU reads nothing from its stdin: it writes the command's stderr
        // there, since only the three standard streams can be handed down.
        command
            .stdin(Stdio::from(err_end))
            .stdout(Stdio::from(out_end))
            .stderr(log);
        let mut qemu = Guard(command.spawn().context("cannot start QEMU")?);
        // Holds the writing ends, which would keep us waiting for their end.
        drop(command);

        let stdout = collect(out, self.output, self.label, io::stdout());
        let stderr = collect(err, Output::Pass, self.label, io::stderr());
        let start = Instant::now();
        let mut timed_out = false;
        let mut stuck = false;
        let mut booted = false;
        while qemu.0.try_wait()?.is_none() {
            timed_out = start.elapsed() > self.timeout;
            booted = booted || !self.told().is_empty();
            stuck = !booted && start.elapsed() > BOOTED_WITHIN;
            if timed_out || stuck {
                break;
            }
            thread::sleep(POLL);
        }
        drop(qemu);
        let stdout = stdout.join().unwrap_or_default();
        drop(stderr.join());
        let told = self.told();
        let mut told = told.lines();
        Ok(Ended {
            started: told.next() == Some(STARTED),
            status: told
                .next()
                .and_then(|status| status.trim_end().parse().ok()),
            timed_out,
            stuck,
            stdout,
        })
    }

    /// What the guest told of itself.
    fn told(&self) -> String {
        fs::read_to_string(self.status()).unwrap_or_default()
    }

    /// Where the guest's console is logged.
    pub(crate) fn console(&self) -> PathBuf {
        self.dir.join("console.log")
    }

    /// Where QEMU's own messages are.
    pub(crate) fn messages(&self) -> PathBuf {
        self.dir.join("qemu.log")
    }

    fn status(&self) -> PathBuf {
        self.dir.join("status")
    }

    fn command(&self) -> Command {
        // So that QEMU does not outlive us, however we end.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--", "qemu-system-x86_64"]);
        command.args([
            "-nodefaults",
            "-no-user-config",
            "-no-reboot",
            "-display",
            "none",
        ]);
        command.args(["-machine", "q35"]);
        if self.icount {
            command.args(["-accel", "tcg", "-icount", "shift=0,sleep=off"]);
            // Their length of string instructions is not in the count.
            command.args(["-cpu", "max,-erms,-fsrm"]);
        } else if std::env::var_os("ENFORCER_VM_ACCEL").is_some_and(|accel| accel == "kvm") {
            command.args(["-accel", "kvm", "-cpu", "host"]);
        } else {
            // Emulation is the default even where there is /dev/kvm: it works
            // everywhere, and on some hosts KVM does not boot these kernels.
            command.args(["-accel", "tcg,thread=multi", "-cpu", "max"]);
        }
        command.arg("-smp").arg(self.processors.to_string());
        command.arg("-m").arg(format!("{}M", self.memory));
        command.arg("-kernel").arg(self.kernel);
        command.arg("-initrd").arg(self.initrd);
        command.arg("-append").arg(self.append);
        let (console, status) = (self.console(), self.status());
        let ports = [
            ("console", console.as_path()),
            ("stdout", Path::new("/proc/self/fd/1")),
            ("stderr", Path::new("/proc/self/fd/0")),
            ("status", status.as_path()),
        ];
        for (name, path) in ports {
            // QEMU's own escape for commas in values.
            let path = path.display().to_string().replace(',', ",,");
            command
                .arg("-chardev")
                .arg(format!("file,id={name},path={path}"));
            command.arg("-serial").arg(format!("chardev:{name}"));
        }
        command
    }
}

/// A child that is killed when we stop caring.
#[derive(Debug)]
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        // Both fail only where the child has ended already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Reads a stream of the guest's to its end, in the background.
fn collect(
    mut from: PipeReader,
    output: Output,
    label: &str,
    into: impl Write + Send + 'static,
) -> JoinHandle<Vec<u8>> {
    let mut into = Labelled::new(label, into);
    thread::spawn(move || {
        let mut kept = Vec::new();
        let mut buffer = vec![0; 1 << 16];
        loop {
            let data = match from.read(&mut buffer) {
                Ok(0) | Err(_) => break,
                Ok(len) => buffer.get(..len).unwrap_or_default(),
            };
            if output != Output::Pass {
                kept.extend_from_slice(data);
            }
            if output != Output::Take {
                into.write(data);
            }
        }
        into.end();
        kept
    })
}

/// Writes lines with a label, each as a whole; without a label, all as it comes.
struct Labelled<W> {
    label: String,
    line: Vec<u8>,
    into: W,
}

impl<W: Write> Labelled<W> {
    fn new(label: &str, into: W) -> Self {
        Self {
            label: label.to_owned(),
            line: Vec::new(),
            into,
        }
    }

    fn write(&mut self, data: &[u8]) {
        if self.label.is_empty() {
            hand_on(&mut self.into, data);
            return;
        }
        for piece in data.split_inclusive(|&byte| byte == b'\n') {
            if self.line.is_empty() {
                self.line.extend(format!("{}: ", self.label).as_bytes());
            }
            self.line.extend(piece);
            if piece.ends_with(b"\n") {
                hand_on(&mut self.into, &self.line);
                self.line.clear();
            }
        }
    }

    /// Writes what has no end of line.
    fn end(&mut self) {
        if !self.line.is_empty() {
            self.write(b"\n");
        }
    }
}

/// Writes at once. Where nobody listens any more, the guest may go on.
fn hand_on(into: &mut impl Write, data: &[u8]) {
    drop(into.write_all(data).and_then(|()| into.flush()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_labelled_as_a_whole() {
        let labelled = |label: &str| {
            let mut lines = Labelled::new(label, Vec::new());
            for data in ["a", "b\nc\n\n", "d"] {
                lines.write(data.as_bytes());
            }
            lines.end();
            String::from_utf8(lines.into).unwrap()
        };
        assert_eq!(labelled("6.1"), "6.1: ab\n6.1: c\n6.1: \n6.1: d\n");
        assert_eq!(labelled(""), "ab\nc\n\nd");
    }
}
