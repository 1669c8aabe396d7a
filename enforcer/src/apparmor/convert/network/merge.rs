//! Few rules about networks for many.

use super::{IP, NetworkRule, WITH_PORTS};
use crate::profile::family_names;

/// The same in fewer rules: AppArmor has one for each family and type.
pub(in crate::apparmor::convert) fn merged(rules: Vec<NetworkRule>) -> Vec<NetworkRule> {
    let mut merged: Vec<NetworkRule> = Vec::new();
    for rule in rules {
        let same = merged
            .iter_mut()
            .find(|other| other.differs_in_families(&rule));
        match same {
            Some(other) => {
                other.families.extend(rule.families);
                let order = |family: &&str| family_names().position(|name| name == *family);
                other.families.sort_by_key(order);
                other.families.dedup();
            }
            None => merged.push(rule),
        }
    }
    let mut fewer: Vec<NetworkRule> = Vec::new();
    for rule in merged {
        let same = fewer
            .iter_mut()
            .find(|other| other.differs_in_protocols(&rule));
        match same {
            Some(other) => {
                other.protocols.extend(rule.protocols);
                let order = |name: &&str| WITH_PORTS.iter().position(|known| known == name);
                other
                    .protocols
                    .sort_by_key(|name| order(name).unwrap_or(WITH_PORTS.len()));
                other.protocols.dedup();
            }
            None => fewer.push(rule),
        }
    }
    let all = fewer.clone();
    fewer.retain(|rule| !all.iter().any(|other| other != rule && other.covers(rule)));
    fewer
}

impl NetworkRule {
    fn differs_in_families(&self, other: &Self) -> bool {
        let is_ip = |rule: &Self| rule.families.iter().all(|family| IP.contains(family));
        let as_other = Self {
            families: other.families.clone(),
            ..self.clone()
        };
        // An address is one of one family.
        is_ip(self) == is_ip(other) && self.address.is_none() && as_other == *other
    }

    fn differs_in_protocols(&self, other: &Self) -> bool {
        let as_other = Self {
            protocols: other.protocols.clone(),
            ..self.clone()
        };
        let are_named = !self.protocols.is_empty() && !other.protocols.is_empty();
        are_named && as_other == *other
    }

    /// Whether it says all that `other` says.
    fn covers(&self, other: &Self) -> bool {
        let has_all = |these: &[&str], those: &[&str]| those.iter().all(|one| these.contains(one));
        let is_covered = |own: &Option<String>, theirs| own.is_none() || own == theirs;
        (self.denies, self.told) == (other.denies, other.told)
            && self.rights.contains(other.rights)
            && has_all(&self.families, &other.families)
            && (self.protocols.is_empty()
                || !other.protocols.is_empty() && has_all(&self.protocols, &other.protocols))
            && is_covered(&self.address, &other.address)
            && is_covered(&self.port, &other.port)
    }
}
