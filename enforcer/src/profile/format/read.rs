//! From the events of the YAML parser to a [`Document`].
//!
//! The parser tells comments as events of their own, with their places. A comment behind
//! something on its line belongs to that; one on a line of its own, to what comes next. At
//! the end of a list or a mapping its column decides: as far in as the entries it is one
//! of theirs.

use std::collections::VecDeque;

use granit_parser::{Event, Parser, ScalarStyle, Span};

use super::{
    FormatError, Source,
    tree::{Block, Collection, Document, Entry, Line, Scalar, Value},
};
use crate::profile::{FILE_LEN, Origin};

/// A comment in its place.
struct Comment {
    /// In bytes from the start of the text.
    offset: usize,
    /// From 1.
    line: usize,
    /// From 0.
    column: usize,
    /// Whether it has its line for itself.
    alone: bool,
    /// From its `#`.
    text: String,
}

/// A text on its way. What is in it is valid YAML, and no deeper than the parser allows.
struct Reader<'a> {
    source: &'a Source,
    lines: Vec<&'a str>,
    events: VecDeque<(Event<'a>, Span)>,
    comments: VecDeque<Comment>,
    /// Comments that belong to what comes next.
    pending: Vec<Comment>,
    /// The last line on which something was.
    last_line: usize,
}

/// Where a list or a mapping is.
#[derive(Clone, Copy)]
struct Place {
    /// Whether it is in brackets.
    flow: bool,
    /// Whether it has keys.
    keys: bool,
    /// The least column of a comment below it that is one of its own.
    column: usize,
}

/// Reads a text that the profile's parser takes.
pub(super) fn document(source: &Source) -> Result<Document, FormatError> {
    let lines: Vec<&str> = source.text.lines().collect();
    let options = granit_parser::options! {
        max_buffered_comment_events: FILE_LEN,
    };
    let mut reader = Reader {
        source,
        lines,
        events: VecDeque::new(),
        comments: VecDeque::new(),
        pending: Vec::new(),
        last_line: 0,
    };
    for event in Parser::new_from_str_with_options(&source.text, options) {
        // The profile's parser, which is the same, has read it without an error.
        let (event, span) = event.map_err(|_fault| reader.changed())?;
        match event {
            Event::Comment(text, _) => {
                let comment = reader.comment(&text, span);
                reader.comments.push_back(comment);
            }
            Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(..)
            | Event::DocumentEnd => {}
            event => reader.events.push_back((event, span)),
        }
    }
    let Some((Event::MappingStart(..), span)) = reader.events.pop_front() else {
        return Err(reader.changed());
    };
    let place = Place {
        flow: is_bracket(span),
        keys: true,
        column: 0,
    };
    let mut top = reader.collection(place)?;
    reader.take_until(usize::MAX);
    let rest = reader.above(usize::MAX);
    top.below.extend(rest);
    let header = header(&mut top);
    Ok(Document { header, top })
}

/// Takes from the first entry what is about the file: all above it, but for a comment that
/// stands off from others.
fn header(top: &mut Collection) -> Vec<Line> {
    let Some(first) = top.entries.first_mut() else {
        return Vec::new();
    };
    let lines = std::mem::take(&mut first.above);
    let start = lines
        .iter()
        .position(|line| line.comment().is_some())
        .unwrap_or(lines.len());
    let mut header = lines.get(start..).unwrap_or_default().to_vec();
    if let Some(last_blank) = header.iter().rposition(|line| *line == Line::Blank) {
        first.above = header.split_off(last_blank + 1);
    }
    header
}

impl Reader<'_> {
    fn changed(&self) -> FormatError {
        FormatError::Changed {
            file: self.source.file.to_path_buf(),
        }
    }

    fn comment(&self, text: &str, span: Span) -> Comment {
        let line = span.start.line();
        let before = self.lines.get(line.saturating_sub(1)).copied();
        let before: String = before
            .unwrap_or_default()
            .chars()
            .take(span.start.col())
            .collect();
        Comment {
            offset: offset(span),
            line,
            column: span.start.col(),
            alone: before.trim_matches([' ', '\t', '\u{feff}']).is_empty(),
            text: format!("#{}", text.trim_end()),
        }
    }

    /// Where what is next begins. The end of a list or mapping without brackets is nowhere.
    fn next_offset(&self) -> usize {
        let mut events = self.events.iter();
        let next = events.find(|(event, span)| {
            !matches!(event, Event::SequenceEnd | Event::MappingEnd) || is_bracket(*span)
        });
        next.map_or(usize::MAX, |&(_, span)| offset(span))
    }

    /// Has the comments up to `end` wait for what comes next.
    fn take_until(&mut self, end: usize) {
        while let Some(comment) = self.comments.pop_front_if(|next| next.offset < end) {
            self.pending.push(comment);
        }
    }

    /// The comment behind what was read last.
    fn behind(&mut self) -> Option<String> {
        let end = self.next_offset();
        let comment = self
            .comments
            .pop_front_if(|next| !next.alone && next.offset < end)?;
        self.last_line = comment.line;
        Some(comment.text)
    }

    /// What waits, as lines above what is on `line`.
    fn above(&mut self, line: usize) -> Vec<Line> {
        let mut lines = Vec::new();
        for comment in std::mem::take(&mut self.pending) {
            if self.is_after_blank(comment.line) {
                lines.push(Line::Blank);
            }
            self.last_line = comment.line;
            lines.push(Line::Comment(comment.text));
        }
        if self.is_after_blank(line) {
            lines.push(Line::Blank);
        }
        self.last_line = self.last_line.max(line);
        lines
    }

    /// Whether a blank line is above the first thing on `line`.
    fn is_after_blank(&self, line: usize) -> bool {
        let above = line.checked_sub(2).and_then(|at| self.lines.get(at));
        line > self.last_line && above.is_some_and(|above| above.trim().is_empty())
    }

    /// Reads up to the end of a list or mapping.
    fn collection(&mut self, place: Place) -> Result<Collection, FormatError> {
        let mut entries = Vec::new();
        loop {
            let next = self.next_offset();
            self.take_until(next);
            let Some((event, span)) = self.events.front() else {
                return Err(self.changed());
            };
            if matches!(event, Event::SequenceEnd | Event::MappingEnd) {
                break;
            }
            let line = span.start.line();
            let mut above = self.above(line);
            let (mut key, mut after_key) = (None, None);
            if place.keys {
                key = Some(self.scalar()?);
                after_key = self.behind();
            }
            let column = place.column;
            let value = self.value(column, &mut above)?;
            let after = self.behind();
            entries.push(Entry {
                above,
                key,
                after_key,
                value,
                after,
            });
        }
        self.events.pop_front();
        let theirs = if place.flow {
            self.pending.len()
        } else {
            let inside = |comment: &Comment| comment.column >= place.column;
            let mut pending = self.pending.iter();
            pending
                .position(|comment| !inside(comment))
                .unwrap_or(self.pending.len())
        };
        let rest = self.pending.split_off(theirs);
        // No line has the number 0: a blank line that comes then is above something else.
        let below = self.above(0);
        self.pending = rest;
        Ok(Collection { entries, below })
    }

    /// Reads a value. Comments between it and its key go above the key. `column` is that
    /// of the entry.
    fn value(&mut self, column: usize, above: &mut Vec<Line>) -> Result<Value, FormatError> {
        let next = self.next_offset();
        self.take_until(next);
        let Some(&(ref event, span)) = self.events.front() else {
            return Err(self.changed());
        };
        let flow = is_bracket(span);
        let keys = match event {
            Event::MappingStart(_, _, tag) => {
                self.no_tag(tag.is_some(), span)?;
                true
            }
            Event::SequenceStart(_, _, tag) => {
                self.no_tag(tag.is_some(), span)?;
                false
            }
            _ => {
                let line = span.start.line();
                let lines = self.above(line).into_iter();
                above.extend(lines.filter(|line| line.comment().is_some()));
                return Ok(Value::Scalar(self.scalar()?));
            }
        };
        // The dashes of a list may stand as far out as its key.
        let own = span.start.col();
        let at = self.source.text.get(offset(span)..).unwrap_or_default();
        let hanging = !keys && !flow && !at.starts_with("- ") && !at.starts_with("-\n");
        let place = Place {
            flow,
            keys,
            column: if hanging { column + 1 } else { own },
        };
        self.events.pop_front();
        let collection = self.collection(place)?;
        Ok(if keys {
            Value::Map(collection)
        } else {
            Value::List(collection)
        })
    }

    fn scalar(&mut self) -> Result<Scalar, FormatError> {
        let Some((Event::Scalar(text, style, _, tag), span)) = self.events.pop_front() else {
            return Err(self.changed());
        };
        self.no_tag(tag.is_some(), span)?;
        // What is not there at all is told as `~`.
        let text = if style == ScalarStyle::Plain && span.is_empty() {
            String::new()
        } else {
            text.into_owned()
        };
        let block = match style {
            ScalarStyle::Folded => self.block(&text, span, true),
            ScalarStyle::Literal => self.block(&text, span, false),
            _ => None,
        };
        // The end of a block is told to be where the next thing begins.
        let end = match (style, &block) {
            (_, Some(block)) => span.start.line().saturating_add(block.lines.len()) - 1,
            (ScalarStyle::Folded | ScalarStyle::Literal, None) => span.start.line(),
            _ => span.end.line(),
        };
        self.last_line = self.last_line.max(end);
        Ok(Scalar {
            text,
            plain: style == ScalarStyle::Plain,
            block,
        })
    }

    /// The lines of a text that was written as a block, if they can be written so again.
    fn block(&self, text: &str, span: Span, folded: bool) -> Option<Block> {
        let ends = text.ends_with('\n');
        if text.is_empty() || text.starts_with([' ', '\n', '\t']) || text.ends_with("\n\n") {
            return None;
        }
        let indent = span.start.col();
        let first = span.start.line().checked_sub(1)?;
        let mut lines = Vec::new();
        for line in self.lines.get(first..)? {
            let outside = line.chars().take(indent).any(|letter| letter != ' ');
            if outside && !line.trim().is_empty() {
                break;
            }
            lines.push(line.chars().skip(indent).collect::<String>());
        }
        while lines.pop_if(|last| last.trim().is_empty()).is_some() {}
        Some(Block {
            folded,
            ends,
            lines,
        })
    }

    fn no_tag(&self, there: bool, span: Span) -> Result<(), FormatError> {
        if !there {
            return Ok(());
        }
        let place = span.tag_start().unwrap_or(span.start);
        let number = |number| u32::try_from(number).unwrap_or(u32::MAX);
        Err(FormatError::Tag {
            origin: Origin {
                file: self.source.file.clone(),
                line: number(place.line()),
                column: number(place.col().saturating_add(1)),
            },
        })
    }
}

/// In bytes from the start of the text.
fn offset(span: Span) -> usize {
    span.start.byte_offset().unwrap_or(usize::MAX)
}

/// Whether the start or the end of a list or mapping is a bracket.
fn is_bracket(span: Span) -> bool {
    !span.is_empty()
}
