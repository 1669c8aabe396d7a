//! From a [`Document`] to text.

use super::{
    order::Role,
    scalar::{Around, folded, inline},
    tree::{Block, Collection, Document, Entry, Line, Scalar, Value},
};

/// Columns of a line, but for comments and for words that are longer.
const WIDTH: usize = 100;

/// Columns by which what is inside stands further in.
const STEP: usize = 2;

/// The text of a file whose keys are in their order.
pub(super) fn text(document: &Document) -> String {
    let Document { header, top } = document;
    let mut writer = Writer::default();
    writer.lines(header, 0);
    let mut after_section = false;
    for (at, entry) in top.entries.iter().enumerate() {
        let role = entry
            .key
            .as_ref()
            .map_or(Role::Other, |key| Role::Top.under(&key.text));
        let is_section = role.is_section() && !is_empty(&entry.value);
        if at > 0 && (is_section || after_section) {
            writer.blank();
        }
        after_section = is_section;
        writer.lines(&entry.above, 0);
        writer.pair(entry, 0, Role::Top);
    }
    writer.lines(&top.below, 0);
    writer.text
}

/// A key of the file with its value, without what stands above it.
pub(super) fn section(entry: &Entry, indent: usize) -> String {
    let mut writer = Writer::default();
    writer.pair(entry, indent, Role::Top);
    writer.text
}

/// An entry of the list under a key of the file, with what stands above it.
pub(super) fn row(entry: &Entry, key: &str, indent: usize) -> String {
    let mut writer = Writer::default();
    writer.item(entry, 0, indent, Role::Top.under(key));
    writer.text
}

/// A text on its way. It is empty or ends with a line end.
#[derive(Default)]
struct Writer {
    text: String,
}

impl Writer {
    /// A blank line, if none is there and something is above it.
    fn blank(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    fn line(&mut self, indent: usize, text: &str) {
        let line = format!("{:indent$}{text}", "");
        self.text.push_str(line.trim_end_matches(' '));
        self.text.push('\n');
    }

    /// A line with a comment behind it.
    fn line_with(&mut self, indent: usize, text: &str, comment: Option<&str>) {
        match comment {
            Some(comment) => self.line(indent, &format!("{text}  {comment}")),
            None => self.line(indent, text),
        }
    }

    fn lines(&mut self, lines: &[Line], indent: usize) {
        for line in lines {
            match line {
                Line::Blank => self.blank(),
                Line::Comment(comment) => self.line(indent, comment),
            }
        }
    }

    /// What stands above the entry at an index. The first has nothing to stand off from.
    fn above(&mut self, entry: &Entry, at: usize, indent: usize) {
        let lines = match entry.above.split_first() {
            Some((Line::Blank, rest)) if at == 0 => rest,
            _ => &entry.above,
        };
        self.lines(lines, indent);
    }

    /// The entries of a mapping, a key a line.
    fn map(&mut self, map: &Collection, indent: usize, role: Role) {
        for (at, entry) in map.entries.iter().enumerate() {
            self.above(entry, at, indent);
            self.pair(entry, indent, role);
        }
        self.lines(&map.below, indent);
    }

    /// A key with its value, in a mapping with the role `parent`.
    fn pair(&mut self, entry: &Entry, indent: usize, parent: Role) {
        let Some(key) = &entry.key else { return };
        let head = format!("{}:", inline(key, Around::Block));
        self.value(entry, &head, indent, parent.under(&key.text));
    }

    /// A value behind `head`: a key or a dash.
    fn value(&mut self, entry: &Entry, head: &str, indent: usize, role: Role) {
        let comment = entry.after.as_deref().or(entry.after_key.as_deref());
        if let Some(text) = on_one_line(entry, head, indent, role) {
            self.line_with(indent, &text, comment);
            return;
        }
        let inside = indent + STEP;
        match &entry.value {
            Value::Scalar(scalar) => self.scalar(scalar, head, indent, role, comment),
            Value::List(list) => {
                self.line_with(indent, head, comment);
                for (at, item) in list.entries.iter().enumerate() {
                    self.item(item, at, inside, role);
                }
                self.lines(&list.below, inside);
            }
            Value::Map(map) => {
                self.line_with(indent, head, comment);
                self.map(map, inside, role);
            }
        }
    }

    /// An entry of a list with the role `list`, a line or more.
    fn item(&mut self, item: &Entry, at: usize, indent: usize, list: Role) {
        self.above(item, at, indent);
        let role = list.of_entries();
        if let Value::Map(map) = &item.value
            && on_one_line(item, "-", indent, role).is_none()
            && let Some((first, rest)) = map.entries.split_first()
        {
            // It has no room behind a rule of several lines.
            if let Some(comment) = &item.after {
                self.line(indent, comment);
            }
            let start = self.text.len();
            self.pair(first, indent + STEP, role);
            self.put_dash(start, indent);
            for entry in rest {
                self.above(entry, 1, indent + STEP);
                self.pair(entry, indent + STEP, role);
            }
            self.lines(&map.below, indent + STEP);
            return;
        }
        self.value(item, "-", indent, role);
    }

    /// Puts a dash before what was written from `start` on, in its indentation.
    fn put_dash(&mut self, start: usize, indent: usize) {
        let at = start + indent;
        if self.text.get(at..=at) == Some(" ") {
            self.text.replace_range(at..=at, "-");
        }
    }

    /// A word or text that is no line of its own.
    fn scalar(
        &mut self,
        scalar: &Scalar,
        head: &str,
        indent: usize,
        role: Role,
        comment: Option<&str>,
    ) {
        let inside = indent + STEP;
        let made;
        let block = match &scalar.block {
            Some(block) => Some(block),
            None if role == Role::Prose => {
                made = folded(&scalar.text, WIDTH.saturating_sub(inside)).map(|lines| Block {
                    folded: true,
                    ends: false,
                    lines,
                });
                made.as_ref()
            }
            None => None,
        };
        let Some(block) = block else {
            let text = format!("{head} {}", inline(scalar, Around::Block));
            self.line_with(indent, &text, comment);
            return;
        };
        let style = match (block.folded, block.ends) {
            (true, true) => ">",
            (true, false) => ">-",
            (false, true) => "|",
            (false, false) => "|-",
        };
        self.line_with(indent, &format!("{head} {style}"), comment);
        for line in &block.lines {
            if !line.is_empty() {
                self.text.extend(std::iter::repeat_n(' ', inside));
            }
            // Spaces at its end are part of the text.
            self.text.push_str(line);
            self.text.push('\n');
        }
    }
}

/// Whether there is nothing to write below a key.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Scalar(_) => true,
        Value::List(inner) | Value::Map(inner) => inner.entries.is_empty(),
    }
}

/// The value behind `head` on one line, if that is how it is written.
fn on_one_line(entry: &Entry, head: &str, indent: usize, role: Role) -> Option<String> {
    let value = &entry.value;
    let by_lines = matches!(role, Role::Rows(_) | Role::Keys(_)) && !is_empty(value);
    if by_lines {
        return None;
    }
    let text = match value {
        Value::Scalar(scalar) if scalar.block.is_some() => return None,
        Value::Scalar(scalar) => inline(scalar, Around::Block),
        Value::List(_) | Value::Map(_) => flow(value)?,
    };
    let line = if text.is_empty() {
        head.to_owned()
    } else {
        format!("{head} {text}")
    };
    let is_whole = match value {
        Value::Scalar(_) => role != Role::Prose,
        Value::List(inner) | Value::Map(inner) => inner.entries.is_empty(),
    };
    (is_whole || indent + line.chars().count() <= WIDTH).then_some(line)
}

/// The value in brackets, if nothing in it needs lines of its own.
fn flow(value: &Value) -> Option<String> {
    match value {
        Value::Scalar(scalar) if scalar.block.is_some() => None,
        Value::Scalar(scalar) => Some(inline(scalar, Around::Flow)),
        Value::List(list) if list.entries.is_empty() => Some("[]".to_owned()),
        Value::Map(map) if map.entries.is_empty() => Some("{}".to_owned()),
        Value::List(inner) | Value::Map(inner) if inner.has_comments() => None,
        Value::List(list) => {
            let entries = list.entries.iter().map(|entry| flow(&entry.value));
            Some(format!(
                "[{}]",
                entries.collect::<Option<Vec<_>>>()?.join(", ")
            ))
        }
        Value::Map(map) => {
            let entries = map.entries.iter().map(|entry| {
                let key = inline(entry.key.as_ref()?, Around::Flow);
                let value = flow(&entry.value)?;
                let space = if value.is_empty() { "" } else { " " };
                Some(format!("{key}:{space}{value}"))
            });
            let entries: Option<Vec<String>> = entries.collect();
            Some(format!("{{ {} }}", entries?.join(", ")))
        }
    }
}
