//! Reaching into other processes.

use std::{ffi::c_long, path::Path};

use rustix::{
    io::Errno,
    process::{Pid, PidfdFlags, Resource, Rlimit, Signal},
};

use crate::{
    Attempt, number,
    raw::{self, Arg},
};

/// From `include/uapi/linux/ptrace.h`.
const PTRACE_SEIZE: i32 = 0x4206;
/// From `include/uapi/linux/kcmp.h`.
const KCMP_VM: i32 = 1;
/// From `include/uapi/linux/ioprio.h`: best effort, the last of it.
const LOWEST: i32 = (2 << 13) | 7;
const IOPRIO_WHO_PROCESS: i32 = 1;

pub(crate) fn attempt(what: &str, args: &[&Path]) -> Attempt {
    let (process, rest) = args.split_first()?;
    let process: i32 = number(process).ok()?;
    let pid = Pid::from_raw(process)?;
    Some(match (what, rest) {
        ("trace", []) => trace(libc::PTRACE_ATTACH.cast_signed(), process),
        ("seize", []) => trace(PTRACE_SEIZE, process),
        ("read-memory", [at]) => memory(libc::SYS_process_vm_readv, process, at),
        ("write-memory", [at]) => memory(libc::SYS_process_vm_writev, process, at),
        ("compare", []) => compare(process),
        ("robust-list", []) => robust_list(process),
        ("advise", [at]) => advise(pid, at),
        ("enter-by-process", []) => enter(pid),
        ("move-memory", []) => move_memory(process),
        ("signal", []) => rustix::process::kill_process(pid, Signal::TERM),
        ("signal-check", []) => rustix::process::test_kill_process(pid),
        ("signal-thread", []) => raw::call(
            libc::SYS_tgkill,
            [process.into(), process.into(), libc::SIGTERM.into()],
        )
        .map(drop),
        ("signal-queued", []) => queue(process),
        ("signal-by-descriptor", []) => descriptor(pid)
            .and_then(|process| rustix::process::pidfd_send_signal(process, Signal::TERM)),
        ("priority", []) => rustix::process::setpriority_process(Some(pid), 5),
        ("io-priority", []) => raw::call(
            libc::SYS_ioprio_set,
            [IOPRIO_WHO_PROCESS.into(), process.into(), LOWEST.into()],
        )
        .map(drop),
        ("scheduler", []) => scheduler(process, libc::SCHED_BATCH, 0),
        ("affinity", []) => affinity(process),
        ("limits", []) => {
            let limit = Rlimit {
                current: Some(64),
                maximum: Some(64),
            };
            rustix::process::prlimit(Some(pid), Resource::Nofile, limit).map(drop)
        }
        _ => return None,
    })
}

fn descriptor(pid: Pid) -> Result<std::os::fd::OwnedFd, Errno> {
    rustix::process::pidfd_open(pid, PidfdFlags::empty())
}

/// It ends with this process, or with a detach.
fn trace(how: i32, process: i32) -> Result<(), Errno> {
    let args = [how.into(), process.into(), 0.into(), 0.into()];
    raw::call(libc::SYS_ptrace, args).map(drop)
}

/// Copies a few bytes to or from another process.
fn memory(number_of_call: c_long, process: i32, at: &Path) -> Result<(), Errno> {
    let mut bytes = *b"changed!";
    let here = raw::address(bytes.as_mut_ptr().cast_const()).cast_unsigned();
    let local = raw::fields(&[here, 8]);
    let remote = raw::fields(&[number(at)?, 8]);
    let args = [
        process.into(),
        local.as_slice().into(),
        1.into(),
        remote.as_slice().into(),
        1.into(),
        0.into(),
    ];
    raw::call(number_of_call, args).map(drop)
}

fn compare(process: i32) -> Result<(), Errno> {
    let own = rustix::process::getpid().as_raw_nonzero().get();
    let args = [
        own.into(),
        process.into(),
        KCMP_VM.into(),
        0.into(),
        0.into(),
    ];
    raw::call(libc::SYS_kcmp, args).map(drop)
}

fn robust_list(process: i32) -> Result<(), Errno> {
    let (mut head, mut length) = ([0_u8; 8], [0_u8; 8]);
    let args = [
        process.into(),
        head.as_mut_slice().into(),
        length.as_mut_slice().into(),
    ];
    raw::call(libc::SYS_get_robust_list, args).map(drop)
}

fn advise(pid: Pid, at: &Path) -> Result<(), Errno> {
    let process = descriptor(pid)?;
    let at: u64 = number(at)?;
    let range = raw::fields(&[at & !4095, 4096]);
    let args = [
        (&process).into(),
        range.as_slice().into(),
        1.into(),
        libc::MADV_COLD.into(),
        0.into(),
    ];
    raw::call(libc::SYS_process_madvise, args).map(drop)
}

/// Enters another process' namespaces by its descriptor.
fn enter(pid: Pid) -> Result<(), Errno> {
    let process = descriptor(pid)?;
    let args = [(&process).into(), libc::CLONE_NEWUTS.into()];
    raw::call(libc::SYS_setns, args).map(drop)
}

/// Asks where no page at all of another process is.
fn move_memory(process: i32) -> Result<(), Errno> {
    let args = [
        process.into(),
        0.into(),
        Arg::Null,
        Arg::Null,
        Arg::Null,
        0.into(),
    ];
    raw::call(libc::SYS_move_pages, args).map(drop)
}

/// A signal that says that it comes from a queue.
fn queue(process: i32) -> Result<(), Errno> {
    let mut info = [0_u8; 128];
    info[..4].copy_from_slice(&libc::SIGTERM.to_ne_bytes());
    info[8..12].copy_from_slice(&libc::SI_QUEUE.to_ne_bytes());
    let args = [process.into(), libc::SIGTERM.into(), info.as_slice().into()];
    raw::call(libc::SYS_rt_sigqueueinfo, args).map(drop)
}

/// Changes how a process is scheduled; 0 is this one.
pub(crate) fn scheduler(process: i32, policy: i32, priority: i32) -> Result<(), Errno> {
    let parameter = priority.to_ne_bytes();
    let args = [process.into(), policy.into(), parameter.as_slice().into()];
    raw::call(libc::SYS_sched_setscheduler, args).map(drop)
}

fn affinity(process: i32) -> Result<(), Errno> {
    let first = raw::fields(&[1]);
    let args = [process.into(), 8.into(), first.as_slice().into()];
    raw::call(libc::SYS_sched_setaffinity, args).map(drop)
}
