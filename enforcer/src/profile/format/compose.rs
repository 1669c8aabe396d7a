//! Pieces of a text that is made by a program, and formatted then.

use std::fmt::Write as _;

use enforcer_abi::Access;

use crate::profile::Escaped;

/// Columns of a comment with lines of its own.
const WIDTH: usize = 88;

/// A text on its way.
#[derive(Debug, Default)]
pub(crate) struct Text(pub(crate) String);

impl Text {
    pub(crate) fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    /// A line with where it comes from behind it.
    pub(crate) fn with(&mut self, line: &str, source: &str) {
        self.line(&format!("{line}  # {}", Escaped(source.as_bytes())));
    }

    /// A comment on lines of its own.
    pub(crate) fn comment(&mut self, indent: usize, text: &str) {
        let text = Escaped(text.as_bytes()).to_string();
        let words: Vec<&str> = text.split(' ').collect();
        self.0.push_str(&comment(indent, [0, 0], WIDTH, &words));
    }
}

/// A rule on paths that allows something, as a row of `paths`.
pub(crate) fn path_rule(pattern: &str, allow: Access, is_owner: bool) -> String {
    let rights: Vec<&str> = allow.without_implied().names().collect();
    format!(
        "  - {{ path: {}, allow: [{}]{} }}",
        quoted(pattern),
        rights.join(", "),
        if is_owner { ", owner: true" } else { "" }
    )
}

/// A rule on programs that go on in the same profile, as a row of `exec`.
pub(crate) fn exec_rule(pattern: &str) -> String {
    format!("  - {{ path: {}, inherit: true }}", quoted(pattern))
}

/// A comment of these words, in lines of at most `width` columns where words are not longer.
/// It begins `indent` columns in; its words stand `first` columns further in on the first
/// line, and `further` on the others.
pub(crate) fn comment(
    indent: usize,
    [first, further]: [usize; 2],
    width: usize,
    words: &[&str],
) -> String {
    let begun = |further: usize| format!("{:indent$}#{:further$}", "", "");
    let mut text = String::new();
    let mut line = begun(first);
    for (at, word) in words.iter().enumerate() {
        if at > 0 && line.chars().count() + 1 + word.chars().count() > width {
            // Writing to a string does not fail.
            let _written = writeln!(text, "{line}");
            line = begun(further);
        }
        line.push(' ');
        line.push_str(word);
    }
    let _written = writeln!(text, "{line}");
    text
}

/// A text in quotes: those of JSON, which YAML has, too. What needs none loses them when it
/// is formatted.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::comment;

    #[test]
    fn comments_are_not_too_wide() {
        let out = comment(2, [2, 4], 100, &["word"; 40]);
        let lines: Vec<&str> = out.lines().collect();
        assert!(lines.iter().all(|line| line.len() <= 100), "{out}");
        assert!(lines[0].starts_with("  #   word"), "{out}");
        assert!(lines[1].starts_with("  #     word"), "{out}");
        assert_eq!(out.matches("word").count(), 40);
    }
}
