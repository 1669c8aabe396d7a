//! Narrowing: broad patterns, and the narrower ones that the history supports.

use std::collections::{BTreeMap, BTreeSet};

use enforcer_abi::Access;
use jiff::Timestamp;

use super::{lost, own_grant};
use crate::{
    history::Use,
    learn::{self, Existing, Observation, recorded::Found},
    profile::{CompileError, Compiled, Exception, Profile, Removal, differences},
};

/// Fewest objects that were used under a pattern, for it to be replaced by narrower ones.
pub const EVIDENCE: usize = 8;
/// Most patterns by which one is replaced: more would tell nobody anything.
pub const EXCEPTIONS: usize = 8;

/// What there is of files.
pub struct Files<'a> {
    /// What there is in a folder.
    pub existing: &'a dyn Existing,
    /// What there is at a path.
    pub find: &'a dyn Fn(&[u8]) -> Option<Found>,
}

/// Returns by which narrower patterns broad ones of `profile`, whose table is `compiled`, can be
/// replaced, so that all of `uses` stays granted: what was used of it.
///
/// Broad is what has a `**`. A pattern stays that an abstraction has, too, that ends by itself,
/// or that `known` says the profile has had since after `cutoff`; and those whose objects have
/// too little in common, or are too few.
///
/// # Errors
///
/// If what is left of the profile makes no table.
pub fn narrower(
    profile: &Profile,
    compiled: &Compiled,
    uses: &[Use],
    known: &BTreeMap<String, Timestamp>,
    cutoff: Timestamp,
    files: &Files<'_>,
) -> Result<Vec<Removal>, CompileError> {
    let mut by_pattern: BTreeMap<&str, Vec<Observation>> = BTreeMap::new();
    for one in uses.iter().filter(|one| one.is_granted) {
        for &at in &compiled.judge(&one.path).rules.granting {
            let Some(rule) = profile.rules.get(at) else {
                continue;
            };
            let pattern = rule.pattern.text();
            let access = one.access & rule.allow;
            let is_old = known.get(pattern).is_some_and(|&since| since <= cutoff);
            if is_old && pattern.contains("**") && rule.ends.is_never() && !access.is_empty() {
                let seen = by_pattern.entry(pattern).or_default();
                seen.extend(observation(one, access, files));
            }
        }
    }
    let mut removals: Vec<Removal> = Vec::new();
    for (pattern, seen) in by_pattern {
        let Some(removal) = replaced(profile, pattern, &seen, files.existing) else {
            continue;
        };
        let after = profile.without(std::slice::from_ref(&removal));
        let differences = differences(profile, &after)?;
        let gains = differences.iter().any(|one| !one.gained().is_empty());
        let loses = differences.iter().any(|one| !one.lost().is_empty());
        if loses && !gains && lost(compiled, &after, uses, &[].into())?.is_empty() {
            removals.push(removal);
        }
    }
    Ok(removals)
}

/// What a use shows of its program.
fn observation(one: &Use, access: Access, files: &Files<'_>) -> Option<Observation> {
    let found = (files.find)(&one.path);
    Some(Observation {
        object: learn::Object::Path(one.path.clone()),
        operation: *one.operations.first()?,
        access,
        is_folder: found.map(|it| it.is_folder),
        is_own: None,
        from: None,
        program: one.program.clone(),
        lineage: one.lineage,
    })
}

/// What a pattern would be replaced by, if its objects have so much in common.
fn replaced(
    profile: &Profile,
    pattern: &str,
    seen: &[Observation],
    existing: &dyn Existing,
) -> Option<Removal> {
    let paths = seen.iter().filter_map(|one| match &one.object {
        learn::Object::Path(path) => Some(path),
        _ => None,
    });
    let count = paths.collect::<BTreeSet<_>>().len();
    let granted = own_grant(profile, pattern)?;
    if count < EVIDENCE {
        return None;
    }
    let patterns = learn::patterns(seen, existing)?;
    if patterns.len() > EXCEPTIONS {
        return None;
    }
    let except: Vec<Exception> = patterns
        .into_iter()
        .map(|(pattern, access)| Exception {
            pattern,
            access: access.with_implied() & granted,
        })
        .collect();
    Some(Removal {
        pattern: pattern.to_owned(),
        access: granted,
        except,
    })
}

#[cfg(test)]
mod tests;
