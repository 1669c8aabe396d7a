//! Rows on sockets.

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
