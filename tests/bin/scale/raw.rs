//! System calls for which nobody has a safe function: the only unsafe code of this
//! program.

#![expect(unsafe_code, reason = "a fork, and the clock of another process")]

use std::io;

use rustix::process::{Pid, WaitOptions, waitpid};

/// Starts a child that ends at once, and waits for its end.
pub(crate) fn fork_and_wait() {
    // SAFETY: this process has one thread, and the child does nothing but end.
    let child = match unsafe { libc::fork() } {
        // SAFETY: ends the child, and nothing of it is needed any more.
        0 => unsafe { libc::_exit(0) },
        child => Pid::from_raw(child).filter(|_pid| child > 0),
    };
    let child = child.unwrap_or_else(|| panic!("fork: {}", io::Error::last_os_error()));
    waitpid(Some(child), WaitOptions::empty()).expect("wait");
}

/// The time for which a process ran, with all the threads that it has or had, in
/// nanoseconds.
pub(crate) fn ran_ns(process: u32) -> u64 {
    let mut clock = 0;
    let process = libc::pid_t::try_from(process).expect("a process id");
    // SAFETY: it writes one number, which is there.
    let found = unsafe { libc::clock_getcpuclockid(process, &raw mut clock) };
    assert_eq!(found, 0, "the clock of process {process}");
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: as above.
    let read = unsafe { libc::clock_gettime(clock, &raw mut time) };
    assert_eq!(read, 0, "clock_gettime: {}", io::Error::last_os_error());
    let parts = [time.tv_sec, time.tv_nsec].map(|part| u64::try_from(part).expect("no past"));
    parts[0] * 1_000_000_000 + parts[1]
}
