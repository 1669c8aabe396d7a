//! The rules on networks of a file.

use enforcer_abi::{Access, endpoint::NETLINK};
use serde_yaml::Spanned;

use super::{Loader, Source, rule};
use crate::profile::{
    Escaped, Rule, access_names,
    error::Problem,
    network::{
        Addresses, FAMILIES, Network, NetworkFault, WITH_PORTS, family_name, number, ports,
        protocols, suggestion,
    },
    raw::{RawNetwork, RawWords},
    variables::{Word, alone},
};

/// The families of a rule that names none.
const USUAL: [u8; 2] = [2, 10];

impl Loader<'_> {
    /// Reads a rule of `network`.
    pub(super) fn network_rule(
        &mut self,
        source: &Source,
        written: &Spanned<RawNetwork>,
    ) -> Option<Rule> {
        let before = self.errors.len();
        let RawNetwork {
            allow,
            deny,
            until,
            within,
            audit,
            quiet,
            reason,
            ..
        } = &written.value;
        let telling = self.telling(source, deny.is_some(), [audit, quiet]);
        let ends = self.ends(source, deny.is_some(), [until, within]);
        let network = self.network(source, &written.value);
        let ((Some(names), None) | (None, Some(names))) = (allow, deny) else {
            self.error(source.origin(written.referenced), Problem::AllowOrDeny);
            return None;
        };
        let rights = self.network_rights(source, names, deny.is_some(), &network);
        if self.errors.len() > before {
            return None;
        }
        self.count(network.names_len(), || source.origin(written.referenced))?;
        let (allow, deny) = if deny.is_some() {
            (Access::NONE, rights)
        } else {
            // Nothing is reached without a socket.
            (rights | Access::CREATE, Access::NONE)
        };
        Some(Rule {
            pattern: network.pattern((allow | deny).contains(Access::CREATE)),
            allow,
            deny,
            trial: Access::NONE,
            target: None,
            owner: false,
            ends: ends?,
            telling: telling?,
            reason: reason.clone(),
            origin: source.origin(written.referenced),
        })
    }

    /// What the rule is about. What is wrong is noted.
    fn network(&mut self, source: &Source, written: &RawNetwork) -> Network {
        let RawNetwork {
            family,
            protocol,
            address,
            port,
            ..
        } = written;
        let addresses = self.addresses(source, address.as_ref());
        let mut families = self.words(source, family.as_ref(), |name| {
            number(&FAMILIES, name).ok_or_else(|| unknown_family(name))
        });
        if families.is_empty() {
            families.extend(USUAL);
        }
        let without = |has: fn(u8) -> bool| {
            let mut families = families.iter();
            families.find(|&&family| !has(family)).copied()
        };
        // Which protocols there are depends on the family.
        let before = self.errors.len();
        if let Some(protocol) = protocol {
            let is_netlink = |family: &u8| u16::from(*family) == NETLINK;
            let is_mixed = families.iter().any(is_netlink) && !families.iter().all(is_netlink);
            let fault = match without(|family| !protocols(family).is_empty()) {
                Some(family) => Some(NetworkFault::NoProtocols {
                    family: family_name(family),
                }),
                None if is_mixed => Some(NetworkFault::MixedFamilies),
                None => None,
            };
            if let Some(fault) = fault {
                self.error(source.origin(protocol.referenced), fault);
            }
        }
        let table = families.first().map_or(&[][..], |&first| protocols(first));
        let is_known = self.errors.len() == before;
        let protocol = protocol.as_ref().filter(|_| is_known);
        let protocols = self.words(source, protocol, |name| {
            let known = number(table, name).or_else(|| name.parse().ok());
            known.ok_or_else(|| NetworkFault::UnknownProtocol {
                name: Escaped(name.as_bytes()).to_string(),
                suggestion: suggestion(name, table),
            })
        });
        let ports = self.words(source, port.as_ref(), ports);
        if let Some(place) = address.as_ref().or(port.as_ref())
            && let Some(family) = without(|family| USUAL.contains(&family))
        {
            let family = family_name(family);
            let fault = NetworkFault::NoAddresses { family };
            self.error(source.origin(place.referenced), fault);
        }
        if let Some(port) = port
            && (protocols.is_empty() || !protocols.iter().all(|number| WITH_PORTS.contains(number)))
        {
            self.error(source.origin(port.referenced), NetworkFault::NoPorts);
        }
        if let (Some(address), [family]) = (address, &families[..])
            && USUAL.contains(family)
        {
            for other in addresses.iter().filter(|range| !range.is_of(*family)) {
                let fault = NetworkFault::OtherFamily {
                    text: other.first.to_string(),
                    family: family_name(*family),
                };
                self.error(source.origin(address.referenced), fault);
            }
        }
        Network {
            families,
            protocols,
            addresses,
            ports,
        }
    }

    /// The rights of a rule on networks. What is wrong is noted.
    fn network_rights(
        &mut self,
        source: &Source,
        names: &Spanned<Vec<Spanned<String>>>,
        denies: bool,
        network: &Network,
    ) -> Access {
        if names.value.is_empty() {
            self.error(source.origin(names.referenced), Problem::NoRights);
        }
        let has_address = !network.addresses.is_empty() || !network.ports.is_empty();
        let mut families = network.families.iter();
        let other = families.find(|family| !USUAL.contains(family)).copied();
        let all = match other {
            Some(_) => Access::CREATE,
            None if has_address => Access::CONNECT | Access::BIND,
            None => Access::ON_NETWORKS,
        };
        let mut rights = Access::NONE;
        for name in &names.value {
            let right = match (name.value.as_str(), denies) {
                (rule::ALL, true) => Ok(all),
                (rule::ALL, false) => Err(Problem::AllowAll),
                (text, _) => {
                    let others: &[&str] = if denies { &[rule::ALL] } else { &[] };
                    let known = Access::ON_NETWORKS;
                    let right = access_names::from_name(text, known, others).map_err(Problem::from);
                    right.and_then(|right| match other {
                        _ if !Access::ON_NETWORKS.contains(right) => {
                            Err(NetworkFault::NotOnNetworks { name: named(right) }.into())
                        }
                        Some(family) if right != Access::CREATE => Err(NetworkFault::OnlyCreate {
                            name: named(right),
                            family: family_name(family),
                        }
                        .into()),
                        None if denies && has_address && right == Access::CREATE => {
                            Err(NetworkFault::CreateOfAddress.into())
                        }
                        _ => Ok(right),
                    })
                }
            };
            match right {
                Ok(right) => rights |= right,
                Err(problem) => self.error(source.origin(name.referenced), problem),
            }
        }
        rights
    }

    /// Reads addresses, and the variables that stand for them. What is wrong is noted.
    fn addresses(
        &mut self,
        source: &Source,
        written: Option<&Spanned<RawWords>>,
    ) -> Vec<Addresses> {
        let Some(written) = written else {
            return Vec::new();
        };
        let words = RawWords::each(written);
        if words.is_empty() {
            self.error(source.origin(written.referenced), NetworkFault::Nothing);
        }
        let mut all = Vec::new();
        for word in &*words {
            let origin = source.origin(word.referenced);
            let Some(name) = alone(&word.value) else {
                match whole_address(&word.value) {
                    Ok(addresses) => all.push(addresses),
                    Err(fault) => self.error(origin, fault),
                }
                continue;
            };
            let values = match self.variables.words(name) {
                Ok(values) => values,
                Err((_, fault)) => {
                    self.error(source.within(word, 0), fault);
                    continue;
                }
            };
            for Word { text, place } in values {
                match whole_address(&text) {
                    Ok(addresses) => all.push(addresses),
                    Err(fault) => {
                        let fault = NetworkFault::NotOfAddresses {
                            name: name.to_owned(),
                            place,
                            fault: Box::new(fault),
                        };
                        self.error(origin.clone(), fault);
                    }
                }
            }
        }
        all
    }

    /// Reads each of the words; none, if the key is not there. What is wrong is noted.
    fn words<T>(
        &mut self,
        source: &Source,
        written: Option<&Spanned<RawWords>>,
        read: impl Fn(&str) -> Result<T, NetworkFault>,
    ) -> Vec<T> {
        let Some(written) = written else {
            return Vec::new();
        };
        let words = RawWords::each(written);
        if words.is_empty() {
            self.error(source.origin(written.referenced), NetworkFault::Nothing);
        }
        let mut values = Vec::new();
        for word in &*words {
            match read(&word.value) {
                Ok(value) => values.push(value),
                Err(fault) => self.error(source.origin(word.referenced), fault),
            }
        }
        values
    }
}

/// Reads an address or a range of them, of which no variable is a part.
fn whole_address(text: &str) -> Result<Addresses, NetworkFault> {
    if text.contains("${") {
        return Err(NetworkFault::PartOfAddress);
    }
    Addresses::parse(text)
}

fn unknown_family(name: &str) -> NetworkFault {
    if ["unix", "local"].contains(&name) {
        return NetworkFault::Unix;
    }
    NetworkFault::UnknownFamily {
        name: Escaped(name.as_bytes()).to_string(),
        suggestion: suggestion(name, &FAMILIES),
    }
}

/// The name of a right.
fn named(right: Access) -> &'static str {
    right.names().next().unwrap_or_default()
}
