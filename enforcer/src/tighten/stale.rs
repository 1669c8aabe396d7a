//! Staleness: what a profile grants and nobody has used for long.

use std::collections::BTreeMap;

use enforcer_abi::Access;
use jiff::Timestamp;

use super::{Usage, unused};
use crate::{
    history::Use,
    profile::{Compiled, Profile, Removal},
};

/// Returns what to take away from `profile`, whose table is `compiled`, since nobody used it
/// in `uses`, nor by what the kernel has `counted`: since `cutoff`.
///
/// Of each pattern that the profile's own allow-rules have, the rights go that are not in
/// use; not of one that `known` says the profile has had for less long, nor of one that an
/// abstraction has, too. A right that another one implies stays as long as that one does.
pub fn stale(
    profile: &Profile,
    compiled: &Compiled,
    uses: &[Use],
    counted: &Usage,
    known: &BTreeMap<String, Timestamp>,
    cutoff: Timestamp,
) -> Vec<Removal> {
    let mut by_rule = vec![Access::NONE; profile.rules.len()];
    for one in uses.iter().filter(|one| one.last >= cutoff) {
        for &at in &compiled.judge(&one.path).rules.granting {
            if let Some(access) = by_rule.get_mut(at) {
                *access |= one.access;
            }
        }
    }
    let mut removals: Vec<Removal> = Vec::new();
    for rule in &profile.rules {
        let pattern = rule.pattern.text();
        let is_young = known.get(pattern).is_none_or(|&since| since > cutoff);
        if is_young || removals.iter().any(|removal| removal.pattern == pattern) {
            continue;
        }
        let rules = profile.rules.iter().zip(&by_rule);
        let in_use = rules
            .filter(|(other, _)| other.pattern.text() == pattern)
            .fold(counted.of(pattern), |all, (_, &access)| all | access);
        removals.extend(unused(profile, pattern, in_use, Access::ALL));
    }
    removals
}

/// The patterns by which a profile's own rules allow something.
pub fn own_patterns(profile: &Profile) -> impl Iterator<Item = &str> {
    profile
        .rules
        .iter()
        .filter(|rule| !rule.allow.is_empty() && *rule.origin.file == *profile.source)
        .map(|rule| rule.pattern.text())
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, path::Path};

    use enforcer_abi::{Access, Hit, Operation};
    use jiff::Timestamp;

    use super::{own_patterns, stale};
    use crate::{
        history::Use,
        profile::{Profile, compile_alone},
    };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn used(path: &str, access: Access, last: i64) -> Use {
        Use {
            profile: "p".to_owned(),
            program: Vec::new(),
            build: None,
            lineage: 1,
            path: path.as_bytes().to_vec(),
            operations: [Operation::Open].into(),
            access,
            is_granted: true,
            first: at(0),
            last: at(last),
            told: 1,
        }
    }

    #[test]
    fn what_is_not_used_for_long_is_stale() {
        const TEXT: &str = "\
name: p
mode: enforce
paths:
  - { path: \"/used/**\", allow: [read, write] }
  - { path: \"/long-ago/**\", allow: [read] }
  - { path: \"/never/**\", allow: [read] }
  - { path: \"/counted/**\", allow: [read, write] }
  - { path: \"/young/**\", allow: [read] }
  - { path: \"/both/**\", allow: [read] }
  - { path: \"/both/x\", allow: [read, append] }
  - { path: \"/denied/**\", deny: [all] }
";
        let profile = Profile::parse(TEXT, Path::new("p.yaml"), Path::new("")).unwrap();
        let compiled = compile_alone(&profile).unwrap();
        let known: BTreeMap<_, _> = own_patterns(&profile)
            .map(|pattern| {
                let since = if pattern.starts_with("/young") {
                    90
                } else {
                    10
                };
                (pattern.to_owned(), at(since))
            })
            .collect();
        let uses = [
            used("/used/a", Access::READ | Access::METADATA, 60),
            used("/long-ago/a", Access::READ, 40),
            used("/both/x", Access::READ, 50),
        ];
        let hit = Hit {
            used: Access::READ,
            ..Hit::default()
        };
        let counted = [("/counted/**".to_owned(), hit)].into_iter().collect();
        let stale = stale(&profile, &compiled, &uses, &counted, &known, at(50));
        let names: Vec<_> = stale
            .iter()
            .map(|one| {
                let access: Vec<_> = one.access.names().collect();
                format!("{} {}", one.pattern, access.join(","))
            })
            .collect();
        let want = [
            "/used/** write,append",
            "/long-ago/** read",
            "/never/** read",
            "/counted/** write,append",
            "/both/x append",
        ];
        assert_eq!(names, want);
    }
}
