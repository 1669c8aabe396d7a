//! System calls for which nobody has a safe function: the only unsafe code of this
//! program.

#![expect(
    unsafe_code,
    reason = "processes and mappings are made as the kernel makes them"
)]

use std::{
    ffi::{CString, c_char, c_int, c_void},
    fs::File,
    io,
    os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd},
    ptr,
};

use rustix::process::Pid;

/// Maps the first page of a file as code, and unmaps it.
pub(crate) fn map_code(file: &File) {
    const LENGTH: usize = 4096;
    let protection = libc::PROT_READ | libc::PROT_EXEC;
    let (flags, fd) = (libc::MAP_PRIVATE, file.as_raw_fd());
    // SAFETY: without a fixed address, nothing that is mapped is replaced.
    let memory = unsafe { libc::mmap(ptr::null_mut(), LENGTH, protection, flags, fd, 0) };
    assert_ne!(
        memory,
        libc::MAP_FAILED,
        "mmap: {}",
        io::Error::last_os_error()
    );
    // SAFETY: it was just mapped, and nobody knows of it.
    let unmapped = unsafe { libc::munmap(memory, LENGTH) };
    assert_eq!(unmapped, 0, "munmap: {}", io::Error::last_os_error());
}

/// Starts a child that ends at once.
pub(crate) fn fork_and_exit() -> io::Result<Pid> {
    // SAFETY: this process has one thread, and the child does nothing but end.
    match unsafe { libc::fork() } {
        // SAFETY: ends the child, and nothing of it is needed any more.
        0 => unsafe { libc::_exit(0) },
        pid => pid_of(pid),
    }
}

fn pid_of(returned: c_int) -> io::Result<Pid> {
    let pid = Pid::from_raw(returned).filter(|_pid| returned > 0);
    pid.ok_or_else(io::Error::last_os_error)
}

/// Starts a program as `vfork` and `execve` do.
pub(crate) struct Starter {
    path: CString,
    stack: Vec<u128>,
}

impl Starter {
    /// For the program at `path`, which gets no arguments.
    pub(crate) fn new(path: &str) -> Self {
        Self {
            path: CString::new(path).expect("a path without NUL"),
            stack: vec![0; 1024],
        }
    }

    /// Starts it; returns when the child has executed it or ended.
    pub(crate) fn start(&mut self) -> io::Result<Pid> {
        let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
        let top = self.stack.as_mut_ptr_range().end.cast();
        let path = self.path.as_ptr().cast_mut().cast();
        // SAFETY: the child has a stack of its own, of which `top` is the aligned end,
        // and its path is borrowed until it no longer shares this memory: the kernel
        // keeps the parent until then.
        let pid = unsafe { libc::clone(execute, top, flags, path) };
        pid_of(pid)
    }
}

/// The child's part.
extern "C" fn execute(path: *mut c_void) -> c_int {
    let path: *const c_char = path.cast_const().cast();
    let arguments = [path, ptr::null()];
    // SAFETY: `path` is the text that `start` handed down, and both lists end with
    // null; the second is the end of the first.
    unsafe { libc::execve(path, arguments.as_ptr(), arguments[1..].as_ptr()) };
    127
}

/// What a rule of Landlock is about.
pub(crate) enum LandlockRule {
    /// All beneath an open folder.
    Beneath(RawFd),
    /// A port of TCP.
    Port(u64),
}

/// Makes a rule set that handles these rights: on paths, on the network, of the domain.
pub(crate) fn landlock_ruleset(handled: [u64; 3]) -> io::Result<OwnedFd> {
    let (attributes, length) = (handled.as_ptr(), size_of_val(&handled));
    // SAFETY: `struct landlock_ruleset_attr` is three words of 64 bits, of which an
    // older kernel wants those that it does not know to be 0.
    let fd = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, attributes, length, 0) };
    let fd = RawFd::try_from(fd).ok().filter(|fd| *fd >= 0);
    let fd = fd.ok_or_else(io::Error::last_os_error)?;
    // SAFETY: the kernel has just made it, and nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Adds a rule to a rule set.
pub(crate) fn landlock_add(set: &OwnedFd, rule: &LandlockRule, allowed: u64) -> io::Result<()> {
    // `struct landlock_path_beneath_attr`, which is packed, is the shorter one.
    let (kind, second) = match rule {
        LandlockRule::Beneath(folder) => (1, u64::from(folder.cast_unsigned())),
        LandlockRule::Port(port) => (2, *port),
    };
    let attributes = [allowed, second];
    let (set, attributes) = (set.as_raw_fd(), attributes.as_ptr());
    // SAFETY: the kernel reads 12 or 16 bytes, which are there; on little-endian
    // machines the descriptor is in the first four of its word.
    let added = unsafe { libc::syscall(libc::SYS_landlock_add_rule, set, kind, attributes, 0) };
    if added == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Confines this thread, and what it starts, by a rule set.
pub(crate) fn landlock_restrict(set: &OwnedFd) -> io::Result<()> {
    rustix::thread::set_no_new_privs(true)?;
    let set = set.as_raw_fd();
    // SAFETY: it takes numbers only.
    if unsafe { libc::syscall(libc::SYS_landlock_restrict_self, set, 0) } == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
