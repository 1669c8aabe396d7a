//! History: what programs used of what their profiles grant, and what they were let do
//! without it.
//!
//! The kernel tells of each object once for each right, and again after a while; what is
//! here is the sum of that. An object that is not here may have been used nevertheless:
//! where thousands come and go under one rule, the kernel looks at some of them
//! ([`enforcer_abi::limits::LOOKS`]).

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use enforcer_abi::{Access, Operation};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::text::{lossy, lost, restore};

/// An object that a program used under a profile, with all that it did there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "WireUse", try_from = "WireUse")]
pub struct Use {
    /// The profile.
    pub profile: String,
    /// The program's path; empty, if it is not known.
    pub program: Vec<u8>,
    /// The build id of that program, in hexadecimal, as it was when it last did this.
    pub build: Option<String>,
    /// Who: [`enforcer_abi::Label::lineage`], of the boot in which it happened.
    pub lineage: u64,
    /// The object's path, or the name of an address or a socket.
    pub path: Vec<u8>,
    /// What was done, in the order of [`Operation::ALL`].
    pub operations: BTreeSet<Operation>,
    /// The rights that this needed.
    pub access: Access,
    /// Whether the profile granted them; else it only watches.
    pub is_granted: bool,
    /// When the kernel first told of it.
    pub first: Timestamp,
    /// When it last did.
    pub last: Timestamp,
    /// How often it did. How often it happened, nobody counts.
    pub told: u64,
}

/// Returns what was used, whichever lineages did: one object for each profile, program and
/// path, in this order, with the lineage that did it last.
pub fn summed(uses: Vec<Use>) -> Vec<Use> {
    let mut sums: BTreeMap<_, Use> = BTreeMap::new();
    for one in uses {
        let key = (one.profile.clone(), one.program.clone(), one.path.clone());
        match sums.entry(key) {
            Entry::Vacant(place) => {
                place.insert(one);
            }
            Entry::Occupied(mut sum) => sum.get_mut().add(one),
        }
    }
    sums.into_values().collect()
}

impl Use {
    fn add(&mut self, other: Self) {
        let (earlier, later) = if self.last <= other.last {
            (self.clone(), other)
        } else {
            (other, self.clone())
        };
        *self = Self {
            operations: &earlier.operations | &later.operations,
            access: earlier.access | later.access,
            first: earlier.first.min(later.first),
            told: earlier.told.saturating_add(later.told),
            ..later
        };
    }
}

/// The form in which programs read a [`Use`].
#[derive(Debug, Serialize, Deserialize)]
struct WireUse {
    profile: String,
    program: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    program_bytes: Option<String>,
    build: Option<String>,
    lineage: u64,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_bytes: Option<String>,
    operations: Vec<String>,
    access: Vec<String>,
    granted: bool,
    first_seen: Timestamp,
    last_seen: Timestamp,
    told: u64,
}

impl From<Use> for WireUse {
    fn from(one: Use) -> Self {
        Self {
            program: lossy(&one.program),
            program_bytes: lost(&one.program),
            path: lossy(&one.path),
            path_bytes: lost(&one.path),
            operations: names(one.operations.iter().map(|one| one.name())),
            access: names(one.access.names()),
            profile: one.profile,
            build: one.build,
            lineage: one.lineage,
            granted: one.is_granted,
            first_seen: one.first,
            last_seen: one.last,
            told: one.told,
        }
    }
}

fn names(names: impl Iterator<Item = &'static str>) -> Vec<String> {
    names.map(str::to_owned).collect()
}

/// A name that means nothing.
#[derive(Debug, thiserror::Error)]
#[error("{name:?} is no {what}")]
pub struct UnknownName {
    what: &'static str,
    name: String,
}

impl TryFrom<WireUse> for Use {
    type Error = UnknownName;

    fn try_from(wire: WireUse) -> Result<Self, UnknownName> {
        let access = wire.access.into_iter().map(|name| {
            let what = "access";
            Access::from_name(&name).ok_or(UnknownName { what, name })
        });
        let operations = wire.operations.into_iter().map(|name| {
            let known = Operation::ALL.iter().find(|one| one.name() == name);
            let what = "operation";
            known.copied().ok_or(UnknownName { what, name })
        });
        Ok(Self {
            profile: wire.profile,
            program: restore(wire.program, wire.program_bytes.as_deref()),
            build: wire.build,
            lineage: wire.lineage,
            path: restore(wire.path, wire.path_bytes.as_deref()),
            operations: operations.collect::<Result<_, _>>()?,
            access: access
                .into_iter()
                .try_fold(Access::NONE, |all, one| Ok(all | one?))?,
            is_granted: wire.granted,
            first: wire.first_seen,
            last: wire.last_seen,
            told: wire.told,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Access, Operation, Timestamp, Use, summed};

    #[test]
    fn lineages_are_summed() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let one = |lineage, path: &str, access, second| Use {
            profile: "p".to_owned(),
            program: b"/bin/a".to_vec(),
            build: None,
            lineage,
            path: path.as_bytes().to_vec(),
            operations: [Operation::Open].into(),
            access,
            is_granted: lineage == 2,
            first: at(second),
            last: at(second),
            told: 1,
        };
        let uses = [
            one(1, "/b", Access::READ, 5),
            one(2, "/b", Access::WRITE, 9),
            one(3, "/b", Access::READ, 7),
            one(3, "/a", Access::READ, 1),
        ];
        let sum = Use {
            access: Access::READ | Access::WRITE,
            first: at(5),
            told: 3,
            ..one(2, "/b", Access::READ, 9)
        };
        assert_eq!(summed(uses.to_vec()), [one(3, "/a", Access::READ, 1), sum]);
    }

    #[test]
    fn what_programs_read_can_be_read_back() {
        let one = Use {
            profile: "p".to_owned(),
            program: b"/bin/a\xff".to_vec(),
            build: Some("ab12".to_owned()),
            lineage: u64::MAX,
            path: b"/srv/\xfe".to_vec(),
            operations: [Operation::Open, Operation::Map].into(),
            access: Access::READ | Access::MAP,
            is_granted: true,
            first: Timestamp::UNIX_EPOCH,
            last: Timestamp::UNIX_EPOCH,
            told: 2,
        };
        let text = serde_json::to_string(&one).unwrap();
        assert_eq!(serde_json::from_str::<Use>(&text).unwrap(), one);
        for (list, what) in [("access", "no access"), ("operations", "no operation")] {
            let odd = text.replace(&format!("\"{list}\":["), &format!("\"{list}\":[\"dance\","));
            let error = serde_json::from_str::<Use>(&odd).unwrap_err();
            assert!(error.to_string().contains(what), "{error}");
        }
    }
}
