//! Families of sockets and their protocols, by name and number.

use enforcer_abi::endpoint::{NETLINK, RAW, V4, V6};

use super::{super::suggest, Suggestion};

/// Families of sockets with their numbers, as `include/linux/socket.h` has them. Not unix
/// sockets, whose addresses are paths.
pub(in crate::profile) const FAMILIES: [(&str, u8); 29] = [
    ("ipv4", 2),
    ("ipv6", 10),
    ("netlink", 16),
    ("packet", 17),
    ("vsock", 40),
    ("alg", 38),
    ("xdp", 44),
    ("bluetooth", 31),
    ("can", 29),
    ("key", 15),
    ("tipc", 30),
    ("smc", 43),
    ("rds", 21),
    ("rxrpc", 33),
    ("kcm", 41),
    ("pppox", 24),
    ("llc", 26),
    ("nfc", 39),
    ("qipcrtr", 42),
    ("mctp", 45),
    ("phonet", 35),
    ("ieee802154", 36),
    ("caif", 37),
    ("isdn", 34),
    ("ax25", 3),
    ("x25", 9),
    ("appletalk", 5),
    ("ib", 27),
    ("mpls", 28),
];

/// Protocols of IPv4 and IPv6 with their numbers.
pub(in crate::profile) const PROTOCOLS: [(&str, u8); 9] = [
    ("tcp", 6),
    ("udp", 17),
    ("icmp", 1),
    ("icmpv6", 58),
    ("sctp", 132),
    ("dccp", 33),
    ("udplite", 136),
    ("l2tp", 115),
    ("raw", RAW),
];

/// Protocols of netlink with their numbers, as `include/uapi/linux/netlink.h` has them.
pub(in crate::profile) const NETLINK_PROTOCOLS: [(&str, u8); 13] = [
    ("route", 0),
    ("usersock", 2),
    ("sock_diag", 4),
    ("xfrm", 6),
    ("selinux", 7),
    ("iscsi", 8),
    ("audit", 9),
    ("connector", 11),
    ("netfilter", 12),
    ("kobject_uevent", 15),
    ("generic", 16),
    ("crypto", 21),
    ("rdma", 20),
];

/// The protocols of a family; nothing, if it is not told apart by them.
pub(in crate::profile) fn protocols(family: u8) -> &'static [(&'static str, u8)] {
    match u16::from(family) {
        V4 | V6 => &PROTOCOLS,
        NETLINK => &NETLINK_PROTOCOLS,
        _ => &[],
    }
}

/// The names of the families that rules are about, IPv4 and IPv6 first.
pub(crate) fn family_names() -> impl Iterator<Item = &'static str> {
    FAMILIES.into_iter().map(|(name, _)| name)
}

/// What is like `name` among the names of `table`.
pub(in crate::profile) fn suggestion(name: &str, table: &[(&'static str, u8)]) -> Suggestion {
    let names = || table.iter().map(|&(name, _)| name);
    match suggest::nearest(name, names()) {
        Some(near) => Suggestion::Nearest(near),
        None => Suggestion::All(names().collect()),
    }
}

/// The number of a name.
pub(in crate::profile) fn number(table: &[(&'static str, u8)], name: &str) -> Option<u8> {
    let mut entries = table.iter();
    entries.find_map(|&(known, number)| (known == name).then_some(number))
}

/// The name of a number.
pub(in crate::profile) fn name(table: &[(&'static str, u8)], number: u8) -> Option<&'static str> {
    let mut entries = table.iter();
    entries.find_map(|&(name, known)| (known == number).then_some(name))
}

/// The name of a family in [`FAMILIES`].
pub(in crate::profile) fn family_name(family: u8) -> &'static str {
    name(&FAMILIES, family).unwrap_or_default()
}

/// The name of a number, or the number.
pub(in crate::profile) fn named(table: &[(&'static str, u8)], number: u8) -> String {
    name(table, number).map_or_else(|| number.to_string(), str::to_owned)
}
