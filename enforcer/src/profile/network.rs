//! Rules on networks: families, protocols, addresses and ports, and the pattern of names
//! ([`enforcer_abi::endpoint`]) that they come to.

use std::{fmt::Write as _, net::IpAddr};

use enforcer_abi::endpoint::{DIGITS, PORT_LEN, PREFIX, V4, V4_LEN, V6, V6_LEN};
use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, Hir};

use self::addresses::ends;
use super::{lower, pattern::Pattern};

mod addresses;
mod families;
mod fault;

pub use self::fault::{NetworkFault, Suggestion};
pub(super) use self::{
    addresses::Addresses,
    families::{
        FAMILIES, NETLINK_PROTOCOLS, PROTOCOLS, family_name, named, number, protocols, suggestion,
    },
};
pub(crate) use self::{addresses::ports, families::family_names};

/// Protocols with ports: tcp, udp, sctp, dccp, udplite.
pub(super) const WITH_PORTS: [u8; 5] = [6, 17, 132, 33, 136];

/// What a rule on networks is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Network {
    /// Numbers of families.
    pub(super) families: Vec<u8>,
    /// Numbers of protocols; none: all.
    pub(super) protocols: Vec<u8>,
    /// Addresses; none: all.
    pub(super) addresses: Vec<Addresses>,
    /// Ports, ends included; none: all.
    pub(super) ports: Vec<[u16; 2]>,
}

impl Network {
    /// The pattern of the names of what its sockets reach, and if `with_sockets` of those of
    /// the sockets.
    pub(super) fn pattern(&self, with_sockets: bool) -> Pattern {
        let families = self.families.iter();
        let families = families.map(|&family| self.family(family, with_sockets));
        let names = Hir::alternation(families.collect());
        let hir = Hir::concat(vec![Hir::literal([PREFIX]), names]);
        Pattern::of_network(self.text(), hir)
    }

    /// How many bytes its names have, each range of addresses and of ports written out: what
    /// its pattern takes grows with that.
    pub(super) fn names_len(&self) -> usize {
        let ports = self.ports.len().max(1) * 2 * PORT_LEN;
        let of_families = self.families.iter().map(|&family| {
            let ranges = self.addresses.iter().filter(|range| range.is_of(family));
            let len = match u16::from(family) {
                V4 => V4_LEN,
                V6 => V6_LEN,
                _ => return self.protocols.len(),
            };
            self.protocols.len() + len * ranges.count().max(1) + ports
        });
        of_families.sum()
    }

    /// The names of a family, behind the first byte.
    fn family(&self, family: u8, with_sockets: bool) -> Hir {
        let mut parts = vec![Hir::literal(digits(&hex::<2>(family.into())))];
        parts.push(match (&self.protocols[..], protocols(family)) {
            // It is the same number for all of them.
            (_, []) => Hir::literal(digits(&hex::<2>(0))),
            ([], _) => any(2),
            (protocols, _) => {
                let each = protocols
                    .iter()
                    .map(|&protocol| Hir::literal(digits(&hex::<2>(protocol.into()))));
                Hir::alternation(each.collect())
            }
        });
        let len = match u16::from(family) {
            V4 => V4_LEN,
            V6 => V6_LEN,
            _ => return Hir::concat(parts),
        };
        let of_family = |addresses: &&Addresses| addresses.is_of(family);
        let ranges = self.addresses.iter().filter(of_family).map(|addresses| {
            let [first, last] = ends(addresses.first, addresses.prefix);
            between(&address(first), &address(last))
        });
        let addresses = if self.addresses.is_empty() {
            any(len)
        } else {
            Hir::alternation(ranges.collect())
        };
        let ranges = self.ports.iter().map(|&[first, last]| {
            let [first, last] = [first, last].map(|port| hex::<PORT_LEN>(port.into()));
            between(&first, &last)
        });
        let behind = if self.ports.is_empty() {
            any(PORT_LEN)
        } else {
            Hir::alternation(ranges.collect())
        };
        let endpoints = vec![addresses, behind];
        if with_sockets {
            parts.push(lower::optional(endpoints));
        } else {
            parts.extend(endpoints);
        }
        Hir::concat(parts)
    }

    /// What it is about, in words that are the same for equal rules alone: families,
    /// protocols, addresses, ports.
    fn text(&self) -> String {
        let list = |names: Vec<String>| match &names[..] {
            [] => "*".to_owned(),
            [one] => one.clone(),
            _ => format!("{{{}}}", names.join(",")),
        };
        let families = self.families.iter();
        let families = families.map(|&number| named(&FAMILIES, number)).collect();
        let of = self.families.first().copied().unwrap_or_default();
        let each = self.protocols.iter();
        let each = each.map(|&number| named(protocols(of), number)).collect();
        let mut text = format!("network:{}/{}", list(families), list(each));
        if !self.addresses.is_empty() || !self.ports.is_empty() {
            let addresses = self.addresses.iter();
            let addresses = addresses
                .map(|&Addresses { first, prefix }| format!("{first}/{prefix}"))
                .collect();
            let ports = self.ports.iter().map(|&[first, last]| {
                if first == last {
                    first.to_string()
                } else {
                    format!("{first}-{last}")
                }
            });
            // Writing to a string does not fail.
            let _written = write!(text, "/{}:{}", list(addresses), list(ports.collect()));
        }
        text
    }
}

/// The digits of an address, by their values.
fn address(address: IpAddr) -> Vec<u8> {
    let bytes = match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    };
    let nibbles = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    nibbles.collect()
}

/// The last digits of a number, by their values.
fn hex<const LEN: usize>(number: u32) -> Vec<u8> {
    let digit = |at: usize| {
        let shifted = number >> (4 * at);
        u8::try_from(shifted & 0xf).unwrap_or_default()
    };
    (0..LEN).rev().map(digit).collect()
}

/// Digits as names have them.
fn digits(values: &[u8]) -> Vec<u8> {
    let digit = |&value: &u8| DIGITS.get(usize::from(value)).copied();
    values.iter().filter_map(digit).collect()
}

/// As many digits, whatever they are.
fn any(len: usize) -> Hir {
    Hir::concat(vec![one_of(0, 0xf); len])
}

/// A digit from one value to another, both included.
fn one_of(first: u8, last: u8) -> Hir {
    let ranges = digits(&(first..=last).collect::<Vec<_>>());
    let ranges = ranges
        .into_iter()
        .map(|digit| ClassBytesRange::new(digit, digit));
    Hir::class(Class::Bytes(ClassBytes::new(ranges)))
}

/// The numbers from one to another, both included, in as many digits.
fn between(low: &[u8], high: &[u8]) -> Hir {
    let (Some((&first, low)), Some((&last, high))) = (low.split_first(), high.split_first()) else {
        return Hir::empty();
    };
    let is_from_start = low.iter().all(|&digit| digit == 0);
    let is_to_end = high.iter().all(|&digit| digit == 0xf);
    let then = |digit: u8, rest: Hir| Hir::concat(vec![one_of(digit, digit), rest]);
    if first == last {
        return then(first, between(low, high));
    }
    let mut parts = Vec::new();
    let from = if is_from_start { first } else { first + 1 };
    let to = if is_to_end { last } else { last - 1 };
    if !is_from_start {
        parts.push(then(first, between(low, &vec![0xf; low.len()])));
    }
    if from <= to {
        parts.push(Hir::concat(vec![one_of(from, to), any(low.len())]));
    }
    if !is_to_end {
        parts.push(then(last, between(&vec![0; high.len()], high)));
    }
    Hir::alternation(parts)
}

#[cfg(test)]
mod tests;
