//! Rights that are taken away from a profile, by tightenings or by the time.

use enforcer_abi::Access;
use serde::{Deserialize, Serialize};

use super::{Pattern, Profile, Rule, access_names, narrower};

/// Rights that are taken away from the allow-rules with a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Removal {
    /// The pattern's text ([`Pattern::text`]).
    pub pattern: String,
    /// The rights.
    #[serde(with = "access_names")]
    pub access: Access,
    /// What of that stays: narrower patterns. One that matches what the pattern does not stays
    /// no more than the rest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<Exception>,
}

/// Rights that stay where others are taken away.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// The pattern of what keeps them.
    pub pattern: String,
    /// The rights.
    #[serde(with = "access_names")]
    pub access: Access,
}

impl Removal {
    /// The rules that stay of one from which this takes rights away.
    fn kept_of(&self, rule: &Rule) -> impl Iterator<Item = Rule> {
        self.except.iter().filter_map(|kept| {
            let allow = rule.allow & self.access & kept.access;
            let pattern = Pattern::parse(&kept.pattern).ok()?;
            let stays = !allow.is_empty() && narrower::is_within(&pattern, &rule.pattern);
            stays.then(|| Rule {
                pattern,
                allow,
                trial: rule.trial & allow,
                ..rule.clone()
            })
        })
    }

    /// The rights that go of a path which the pattern matches.
    pub fn taken_of(&self, path: &[u8]) -> Access {
        let kept = self.except.iter().filter(|kept| {
            let pattern = Pattern::parse(&kept.pattern);
            pattern.is_ok_and(|pattern| pattern.matches(path))
        });
        kept.fold(self.access, |taken, kept| taken & !kept.access)
    }
}

impl Profile {
    /// The profile with the rights of `removals` taken away from its allow-rules.
    ///
    /// A rule that is left without a right stays in its place and grants nothing,
    /// so that the indices of rules keep their meaning. A removal whose pattern no
    /// rule has changes nothing.
    #[must_use]
    pub fn without(&self, removals: &[Removal]) -> Self {
        self.changed(removals, |rule, access| rule.allow = rule.allow & !access)
    }

    /// The profile with `removals` on trial: every use of a right is told that it would not
    /// grant without them.
    #[must_use]
    pub fn with_trial(&self, removals: &[Removal]) -> Self {
        self.changed(removals, |rule, access| rule.trial |= rule.allow & access)
    }

    /// The profile without what its rules grant that have ended by `now`, in seconds since
    /// 1970, UTC. Such a rule stays in its place.
    #[must_use]
    pub fn without_ended(&self, now: u32) -> Self {
        let mut profile = self.clone();
        for rule in &mut profile.rules {
            if rule.ends.has_ended(now) {
                rule.allow = Access::NONE;
            }
        }
        profile
    }

    fn changed(&self, removals: &[Removal], change: impl Fn(&mut Rule, Access)) -> Self {
        let mut profile = self.clone();
        for removal in removals {
            let mut kept = Vec::new();
            for rule in &mut profile.rules {
                if removal.pattern == rule.pattern.text() {
                    kept.extend(removal.kept_of(rule));
                    change(rule, removal.access);
                }
            }
            profile.rules.extend(kept);
        }
        profile
    }
}
