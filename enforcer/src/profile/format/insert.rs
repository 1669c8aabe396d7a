//! What one profile has besides, put into another's text line by line.
//!
//! Where the new lines go is found in the text, and what they come to is not taken on trust:
//! the whole is read again and compared with the old rules and the new ones. Where that does
//! not come out, as with a file that is all in brackets, the whole is formatted.

use std::path::Path;

use granit_parser::{Event, Parser};

use super::{
    FileKind, FormatError,
    append::{LISTS, append, grown, is_known},
    order, parse,
    tree::{Document, Entry, Value},
    write,
};
use crate::profile::{FILE_LEN, Profile};

/// A key of the file, by lines that are counted from 0.
struct Section {
    key: String,
    /// The column of the key.
    column: usize,
    /// The key's line.
    first: usize,
    /// The line after its last: that of the next key or of the end.
    end: usize,
    /// The line after the closing bracket, where the value is a list in brackets.
    closed: Option<usize>,
}

/// Lines that take the place of others.
struct Change {
    first: usize,
    end: usize,
    text: String,
}

/// Adds to the profile `text` of `file` the abstractions, privileges and rules of the profile
/// `added`, with their comments, behind its own. Lines that were there stay as they are, but
/// for a list in brackets that grows; a file that is all in brackets is formatted.
///
/// # Errors
///
/// If one of them is no profile, or what comes out is none.
pub fn insert(
    text: &str,
    added: &str,
    file: &Path,
    abstractions: &Path,
) -> Result<String, FormatError> {
    let mut wanted = grown(text, added, file)?;
    let added_rules = parse(added, file, FileKind::Profile)?;
    let own = parse(text, file, FileKind::Profile)?;
    let new = changes(text, &own, &added_rules, &wanted).map(|changes| changed(text, changes));
    order::sort(&mut wanted);
    let Some(new) = new.filter(|new| says(new, &wanted, file)) else {
        return append(text, added, file, abstractions);
    };
    Profile::parse(&new, file, abstractions)?;
    Ok(new)
}

/// Whether a text says what a sorted document does.
fn says(text: &str, wanted: &Document, file: &Path) -> bool {
    parse(text, file, FileKind::Profile).is_ok_and(|mut got| {
        order::sort(&mut got);
        wanted.says_same(&got)
    })
}

/// What has to change in a text so that it has the rules of `added`, too. `None`: it cannot be
/// said by lines.
fn changes(text: &str, own: &Document, added: &Document, wanted: &Document) -> Option<Vec<Change>> {
    let lines: Vec<&str> = text.lines().collect();
    let sections = sections(text, lines.len())?;
    let column = sections.first()?.column;
    let mut changes = Vec::new();
    for entry in &added.top.entries {
        let key = key_of(entry);
        let Value::List(list) = &entry.value else {
            continue;
        };
        if !LISTS.contains(&key) {
            continue;
        }
        let Some(before) = named(own, key) else {
            let gap = lines.last().is_none_or(|last| !last.trim().is_empty());
            let gap = if gap { "\n" } else { "" };
            let text = gap.to_owned() + &write::section(entry, column);
            let (first, end) = (lines.len(), lines.len());
            changes.push(Change { first, end, text });
            continue;
        };
        let Value::List(known) = &before.value else {
            return None;
        };
        let is_new = |entry: &&Entry| !is_known(known, entry);
        let new: Vec<&Entry> = list.entries.iter().filter(is_new).collect();
        if new.is_empty() {
            continue;
        }
        let section = sections.iter().find(|section| section.key == key)?;
        changes.push(if let Some(end) = section.closed {
            Change {
                first: section.first,
                end,
                text: write::section(named(wanted, key)?, column),
            }
        } else {
            let (at, dash) = end_of_rows(&lines, section)?;
            let rows = new.into_iter().map(|entry| write::row(entry, key, dash));
            let is_comment = |line: &&str| line.trim_start().starts_with('#');
            let is_below = at.checked_sub(1).and_then(|last| lines.get(last));
            let gap = if is_below.is_some_and(is_comment) {
                "\n"
            } else {
                ""
            };
            let text = gap.to_owned() + &rows.collect::<String>();
            Change {
                first: at,
                end: at,
                text,
            }
        });
    }
    Some(changes)
}

/// The line after the last row of a list without brackets, and the column of its dashes.
/// Comments that stand as far in as these are the list's.
fn end_of_rows(lines: &[&str], section: &Section) -> Option<(usize, usize)> {
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let is_empty = |line: &str| line.trim().is_empty();
    let rows = lines.get(section.first + 1..section.end)?;
    let first = rows
        .iter()
        .find(|line| !is_empty(line) && !line.trim_start().starts_with('#'))?;
    let dash = indent(first);
    if !first.trim_start().starts_with('-') {
        return None;
    }
    // Dashes may stand under the key; a comment there is about what comes next.
    let inside = dash.max(section.column + 1);
    let is_else =
        |line: &str| is_empty(line) || line.trim_start().starts_with('#') && indent(line) < inside;
    let last = rows.iter().rposition(|line| !is_else(line))?;
    Some((section.first + 1 + last + 1, dash))
}

/// The text with other lines in some places.
fn changed(text: &str, mut changes: Vec<Change>) -> String {
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    changes.sort_by_key(|change| change.first);
    let mut changes = changes.into_iter().peekable();
    let mut new = String::new();
    let mut skipped = 0;
    for (at, line) in text.split_inclusive('\n').enumerate() {
        while let Some(change) = changes.next_if(|change| change.first == at) {
            new.push_str(&change.text.replace('\n', end));
            skipped = skipped.max(change.end);
        }
        if at >= skipped {
            new.push_str(line);
        }
    }
    if !new.ends_with('\n') {
        new.push_str(end);
    }
    for change in changes {
        new.push_str(&change.text.replace('\n', end));
    }
    new
}

/// The keys of a file of `count` lines, in their order. `None`: the file is in brackets.
fn sections(text: &str, count: usize) -> Option<Vec<Section>> {
    let options = granit_parser::options! {
        max_buffered_comment_events: FILE_LEN,
    };
    let mut sections: Vec<Section> = Vec::new();
    let mut depth = 0_usize;
    let mut is_key = true;
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.ok()?;
        let is_end = matches!(event, Event::MappingEnd | Event::SequenceEnd);
        match event {
            Event::MappingStart(..) | Event::SequenceStart(..) => {
                // Brackets have a width.
                if depth == 0 && !span.is_empty() {
                    return None;
                }
                depth += 1;
            }
            Event::MappingEnd | Event::SequenceEnd => depth = depth.checked_sub(1)?,
            Event::Scalar(ref name, ..) if depth == 1 && is_key => {
                let first = span.start.line().checked_sub(1)?;
                if let Some(last) = sections.last_mut() {
                    last.end = first;
                }
                sections.push(Section {
                    key: name.to_string(),
                    column: span.start.col(),
                    first,
                    end: count,
                    closed: None,
                });
                is_key = false;
                continue;
            }
            Event::Scalar(..) => {}
            _ => continue,
        }
        // A value at the top is over.
        if depth == 1 && !is_key {
            is_key = true;
            if is_end && !span.is_empty() {
                sections.last_mut()?.closed = Some(span.end.line());
            }
        }
    }
    Some(sections)
}

/// The key of an entry of the file.
fn key_of(entry: &Entry) -> &str {
    entry.key.as_ref().map_or("", |key| &key.text)
}

/// The entry of a file with a key.
fn named<'a>(document: &'a Document, key: &str) -> Option<&'a Entry> {
    let mut entries = document.top.entries.iter();
    entries.find(|entry| key_of(entry) == key)
}

#[cfg(test)]
mod tests;
