//! Reaching into processes outside of the domain.

use super::{
    case::{Case, EACCES, Make},
    topic::Topic,
};

pub(super) const TOPIC: Topic = Topic {
    name: "processes",
    metadata: false,
    rules: &[("/proc/[0-9]*/**", "read, write")],
    cases: CASES,
};

/// Looks into another process, or steers it.
const TRACE: Case = Case {
    setup: &[Make::File("file"), Make::Outsider("file")],
    privilege: Some("ptrace"),
    ..Case::PRIVILEGE
};

/// Where the kernel makes an errno of its own of it.
const BY_PROC: Case = Case {
    denied: EACCES,
    ..TRACE
};

/// What newer kernels take as well for looking into another process.
const PEEK: &[&str] = &["perfmon", "sys_admin"];

/// Ends another process.
const SIGNAL: Case = Case {
    privilege: Some("signal"),
    changes: true,
    ..TRACE
};

#[rustfmt::skip]
const CASES: &[Case] = &[
    Case { name: "ptrace", attempt: &["trace", "{pid}"], ..TRACE },
    Case { name: "ptrace by a seizure", attempt: &["seize", "{pid}"], ..TRACE },
    Case { name: "process_vm_readv", attempt: &["read-memory", "{pid}", "{address}"], ..TRACE },
    Case { name: "process_vm_writev", attempt: &["write-memory", "{pid}", "{address}"], ..TRACE },
    Case { name: "process_madvise", attempt: &["advise", "{pid}", "{address}"], privileges: &["sys_nice"], besides: PEEK, ..BY_PROC },
    Case { name: "pidfd_getfd", attempt: &["take", "{pid}", "{fd}"], needs: &[("file", "read")], ..TRACE },
    Case { name: "kcmp", attempt: &["compare", "{pid}"], ..TRACE },
    Case { name: "get_robust_list", attempt: &["robust-list", "{pid}"], ..TRACE },
    Case { name: "setns by a process", attempt: &["enter-by-process", "{pid}"], privileges: &["sys_admin"], ..TRACE },
    Case { name: "move_pages", attempt: &["move-memory", "{pid}"], privileges: &["signal"], ..TRACE },
    Case { name: "memory in proc", attempt: &["read", "/proc/{pid}/mem"], ..BY_PROC },
    Case { name: "memory in proc, to write", attempt: &["write", "/proc/{pid}/mem"], ..BY_PROC },
    Case { name: "environment in proc", attempt: &["read", "/proc/{pid}/environ"], besides: PEEK, ..BY_PROC },
    Case { name: "memory map in proc", attempt: &["read", "/proc/{pid}/maps"], besides: PEEK, ..BY_PROC },
    Case { name: "root in proc", attempt: &["read", "/proc/{pid}/root{dir}/file"], needs: &[("file", "read")], ..BY_PROC },
    Case { name: "folder in proc", attempt: &["read", "/proc/{pid}/cwd/file"], needs: &[("file", "read")], ..BY_PROC },
    Case { name: "descriptor in proc", attempt: &["read", "/proc/{pid}/fd/{fd}"], needs: &[("file", "read")], ..BY_PROC },
    Case { name: "executable in proc", attempt: &["readlink", "/proc/{pid}/exe"], ..BY_PROC },
    Case { name: "namespace in proc", attempt: &["readlink", "/proc/{pid}/ns/uts"], ..BY_PROC },
    Case { name: "kill", attempt: &["signal", "{pid}"], ..SIGNAL },
    Case { name: "kill to see whether it is there", attempt: &["signal-check", "{pid}"], changes: false, ..SIGNAL },
    Case { name: "tgkill", attempt: &["signal-thread", "{pid}"], ..SIGNAL },
    Case { name: "rt_sigqueueinfo", attempt: &["signal-queued", "{pid}"], ..SIGNAL },
    Case { name: "pidfd_send_signal", attempt: &["signal-by-descriptor", "{pid}"], ..SIGNAL },
    Case { name: "setpriority", attempt: &["priority", "{pid}"], ..SIGNAL },
    Case { name: "ioprio_set", attempt: &["io-priority", "{pid}"], changes: false, ..SIGNAL },
    // Older kernels ask for the capability before they know whether it takes one.
    Case { name: "sched_setscheduler", attempt: &["scheduler", "{pid}"], privileges: &["sys_nice"], besides: &["sys_nice"], ..SIGNAL },
    Case { name: "sched_setaffinity", attempt: &["affinity", "{pid}"], ..SIGNAL },
    Case { name: "prlimit", attempt: &["limits", "{pid}"], ..SIGNAL },
    Case { name: "move_pages of what may be looked into", attempt: &["move-memory", "{pid}"], privileges: &["ptrace"], changes: false, ..SIGNAL },
];
