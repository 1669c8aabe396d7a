//! Rules on networks, and what they are about.

use std::{
    collections::BTreeSet,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
};

use enforcer::profile::NetworkObject;
use enforcer_abi::Access;
use proptest::prelude::*;

use crate::paths::Random;

/// A rule on networks to be.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is drawn by itself, and stands for a word of the rule"
)]
pub(super) struct Net {
    is_v6: bool,
    /// Those of [`PROTOCOLS`]; none: all.
    protocols: Vec<usize>,
    /// An address and how many bits count.
    address: Option<(u128, u8)>,
    ports: Option<[u16; 2]>,
    /// Whether it speaks about connections, and about being reached.
    connect: bool,
    bind: bool,
    pub(super) denies: bool,
}

/// Protocols with their names.
const PROTOCOLS: [(u8, &str); 3] = [(6, "tcp"), (17, "udp"), (132, "sctp")];

/// Something of a network.
#[derive(Clone, Copy, Debug)]
pub(super) struct Thing {
    is_v6: bool,
    protocol: usize,
    /// Address and port; none: the socket.
    pub(super) at: Option<(u128, u16)>,
}

impl Net {
    fn bits(&self) -> u8 {
        if self.is_v6 { 128 } else { 32 }
    }

    /// What only the network has of an address.
    fn masked(&self, address: u128, prefix: u8) -> u128 {
        match self.bits() - prefix {
            128 => 0,
            behind => address >> behind << behind,
        }
    }

    pub(super) fn text(&self) -> String {
        let mut keys = vec![format!("family: ipv{}", if self.is_v6 { 6 } else { 4 })];
        if !self.protocols.is_empty() {
            let names: Vec<_> = self.protocols.iter().map(|&at| PROTOCOLS[at].1).collect();
            keys.push(format!("protocol: [{}]", names.join(", ")));
        }
        if let Some((address, prefix)) = self.address {
            let first = shown(self.is_v6, self.masked(address, prefix));
            keys.push(format!("address: \"{first}/{prefix}\""));
        }
        if let Some([from, to]) = self.ports {
            keys.push(format!("port: \"{from}-{to}\""));
        }
        let rights = match (self.connect, self.bind) {
            (true, false) => "connect",
            (false, true) => "bind",
            _ => "connect, bind",
        };
        let verb = if self.denies { "deny" } else { "allow" };
        keys.push(format!("{verb}: [{rights}]"));
        format!("  - {{ {} }}\n", keys.join(", "))
    }

    /// Whether it says something of `right` on `thing`.
    pub(super) fn is_about(&self, right: Access, thing: Thing) -> bool {
        let of_all = !self.connect && !self.bind;
        let has_right = match right {
            // Nothing is reached without a socket, and no rule here denies one.
            Access::CREATE => !self.denies && thing.at.is_none(),
            Access::CONNECT => self.connect || of_all,
            Access::BIND => self.bind || of_all,
            _ => false,
        };
        let here = thing.at.is_none_or(|(address, port)| {
            let in_network = self.address.is_none_or(|(network, prefix)| {
                self.masked(network, prefix) == self.masked(address, prefix)
            });
            in_network
                && self
                    .ports
                    .is_none_or(|[from, to]| from <= port && port <= to)
        });
        let of_protocol = self.protocols.is_empty() || self.protocols.contains(&thing.protocol);
        has_right && here && of_protocol && self.is_v6 == thing.is_v6
    }
}

/// The address as text.
fn shown(is_v6: bool, address: u128) -> String {
    if is_v6 {
        Ipv6Addr::from(address).to_string()
    } else {
        Ipv4Addr::from(u32::try_from(address).unwrap()).to_string()
    }
}

impl Thing {
    /// As the library calls it.
    pub(super) fn name(self) -> Vec<u8> {
        let protocol = PROTOCOLS[self.protocol];
        let object: NetworkObject = if let Some((address, port)) = self.at {
            let address: std::net::IpAddr = shown(self.is_v6, address).parse().unwrap();
            NetworkObject::at(protocol.0, SocketAddr::new(address, port))
        } else {
            let family = if self.is_v6 { 6 } else { 4 };
            format!("ipv{family}/{}", protocol.1).parse().unwrap()
        };
        object.name()
    }
}

pub(super) fn net() -> impl Strategy<Value = Net> {
    let is_v6 = any::<bool>();
    let protocols = prop::collection::btree_set(0..PROTOCOLS.len(), 0..3);
    let address = prop::option::weighted(0.7, (any::<u128>(), any::<u8>()));
    let ports = prop::option::of((any::<u16>(), any::<u16>()));
    let rights = (any::<bool>(), any::<bool>(), prop::bool::weighted(0.3));
    (is_v6, protocols, address, ports, rights).prop_map(
        |(is_v6, protocols, address, ports, (connect, bind, denies))| {
            let protocols: BTreeSet<usize> = protocols;
            let bits = if is_v6 { 128 } else { 32 };
            // All the protocols that there are have no ports.
            let ports = ports.filter(|_| !protocols.is_empty());
            Net {
                is_v6,
                protocols: protocols.into_iter().collect(),
                // Addresses of IPv4 in the form of IPv6 are IPv4's: none is made here.
                address: address.map(|(address, prefix)| {
                    let address = address >> (128 - u32::from(bits));
                    (address, prefix % (bits + 1))
                }),
                ports: ports.map(|(one, other)| [one.min(other), one.max(other)]),
                connect,
                bind,
                denies,
            }
        },
    )
}

/// Something of a network, most often near to what a rule is about.
pub(super) fn thing(nets: &[&Net], random: &mut Random) -> Thing {
    let far = Net {
        is_v6: false,
        protocols: Vec::new(),
        address: None,
        ports: None,
        connect: false,
        bind: false,
        denies: false,
    };
    let near = match nets {
        [] => &far,
        _ => nets[random.below(nets.len())],
    };
    let mut address = near.address.map_or(1, |(address, _)| address);
    if random.below(2) == 0 {
        address ^= 1 << random.below(near.bits().into());
    }
    let [from, to] = near.ports.unwrap_or([0, u16::MAX]);
    let ports = [from, to, from.wrapping_sub(1), to.wrapping_add(1)];
    let protocol = match &near.protocols[..] {
        [first, ..] if random.below(4) > 0 => *first,
        _ => random.below(PROTOCOLS.len()),
    };
    Thing {
        is_v6: near.is_v6,
        protocol,
        at: (random.below(4) > 0).then(|| (address, ports[random.below(4)])),
    }
}
