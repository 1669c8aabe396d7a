//! Tightenings as people read them.

use crate::{
    detection::access_text,
    history::Use,
    profile::{Escaped, Removal, object_text},
};

/// Returns removals as a person reads them.
pub fn removals_text(removals: &[Removal]) -> String {
    removals
        .iter()
        .map(|removal| {
            let pattern = Escaped(removal.pattern.as_bytes());
            let except: Vec<String> = removal
                .except
                .iter()
                .map(|kept| {
                    let pattern = Escaped(kept.pattern.as_bytes());
                    format!("{} of {pattern}", access_text(kept.access))
                })
                .collect();
            let except = match &except[..] {
                [] => String::new(),
                kept => format!(" (but not {})", kept.join(", ")),
            };
            format!("{pattern}: {}{except}", access_text(removal.access))
        })
        .collect::<Vec<_>>()
        .join("; ")
}

/// Returns objects that would be lost, as a person reads them: the first few.
pub fn lost_text(lost: &[Use]) -> String {
    let mut texts: Vec<String> = lost
        .iter()
        .take(3)
        .map(|one| {
            let path = object_text(&one.path);
            let at = one.last.strftime("%Y-%m-%d");
            format!(
                "{}: {}, last on {at}",
                Escaped(&path),
                access_text(one.access)
            )
        })
        .collect();
    if let Some(more) = lost.len().checked_sub(texts.len()).filter(|&more| more > 0) {
        texts.push(format!("{more} more"));
    }
    texts.join("; ")
}
