//! What one profile has besides, at the ends of another's lists.

use std::path::Path;

use super::{
    FileKind, FormatError, parse,
    tree::{Collection, Document, Entry, Line, Value},
    written,
};
use crate::profile::Profile;

/// Keys whose lists grow. What else a profile says is its author's.
pub(super) const LISTS: [&str; 5] = ["include", "paths", "privileges", "exec", "network"];

/// Adds to the profile `text` of `file` the abstractions, privileges and rules of the profile
/// `added`, with their comments, behind its own. The whole is in the one style then.
///
/// # Errors
///
/// If one of them is no profile, or what comes out is none.
pub fn append(
    text: &str,
    added: &str,
    file: &Path,
    abstractions: &Path,
) -> Result<String, FormatError> {
    let new = written(grown(text, added, file)?, file, FileKind::Profile)?;
    Profile::parse(&new, file, abstractions)?;
    Ok(new)
}

/// The profile `text` with what `added` has besides.
pub(super) fn grown(text: &str, added: &str, file: &Path) -> Result<Document, FormatError> {
    let mut document = parse(text, file, FileKind::Profile)?;
    for entry in parse(added, file, FileKind::Profile)?.top.entries {
        let Some(key) = entry.key.as_ref().map(|key| key.text.clone()) else {
            continue;
        };
        if !LISTS.contains(&key.as_str()) {
            continue;
        }
        let has_key = |own: &&mut Entry| own.key.as_ref().is_some_and(|own| own.text == key);
        match document.top.entries.iter_mut().find(has_key) {
            Some(own) => grow(own, entry.value),
            None => document.top.entries.push(entry),
        }
    }
    Ok(document)
}

/// Adds entries to a list, but for words that are in it.
fn grow(own: &mut Entry, added: Value) {
    let (Value::List(own), Value::List(added)) = (&mut own.value, added) else {
        return;
    };
    // What stands below the last entry is about that.
    let below = std::mem::take(&mut own.below);
    let mut is_first = true;
    for mut entry in added.entries {
        if is_known(own, &entry) {
            continue;
        }
        if is_first && !matches!(entry.value, Value::Scalar(_)) {
            let rest = std::mem::take(&mut entry.above);
            entry.above.extend(below.clone());
            entry.above.push(Line::Blank);
            entry.above.extend(rest);
        }
        is_first = false;
        own.entries.push(entry);
    }
    if is_first
        || own
            .entries
            .iter()
            .all(|entry| matches!(entry.value, Value::Scalar(_)))
    {
        own.below = below;
    }
}

/// Whether a word is in a list.
pub(super) fn is_known(list: &Collection, entry: &Entry) -> bool {
    let Value::Scalar(word) = &entry.value else {
        return false;
    };
    list.entries.iter().any(|own| match &own.value {
        Value::Scalar(own) => own.text == word.text,
        Value::List(_) | Value::Map(_) => false,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::append;

    #[test]
    fn lists_grow_at_their_ends() {
        let text = "\
# Of mine.
name: p
mode: audit
include: [base]

paths:
  # First.
  - { path: /a, allow: [read] }  # behind
  # Last.

privileges: [kill]
";
        let added = "\
name: q
description: not taken
mode: enforce
include: [base, tls]
paths:
  # Why.
  - { path: /b, allow: [read] }
  - { path: /c, allow: [read] }
privileges: [kill, chown]
exec:
  - { path: /d }
";
        let dir = tempfile::tempdir().unwrap();
        for name in ["base", "tls"] {
            std::fs::write(dir.path().join(format!("{name}.yaml")), "paths: []\n").unwrap();
        }
        let got = append(text, added, Path::new("p.yaml"), dir.path()).unwrap();
        let want = "\
# Of mine.
name: p
mode: audit
include: [base, tls]

paths:
  # First.
  - { path: /a, allow: [read] }  # behind
  # Last.

  # Why.
  - { path: /b, allow: [read] }
  - { path: /c, allow: [read] }

privileges:
  - kill
  - chown

exec:
  - { path: /d }
";
        assert_eq!(got, want);
        let again = append(
            &got,
            "name: q\nmode: audit\n",
            Path::new("p.yaml"),
            dir.path(),
        );
        assert_eq!(again.unwrap(), want);
    }
}
