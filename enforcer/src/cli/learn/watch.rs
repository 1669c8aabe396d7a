//! The program that is watched, and when watching ends.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use rustix::{
    io::Errno,
    process::{Pid, Signal, WaitOptions, getpid, kill_process, set_child_subreaper, wait},
};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::{MissedTickBehavior, interval},
};

use super::{Socket, client, output, progress::Progress, subject::Subject};
use crate::{
    agent::processes::procfs::Procfs,
    detection::DetectionId,
    protocol::{ProfileChoice, Request, views::Adopted},
};

/// Where the kernel tells of processes.
const PROC: &str = "/proc";
/// How often it is looked whether there is something to tell.
const TICK: Duration = Duration::from_secs(1);
/// How long a command has to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(15);
/// The bit of SIGHUP in a set of signals.
const SIGHUP: u64 = 1;
/// Most rounds in which the descendants of a process are looked for.
const ROUNDS: usize = 32;

/// The agent's side of watching.
pub(super) struct Session<'a> {
    pub(super) socket: &'a Socket,
    /// The connection that it lasts as long as.
    pub(super) connection: &'a mut client::Call,
    /// The profile under which is watched.
    pub(super) learning: &'a str,
    /// The last detection from before.
    pub(super) last: DetectionId,
}

/// Watches until the program ends, the time is over, somebody has seen enough or the agent
/// is gone.
///
/// # Errors
///
/// If it cannot be started or put under the profile.
pub(super) fn run(
    session: Session<'_>,
    subject: &Subject,
    time: Option<Duration>,
) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot wait for signals")?;
    runtime.block_on(watch(session, subject, time))
}

async fn watch(
    session: Session<'_>,
    subject: &Subject,
    time: Option<Duration>,
) -> anyhow::Result<()> {
    let Session {
        socket,
        connection,
        learning,
        last,
    } = session;
    let handler = |kind| signal(kind).context("cannot wait for signals");
    let mut interrupt = handler(SignalKind::interrupt())?;
    let mut terminate = handler(SignalKind::terminate())?;
    let mut hangup = if outlives_terminal() {
        None
    } else {
        Some(handler(SignalKind::hangup())?)
    };
    let mut child = handler(SignalKind::child())?;
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);

    let mut watched = begin(socket, learning, subject)?;
    let mut progress = Progress::new(learning);
    let mut end = time.and_then(|time| Instant::now().checked_add(time));
    let mut is_ending = false;
    loop {
        let mut enough = false;
        tokio::select! {
            _ = tick.tick() => {
                if progress.is_due() {
                    // What is not told now is told at the end.
                    let detections = client::detections(&socket.socket, last, Some(learning));
                    if let Ok(detections) = detections {
                        progress.show(&detections);
                    }
                }
            }
            _ = child.recv() => {}
            _ = interrupt.recv() => enough = true,
            _ = terminate.recv() => enough = true,
            // The kernel and the shell may each tell that a terminal is gone.
            Some(()) = hung_up(&mut hangup), if !is_ending => enough = true,
        }
        if watched.is_over()? {
            break;
        }
        // It says nothing unasked, unless it is gone.
        enough |= !is_ending && connection.is_answered();
        enough |= end.is_some_and(|end| Instant::now() >= end);
        if !enough {
            continue;
        }
        if is_ending || !watched.stop() {
            break;
        }
        is_ending = true;
        end = Instant::now().checked_add(GRACE);
    }
    progress.end();
    if let Watched::Command(_) = watched
        && is_ending
        && !watched.is_over()?
    {
        output::complain("enforcer: the command runs on, and is let do everything");
    }
    Ok(())
}

/// Whether who started this lets it go on without a terminal, as `nohup` does.
fn outlives_terminal() -> bool {
    let ignored = procfs().ignored_signals(std::process::id());
    ignored.is_some_and(|signals| signals & SIGHUP != 0)
}

/// Waits for that signal, if it is not ignored.
async fn hung_up(hangup: &mut Option<tokio::signal::unix::Signal>) -> Option<()> {
    hangup.as_mut()?.recv().await
}

/// What is watched.
enum Watched {
    /// All that descends from a command.
    Command(Pid),
    /// Processes, by their ids and when they started.
    Processes(Vec<(u32, u64)>),
    /// What may be started at any time.
    Others,
}

impl Watched {
    /// Whether nothing is left of it.
    fn is_over(&mut self) -> anyhow::Result<bool> {
        match self {
            Self::Command(_) => loop {
                match wait(WaitOptions::NOHANG) {
                    Ok(Some(_)) | Err(Errno::INTR) => {}
                    Ok(None) => return Ok(false),
                    Err(Errno::CHILD) => return Ok(true),
                    Err(error) => return Err(error).context("cannot wait for the command"),
                }
            },
            Self::Processes(processes) => {
                processes.retain(|&(pid, start)| started(pid) == Some(start));
                Ok(processes.is_empty())
            }
            Self::Others => Ok(false),
        }
    }

    /// Has what was started for this end. Returns whether there is something to wait for.
    fn stop(&self) -> bool {
        let Self::Command(first) = self else {
            return false;
        };
        let mut any = false;
        // Who lost its parent is ours, too.
        for child in children().into_iter().chain([*first]) {
            any |= kill_process(child, Signal::TERM).is_ok();
        }
        any
    }
}

/// Starts a command under the profile, or puts there what runs.
fn begin(socket: &Socket, learning: &str, subject: &Subject) -> anyhow::Result<Watched> {
    match subject {
        Subject::Command(words) => {
            // A daemon that leaves its parent is ours then, and so is watched as long.
            set_child_subreaper(Some(getpid())).context("cannot keep what the command starts")?;
            let this = std::env::current_exe().context("cannot find this program")?;
            let child = Command::new(this)
                .args(["exec", "--profile", learning, "--socket"])
                .arg(&socket.socket)
                .arg("--")
                .args(words)
                .spawn()
                .context("cannot start the command")?;
            Ok(Watched::Command(Pid::from_child(&child)))
        }
        Subject::Processes(pids) => adopt(socket, learning, pids).map(Watched::Processes),
        Subject::Unit(_) | Subject::Program(_) => Ok(Watched::Others),
    }
}

/// Puts processes under the profile with all that descends from them, and returns them.
fn adopt(socket: &Socket, learning: &str, pids: &[u32]) -> anyhow::Result<Vec<(u32, u64)>> {
    let mut adopted: BTreeSet<(u32, u64)> = BTreeSet::new();
    for round in 0..ROUNDS {
        let known: BTreeSet<u32> = adopted.iter().map(|&(pid, _)| pid).collect();
        let mut wanted: Vec<u32> = if round == 0 {
            pids.to_vec()
        } else {
            descendants(&known)
        };
        wanted.retain(|pid| !known.contains(pid));
        if wanted.is_empty() {
            break;
        }
        for pid in wanted {
            let profile = ProfileChoice::Loaded {
                name: learning.to_owned(),
            };
            let request = Request::Adopt {
                profile,
                mode: None,
                pid,
            };
            let start = started(pid);
            let answer: Result<Adopted, _> = client::call(&socket.socket, &request);
            match (answer, start) {
                (Ok(_), Some(start)) => drop(adopted.insert((pid, start))),
                // A descendant that ended meanwhile is none.
                (Err(error), Some(_)) if round == 0 => return Err(error.into()),
                (Err(error), _) if started(pid).is_some() => return Err(error.into()),
                _ if round == 0 => bail!("there is no process {pid}"),
                _ => {}
            }
        }
    }
    Ok(adopted.into_iter().collect())
}

/// When a process was started, in ticks since the machine was; `None`, if there is none, or
/// it has ended and nobody has asked how: it runs no program then.
fn started(pid: u32) -> Option<u64> {
    let procfs = procfs();
    let stat = procfs.stat(pid)?;
    procfs.exe(pid).map(|_exe| stat.start)
}

/// What this machine tells of its processes.
pub(super) fn procfs() -> Procfs {
    Procfs::at(Path::new(PROC))
}

/// All processes, from /proc.
fn processes() -> Vec<u32> {
    let entries = fs::read_dir(PROC).into_iter().flatten();
    let pid = |entry: Result<fs::DirEntry, _>| entry.ok()?.file_name().to_str()?.parse().ok();
    entries.filter_map(pid).collect()
}

/// Those that descend from others.
fn descendants(of: &BTreeSet<u32>) -> Vec<u32> {
    let procfs = procfs();
    let of = |pid: &u32| {
        let stat = procfs.stat(*pid);
        stat.is_some_and(|stat| of.contains(&stat.parent))
    };
    processes().into_iter().filter(of).collect()
}

/// The children of this process.
fn children() -> Vec<Pid> {
    let this = BTreeSet::from([std::process::id()]);
    let pid = |pid: u32| Pid::from_raw(i32::try_from(pid).ok()?);
    descendants(&this).into_iter().filter_map(pid).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{descendants, started};

    #[test]
    fn descendants_are_found() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let all = descendants(&BTreeSet::from([std::process::id()]));
        let lives = started(child.id()).is_some();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(all.contains(&child.id()) && lives);
        assert_eq!(started(child.id()), None);
    }
}
