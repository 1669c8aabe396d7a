//! System calls that no safe library has.

#![expect(unsafe_code, reason = "system calls that no safe library has")]

use std::{
    ffi::{CString, OsStr},
    io,
    os::{
        fd::{FromRawFd as _, OwnedFd},
        unix::ffi::OsStrExt as _,
    },
    ptr,
};

use rustix::{
    io::Errno,
    thread::{UnshareFlags, unshare_unsafe},
};

/// Gets a mount namespace of its own.
pub(crate) fn unshare_mounts() -> Result<(), Errno> {
    // SAFETY: only mounts; descriptors and memory stay shared.
    unsafe { unshare_unsafe(UnshareFlags::NEWNS) }
}

/// Asks the parent to trace this process.
pub(crate) fn ask_to_be_traced() -> io::Result<()> {
    // SAFETY: this request has no further arguments.
    match unsafe { libc::ptrace(libc::PTRACE_TRACEME) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Opens the POSIX message queue `name` for reading, which makes it if need be.
pub(crate) fn message_queue(name: &OsStr) -> Result<(), Errno> {
    let name = CString::new(name.as_bytes()).map_err(|_nul| Errno::INVAL)?;
    let flags = libc::O_RDONLY | libc::O_CREAT;
    let attributes: *mut libc::mq_attr = ptr::null_mut();
    // SAFETY: the name ends with NUL; without attributes the usual ones are taken.
    let opened = unsafe { libc::mq_open(name.as_ptr(), flags, 0o600, attributes) };
    if opened < 0 {
        let err = io::Error::last_os_error();
        return Err(Errno::from_io_error(&err).unwrap_or(Errno::INVAL));
    }
    // SAFETY: it was just opened, and nobody else has it.
    drop(unsafe { OwnedFd::from_raw_fd(opened) });
    Ok(())
}
