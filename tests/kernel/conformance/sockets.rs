//! Unix sockets.

use super::{
    case::{Case, Make},
    topic::Topic,
};

pub(super) const TOPIC: Topic = Topic {
    name: "sockets",
    metadata: false,
    rules: &[],
    cases: CASES,
};

/// Connects to a socket.
const CONNECT: Case = Case {
    setup: &[Make::Stream("socket")],
    needs: &[("socket", "read, write")],
    grants: &[("socket", "connect")],
    operation: Some("connect"),
    path: "socket",
    missing: &["connect"],
    ..Case::ACCESS
};

const DATAGRAM: Case = Case {
    setup: &[Make::Datagrams("socket")],
    ..CONNECT
};

/// Connects to a socket without a path.
const ABSTRACT: Case = Case {
    setup: &[Make::AbstractStream],
    privilege: Some("abstract_unix"),
    ..Case::PRIVILEGE
};

#[rustfmt::skip]
const CASES: &[Case] = &[
    Case { name: "connect", attempt: &["connect", "{dir}/socket"], ..CONNECT },
    Case { name: "connect for packets", attempt: &["connect-packets", "{dir}/socket"], setup: &[Make::Packets("socket")], ..CONNECT },
    Case { name: "connect for datagrams", attempt: &["connect-datagram", "{dir}/socket"], ..DATAGRAM },
    Case { name: "sendto", attempt: &["send-to", "{dir}/socket"], ..DATAGRAM },
    Case { name: "sendmsg", attempt: &["send-message", "{dir}/socket"], ..DATAGRAM },
    Case { name: "by a symbolic link", attempt: &["connect", "{dir}/link"], setup: &[Make::Stream("socket"), Make::Link("socket", "link")], needs: &[("link", "connect")], ..CONNECT },
    Case { name: "relative", attempt: &["in-folder", "{dir}", "connect", "socket"], ..CONNECT },
    Case { name: "in a chroot", attempt: &["in-root", "{dir}", "connect", "/socket"], privileges: &["sys_chroot"], ..CONNECT },
    Case { name: "connect without a path", attempt: &["connect-abstract", "{dir}"], ..ABSTRACT },
    Case { name: "connect without a path, for datagrams", attempt: &["connect-abstract-datagram", "{dir}"], setup: &[Make::AbstractDatagrams], ..ABSTRACT },
    Case { name: "sendto without a path", attempt: &["send-to-abstract", "{dir}"], setup: &[Make::AbstractDatagrams], ..ABSTRACT },
];
