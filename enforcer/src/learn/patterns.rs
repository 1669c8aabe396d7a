//! The patterns that stand for what was seen of paths.

use std::collections::{BTreeMap, BTreeSet};

use enforcer_abi::Access;

use super::{Existing, Observation, Thresholds, fold, observe, tree};
use crate::profile::Pattern;

/// Returns the patterns that stand for what was seen of paths, with the rights that were used
/// by them; `None` if there is an object for which there is no pattern.
pub fn patterns(seen: &[Observation], existing: &dyn Existing) -> Option<Vec<(String, Access)>> {
    let (gathered, _) = observe::gather(seen, &BTreeSet::new());
    let thresholds = Thresholds::default();
    let tree = tree::tree(&gathered.paths, thresholds.same_shape);
    let mut patterns: BTreeMap<String, Access> = BTreeMap::new();
    for rule in fold::rules(tree, &thresholds, existing) {
        let pattern = rule.pattern();
        Pattern::parse(&pattern).ok()?;
        *patterns.entry(pattern).or_default() |= rule.allow;
    }
    Some(patterns.into_iter().collect())
}
