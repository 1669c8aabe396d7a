//! What goes to stdout.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
};

use anyhow::Context as _;
use jiff::Timestamp;
use serde::Serialize;
use similar::TextDiff;

/// Writes text to stdout and sends it on its way.
///
/// # Errors
///
/// If stdout takes no more; a pipe that was closed is no error, since who reads
/// has had enough.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.context("cannot write to stdout"),
    }
}

/// Writes a value to stdout as one line of JSON.
///
/// # Errors
///
/// As [`print`].
pub fn json<T: Serialize>(value: &T) -> anyhow::Result<()> {
    let mut text = serde_json::to_string(value).context("cannot write JSON")?;
    text.push('\n');
    print(&text)
}

/// Writes a line to stderr.
pub fn complain(text: &str) {
    // A closed stderr is no reason to fail twice.
    let _written = writeln!(io::stderr(), "{text}");
}

/// Returns a time as people read it.
pub fn when(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Returns a table with aligned columns.
pub fn table<const COLUMNS: usize>(head: [&str; COLUMNS], rows: &[[String; COLUMNS]]) -> String {
    let mut widths = head.map(|cell| cell.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    let head = head.map(str::to_owned);
    for row in std::iter::once(&head).chain(rows) {
        let cells: Vec<_> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// Returns how a text differs from one before, by lines; `names` are theirs.
pub fn diff(old: &str, new: &str, names: [&str; 2]) -> String {
    let [before, after] = names;
    let diff = TextDiff::from_lines(old, new);
    diff.unified_diff().header(before, after).to_string()
}

/// Returns fields under each other, the names aligned. Fields without a value are
/// left out.
pub fn fields(fields: &[(&str, Option<String>)]) -> String {
    let width = fields.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, value) in fields {
        if let Some(value) = value {
            // Writing to a string does not fail.
            let _written = writeln!(text, "{name:<width$}  {value}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{fields, table};

    #[test]
    fn tables_are_aligned() {
        let rows = [["D1", "/é"], ["D10", ""]].map(|row| row.map(str::to_owned));
        let text = table(["ID", "PATH"], &rows);
        assert_eq!(text, "ID   PATH\nD1   /é\nD10\n");
        assert_eq!(table(["ID"], &[]), "ID\n");
    }

    #[test]
    fn fields_are_aligned() {
        let text = fields(&[
            ("id", Some("D1".to_owned())),
            ("rule", None),
            ("profile", Some("p".to_owned())),
        ]);
        assert_eq!(text, "id       D1\nprofile  p\n");
    }
}
