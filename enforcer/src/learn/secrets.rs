//! Secrets in folders that are read as a whole, and that nobody read.

use std::collections::BTreeMap;

use enforcer_abi::Access;

use super::{
    fold::PathRule,
    observe::Gathered,
    places::{SECRET_FILES, SECRET_FOLDERS, Zone, zone},
};

/// Patterns to be denied: the secrets in what these rules let be read as a whole, but for
/// names that something has that was used.
pub(super) fn denied(rules: &[PathRule], kept: &Gathered) -> Vec<String> {
    let mut roots: BTreeMap<(String, &str), Vec<String>> = BTreeMap::new();
    for root in rules.iter().filter_map(root) {
        let is_used = |name: &&&str| kept.paths.keys().any(|path| has_name(path, &root, name));
        for (names, beneath) in [(&SECRET_FOLDERS[..], "{,/**}"), (&SECRET_FILES[..], "")] {
            let names: Vec<&str> = names
                .iter()
                .filter(|name| !is_used(name))
                .copied()
                .collect();
            if !names.is_empty() {
                let names = either(&names);
                roots
                    .entry((names, beneath))
                    .or_default()
                    .push(root.clone());
            }
        }
    }
    let pattern = |((names, beneath), roots): ((String, &str), Vec<String>)| {
        let roots: Vec<&str> = roots.iter().map(String::as_str).collect();
        format!("{}/**/{names}{beneath}", either(&roots))
    };
    roots.into_iter().map(pattern).collect()
}

/// The folder that a rule lets be read as a whole.
fn root(rule: &PathRule) -> Option<String> {
    let pattern = rule.pattern();
    let mut ends = ["{,/**}", "{,/*}", "/*"].iter();
    let root = ends.find_map(|end| pattern.strip_suffix(end))?;
    (rule.allow == Access::READ && zone(root) == Zone::Data).then(|| root.to_owned())
}

/// Whether one of the names of a path in a folder is like `like`. Where the folder is a
/// pattern, any path may be in it.
fn has_name(path: &[u8], root: &str, like: &str) -> bool {
    let is_plain = !root.contains(['*', '?', '[', '{', '\\']);
    if is_plain && !path.starts_with(root.as_bytes()) {
        return false;
    }
    path.split(|&byte| byte == b'/')
        .any(|name| is_like(name, like))
}

/// Whether a name is like a word with one `*` at most.
fn is_like(name: &[u8], like: &str) -> bool {
    match like.split_once('*') {
        Some((start, end)) => {
            name.len() >= start.len() + end.len()
                && name.starts_with(start.as_bytes())
                && name.ends_with(end.as_bytes())
        }
        None => name == like.as_bytes(),
    }
}

fn either(all: &[&str]) -> String {
    match all {
        [one] => (*one).to_owned(),
        _ => format!("{{{}}}", all.join(",")),
    }
}
