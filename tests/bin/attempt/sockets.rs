//! Unix sockets.

use std::{os::fd::OwnedFd, path::Path};

use rustix::{
    io::{Errno, IoSlice},
    net::{AddressFamily, SendAncillaryBuffer, SendFlags, SocketAddrUnix, SocketFlags, SocketType},
};

use crate::Attempt;

pub(crate) fn attempt(what: &str, args: &[&Path]) -> Attempt {
    use SocketType as Type;
    let [name] = args else { return None };
    Some(match what {
        "connect" => connect(Type::STREAM, &path(name)),
        "connect-datagram" => connect(Type::DGRAM, &path(name)),
        "connect-packets" => connect(Type::SEQPACKET, &path(name)),
        "send-to" => send_to(&path(name)),
        "send-message" => send_message(&path(name)),
        "bind" => bind(Type::STREAM, &path(name)),
        "bind-datagram" => bind(Type::DGRAM, &path(name)),
        "connect-abstract" => connect(Type::STREAM, &abstract_name(name)),
        "connect-abstract-datagram" => connect(Type::DGRAM, &abstract_name(name)),
        "send-to-abstract" => send_to(&abstract_name(name)),
        _ => return None,
    })
}

/// The address of a socket with a path.
pub(crate) fn path(path: &Path) -> Result<SocketAddrUnix, Errno> {
    SocketAddrUnix::new(path)
}

fn abstract_name(name: &Path) -> Result<SocketAddrUnix, Errno> {
    SocketAddrUnix::new_abstract_name(name.as_os_str().as_encoded_bytes())
}

/// A new socket. Nothing that is done with it takes long.
pub(crate) fn socket(kind: SocketType) -> Result<OwnedFd, Errno> {
    let flags = SocketFlags::CLOEXEC;
    rustix::net::socket_with(AddressFamily::UNIX, kind, flags, None)
}

fn connect(kind: SocketType, address: &Result<SocketAddrUnix, Errno>) -> Result<(), Errno> {
    rustix::net::connect(socket(kind)?, address.as_ref().map_err(|errno| *errno)?)
}

fn bind(kind: SocketType, address: &Result<SocketAddrUnix, Errno>) -> Result<(), Errno> {
    rustix::net::bind(socket(kind)?, address.as_ref().map_err(|errno| *errno)?)
}

fn send_to(address: &Result<SocketAddrUnix, Errno>) -> Result<(), Errno> {
    let address = address.as_ref().map_err(|errno| *errno)?;
    let socket = socket(SocketType::DGRAM)?;
    rustix::net::sendto(socket, b"x", SendFlags::DONTWAIT, address).map(drop)
}

fn send_message(address: &Result<SocketAddrUnix, Errno>) -> Result<(), Errno> {
    let address = address.as_ref().map_err(|errno| *errno)?;
    let socket = socket(SocketType::DGRAM)?;
    let text = [IoSlice::new(b"x")];
    let mut control = SendAncillaryBuffer::default();
    rustix::net::sendmsg_addr(socket, address, &text, &mut control, SendFlags::DONTWAIT).map(drop)
}
