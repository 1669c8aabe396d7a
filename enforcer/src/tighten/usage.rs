//! Which rights were used, from the kernel's hit counters.

use std::collections::HashMap;

use enforcer_abi::{Access, Hit};

use crate::profile::{OutcomeRules, Profile};

/// The rights of a profile that were used, by the patterns that grant them.
///
/// Rules with one pattern match the same paths, so what one of them granted all
/// of them granted. Where several patterns granted an access, each counts as
/// used: which one would have been enough cannot be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    patterns: HashMap<String, Hit>,
}

impl Usage {
    /// Adds what the outcomes of a table granted. `hits` are theirs, in order.
    pub fn add(&mut self, profile: &Profile, outcomes: &[OutcomeRules], hits: &[Hit]) {
        for (outcome, hit) in outcomes.iter().zip(hits) {
            if hit.count == 0 && hit.used.is_empty() {
                continue;
            }
            for rule in profile.rules_at(&outcome.granting) {
                let pattern = rule.pattern.text();
                let sum = match self.patterns.get_mut(pattern) {
                    Some(sum) => sum,
                    None => self.patterns.entry(pattern.to_owned()).or_default(),
                };
                // Two rules of one pattern in one outcome count it once each:
                // the count is a hint to people, `used` is what decides.
                sum.count = sum.count.saturating_add(hit.count);
                sum.used |= hit.used & rule.allow;
            }
        }
    }

    /// Returns the patterns of which rights were used, and which.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Hit)> {
        self.patterns
            .iter()
            .map(|(pattern, &hit)| (pattern.as_str(), hit))
    }

    /// Adds what another table of the profile granted.
    pub fn merge(&mut self, other: &Self) {
        for (pattern, &hit) in &other.patterns {
            self.count(pattern.clone(), hit);
        }
    }

    fn count(&mut self, pattern: String, hit: Hit) {
        let sum = self.patterns.entry(pattern).or_default();
        sum.count = sum.count.saturating_add(hit.count);
        sum.used |= hit.used;
    }

    /// Returns the rights that were used of those that rules with this pattern
    /// grant.
    pub fn of(&self, pattern: &str) -> Access {
        self.patterns
            .get(pattern)
            .map_or(Access::NONE, |hit| hit.used)
    }
}

impl FromIterator<(String, Hit)> for Usage {
    /// A pattern may come several times.
    fn from_iter<T: IntoIterator<Item = (String, Hit)>>(patterns: T) -> Self {
        let mut usage = Self::default();
        for (pattern, hit) in patterns {
            usage.count(pattern, hit);
        }
        usage
    }
}

#[cfg(test)]
mod tests {
    use enforcer_abi::{Access, Hit};

    use super::Usage;
    use crate::{profile::OutcomeRules, tighten::tests::profile};

    fn hit(count: u64, used: Access) -> Hit {
        Hit {
            count,
            used,
            looks: 0,
        }
    }

    #[test]
    fn every_granting_rule_counts_as_used() {
        let both = Access::READ | Access::WRITE;
        let profile = profile(&[
            ("/a/**", both, "own"),
            ("/a/b", Access::READ, "own"),
            ("/c", both, "own"),
        ]);
        let outcomes = [vec![], vec![0, 1], vec![2]].map(|granting| OutcomeRules {
            allow: both,
            granting,
            ..OutcomeRules::default()
        });
        let hits = [hit(9, Access::NONE), hit(2, both), hit(0, Access::NONE)];
        let mut usage = Usage::default();
        usage.add(&profile, &outcomes, &hits);
        usage.add(&profile, &outcomes, &[]);
        #[rustfmt::skip]
        let cases = [
            ("what it grants",          "/a/**", both),
            ("no more than it grants",  "/a/b",  Access::READ),
            ("no hit",                  "/c",    Access::NONE),
            ("no rule",                 "/d",    Access::NONE),
        ];
        for (name, pattern, want) in cases {
            assert_eq!(usage.of(pattern), want, "{name}");
        }
        let mut merged = Usage::default();
        merged.merge(&usage);
        assert_eq!(merged, usage);
    }
}
