//! From the text of a pattern to its nodes.

use super::{Class, Least, Node, PatternFault, Sequence};

/// Deepest nesting of braces, as AppArmor has it.
const DEPTH: usize = 50;

/// Reads a pattern in which no variable is left.
pub(super) fn parse(text: &str) -> Result<Sequence, PatternFault> {
    let mut parser = Parser {
        bytes: text.as_bytes(),
        at: 0,
        behind_slash: false,
    };
    let nodes = parser.sequence(0)?;
    match parser.peek() {
        Some(_) => Err(PatternFault::StrayBrace),
        None => Ok(nodes),
    }
}

struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Whether the letter before is a `/`, as the text has it: what braces end in does not
    /// count.
    behind_slash: bool,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn sequence(&mut self, depth: usize) -> Result<Sequence, PatternFault> {
        let mut nodes = Vec::new();
        while let Some(byte) = self.peek() {
            match byte {
                b'}' => break,
                b',' if depth > 0 => break,
                b'{' => {
                    nodes.push(self.alternatives(depth + 1)?);
                    self.behind_slash = false;
                }
                b'[' => {
                    self.class(&mut nodes)?;
                    self.behind_slash = false;
                }
                b'*' => {
                    nodes.push(self.star());
                    self.behind_slash = false;
                }
                b'?' => {
                    self.at += 1;
                    nodes.push(Node::Class(Class::any()));
                    self.behind_slash = false;
                }
                _ => {
                    let byte = self.byte()?;
                    nodes.push(Node::Byte(byte));
                    self.behind_slash = byte == b'/';
                }
            }
        }
        Ok(nodes)
    }

    fn alternatives(&mut self, depth: usize) -> Result<Node, PatternFault> {
        if depth >= DEPTH {
            return Err(PatternFault::TooDeep);
        }
        let mut alternatives = Vec::new();
        loop {
            // Past the `{` or `,`.
            self.at += 1;
            self.behind_slash = false;
            alternatives.push(self.sequence(depth)?);
            match self.peek() {
                Some(b',') => {}
                Some(_) => break,
                None => return Err(PatternFault::OpenBrace),
            }
        }
        self.at += 1;
        if alternatives.len() == 1 {
            return Err(PatternFault::OneAlternative);
        }
        Ok(Node::Either(alternatives))
    }

    /// Reads `*` or `**`. Behind a `/`, and with a `/` or nothing behind it, it has at least
    /// one byte.
    fn star(&mut self) -> Node {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let stars = rest.iter().take_while(|&&byte| byte == b'*').count();
        let whole = self.behind_slash && matches!(rest.get(stars), None | Some(b'/'));
        let least = if whole { Least::One } else { Least::None };
        if stars > 1 {
            self.at += 2;
            Node::Stars(least)
        } else {
            self.at += 1;
            Node::Star(least)
        }
    }

    /// Reads a class. AppArmor's may match a `/`.
    fn class(&mut self, nodes: &mut Sequence) -> Result<(), PatternFault> {
        self.at += 1;
        let negated = self.peek() == Some(b'^');
        self.at += usize::from(negated);
        let mut ranges = Vec::new();
        loop {
            match self.peek() {
                None => return Err(PatternFault::OpenClass),
                Some(b']') => break,
                Some(_) => {}
            }
            let start = self.byte()?;
            let mut end = start;
            let next = self.bytes.get(self.at + 1);
            if self.peek() == Some(b'-') && next.is_some_and(|&byte| byte != b']') {
                self.at += 1;
                end = self.byte()?;
            }
            ranges.push((start, end));
        }
        self.at += 1;
        let holds = |byte: u8| {
            let found = ranges
                .iter()
                .any(|&(start, end)| (start..=end).contains(&byte));
            found != negated
        };
        let names = Class::of(holds);
        // No path has a `//`.
        let slash = holds(b'/') && !self.behind_slash;
        match (slash, names.is_empty()) {
            (false, true) => return Err(PatternFault::EmptyClass),
            (false, false) => nodes.push(Node::Class(names)),
            (true, true) => nodes.push(Node::Byte(b'/')),
            (true, false) => nodes.push(Node::Either(vec![
                vec![Node::Byte(b'/')],
                vec![Node::Class(names)],
            ])),
        }
        Ok(())
    }

    /// Reads a byte, or what stands for one behind a `\`.
    fn byte(&mut self) -> Result<u8, PatternFault> {
        let byte = self.peek().ok_or(PatternFault::LoneEscape)?;
        self.at += 1;
        if byte != b'\\' {
            return Ok(byte);
        }
        let byte = self.peek().ok_or(PatternFault::LoneEscape)?;
        let (skip, base, most) = match byte {
            b'x' => (1, 16, 2),
            b'd' => (1, 10, 3),
            b'0'..=b'7' => (0, 8, 3),
            _ => (0, 0, 0),
        };
        if base > 0 {
            let digits = self.bytes.get(self.at + skip..).unwrap_or_default();
            let is_digit = |byte: &&u8| char::from(**byte).is_digit(base);
            let count = digits.iter().take(most).take_while(is_digit).count();
            let digits = digits.get(..count).unwrap_or_default();
            let number = std::str::from_utf8(digits)
                .ok()
                .and_then(|digits| u8::from_str_radix(digits, base).ok());
            if let Some(number) = number {
                self.at += skip + count;
                return Ok(number);
            }
        }
        self.at += 1;
        Ok(match byte {
            b'a' => 7,
            b'e' => 27,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            _ => byte,
        })
    }
}
