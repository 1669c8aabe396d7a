//! Addresses of networks, and the names by which profiles judge them.
//!
//! What a profile says of networks is in the same automaton as what it says of paths:
//! an endpoint has a name, too, which begins with [`PREFIX`] and not with a `/`. In it
//! are hexadecimal digits: family and protocol of the socket, then, but for a question
//! about the socket alone, the address and the port.
//!
//! ```text
//! @0206                  a socket: IPv4, TCP
//! @0206 7f000001 0050    127.0.0.1, port 80       (without the spaces)
//! ```

/// The byte with which a name begins.
pub const PREFIX: u8 = b'@';

/// The digits.
pub const DIGITS: [u8; 16] = *b"0123456789abcdef";

/// Bytes of a name without an address.
pub const HEAD_LEN: usize = 5;
/// Digits of an IPv4 address, and of an IPv6 address.
pub const V4_LEN: usize = 8;
/// Digits of an IPv6 address.
pub const V6_LEN: usize = 32;
/// Digits of a port.
pub const PORT_LEN: usize = 4;
/// Bytes of the longest name.
pub const NAME_LEN: usize = HEAD_LEN + V6_LEN + PORT_LEN;

/// `AF_UNIX`: its addresses are paths.
pub const UNIX: u16 = 1;
/// `AF_INET`.
pub const V4: u16 = 2;
/// `AF_INET6`.
pub const V6: u16 = 10;
/// `AF_NETLINK`.
pub const NETLINK: u16 = 16;

/// Stands for the protocol of every raw socket of IPv4 and IPv6.
pub const RAW: u8 = 255;

/// What of a network is asked for.
///
/// Numbers are in the host's byte order, an address's words from its front to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct Endpoint {
    /// The address; an IPv4 address is in the last word.
    pub address: [u32; 4],
    /// The port; 0: one that the kernel chooses, or the protocol has none.
    pub port: u16,
    /// The family: `AF_INET` and so on. Of an IPv4 address in an IPv6 socket, IPv4's.
    pub family: u8,
    /// The protocol, in the numbers of its family; 0 where it makes no difference. A raw
    /// socket has [`RAW`].
    pub protocol: u8,
    /// 1: at an address; 0: the socket alone.
    pub has_address: u32,
}

impl Endpoint {
    /// A socket alone.
    #[inline(always)]
    pub const fn socket(family: u8, protocol: u8) -> Self {
        Self {
            address: [0; 4],
            port: 0,
            family,
            protocol,
            has_address: 0,
        }
    }

    /// What a socket of this family, type and protocol is: [`Endpoint::protocol`].
    #[inline(always)]
    pub const fn protocol_of(family: u16, kind: u16, protocol: u16) -> u8 {
        const SOCK_STREAM: u16 = 1;
        const SOCK_RAW: u16 = 3;
        const SOCK_SEQPACKET: u16 = 5;
        const TCP: u8 = 6;
        const UDP: u8 = 17;
        const SCTP: u8 = 132;
        const MPTCP: u16 = 262;
        match (family, kind, protocol) {
            (V4 | V6, SOCK_STREAM, 0 | MPTCP) => TCP,
            (V4 | V6, SOCK_SEQPACKET, 0) => SCTP,
            (V4 | V6, SOCK_RAW, _) => RAW,
            (V4 | V6, _, 0) => UDP,
            // No family has more than fit a byte: what is beyond is as good as raw.
            (NETLINK | V4 | V6, _, _) => match protocol.to_be_bytes() {
                [0, protocol] => protocol,
                _ => RAW,
            },
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Endpoint, NETLINK, RAW, V4, V6};

    #[test]
    fn protocols() {
        // Columns: what it shows, family, type, protocol, which it is.
        #[rustfmt::skip]
        let cases = [
            ("a stream",            V4,      1, 0,   6),
            ("TCP by its number",   V6,      1, 6,   6),
            ("several paths",       V4,      1, 262, 6),
            ("a stream of another", V4,      1, 132, 132),
            ("datagrams",           V4,      2, 0,   17),
            ("ping",                V4,      2, 1,   1),
            ("packets in order",    V6,      5, 0,   132),
            ("raw",                 V4,      3, 1,   RAW),
            ("raw, of TCP",         V6,      3, 6,   RAW),
            ("not known",           V4,      1, 999, RAW),
            ("netlink",             NETLINK, 3, 16,  16),
            ("packets",             17,      3, 768, 0),
        ];
        for (name, family, kind, protocol, want) in cases {
            assert_eq!(
                Endpoint::protocol_of(family, kind, protocol),
                want,
                "{name}"
            );
        }
    }
}
