//! Paths, sub-processes and messages.

use std::env;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How long a step may take before it is announced.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often a long step says that it is still going on.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// Returns the root of the workspace.
pub(crate) fn workspace_root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// Returns the folder for everything that can be made again.
pub(crate) fn target_dir() -> PathBuf {
    let dir = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    workspace_root().join(dir)
}

/// Tells whether a continuous integration service runs us.
pub(crate) fn in_ci() -> bool {
    env::var_os("CI").is_some_and(|ci| ci == "true")
}

/// Prints one line for the user on stderr; stdout is for data.
pub(crate) fn say(line: impl Display) {
    // A closed stderr must not fail the work, and there is no other way to
    // tell about it.
    drop(writeln!(io::stderr(), "xtask: {line}"));
}

/// Runs `work`, and says that `step` is going on if it takes long.
///
/// Quick work stays silent, so that output which is passed through is not
/// mixed with ours.
pub(crate) fn step<T>(step: &str, work: impl FnOnce() -> T) -> T {
    thread::scope(|scope| {
        let start = Instant::now();
        let (done, wait) = mpsc::channel::<()>();
        scope.spawn(move || {
            let mut next = PATIENCE;
            let mut announced = false;
            while wait.recv_timeout(next) == Err(RecvTimeoutError::Timeout) {
                if announced {
                    say(format_args!("{step}: {} s", start.elapsed().as_secs()));
                } else {
                    say(format_args!("{step}"));
                }
                announced = true;
                next = HEARTBEAT;
            }
            if announced {
                let seconds = start.elapsed().as_secs_f32();
                say(format_args!("{step}: done in {seconds:.1} s"));
            }
        });
        let result = work();
        drop(done);
        result
    })
}

/// Runs `work` and returns its result and how long it took.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}

/// Runs `command` with our own input and output.
///
/// # Errors
///
/// If it cannot be started or does not succeed.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot run {}", show(command)))?;
    if !status.success() {
        bail!("{} failed: {status}", show(command));
    }
    Ok(())
}

/// Runs `command` and returns what it wrote to stdout.
///
/// # Errors
///
/// If it cannot be started or does not succeed; the error then has what the
/// command wrote to stderr, unless that was handed on.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let Output {
        status,
        stdout,
        stderr,
    } = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {}", show(command)))?;
    if !status.success() {
        let words = String::from_utf8_lossy(&stderr);
        let failure = format!("{} failed: {status}\n{words}", show(command));
        bail!("{}", failure.trim_end());
    }
    String::from_utf8(stdout).with_context(|| format!("output of {} is not UTF-8", show(command)))
}

/// Runs `from`, feeds its output to `into`, and waits for both.
///
/// # Errors
///
/// If one cannot be started or does not succeed.
pub(crate) fn pipe(from: &mut Command, into: &mut Command) -> Result<()> {
    let mut source = from
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {}", show(from)))?;
    let output = source.stdout.take().context("no pipe")?;
    run(into.stdin(output))?;
    let status = source.wait()?;
    if !status.success() {
        bail!("{} failed: {status}", show(from));
    }
    Ok(())
}

/// Returns `command` as one would type it, for messages.
fn show(command: &Command) -> String {
    let mut words = command.get_program().to_string_lossy().into_owned();
    for arg in command.get_args() {
        words.push(' ');
        words.push_str(&arg.to_string_lossy());
    }
    words
}
