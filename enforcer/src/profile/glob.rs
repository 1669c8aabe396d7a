//! The syntax of globs: from text to a tree.
//!
//! `*` any bytes but `/`; `**` any bytes; `?` one byte but `/`; `[a-z]`, `[!a-z]`
//! and `[^a-z]` one byte of a class, never `/`; `{a,b}` either, nested, empty
//! alternatives too; `\` before punctuation takes it as it is, and `\xff` is any
//! byte. What the tree means, above all next to a `/`, is in [`super::lower`].

use super::limits::{BRACES_DEPTH, PATTERN_LEN};

/// A piece of a glob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// This byte.
    Byte(u8),
    /// `?`, or a class: one of the bytes in the ranges, ends included.
    Class(Vec<(u8, u8)>),
    /// `*`.
    Star,
    /// `**`, with its byte offset for errors.
    Stars {
        /// Where it stands.
        offset: usize,
    },
    /// `{a,b}`.
    Alternatives(Vec<Vec<Node>>),
}

/// What is wrong with a glob, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{fault}")]
pub struct GlobError {
    /// Where, in bytes from the start of the glob's text.
    pub offset: usize,
    /// What.
    pub fault: GlobFault,
}

/// What can be wrong with a glob.
#[derive(
    Clone, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr, strum::VariantNames,
)]
#[strum(serialize_all = "kebab-case", prefix = "glob-")]
#[non_exhaustive]
pub enum GlobFault {
    /// The glob is longer than [`PATTERN_LEN`].
    #[error("the pattern has {len} bytes, and the most is {PATTERN_LEN}; make several rules of it")]
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// A path of the glob would not start at the root.
    #[error("the pattern is not absolute; begin it with `/`")]
    Relative,
    /// A path of the glob would end in `/`, or hold `//`, `.` or `..`, which no
    /// path has by the time it is judged.
    #[error("no path is ever spelled like this; {remedy}")]
    NeverMatches {
        /// What to write instead.
        remedy: &'static str,
    },
    /// A `\` at the end.
    #[error("a `\\` with nothing behind it; write `\\\\` for a backslash")]
    LoneEscape,
    /// A `\` before a letter or digit, other than in `\xff`.
    #[error("unknown escape; `\\` goes before punctuation, and `\\x` before two hex digits")]
    UnknownEscape,
    /// A byte that no path can hold.
    #[error("a path cannot hold a NUL byte; leave it out")]
    Nul,
    /// A `[` without its `]`.
    #[error("a `[` without its `]`; write `\\[` for a bracket")]
    OpenClass,
    /// A range from the greater to the smaller.
    #[error("a range from the greater byte to the smaller; swap its ends")]
    ReversedRange,
    /// A `/` in a class.
    #[error("a class never matches `/`; write the alternatives in braces")]
    SlashInClass,
    /// A class of no byte.
    #[error("a class that matches nothing; name a byte that it matches")]
    EmptyClass,
    /// A character of several bytes in a class.
    #[error("a class holds single bytes; write `{{ä,ö}}` for characters beyond ASCII")]
    WideClass,
    /// A `{` without its `}`.
    #[error("a `{{` without its `}}`; write `\\{{` for a brace")]
    OpenAlternatives,
    /// A `}` without its `{`.
    #[error("a `}}` without its `{{`; write `\\}}` for a brace")]
    StrayBrace,
    /// Braces without a comma.
    #[error("braces with a single alternative; a variable is `${{name}}`, a brace `\\{{`")]
    SingleAlternative,
    /// A `,` that would make two alternatives of one.
    #[error("a `,` would split this value in two; write `\\,` for a comma")]
    SplittingComma,
    /// Braces in braces in braces.
    #[error("alternatives are nested more than {BRACES_DEPTH} deep; make several rules of it")]
    TooDeep,
    /// `**` next to something that may or may not be a `/`.
    #[error(
        "`**` may or may not stand for whole directories here; put the `/` around it inside the same braces"
    )]
    AmbiguousStars,
}

/// Reads the text of a glob, or of a part of one.
pub(super) fn parse(text: &str) -> Result<Vec<Node>, GlobError> {
    if text.len() > PATTERN_LEN {
        return Err(GlobError {
            offset: 0,
            fault: GlobFault::TooLong { len: text.len() },
        });
    }
    let mut parser = Parser { text, at: 0 };
    let nodes = parser.sequence(0)?;
    match parser.peek() {
        // A sequence outside braces stops at nothing else.
        Some(_) => Err(parser.fault(GlobFault::StrayBrace)),
        None => Ok(nodes),
    }
}

/// Reads the text of an alternative, from between braces.
pub(super) fn parse_alternative(text: &str) -> Result<Vec<Node>, GlobError> {
    let mut parser = Parser { text, at: 0 };
    let nodes = parser.sequence(1)?;
    match parser.peek() {
        Some(b',') => Err(parser.fault(GlobFault::SplittingComma)),
        Some(_) => Err(parser.fault(GlobFault::StrayBrace)),
        None => Ok(nodes),
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    /// Takes `byte` if it comes next.
    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn fault(&self, fault: GlobFault) -> GlobError {
        GlobError {
            offset: self.at,
            fault,
        }
    }

    /// Reads up to the end, a `}`, or inside braces a `,`.
    fn sequence(&mut self, depth: usize) -> Result<Vec<Node>, GlobError> {
        let mut nodes = Vec::new();
        while let Some(byte) = self.peek() {
            let offset = self.at;
            match byte {
                b'}' => break,
                b',' if depth > 0 => break,
                b'{' => nodes.push(self.alternatives(depth + 1)?),
                b'[' => nodes.push(self.class()?),
                b'*' => {
                    while self.take(b'*') {}
                    nodes.push(match self.at - offset {
                        1 => Node::Star,
                        _ => Node::Stars { offset },
                    });
                }
                b'?' => {
                    self.at += 1;
                    nodes.push(Node::Class(without_slash((0, u8::MAX))));
                }
                b'\\' => nodes.push(Node::Byte(self.escape()?)),
                0 => return Err(self.fault(GlobFault::Nul)),
                _ => {
                    self.at += 1;
                    nodes.push(Node::Byte(byte));
                }
            }
        }
        Ok(nodes)
    }

    /// Reads from a `{` to its `}`.
    fn alternatives(&mut self, depth: usize) -> Result<Node, GlobError> {
        let offset = self.at;
        let fault = |fault| GlobError { offset, fault };
        if depth > BRACES_DEPTH {
            return Err(fault(GlobFault::TooDeep));
        }
        self.at += 1;
        let mut alternatives = vec![self.sequence(depth)?];
        while self.take(b',') {
            alternatives.push(self.sequence(depth)?);
        }
        if !self.take(b'}') {
            return Err(fault(GlobFault::OpenAlternatives));
        }
        if alternatives.len() == 1 {
            return Err(fault(GlobFault::SingleAlternative));
        }
        Ok(Node::Alternatives(alternatives))
    }

    /// Reads from a `[` to its `]`.
    fn class(&mut self) -> Result<Node, GlobError> {
        let offset = self.at;
        let fault = |fault| GlobError { offset, fault };
        self.at += 1;
        let negated = self.take(b'!') || self.take(b'^');
        let mut ranges = Vec::new();
        // A `]` that comes first is one of the class.
        while ranges.is_empty() || self.peek() != Some(b']') {
            let start = self.class_byte(offset)?;
            let mut end = start;
            let mark = self.at;
            if self.take(b'-') {
                if self.peek() == Some(b']') {
                    // A `-` that comes last is one of the class.
                    self.at = mark;
                } else {
                    end = self.class_byte(offset)?;
                }
            }
            if end < start {
                return Err(fault(GlobFault::ReversedRange));
            }
            if start == b'/' && end == b'/' {
                return Err(fault(GlobFault::SlashInClass));
            }
            ranges.push((start, end));
        }
        self.at += 1;
        let ranges: Vec<_> = if negated { complement(ranges) } else { ranges }
            .into_iter()
            .flat_map(without_slash)
            .collect();
        // A NUL is in no path.
        if ranges.iter().all(|&range| range == (0, 0)) {
            return Err(fault(GlobFault::EmptyClass));
        }
        Ok(Node::Class(ranges))
    }

    /// Reads one byte of the class that starts at `open`.
    fn class_byte(&mut self, open: usize) -> Result<u8, GlobError> {
        match self.peek() {
            None => Err(GlobError {
                offset: open,
                fault: GlobFault::OpenClass,
            }),
            Some(b'\\') => self.escape(),
            Some(0) => Err(self.fault(GlobFault::Nul)),
            Some(byte) if !byte.is_ascii() => Err(self.fault(GlobFault::WideClass)),
            Some(byte) => {
                self.at += 1;
                Ok(byte)
            }
        }
    }

    /// Reads from a `\` to the end of the escape.
    fn escape(&mut self) -> Result<u8, GlobError> {
        let offset = self.at;
        let fault = |fault| GlobError { offset, fault };
        self.at += 1;
        match self.next() {
            None => Err(fault(GlobFault::LoneEscape)),
            Some(b'x') => {
                let digits = self.text.get(self.at..self.at + 2).unwrap_or_default();
                // `from_str_radix` would take a sign.
                if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                    return Err(fault(GlobFault::UnknownEscape));
                }
                match u8::from_str_radix(digits, 16) {
                    Ok(0) => Err(fault(GlobFault::Nul)),
                    Ok(byte) => {
                        self.at += 2;
                        Ok(byte)
                    }
                    Err(_) => Err(fault(GlobFault::UnknownEscape)),
                }
            }
            Some(byte) if byte.is_ascii_punctuation() || byte == b' ' => Ok(byte),
            Some(_) => Err(fault(GlobFault::UnknownEscape)),
        }
    }
}

/// What of a range is not `/`.
fn without_slash((start, end): (u8, u8)) -> Vec<(u8, u8)> {
    if !(start..=end).contains(&b'/') {
        return vec![(start, end)];
    }
    [(start, b'/' - 1), (b'/' + 1, end)]
        .into_iter()
        .filter(|(start, end)| start <= end)
        .collect()
}

/// The bytes that are in none of the ranges, as ranges.
fn complement(mut ranges: Vec<(u8, u8)>) -> Vec<(u8, u8)> {
    ranges.sort_unstable();
    let mut gaps = Vec::new();
    let mut next = Some(0_u8);
    for (start, end) in ranges {
        let Some(from) = next else { break };
        if let Some(before) = start.checked_sub(1)
            && from <= before
        {
            gaps.push((from, before));
        }
        next = end.checked_add(1).map(|after| after.max(from));
    }
    if let Some(from) = next {
        gaps.push((from, u8::MAX));
    }
    gaps
}
