//! Renames and links. The kernel lets nothing have a right at its new name that it had not at
//! the old one, so the rule on the old name grants what that on the new one does.

use std::collections::BTreeSet;

use enforcer_abi::Access;

use super::{LearnError, observe::Gathered, plan::Plan, tree::CODE};
use crate::profile::{Compiled, Profile};

/// Most rounds: a chain of moves takes one for each.
const ROUNDS: usize = 8;

/// Makes the moves that were seen possible. Returns those that are not: what is only read
/// under its old name is not let be changed there for the sake of a link.
pub(super) fn settle(
    plan: &mut Plan,
    kept: &Gathered,
    compile: &dyn Fn(&Plan) -> Result<(Profile, Compiled), LearnError>,
) -> Result<Vec<[Vec<u8>; 2]>, LearnError> {
    let mut refused = BTreeSet::new();
    if kept.moves.is_empty() {
        return Ok(Vec::new());
    }
    for _ in 0..ROUNDS {
        let (profile, compiled) = compile(plan)?;
        let mut changed = false;
        refused.clear();
        for [from, to] in &kept.moves {
            let [old, new] = [from, to].map(|path| compiled.judge(path));
            let [before, after] = [old, new].map(|it| it.outcome.reach());
            let is_folder = |path| kept.paths.get(path).is_some_and(|seen| seen.is_folder);
            if !before.grows_to(after, is_folder(to)) {
                continue;
            }
            let gained = after.granted(true).missing_from(before.granted(true));
            let writes = Access::WRITE | Access::APPEND;
            let is_new =
                !(gained & writes).is_empty() && (before.granted(true) & writes).is_empty();
            let is_code = !(gained & (CODE | Access::CONNECT)).is_empty();
            let patterns: Vec<&str> = profile
                .rules_at(&old.rules.granting)
                .map(|rule| rule.pattern.text())
                .collect();
            let mut rules = plan.rules.iter_mut();
            let rule = rules.find(|rule| patterns.contains(&rule.pattern().as_str()));
            match rule {
                Some(rule) if !is_new && !is_code && !is_folder(to) => {
                    let allow = (rule.allow | gained).with_implied() & !Access::METADATA;
                    let for_all =
                        rule.is_owner && !after.allow.missing_from(before.allow).is_empty();
                    changed |= allow != rule.allow || for_all;
                    rule.allow = allow;
                    rule.is_owner &= !for_all;
                }
                _ => {
                    refused.insert([from.clone(), to.clone()]);
                }
            }
        }
        if !changed {
            break;
        }
    }
    Ok(refused.into_iter().collect())
}
