//! A place in the text of an AppArmor file, and the words that begin there.
//!
//! What a word is depends on what is expected, so there is no list of tokens: the parser
//! asks for a word of the kind that it expects.

use std::{path::Path, sync::Arc};

use super::error::{Fault, ImportError};
use crate::profile::Origin;

/// Where a word ends, beside at a blank and at the comma that ends a rule.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    /// Nowhere else: a path, a pattern, a name.
    AtBlank,
    /// At parentheses, too, and at any comma outside of braces: an item of a list.
    InList,
}

/// A word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// Its text, without quotes. Escapes are still in it.
    pub(super) text: String,
    pub(super) quoted: bool,
}

/// A place in a text.
#[derive(Clone)]
pub(super) struct Cursor {
    file: Arc<Path>,
    text: Arc<str>,
    /// In bytes.
    at: usize,
    line: u32,
    column: u32,
}

impl Cursor {
    pub(super) fn new(file: Arc<Path>, text: Arc<str>) -> Self {
        Self {
            file,
            text,
            at: 0,
            line: 1,
            column: 1,
        }
    }

    pub(super) fn origin(&self) -> Origin {
        Origin {
            file: self.file.clone(),
            line: self.line,
            column: self.column,
        }
    }

    pub(super) fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn second(&self) -> Option<char> {
        self.rest().chars().nth(1)
    }

    pub(super) fn bump(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        if next == '\n' {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
        Some(next)
    }

    /// Takes `text` if it comes next.
    pub(super) fn eat(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            for _ in text.chars() {
                self.bump();
            }
        }
        found
    }

    /// The text between another place, which came before, and this one, on one line.
    pub(super) fn text_since(&self, start: &Self) -> String {
        let text = self.text.get(start.at..self.at).unwrap_or_default();
        let lines = text.lines().map(|line| {
            // A comment within a rule is none of it.
            let comment = line.find(" #").unwrap_or(line.len());
            line.get(..comment).unwrap_or(line)
        });
        let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
        words.join(" ")
    }

    /// Goes on to what is neither blank nor comment.
    pub(super) fn skip_blank(&mut self) {
        loop {
            match self.peek() {
                Some(c) if c.is_whitespace() => {
                    self.bump();
                }
                Some('#') if !self.is_include() => self.skip_line(),
                _ => return,
            }
        }
    }

    /// Goes on to what is no blank, on the same line.
    pub(super) fn skip_spaces(&mut self) {
        while self.peek().is_some_and(|c| c == ' ' || c == '\t') {
            self.bump();
        }
    }

    /// Goes on to the end of the line.
    pub(super) fn skip_line(&mut self) {
        while self.peek().is_some_and(|c| c != '\n') {
            self.bump();
        }
    }

    /// Whether an `include` in its old form comes next, which looks like a comment.
    fn is_include(&self) -> bool {
        let rest = self.rest().strip_prefix("#include");
        rest.is_some_and(|rest| rest.starts_with([' ', '\t', '<', '"']))
    }

    /// A name of letters, digits and `_` that comes next, without taking it.
    pub(super) fn name(&self) -> &str {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        rest.get(..end.unwrap_or(rest.len())).unwrap_or_default()
    }

    /// Takes `word` if it comes next and is a whole name.
    pub(super) fn eat_name(&mut self, word: &str) -> bool {
        self.name() == word && self.eat(word)
    }

    /// Whether the comma that comes next ends a rule, and is no part of a pattern.
    fn comma_ends(&self, ends: Ends, depth: usize) -> bool {
        if ends == Ends::InList && depth == 0 {
            return true;
        }
        match self.second() {
            None => true,
            Some(c) if c.is_whitespace() => true,
            Some(c) => depth == 0 && matches!(c, '}' | '#'),
        }
    }

    /// Takes a word; none if there is none.
    pub(super) fn word(&mut self, ends: Ends) -> Result<Option<Word>, ImportError> {
        if self.peek() == Some('"') {
            return self.quoted().map(Some);
        }
        let mut text = String::new();
        let mut depth = 0_usize;
        while let Some(c) = self.peek() {
            match c {
                '\\' => {
                    text.push(c);
                    self.bump();
                    let Some(escaped) = self.peek() else { break };
                    text.push(escaped);
                    self.bump();
                    continue;
                }
                c if c.is_whitespace() => break,
                ',' if self.comma_ends(ends, depth) => break,
                '(' | ')' if ends == Ends::InList => break,
                '=' if ends == Ends::InList && is_key(&text) => break,
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                _ => {}
            }
            text.push(c);
            self.bump();
        }
        Ok((!text.is_empty()).then_some(Word {
            text,
            quoted: false,
        }))
    }

    fn quoted(&mut self) -> Result<Word, ImportError> {
        let origin = self.origin();
        self.bump();
        let mut text = String::new();
        loop {
            match self.bump() {
                Some('"') => return Ok(Word { text, quoted: true }),
                Some('\\') => {
                    text.push('\\');
                    text.extend(self.bump());
                }
                None | Some('\n') => {
                    return Err(ImportError {
                        origin,
                        fault: Fault::OpenQuote,
                    });
                }
                Some(c) => text.push(c),
            }
        }
    }

    /// The error that something else was expected here.
    pub(super) fn expected(&self, expected: &'static str) -> ImportError {
        let rest = self.rest();
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or_default();
        let found = word.chars().take(40).collect();
        ImportError {
            origin: self.origin(),
            fault: Fault::Expected { expected, found },
        }
    }
}

/// Whether `text` can be what stands before a `=`.
fn is_key(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_.".contains(c))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Cursor, Ends};

    fn cursor(text: &str) -> Cursor {
        Cursor::new(Path::new("p").into(), text.into())
    }

    #[test]
    fn words() {
        use Ends::{AtBlank, InList};
        // Columns: what it shows, text, where words end, the word, what is left.
        #[rustfmt::skip]
        let cases = [
            ("up to a blank",         "/a/b r,",       AtBlank, "/a/b",      " r,"),
            ("a comma in braces",     "/{a,b}/c r,",   AtBlank, "/{a,b}/c",  " r,"),
            ("a comma in a name",     "/a,b r,",       AtBlank, "/a,b",      " r,"),
            ("the comma of the rule", "/a,\n/b",       AtBlank, "/a",        ",\n/b"),
            ("at the end",            "/a,",           AtBlank, "/a",        ","),
            ("before a brace",        "rw,}",          AtBlank, "rw",        ",}"),
            ("quotes",                "\"/a b\" r,",   AtBlank, "/a b",      " r,"),
            ("an escaped blank",      r"/a\ b r,",     AtBlank, r"/a\ b",    " r,"),
            ("an item",               "send,receive)", InList,  "send",      ",receive)"),
            ("a key",                 "peer=x,",       InList,  "peer",      "=x,"),
            ("no key",                "/a=b,",         InList,  "/a=b",      ","),
            ("braces in a list",      "/{a,b},c",      InList,  "/{a,b}",    ",c"),
        ];
        for (name, text, ends, want, rest) in cases {
            let mut cursor = cursor(text);
            let word = cursor.word(ends).unwrap().unwrap();
            assert_eq!((word.text.as_str(), cursor.rest()), (want, rest), "{name}");
        }
    }

    #[test]
    fn blanks_and_comments() {
        let mut start = cursor("  # x\n\t#included\n #include <a>\n");
        start.skip_blank();
        assert_eq!(start.rest(), "#include <a>\n");
        assert_eq!(start.origin().to_string(), "p:3:2");
        let mut open = cursor("\"a\nb\"");
        let error = open.word(Ends::AtBlank).unwrap_err().to_string();
        assert!(error.starts_with("p:1:1: a `\"` without"), "{error}");
    }
}
