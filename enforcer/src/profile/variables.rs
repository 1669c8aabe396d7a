//! `${name}` in patterns.
//!
//! A value is glob text and goes in as it stands; a list of values goes in as
//! alternatives. The variables of a profile and of what it includes share one
//! space of names: a file's value wins over those of the files it includes, so
//! that an abstraction can have defaults.

use std::collections::BTreeMap;

use super::{
    Origin,
    error::DidYouMean,
    limits::{PATTERN_LEN, VARIABLES_DEPTH},
    suggest,
};

/// Variables that are there unless a file defines them, with their values.
pub(super) const BUILT_IN: [(&str, &[&str]); 5] = [
    ("homes", &["/home/*", "/root"]),
    ("temp", &["/tmp", "/var/tmp", "/dev/shm"]),
    ("run_user", &["/run/user/*"]),
    (
        "bin",
        &["/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"],
    ),
    (
        "lib",
        &["/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib"],
    ),
];

/// What can be wrong with a variable or its use.
#[derive(
    Clone, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr, strum::VariantNames,
)]
#[strum(serialize_all = "kebab-case", prefix = "variable-")]
#[non_exhaustive]
pub enum VariableFault {
    /// Its name has letters that names do not have.
    #[error(
        "invalid variable name `{name}`; it has letters, digits and `_`, and begins with a letter"
    )]
    InvalidName {
        /// The name.
        name: String,
    },
    /// It has no value.
    #[error("the list is empty; give the variable a value, or leave it out")]
    NoValue,
    /// Two files give it different values, and neither includes the other.
    #[error("the variable `{name}` has another value in {other}; give it one in the profile")]
    Conflict {
        /// The variable.
        name: String,
        /// Where the other value stands.
        other: Origin,
    },
    /// Nothing defines it.
    #[error(
        "there is no variable `{name}`{}",
        DidYouMean(suggestion.as_deref(), "; define it under `variables`")
    )]
    Undefined {
        /// The variable.
        name: String,
        /// The name that may have been meant.
        suggestion: Option<String>,
    },
    /// A `${` without its `}`.
    #[error("a `${{` without its `}}`; write `\\${{` for these two letters")]
    Open,
    /// It is part of its own value.
    #[error("the variable `{name}` is part of its own value; write there what is meant")]
    Cycle {
        /// The variable.
        name: String,
    },
    /// It needs another that needs another, and so on.
    #[error(
        "variables are nested more than {VARIABLES_DEPTH} deep; write what is meant in place of one"
    )]
    TooDeep,
    /// Its value is too long to be part of a pattern.
    #[error(
        "with its variables expanded, the text has more than {PATTERN_LEN} bytes; make several rules of it"
    )]
    TooLong,
}

/// A fault of a text with variables, and its place in the text in bytes.
pub(super) type Located<T> = Result<T, (usize, VariableFault)>;

/// A variable as it was written.
#[derive(Debug)]
pub(super) struct Definition {
    /// Its values; more than one are alternatives.
    pub(super) values: Vec<String>,
    /// By value: where it stands.
    pub(super) places: Vec<Origin>,
    /// Where its value stands.
    pub(super) origin: Origin,
}

/// The variables of a profile.
#[derive(Debug, Default)]
pub(super) struct Variables {
    definitions: BTreeMap<String, Definition>,
    resolved: BTreeMap<String, String>,
}

/// A value of a variable.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    /// Where it stands, if a file has it.
    pub(super) place: Option<Origin>,
}

/// A text with its variables expanded.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Expanded {
    pub(super) text: String,
    /// Where pieces start: in `text`, in the text as written, and whether the
    /// piece is the value of a variable.
    pieces: Vec<(usize, usize, bool)>,
}

/// A part of a text as written.
enum Part<'a> {
    Text(&'a str),
    Variable(&'a str),
}

impl Variables {
    /// Defines `name`, unless it is defined.
    pub(super) fn define(&mut self, name: &str, definition: Definition) {
        self.definitions
            .entry(name.to_owned())
            .or_insert(definition);
    }

    /// What `name` was defined to be.
    pub(super) fn definition(&self, name: &str) -> Option<&Definition> {
        self.definitions.get(name)
    }

    /// Expands the variables of `text`.
    pub(super) fn expand(&mut self, text: &str) -> Located<Expanded> {
        self.expand_within(text, &mut Vec::new())
    }

    /// The values of `name` one by one, each with its place, unless it is one that is there
    /// unless a file defines it. A value that is a variable alone stands for the values of
    /// that one.
    pub(super) fn words(&mut self, name: &str) -> Located<Vec<Word>> {
        // That they end, and after how many, is seen here.
        self.value(name, &mut Vec::new())?;
        let mut words = Vec::new();
        self.add_words(name, &mut words);
        Ok(words)
    }

    fn add_words(&self, name: &str, words: &mut Vec<Word>) {
        let definition = self.definitions.get(name);
        let built_in = || built_in(name).unwrap_or_default();
        let values = definition.map_or_else(built_in, |it| it.values.clone());
        for (at, text) in values.into_iter().enumerate() {
            match alone(&text) {
                Some(other) => self.add_words(other, words),
                None => words.push(Word {
                    text,
                    place: definition.and_then(|it| it.places.get(at).cloned()),
                }),
            }
        }
    }

    fn expand_within(&mut self, text: &str, users: &mut Vec<String>) -> Located<Expanded> {
        let mut expanded = Expanded {
            text: String::new(),
            pieces: Vec::new(),
        };
        for (offset, part) in parts(text)? {
            let value;
            let (piece, is_value) = match part {
                Part::Text(text) => (text, false),
                Part::Variable(name) => {
                    value = self
                        .value(name, users)
                        .map_err(|(_, fault)| (offset, fault))?;
                    (value.as_str(), true)
                }
            };
            // Of a text without variables, the pattern's own error says more.
            let has_values = is_value || expanded.pieces.iter().any(|&(_, _, value)| value);
            if has_values && expanded.text.len() + piece.len() > PATTERN_LEN {
                return Err((offset, VariableFault::TooLong));
            }
            expanded
                .pieces
                .push((expanded.text.len(), offset, is_value));
            expanded.text.push_str(piece);
        }
        Ok(expanded)
    }

    /// Works out the value of `name`, which `users` need in turn.
    fn value(&mut self, name: &str, users: &mut Vec<String>) -> Located<String> {
        if let Some(value) = self.resolved.get(name) {
            return Ok(value.clone());
        }
        if users.len() >= VARIABLES_DEPTH {
            return Err((0, VariableFault::TooDeep));
        }
        if users.iter().any(|user| user == name) {
            return Err((
                0,
                VariableFault::Cycle {
                    name: name.to_owned(),
                },
            ));
        }
        let defined = self.definitions.get(name);
        let Some(written) = defined.map_or_else(|| built_in(name), |one| Some(one.values.clone()))
        else {
            let known = self.definitions.keys().map(String::as_str);
            let known = known.chain(BUILT_IN.iter().map(|(name, _)| *name));
            let suggestion = suggest::nearest(name, known).map(str::to_owned);
            let name = super::Escaped(name.as_bytes()).to_string();
            return Err((0, VariableFault::Undefined { name, suggestion }));
        };
        users.push(name.to_owned());
        let mut values: Vec<String> = Vec::new();
        let mut len = 0;
        for written in written {
            let value = self.expand_within(&written, users)?.text;
            // Told before they are all there: each may be as long as the whole.
            len += value.len();
            if len > PATTERN_LEN {
                return Err((0, VariableFault::TooLong));
            }
            values.push(value);
        }
        users.pop();
        let value = match values.as_slice() {
            [value] => value.clone(),
            _ => format!("{{{}}}", values.join(",")),
        };
        if value.len() > PATTERN_LEN {
            return Err((0, VariableFault::TooLong));
        }
        self.resolved.insert(name.to_owned(), value.clone());
        Ok(value)
    }
}

impl Expanded {
    /// Where the text as written has what is at byte `offset` of the expanded
    /// one: for what comes from a variable, the start of its `${name}`.
    pub(super) fn written_at(&self, offset: usize) -> usize {
        let index = self
            .pieces
            .partition_point(|&(start, _, _)| start <= offset);
        match index.checked_sub(1).and_then(|last| self.pieces.get(last)) {
            Some(&(_, written, true)) => written,
            Some(&(start, written, false)) => written + (offset - start),
            None => 0,
        }
    }
}

/// The values of a variable that is there unless a file defines it.
fn built_in(name: &str) -> Option<Vec<String>> {
    let mut known = BUILT_IN.iter();
    let (_, values) = known.find(|(known, _)| *known == name)?;
    Some(values.iter().map(ToString::to_string).collect())
}

/// Whether `name` can be the name of a variable.
pub(super) fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The name of the variable that is all of `text`.
pub(super) fn alone(text: &str) -> Option<&str> {
    let name = text.strip_prefix("${")?.strip_suffix('}')?;
    is_name(name).then_some(name)
}

/// Takes `text` apart, each part with its place in it.
fn parts(text: &str) -> Located<Vec<(usize, Part<'_>)>> {
    let mut parts = Vec::new();
    let text_part = |from, to| {
        text.get(from..to)
            .filter(|between: &&str| !between.is_empty())
            .map(|between| (from, Part::Text(between)))
    };
    let mut from = 0;
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find(['\\', '$'])) {
        at += found;
        let rest = text.get(at..).unwrap_or_default();
        if let Some(escaped) = rest.strip_prefix('\\') {
            // What is escaped is no variable.
            at += 1 + escaped.chars().next().map_or(0, char::len_utf8);
        } else if let Some(inside) = rest.strip_prefix("${") {
            let (name, _) = inside.split_once('}').ok_or((at, VariableFault::Open))?;
            parts.extend(text_part(from, at));
            parts.push((at, Part::Variable(name)));
            from = at + "${}".len() + name.len();
            at = from;
        } else {
            at += 1;
        }
    }
    parts.extend(text_part(from, text.len()));
    Ok(parts)
}

#[cfg(test)]
mod tests;
