//! What came of watching.

use std::collections::BTreeSet;

use super::output;
use crate::{
    detection::Detection,
    learn::{
        Learned, Summary,
        recorded::{Recorded, coverage},
    },
    profile::{Escaped, object_text},
};

/// Most objects of a kind that are told one by one.
const TOLD: usize = 10;

/// Tells of the lineages that are left out, and why.
pub(super) fn suspects(detections: &[Detection], left_out: &BTreeSet<u64>) {
    for lineage in left_out {
        let mut open = detections
            .iter()
            .filter(|one| one.lineage == *lineage && one.is_refused());
        let Some(first) = open.next() else {
            continue;
        };
        let more = match open.count() {
            0 => String::new(),
            count => format!(" (and {count} more)"),
        };
        output::complain(&format!(
            "note: nothing is learned from the processes of {}{more}: {}",
            first.id,
            first.sentence()
        ));
    }
}

/// Tells what was learned.
pub(super) fn learned(learned: &Learned, seen: &Recorded) {
    for line in lines(&learned.summary, seen) {
        output::complain(&line);
    }
    for warning in &learned.warnings {
        output::complain(&warning.to_string());
    }
}

fn lines(summary: &Summary, seen: &Recorded) -> Vec<String> {
    let Summary {
        rules,
        generalisations,
        included,
        left_out,
        granted_nevertheless,
        refused_moves,
        not_granted,
    } = summary;
    let count = seen.observations.len();
    let mut lines = vec![format!(
        "learned: {rules} rules from {} distinct accesses, {} of them about more than what was \
         seen; {} % known",
        count.saturating_sub(*left_out),
        generalisations.len(),
        coverage(seen)
    )];
    if !included.is_empty() {
        let names: Vec<&str> = included.iter().map(|one| one.name.as_str()).collect();
        lines.push(format!("included: {}", names.join(", ")));
    }
    if seen.nameless > 0 {
        let nameless = seen.nameless;
        lines.push(format!(
            "note: {nameless} accesses were of objects without a name, or could not be recorded; \
             the profile refuses them: watch once more to see whether they come back"
        ));
    }
    let paths = |paths: &[Vec<u8>]| -> Vec<String> {
        let text = |path: &Vec<u8>| Escaped(&object_text(path)).to_string();
        paths.iter().map(text).collect()
    };
    lines.extend(told(
        "is granted, though only processes that are left out used it",
        &paths(granted_nevertheless),
    ));
    lines.extend(told("is not granted", &paths(not_granted)));
    let moves: Vec<String> = refused_moves
        .iter()
        .map(|[from, to]| format!("{} to {}", Escaped(from), Escaped(to)))
        .collect();
    lines.extend(told(
        "stays refused, since what is moved would gain rights",
        &moves,
    ));
    lines
}

/// Objects of which the same is to be said.
fn told(what: &str, objects: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = objects
        .iter()
        .take(TOLD)
        .map(|object| format!("note: {object} {what}"))
        .collect();
    if let Some(more) = objects.len().checked_sub(TOLD).filter(|&more| more > 0) {
        lines.push(format!("note: of {more} more the same is so"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{TOLD, lines, told};
    use crate::learn::{Summary, recorded::Recorded};

    #[test]
    fn what_is_told() {
        let summary = Summary {
            rules: 3,
            left_out: 0,
            granted_nevertheless: vec![b"/a".to_vec()],
            not_granted: vec![b"/b\n".to_vec()],
            refused_moves: vec![[b"/c".to_vec(), b"/d".to_vec()]],
            ..Summary::default()
        };
        let seen = Recorded {
            accesses: 10,
            once: 1,
            nameless: 2,
            ..Recorded::default()
        };
        let lines = lines(&summary, &seen);
        let want = [
            "learned: 3 rules from 0 distinct accesses, 0 of them about more than what was seen; 90 % known",
            "note: 2 accesses were of objects without a name, or could not be recorded; the profile refuses them: watch once more to see whether they come back",
            "note: /a is granted, though only processes that are left out used it",
            "note: /b\\n is not granted",
            "note: /c to /d stays refused, since what is moved would gain rights",
        ];
        assert_eq!(lines, want);
    }

    #[test]
    fn a_long_list_is_cut() {
        let objects: Vec<String> = (0..TOLD + 2).map(|number| number.to_string()).collect();
        let lines = told("is so", &objects);
        assert_eq!(lines.len(), TOLD + 1);
        assert_eq!(lines.last().unwrap(), "note: of 2 more the same is so");
        assert_eq!(told("is so", &objects[..TOLD]).len(), TOLD);
    }
}
