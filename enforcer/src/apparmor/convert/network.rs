//! Rules about networks.
//!
//! AppArmor tells sockets apart by family and type, ours by family and protocol. The kernel's
//! part of AppArmor asks for no protocol, so `icmp` there is every raw socket.

use std::net::IpAddr;

use enforcer_abi::Access;

use super::Converter;
use crate::{
    apparmor::{
        policy::{Item, Rule},
        report::{Finding, Fit},
    },
    profile::{Escaped, family_names, ports},
};

mod merge;

pub(super) use self::merge::merged;

/// Families that AppArmor's rules are about, beside IP and unix.
#[rustfmt::skip]
const FAMILIES: [&str; 41] = [
    "ax25", "ipx", "appletalk", "netrom", "bridge", "atmpvc", "x25", "rose", "netbeui",
    "security", "key", "netlink", "packet", "ash", "econet", "atmsvc", "rds", "sna", "irda",
    "pppox", "wanpipe", "llc", "ib", "mpls", "can", "tipc", "bluetooth", "iucv", "rxrpc",
    "isdn", "phonet", "ieee802154", "caif", "alg", "nfc", "vsock", "kcm", "qipcrtr", "smc",
    "xdp", "mctp",
];

/// Types of sockets.
const TYPES: [&str; 6] = ["stream", "dgram", "seqpacket", "rdm", "raw", "packet"];

/// What is done with sockets.
#[rustfmt::skip]
const ACCESSES: [&str; 18] = [
    "create", "connect", "bind", "listen", "accept", "send", "receive", "shutdown", "getattr",
    "setattr", "getopt", "setopt", "read", "write", "r", "w", "rw", "wr",
];

/// Families with sockets of the type `raw`, beside IP.
const RAW: [&str; 2] = ["netlink", "packet"];

/// Ours for IP.
const IP: [&str; 2] = ["ipv4", "ipv6"];

/// Protocols of IP with ports.
const WITH_PORTS: [&str; 5] = ["tcp", "udp", "sctp", "dccp", "udplite"];

/// A rule of ours about networks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::apparmor) struct NetworkRule {
    /// Ours, in the order of [`family_names`]: of IP, or others.
    pub(in crate::apparmor) families: Vec<&'static str>,
    /// Protocols of IP; none: all.
    pub(in crate::apparmor) protocols: Vec<&'static str>,
    /// The one address, if there is one.
    pub(in crate::apparmor) address: Option<String>,
    /// The port or ports, if there are some.
    pub(in crate::apparmor) port: Option<String>,
    pub(in crate::apparmor) rights: Access,
    pub(in crate::apparmor) denies: bool,
    /// Whether it is told: of an allow by `audit`, of a deny unless `quiet`.
    pub(in crate::apparmor) told: bool,
}

/// What a rule about networks says.
#[derive(Default)]
struct Said<'a> {
    family: Option<&'a str>,
    kind: Option<&'a str>,
    protocol: Option<&'a str>,
    accesses: Vec<&'a str>,
}

/// An address and a port, as far as a rule limits them.
#[derive(Default)]
struct End {
    address: Option<IpAddr>,
    port: Option<String>,
}

impl Converter<'_> {
    pub(super) fn network(&mut self, at: usize, rule: &Rule, items: &[Item]) {
        let mut said = Said::default();
        let mut unknown = None;
        for word in Item::words(items) {
            match word {
                "inet" | "inet6" | "unix" | "local" => said.family = Some(word),
                "tcp" | "udp" | "icmp" => said.protocol = Some(word),
                _ if TYPES.contains(&word) && !(word == "packet" && said.family.is_none()) => {
                    said.kind = Some(word);
                }
                _ if FAMILIES.contains(&word) => said.family = Some(word),
                _ if ACCESSES.contains(&word) => said.accesses.push(word),
                _ => unknown = Some(word),
            }
        }
        if let Some(word) = unknown {
            let word = Escaped(word.as_bytes());
            let why = format!("no family, type, protocol or access `{word}` of sockets is known");
            if !rule.qualifiers.deny || said.is_for_all() {
                self.network_finding(at, rule, Fit::LeftOut, &why);
                return;
            }
            // A deny errs on the side of refusing.
            let why = format!("{why}; all that the rest of the rule is for is refused");
            self.network_finding(at, rule, Fit::Narrower, &why);
            said.accesses.clear();
        }
        let is_unix = match said.family {
            Some(family) => matches!(family, "unix" | "local"),
            None => said.protocol.is_none() && !matches!(said.kind, Some("raw" | "packet")),
        };
        if is_unix {
            self.abstract_unix(at, rule, said.kind);
        }
        if matches!(said.family, Some("unix" | "local")) {
            return;
        }
        let rights = said.rights();
        if rights.is_empty() {
            let why = "what is done with a socket that is there is not asked for";
            self.network_finding(at, rule, Fit::LeftOut, why);
            return;
        }
        let made = !rule.qualifiers.deny && !rights.contains(Access::CREATE);
        if made {
            let why = "who may use a socket may make it";
            self.network_finding(at, rule, Fit::Wider, why);
        }
        self.other_families(at, rule, &said);
        self.ip(at, rule, items, &said, rights);
    }

    fn network_finding(&mut self, at: usize, rule: &Rule, fit: Fit, why: &str) {
        self.differs(at, Finding::new(rule, "network", fit, why));
    }

    /// What `rule` says of all of these families.
    fn network_rule(
        &self,
        rule: &Rule,
        families: Vec<&'static str>,
        rights: Access,
    ) -> NetworkRule {
        NetworkRule {
            families,
            protocols: Vec::new(),
            address: None,
            port: None,
            rights,
            denies: rule.qualifiers.deny,
            told: self.is_told(&rule.qualifiers),
        }
    }

    /// Makes rules of what a rule says of families without addresses.
    fn other_families(&mut self, at: usize, rule: &Rule, said: &Said<'_>) {
        let known = others();
        let families: Vec<&'static str> = match (said.family, said.kind) {
            (Some("inet" | "inet6"), _) => return,
            (Some(family), _) => known.filter(|name| *name == family).collect(),
            (None, None) if said.protocol.is_none() => known.collect(),
            // Of a type without a family, what there is of it on most machines.
            (None, Some("raw")) => known.filter(|name| RAW.contains(name)).collect(),
            (None, _) => Vec::new(),
        };
        match (said.family, said.kind) {
            (Some(family), _) if families.is_empty() => {
                let why = format!("there is no family `{family}` here: its sockets are refused");
                // What is refused anyway needs no deny.
                if !rule.qualifiers.deny {
                    self.network_finding(at, rule, Fit::LeftOut, &why);
                }
                return;
            }
            (Some(family), Some(_)) if family != "netlink" => {
                let why = "the types of a family's sockets are not told apart";
                let fit = if rule.qualifiers.deny {
                    Fit::Narrower
                } else {
                    Fit::Wider
                };
                self.network_finding(at, rule, fit, why);
            }
            (None, Some(_)) => {
                let why = "for a type of sockets without a family there are rules for TCP, UDP, \
                           SCTP, raw IP, netlink and packet; name others by their family";
                self.network_finding(at, rule, Fit::Narrower, why);
            }
            (None, None) if said.protocol.is_none() && !rule.qualifiers.deny => {
                let unknown = FAMILIES.into_iter().filter(|name| !families.contains(name));
                let unknown = unknown.collect::<Vec<_>>().join(", ");
                let why =
                    format!("sockets of families that are rarely there are refused: {unknown}");
                self.network_finding(at, rule, Fit::Narrower, &why);
            }
            _ => {}
        }
        if !families.is_empty() {
            let made = self.network_rule(rule, families, Access::CREATE);
            self.network.push(made);
        }
    }

    /// Makes rules of what a rule says of IP.
    fn ip(&mut self, at: usize, rule: &Rule, items: &[Item], said: &Said<'_>, rights: Access) {
        let mut families: Vec<&'static str> = match said.family {
            Some("inet") => vec!["ipv4"],
            Some("inet6") => vec!["ipv6"],
            None => IP.to_vec(),
            Some(_) => return,
        };
        let denies = rule.qualifiers.deny;
        let mut protocols: Vec<&'static str> = match (said.kind, said.protocol) {
            (None, None) => Vec::new(),
            (Some("stream"), None | Some("tcp")) | (None, Some("tcp")) => vec!["tcp"],
            (Some("dgram"), None | Some("udp")) | (None, Some("udp")) => vec!["udp"],
            (Some("raw"), _) | (None, Some("icmp")) => vec!["raw"],
            (Some("seqpacket"), None) => vec!["sctp"],
            _ => {
                if said.family.is_some() {
                    let why = "there are no such sockets of IP";
                    self.network_finding(at, rule, Fit::LeftOut, why);
                }
                return;
            }
        };
        let is_by_type = said.family.is_some() && said.protocol.is_none();
        match said.kind {
            Some("stream" | "dgram") if is_by_type => {
                let why = "a stream is TCP and a datagram UDP: what ping, SCTP, UDP-Lite and L2TP \
                           do takes a rule that names the protocol";
                let fit = if denies { Fit::Wider } else { Fit::Narrower };
                self.network_finding(at, rule, fit, why);
            }
            Some("seqpacket") if is_by_type => {
                let why = "the types of SCTP's sockets are not told apart";
                let fit = if denies { Fit::Narrower } else { Fit::Wider };
                self.network_finding(at, rule, fit, why);
            }
            _ => {}
        }
        let peer = Item::value(items, "peer").unwrap_or_default();
        let (own, peer) = match (End::read(items), End::read(peer)) {
            (Ok(own), Ok(peer)) => (own, peer),
            (Err(why), _) | (_, Err(why)) if !denies => {
                self.network_finding(at, rule, Fit::LeftOut, &why);
                return;
            }
            // A deny errs on the side of refusing.
            (Err(why), _) | (_, Err(why)) => {
                let why = format!("{why}; all is refused");
                self.network_finding(at, rule, Fit::Narrower, &why);
                (End::default(), End::default())
            }
        };
        for address in [own.address, peer.address].into_iter().flatten() {
            let family = if address.is_ipv4() { "ipv4" } else { "ipv6" };
            families.retain(|name| *name == family);
        }
        if families.is_empty() {
            let why = "the address is one of another family";
            self.network_finding(at, rule, Fit::LeftOut, why);
            return;
        }
        if !own.is_limited() && !peer.is_limited() {
            let mut made = self.network_rule(rule, families, rights);
            made.protocols = protocols;
            self.network.push(made);
            return;
        }
        if protocols.is_empty() && (own.port.is_some() || peer.port.is_some()) {
            protocols = WITH_PORTS.to_vec();
        }
        // Who connects is asked for the peer; who binds, for the own end.
        let mut is_wider = false;
        for (right, end, other) in [(Access::CONNECT, &peer, &own), (Access::BIND, &own, &peer)] {
            if !rights.contains(right) || denies && !end.is_limited() {
                continue;
            }
            is_wider |= other.is_limited();
            let mut made = self.network_rule(rule, families.clone(), right);
            made.protocols.clone_from(&protocols);
            made.address = end.address.map(|address| address.to_string());
            made.port.clone_from(&end.port);
            self.network.push(made);
        }
        if is_wider {
            let why = "who connects is not asked for the own end, and who binds not for the peer";
            let fit = if denies { Fit::Narrower } else { Fit::Wider };
            self.network_finding(at, rule, fit, why);
        }
    }

    /// Grants, or with a `deny` refuses, every network.
    pub(super) fn every_network(&mut self, rule: Option<&Rule>) {
        let (denies, told) = rule.map_or((false, false), |rule| {
            (rule.qualifiers.deny, self.is_told(&rule.qualifiers))
        });
        let all = [
            (IP.to_vec(), Access::ON_NETWORKS),
            (others().collect(), Access::CREATE),
        ];
        let made = all.map(|(families, rights)| NetworkRule {
            families,
            protocols: Vec::new(),
            address: None,
            port: None,
            rights,
            denies,
            told,
        });
        self.network.extend(made);
    }
}

impl Said<'_> {
    /// Whether it is for all sockets.
    fn is_for_all(&self) -> bool {
        (self.family, self.kind, self.protocol) == (None, None, None)
    }

    /// Our rights for what is done with a socket; all, if nothing is said.
    fn rights(&self) -> Access {
        if self.accesses.is_empty() {
            return Access::ON_NETWORKS;
        }
        let mut rights = Access::NONE;
        for word in &self.accesses {
            rights |= match *word {
                "create" => Access::CREATE,
                "connect" | "send" | "write" | "w" | "rw" | "wr" => Access::CONNECT,
                "bind" | "listen" | "accept" => Access::BIND,
                _ => Access::NONE,
            };
        }
        rights
    }
}

impl End {
    /// Reads what `items` say of an end.
    fn read(items: &[Item]) -> Result<Self, String> {
        let text = |key| Item::value(items, key).map(|value| Item::words(value).concat());
        let odd = |text: &str| {
            let text = Escaped(text.as_bytes());
            format!("`{text}` is no address or port that a rule can name")
        };
        let address = match text("ip") {
            Some(text) => {
                let address: IpAddr = text.parse().map_err(|_error| odd(&text))?;
                // One of IPv4 in the form of IPv6 is IPv4's here.
                Some(address.to_canonical())
            }
            None => None,
        };
        let port = text("port");
        if let Some(port) = port.as_ref().filter(|port| ports(port).is_err()) {
            return Err(odd(port));
        }
        Ok(Self { address, port })
    }

    fn is_limited(&self) -> bool {
        self.address.is_some() || self.port.is_some()
    }
}

/// Our families without addresses.
fn others() -> impl Iterator<Item = &'static str> {
    family_names().filter(|name| !IP.contains(name))
}
