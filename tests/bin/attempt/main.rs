//! Does one thing and exits with the errno that came of it, 0 for none.
//!
//! `attempt WHAT ARGS…`; exit status 125 if that makes no sense. One small
//! function does each thing:
//!
//! - [`open`] and [`legacy`]: opening files, by every way to them
//! - [`names`]: making, moving and removing names; [`attributes`]: what is known
//!   about an object; [`metadata`]: looking at that
//! - [`exec`] and [`memory`]: files and memory as code
//! - [`network`]: sockets of networks
//! - [`sockets`] and [`descriptors`]: what comes from other processes
//! - [`uring`]: the same by `io_uring`
//! - [`mounts`], [`processes`], [`privileges`] and [`ipc`]: what takes a privilege
//! - [`with`]: doing one of those as somebody else, or from elsewhere
//! - [`storms`]: many at once; [`contained`]: one after another; [`outsiders`]: what stays outside and helps
//! - [`raw`]: system calls without a safe function

mod attributes;
mod contained;
mod descriptors;
mod exec;
mod ipc;
#[cfg(target_arch = "x86_64")]
mod legacy;
mod memory;
mod metadata;
mod mounts;
mod names;
mod network;
mod open;
mod outsiders;
mod privileges;
mod processes;
mod raw;
mod sockets;
mod storms;
mod uring;
mod with;

use std::{env, ffi::OsString, io, path::Path, process::ExitCode, str::FromStr};

use rustix::io::Errno;

/// The arguments make no sense.
const SENSELESS: u8 = 125;

/// What became of it; `None` if a topic does not know the words.
type Attempt = Option<Result<(), Errno>>;

/// A topic's things to do.
type Topic = fn(&str, &[&Path]) -> Attempt;

const TOPICS: &[Topic] = &[
    open::attempt,
    #[cfg(target_arch = "x86_64")]
    legacy::attempt,
    names::attempt,
    attributes::attempt,
    metadata::attempt,
    exec::attempt,
    memory::attempt,
    sockets::attempt,
    network::attempt,
    descriptors::attempt,
    uring::attempt,
    mounts::attempt,
    processes::attempt,
    privileges::attempt,
    ipc::attempt,
    with::attempt,
    storms::attempt,
    contained::attempt,
    outsiders::attempt,
];

fn main() -> ExitCode {
    let args: Vec<OsString> = env::args_os().skip(1).collect();
    let args: Vec<&Path> = args.iter().map(Path::new).collect();
    ExitCode::from(status(&args))
}

/// Does what `words` say, and returns the exit status for it.
fn status(words: &[&Path]) -> u8 {
    match attempt(words) {
        None => SENSELESS,
        Some(Ok(())) => 0,
        Some(Err(errno)) => u8::try_from(errno.raw_os_error()).unwrap_or(SENSELESS),
    }
}

/// Does what `words` say.
fn attempt(words: &[&Path]) -> Attempt {
    let (what, args) = words.split_first()?;
    let what = what.to_str()?;
    TOPICS.iter().find_map(|topic| topic(what, args))
}

/// The errno in a failure.
fn failed(err: &io::Error) -> Errno {
    Errno::from_io_error(err).unwrap_or(Errno::INTR)
}

/// The number that an argument is.
fn number<T: FromStr>(argument: &Path) -> Result<T, Errno> {
    let text = argument.to_str().ok_or(Errno::INVAL)?;
    text.parse().map_err(|_no_number| Errno::INVAL)
}

/// The path in `/proc` of an open descriptor.
fn proc_path(fd: &impl std::os::fd::AsRawFd) -> String {
    format!("/proc/self/fd/{}", fd.as_raw_fd())
}
