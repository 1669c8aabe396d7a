//! Descriptors that come from other processes, and what they can become.

use std::{
    io::{IoSliceMut, Read as _},
    mem::MaybeUninit,
    os::fd::{AsFd, OwnedFd},
    path::Path,
};

use rustix::{
    fs::OFlags,
    io::Errno,
    net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SocketType},
    process::{Pid, PidfdFlags, PidfdGetfdFlags},
};

use crate::{Attempt, failed, number, open::open, raw, sockets};

pub(crate) fn attempt(what: &str, args: &[&Path]) -> Attempt {
    Some(match (what, args) {
        ("receive", [socket]) => connect(socket)
            .and_then(|socket| receive(&socket))
            .map(drop),
        ("take", [process, descriptor]) => take(process, descriptor),
        ("write-anywhere", [path]) => open(path, OFlags::WRONLY | OFlags::APPEND)
            .and_then(|file| rustix::fs::fcntl_setfl(file, OFlags::empty())),
        ("use-inherited", [descriptor]) => number(descriptor).and_then(|descriptor| {
            let mut byte = [0];
            let read = raw::inherited(descriptor).read(&mut byte);
            read.map(drop).map_err(|err| failed(&err))
        }),
        ("add-to-inherited", [descriptor]) => number(descriptor).and_then(|descriptor| {
            rustix::io::write(raw::inherited(descriptor), b"more").map(drop)
        }),
        _ => return None,
    })
}

/// Connects to who gives a descriptor away.
pub(crate) fn connect(socket: &Path) -> Result<OwnedFd, Errno> {
    let stream = sockets::socket(SocketType::STREAM)?;
    rustix::net::connect(&stream, &sockets::path(socket)?)?;
    Ok(stream)
}

/// Receives one descriptor. `EBADF`: the message came without one.
fn receive(socket: impl AsFd) -> Result<OwnedFd, Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut text = [0; 8];
    let mut into = [IoSliceMut::new(&mut text)];
    rustix::net::recvmsg(socket, &mut into, &mut control, RecvFlags::CMSG_CLOEXEC)?;
    control
        .drain()
        .find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut files) => files.next(),
            _ => None,
        })
        .ok_or(Errno::BADF)
}

/// Takes a descriptor out of another process.
fn take(process: &Path, descriptor: &Path) -> Result<(), Errno> {
    let process = Pid::from_raw(number(process)?).ok_or(Errno::SRCH)?;
    let process = rustix::process::pidfd_open(process, PidfdFlags::empty())?;
    let descriptor = number(descriptor)?;
    rustix::process::pidfd_getfd(process, descriptor, PidfdGetfdFlags::empty()).map(drop)
}
