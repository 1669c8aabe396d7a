//! Fewer rules: names of one folder with the same rights are alternatives of one.

use std::collections::BTreeMap;

use super::{fold::PathRule, plan::Plan};

/// Most characters of the alternatives of a rule.
const WIDTH: usize = 72;

/// Joins rules of a folder with the same rights.
pub(super) fn join(plan: &mut Plan) {
    plan.rules = joined(std::mem::take(&mut plan.rules));
    plan.exec = joined(std::mem::take(&mut plan.exec));
}

fn joined(rules: Vec<PathRule>) -> Vec<PathRule> {
    let mut all = Vec::new();
    let mut groups: BTreeMap<(String, u32, bool), Vec<PathRule>> = BTreeMap::new();
    for rule in rules {
        let is_whole = rule.name.contains("{,/") || matches!(rule.name.as_str(), "" | "*");
        // A comma would part it.
        if is_whole || rule.name.contains(',') && rule.why.is_empty() {
            all.push(rule);
        } else {
            let key = (rule.folder.clone(), rule.allow.0, rule.is_owner);
            groups.entry(key).or_default().push(rule);
        }
    }
    for group in groups.into_values() {
        let mut names: Vec<String> = Vec::new();
        let mut line: Vec<PathRule> = Vec::new();
        for rule in group {
            let width: usize = names.iter().map(|name| name.len() + 1).sum();
            if !names.is_empty() && width + rule.name.len() > WIDTH {
                all.extend(one(&names, std::mem::take(&mut line)));
                names.clear();
            }
            names.push(rule.name.clone());
            line.push(rule);
        }
        all.extend(one(&names, line));
    }
    all.sort_by(|one, other| (&one.folder, &one.name).cmp(&(&other.folder, &other.name)));
    all
}

/// One rule for several.
fn one(names: &[String], rules: Vec<PathRule>) -> Option<PathRule> {
    let is_wide = |rule: &PathRule| !rule.why.is_empty();
    // What is told of it is about what is in a pattern, if something is.
    let any_wide = rules.iter().any(is_wide);
    let mut rules = rules.into_iter();
    let mut first = rules.next()?;
    if any_wide && !is_wide(&first) {
        first.paths.clear();
    }
    for rule in rules.filter(|rule| is_wide(rule) || !any_wide) {
        first.why.extend(rule.why);
        first.paths.extend(rule.paths);
    }
    first.why.sort();
    first.why.dedup();
    if let [_, _, ..] = names {
        first.name = format!("{{{}}}", names.join(","));
    }
    Some(first)
}
