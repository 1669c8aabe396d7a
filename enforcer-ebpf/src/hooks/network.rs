//! Sockets of networks, and what they reach.
//!
//! Making one takes `create` of its family and protocol; of IPv4 and IPv6, being reached at
//! an address takes `bind`, and reaching one `connect`, be it without a connection. Who
//! may connect to a socket that listens is not asked, nor what comes by a connection.
//!
//! A hook looks at the socket's family first: for unix sockets it costs nothing more.

use aya_ebpf::{macros::lsm, programs::LsmContext};
use enforcer_abi::{
    Access, Endpoint, Label, Operation, Reason,
    endpoint::{UNIX, V4, V6},
};

use crate::{
    hooks::{address, confined, errno},
    judge,
    kernel::{load, offset, read},
};

/// Stands for no family.
const AF_UNSPEC: u16 = 0;
/// Shortest `struct sockaddr_in`, in bytes.
const V4_LEN: i32 = 16;
/// Shortest `struct sockaddr_in6`, in bytes: without the scope, as RFC 2133 has it.
const V6_LEN: i32 = 24;
/// Longest address of either.
const ONE_LEN: i32 = 28;

/// `int socket_create(int family, int type, int protocol, int kern)`
#[lsm(hook = "socket_create")]
fn socket_create(context: LsmContext) -> i32 {
    let family: i32 = context.arg(0);
    let kind: i32 = context.arg(1);
    let protocol: i32 = context.arg(2);
    let for_kernel: i32 = context.arg(3);
    if for_kernel != 0 || family == i32::from(UNIX) {
        return 0;
    }
    confined(
        Operation::Socket,
        #[inline(always)]
        |label| {
            let protocol = Endpoint::protocol_of(family as u16, kind as u16, protocol as u16);
            let socket = Endpoint::socket(family as u8, protocol);
            let operation = Operation::Socket;
            let answer = judge::ask_endpoint(label, operation, Access::CREATE, &socket);
            Ok(errno(answer))
        },
    )
}

/// `int socket_bind(struct socket *sock, struct sockaddr *address, int addrlen)`
#[lsm(hook = "socket_bind")]
fn socket_bind(context: LsmContext) -> i32 {
    let sock = load(address(&context, 0), offset!(socket_sock));
    mediate(&context, sock, Call::Bind, 1)
}

/// `int socket_connect(struct socket *sock, struct sockaddr *address, int addrlen)`
#[lsm(hook = "socket_connect")]
fn socket_connect(context: LsmContext) -> i32 {
    let sock = load(address(&context, 0), offset!(socket_sock));
    mediate(&context, sock, Call::Connect, 1)
}

/// `int sctp_bind_connect(struct sock *sk, int optname, struct sockaddr *address, int addrlen)`
///
/// What comes by packets of a peer is not asked: the current task has nothing to do with
/// it.
#[lsm(hook = "sctp_bind_connect")]
fn sctp_bind_connect(context: LsmContext) -> i32 {
    let sock = address(&context, 0);
    let option: i32 = context.arg(1);
    let call = match option {
        // SCTP_SET_PEER_PRIMARY_ADDR, SCTP_PRIMARY_ADDR, SCTP_SOCKOPT_BINDX_ADD.
        5 | 6 | 100 => Call::Bind,
        // SCTP_SOCKOPT_CONNECTX, SCTP_SENDMSG_CONNECT.
        110 | 126 => Call::Connect,
        _ => return 0,
    };
    mediate(&context, sock, call, OF_SCTP)
}

/// `int socket_listen(struct socket *sock, int backlog)`
///
/// A socket without an address gets one: any, and a port that the kernel chooses.
#[lsm(hook = "socket_listen")]
fn socket_listen(context: LsmContext) -> i32 {
    let sock = load(address(&context, 0), offset!(socket_sock));
    let Some(socket) = Socket::of(sock) else {
        return 0;
    };
    let port: u16 = load(sock, offset!(sock_port));
    if port != 0 {
        return 0;
    }
    confined(
        Operation::Bind,
        #[inline(always)]
        |label| {
            let endpoint = Endpoint {
                has_address: 1,
                ..Endpoint::socket(socket.family as u8, socket.protocol)
            };
            let operation = Operation::Bind;
            let answer = judge::ask_endpoint(label, operation, Access::BIND, &endpoint);
            Ok(errno(answer))
        },
    )
}

/// `int socket_sendmsg(struct socket *sock, struct msghdr *msg, int size)`
///
/// Most messages have no address. TCP looks at one only where it is to connect by the way.
#[lsm(hook = "socket_sendmsg")]
fn socket_sendmsg(context: LsmContext) -> i32 {
    const MSG_FASTOPEN: u32 = 0x2000_0000;
    const TCP: u8 = 6;
    let message = address(&context, 1);
    let destination: u64 = load(message, offset!(message_name));
    if destination == 0 {
        return 0;
    }
    let sock = load(address(&context, 0), offset!(socket_sock));
    let Some(socket) = Socket::of(sock) else {
        return 0;
    };
    let flags: u32 = load(message, offset!(message_flags));
    if socket.protocol == TCP && flags & MSG_FASTOPEN == 0 {
        return 0;
    }
    let len: i32 = load(message, offset!(message_name_len));
    let control: u64 = load(message, offset!(message_control_len));
    let call = if control == 0 {
        Call::Send
    } else {
        Call::SendFrom
    };
    confined(
        Operation::Connect,
        #[inline(always)]
        |label| reach(label, socket, destination, [len, i32::MAX], call),
    )
}

/// What is done with an address.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Call {
    Bind,
    Connect,
    Send,
    /// With control messages, which may say from which address or device.
    SendFrom,
}

impl Call {
    #[inline(always)]
    const fn operation(self) -> Operation {
        match self {
            Self::Bind => Operation::Bind,
            Self::Connect | Self::Send | Self::SendFrom => Operation::Connect,
        }
    }

    #[inline(always)]
    const fn requested(self) -> Access {
        match self {
            Self::Bind => Access::BIND,
            Self::Connect | Self::Send | Self::SendFrom => Access::CONNECT,
        }
    }
}

/// A socket of IPv4 or IPv6.
#[derive(Clone, Copy)]
struct Socket {
    /// `struct sock *`
    sock: u64,
    family: u16,
    protocol: u8,
}

impl Socket {
    /// What the `struct sock` at `sock` is, of which the verifier knows what it is. `None`:
    /// another family, whose addresses no profile speaks about.
    #[inline(always)]
    fn of(sock: u64) -> Option<Self> {
        // The verifier does not know that there always is one.
        if sock == 0 {
            return None;
        }
        let family: u16 = load(sock, offset!(sock_family));
        if family != V4 && family != V6 {
            return None;
        }
        let kind: u16 = load(sock, offset!(sock_type));
        let protocol: u16 = load(sock, offset!(sock_protocol));
        let protocol = Endpoint::protocol_of(family, kind, protocol);
        Some(Self {
            sock,
            family,
            protocol,
        })
    }

    /// Whether it has an address or a device of its own.
    #[inline(always)]
    fn is_bound(self) -> Result<bool, Reason> {
        let address: u32 = load(self.sock, offset!(sock_address));
        let device: u32 = load(self.sock, offset!(sock_device));
        // The verifier knows no more of it than that it is a `struct sock`.
        let sends_by: u32 = read(self.sock.wrapping_add(offset!(inet_device)))?;
        Ok(address | device | sends_by != 0)
    }
}

/// The argument that is the address in the hook of SCTP.
const OF_SCTP: usize = 2;

/// Judges a call with an address, which is the argument with this index, its length the
/// next.
#[inline(always)]
fn mediate(context: &LsmContext, sock: u64, call: Call, index: usize) -> i32 {
    let Some(socket) = Socket::of(sock) else {
        return 0;
    };
    let at = address(context, index);
    let len: i32 = context.arg(index + 1);
    let most = if index == OF_SCTP { ONE_LEN } else { i32::MAX };
    confined(
        call.operation(),
        #[inline(always)]
        |label| reach(label, socket, at, [len, most], call),
    )
}

/// Judges what is done with the address at `at`, of `len` bytes, which are to be
/// `most` at most.
#[inline(always)]
fn reach(
    label: &mut Label,
    socket: Socket,
    at: u64,
    [len, most]: [i32; 2],
    call: Call,
) -> Result<i32, Reason> {
    // The kernel has it in a `struct sockaddr_storage`, which is longer.
    let words: [u32; 7] = read(at)?;
    // Only the calls of SCTP take several at once.
    if len > most {
        return Err(Reason::OddAddress);
    }
    let mut endpoint = match endpoint(socket, words, len, call) {
        Meant::Nothing => return Ok(0),
        Meant::Odd => return Err(Reason::OddAddress),
        Meant::Endpoint(endpoint) => endpoint,
    };
    // Who connects to no address reaches the machine itself: at loopback, but at another address
    // if the socket has an address or a device of its own. Which one is not told, so that is
    // judged as it is.
    if endpoint.address == [0; 4]
        && matches!(call, Call::Connect | Call::Send)
        && !socket.is_bound()?
    {
        const LOOPBACK: u32 = 0x7f00_0001;
        endpoint.address[3] = if endpoint.family == V4 as u8 {
            LOOPBACK
        } else {
            1
        };
    }
    let answer = judge::ask_endpoint(label, call.operation(), call.requested(), &endpoint);
    Ok(errno(answer))
}

/// What an address means to the kernel.
enum Meant {
    /// None, or no longer one.
    Nothing,
    /// It takes no such.
    Odd,
    Endpoint(Endpoint),
}

/// What the address `words` of `len` bytes means in a call on `socket`.
#[inline(always)]
fn endpoint(socket: Socket, words: [u32; 7], len: i32, call: Call) -> Meant {
    let Socket {
        family, protocol, ..
    } = socket;
    let [head, v4, first, second, third, last, _scope] = words;
    if len < 2 {
        return Meant::Odd;
    }
    let said = match (head as u16, call) {
        // It ends a connection, or is sent on the one that there is.
        (AF_UNSPEC, Call::Connect) => return Meant::Nothing,
        (AF_UNSPEC, Call::Send | Call::SendFrom) if family == V6 => return Meant::Nothing,
        // The kernel takes it for IPv4.
        (AF_UNSPEC, _) => V4,
        (said, _) => said,
    };
    let mut endpoint = Endpoint {
        port: u16::from_be((head >> 16) as u16),
        has_address: 1,
        ..Endpoint::socket(said as u8, protocol)
    };
    if said == V4 && len >= V4_LEN {
        endpoint.address = [0, 0, 0, u32::from_be(v4)];
    } else if said == V6 && family == V6 && len >= V6_LEN {
        endpoint.address = [first, second, third, last].map(u32::from_be);
        let [first, second, third, _] = endpoint.address;
        if first == 0 && second == 0 && third == 0xffff {
            // An IPv4 address in IPv6's clothes.
            endpoint.family = V4 as u8;
            endpoint.address[2] = 0;
        }
    } else {
        return Meant::Odd;
    }
    Meant::Endpoint(endpoint)
}
