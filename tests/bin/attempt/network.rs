//! Sockets of networks.

use std::{
    net::{Ipv4Addr, SocketAddr},
    os::fd::OwnedFd,
    path::Path,
};

use rustix::{
    io::Errno,
    net::{AddressFamily, SendFlags, SocketFlags, SocketType},
};

use crate::{Attempt, number, raw};

/// From `include/linux/socket.h`: connect, and send with the first packet.
const MSG_FASTOPEN: u32 = 0x2000_0000;

pub(crate) fn attempt(what: &str, args: &[&Path]) -> Attempt {
    use SocketType as Type;
    if what == "socket" {
        let [family, kind, protocol] = args else {
            return None;
        };
        return Some(any_socket([family, kind, protocol]));
    }
    let [address] = args else { return None };
    let address = || number::<SocketAddr>(address);
    let by = |kind, act: fn(&OwnedFd, SocketAddr) -> Result<(), Errno>| {
        address().and_then(|address| act(&socket(kind, address)?, address))
    };
    Some(match what {
        "tcp-connect" => by(Type::STREAM, connect),
        "tcp-connect-from" => by(Type::STREAM, |socket, address| {
            rustix::net::bind(socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
            connect(socket, address)
        }),
        "tcp-connect-by-device" => by(Type::STREAM, |socket, address| {
            set(socket, libc::SOL_SOCKET, libc::SO_BINDTODEVICE, b"lo\0")?;
            connect(socket, address)
        }),
        "udp-connect-by-device" => by(Type::DGRAM, |socket, address| {
            let loopback: u32 = 1;
            set(
                socket,
                libc::IPPROTO_IP,
                libc::IP_UNICAST_IF,
                &loopback.to_be_bytes(),
            )?;
            connect(socket, address)
        }),
        "udp-connect" => by(Type::DGRAM, connect),
        "udp-disconnect" => by(Type::DGRAM, disconnect),
        "udp-send" => by(Type::DGRAM, |socket, address| {
            send(socket, SendFlags::empty(), address)
        }),
        "tcp-connect-short" => by(Type::STREAM, |socket, address| {
            let bytes = bytes_of(2, address)?;
            let args = [socket.into(), raw::Arg::Bytes(&bytes), 8.into()];
            raw::call(libc::SYS_connect, args).map(drop)
        }),
        "udp-send-as-none" => by(Type::DGRAM, send_as_none),
        "tcp-fast-open" => by(Type::STREAM, |socket, address| {
            send(socket, SendFlags::from_bits_retain(MSG_FASTOPEN), address)
        }),
        "tcp-connect-mapped" => mapped(Type::STREAM, address(), connect),
        "udp-send-mixed" => mixed(address()),
        "tcp-bind" => by(Type::STREAM, |socket, address| {
            rustix::net::bind(socket, &address)
        }),
        "udp-bind" => by(Type::DGRAM, |socket, address| {
            rustix::net::bind(socket, &address)
        }),
        "tcp-listen" => by(Type::STREAM, |socket, _address| {
            rustix::net::listen(socket, 1)
        }),
        "tcp-bind-and-listen" => by(Type::STREAM, |socket, address| {
            rustix::net::bind(socket, &address)?;
            rustix::net::listen(socket, 1)
        }),
        _ => return None,
    })
}

/// A new socket for an address. Nothing that is done with it takes long.
fn socket(kind: SocketType, address: SocketAddr) -> Result<OwnedFd, Errno> {
    let family = if address.is_ipv4() {
        AddressFamily::INET
    } else {
        AddressFamily::INET6
    };
    rustix::net::socket_with(family, kind, SocketFlags::CLOEXEC, None)
}

/// A new socket, by numbers.
fn any_socket(numbers: [&Path; 3]) -> Result<(), Errno> {
    let [family, kind, protocol] = numbers.map(number::<i32>);
    let args = [family?.into(), kind?.into(), protocol?.into()];
    raw::open(libc::SYS_socket, args).map(drop)
}

fn connect(socket: &OwnedFd, address: SocketAddr) -> Result<(), Errno> {
    rustix::net::connect(socket, &address)
}

fn set(socket: &OwnedFd, level: i32, option: i32, value: &[u8]) -> Result<(), Errno> {
    let len = u32::try_from(value.len()).map_err(|_too_long| Errno::INVAL)?;
    let args = [
        socket.into(),
        level.into(),
        option.into(),
        value.into(),
        len.into(),
    ];
    raw::call(libc::SYS_setsockopt, args).map(drop)
}

fn disconnect(socket: &OwnedFd, address: SocketAddr) -> Result<(), Errno> {
    connect(socket, address)?;
    rustix::net::send(socket, b"x", SendFlags::empty())?;
    rustix::net::connect_unspec(socket)
}

fn send(socket: &OwnedFd, flags: SendFlags, address: SocketAddr) -> Result<(), Errno> {
    rustix::net::sendto(socket, b"x", flags, &address).map(drop)
}

/// Sends to an address that does not say that it is one of IPv4.
fn send_as_none(socket: &OwnedFd, address: SocketAddr) -> Result<(), Errno> {
    let bytes = bytes_of(0, address)?;
    let len = u32::try_from(bytes.len()).map_err(|_too_long| Errno::INVAL)?;
    let args = [
        socket.into(),
        raw::Arg::Bytes(b"x"),
        1.into(),
        0.into(),
        raw::Arg::Bytes(&bytes),
        len.into(),
    ];
    raw::call(libc::SYS_sendto, args).map(drop)
}

/// A `struct sockaddr_in` that says to be of another family.
fn bytes_of(family: u16, address: SocketAddr) -> Result<Vec<u8>, Errno> {
    let SocketAddr::V4(address) = address else {
        return Err(Errno::INVAL);
    };
    let mut bytes = family.to_ne_bytes().to_vec();
    bytes.extend(address.port().to_be_bytes());
    bytes.extend(address.ip().octets());
    bytes.extend([0; 8]);
    Ok(bytes)
}

/// Does it with a socket of IPv6 and an IPv4 address in that form.
fn mapped(
    kind: SocketType,
    address: Result<SocketAddr, Errno>,
    act: fn(&OwnedFd, SocketAddr) -> Result<(), Errno>,
) -> Result<(), Errno> {
    let SocketAddr::V4(address) = address? else {
        return Err(Errno::INVAL);
    };
    let ip = Ipv4Addr::to_ipv6_mapped(address.ip());
    let address = SocketAddr::new(ip.into(), address.port());
    act(&socket(kind, address)?, address)
}

/// Sends from a socket of IPv6 to an IPv4 address as it is.
fn mixed(address: Result<SocketAddr, Errno>) -> Result<(), Errno> {
    let any = SocketAddr::from((std::net::Ipv6Addr::UNSPECIFIED, 0));
    send(
        &socket(SocketType::DGRAM, any)?,
        SendFlags::empty(),
        address?,
    )
}
