//! Errors and warnings of profiles for people: the place and the message on one line, then the line of
//! the file with a mark beneath what is meant.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::profile::{Origin, read_file};

/// What is said about a place, with its line. If the file can no longer be read, or is not
/// text, without it.
pub fn shown(said: &str, origin: &Origin) -> String {
    match line_of(origin) {
        Some(line) => format!("{said}\n{}", marked(&line, origin)),
        None => said.to_owned(),
    }
}

/// The line of a place.
fn line_of(origin: &Origin) -> Option<String> {
    let text = String::from_utf8(read_file(&origin.file).ok()?).ok()?;
    let before = usize::try_from(origin.line).ok()?.checked_sub(1)?;
    text.lines().nth(before).map(str::to_owned)
}

/// The line with a mark beneath what begins at the place.
fn marked(line: &str, origin: &Origin) -> String {
    let before = usize::try_from(origin.column.saturating_sub(1)).unwrap_or(usize::MAX);
    let start = line
        .char_indices()
        .nth(before)
        .map_or(line.len(), |(start, _)| start);
    let rest = line.get(start..).unwrap_or_default();
    let end = start + word(rest).max(rest.chars().next().map_or(0, char::len_utf8));
    let snippet = Snippet::source(line)
        .line_start(usize::try_from(origin.line).unwrap_or(usize::MAX))
        .annotation(AnnotationKind::Primary.span(start..end));
    Renderer::plain().render(&[Group::with_level(Level::ERROR).element(snippet)])
}

/// Bytes of the word that a text begins with: up to what ends one in YAML.
fn word(text: &str) -> usize {
    if let Some(quote @ ('"' | '\'')) = text.chars().next() {
        let rest = text.get(1..).unwrap_or_default();
        return rest.find(quote).map_or(text.len(), |end| end + 2);
    }
    let ends = |letter: char| {
        letter.is_whitespace() || matches!(letter, ',' | ']' | '}' | ':' | '"' | '\'')
    };
    text.find(ends).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::shown;
    use crate::profile::Profile;

    #[test]
    fn a_mark_is_beneath_what_is_meant() {
        // Columns: what it shows, a line of the file, where beneath it the mark begins and
        // how long it is.
        #[rustfmt::skip]
        let cases = [
            ("a value",          "  - { path: /a, allow: [raed] }",           24, 4),
            ("a quoted one",     "  - { path: \"/a/[\", allow: [read] }",     16, 1),
            ("a wide letter",    "  - { path: \"/\u{754c}\", alow: [read] }", 19, 4),
            ("a key",            "  - { path: /a, alow: [read] }",            16, 4),
            ("what is not text", "  - { path: '/\u{1b}[2J', alow: [read] }",  14, 4),
        ];
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("p.yaml");
        for (name, line, column, length) in cases {
            let text = format!("name: p\nmode: enforce\npaths:\n{line}\n");
            fs::write(&file, &text).unwrap();
            let error = Profile::load(&file, Path::new("")).unwrap_err();
            let shown = shown(&error.to_string(), &error.origin);
            let lines: Vec<&str> = shown.lines().collect();
            assert_eq!(lines[0], error.to_string(), "{name}");
            assert!(!shown.contains('\u{1b}'), "{name}: {shown}");
            let want = format!("  | {}{}", " ".repeat(column), "^".repeat(length));
            assert_eq!(lines.last(), Some(&want.as_str()), "{name}:\n{shown}");
        }
    }

    #[test]
    fn an_error_without_a_line() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["none.yaml", "."] {
            let file = folder.path().join(file);
            let error = Profile::load(&file, Path::new("")).unwrap_err();
            let shown = shown(&error.to_string(), &error.origin);
            assert_eq!(shown, error.to_string());
        }
    }
}
