//! Rows on sockets.

use std::net::{SocketAddr, UdpSocket};

use enforcer_tests::measure::each;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketType, accept, bind, connect, listen, socket,
};

use crate::place;

/// Connections in a batch.
const MANY: u32 = 40;

/// Two sockets of this very process: one is made and connected to the other by a path,
/// which accepts; both ends are closed.
pub(crate) fn unix_connect() -> u64 {
    let path = place::path("spare/socket");
    let _absent = rustix::fs::unlink(&path);
    let address = SocketAddrUnix::new(&path).expect("a short path");
    let make = || socket(AddressFamily::UNIX, SocketType::STREAM, None).expect("make a socket");
    let server = make();
    bind(&server, &address).expect("bind");
    listen(&server, 8).expect("listen");
    each(MANY, |_| {
        let client = make();
        connect(&client, &address).expect("connect");
        drop(accept(&server).expect("accept"));
    })
}

/// A socket of datagrams is connected to another of this very process, again and again.
pub(crate) fn udp_connect() -> u64 {
    let (client, address, _server) = datagrams();
    each(MANY, |_| client.connect(address).expect("connect"))
}

/// A datagram is sent to an address, and received by this very process.
pub(crate) fn udp_send() -> u64 {
    let (client, address, server) = datagrams();
    let mut got = [0; 8];
    each(MANY, |_| {
        client.send_to(b"question", address).expect("send");
        server.recv(&mut got).expect("receive");
    })
}

/// A socket, and another with its address.
fn datagrams() -> (UdpSocket, SocketAddr, UdpSocket) {
    let [client, server] = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").expect("bind"));
    let address = server.local_addr().expect("an address");
    (client, address, server)
}
