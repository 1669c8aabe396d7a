//! The YAML parser: how it is set, and its errors in our words.

use std::{fmt, path::Path, sync::Arc};

use serde::de::DeserializeOwned;
use serde_yaml::{
    Error, Location, MergeKeyPolicy, MessageFormatter as _, Options, Spanned, UserMessageFormatter,
    budget::BudgetBreach,
};

use super::{
    Escaped, Origin,
    error::{Problem, ProfileError},
    suggest,
};

/// Deepest nesting of the schema is 5.
const YAML_DEPTH: usize = 16;

/// A file's text, for places in it.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) file: Arc<Path>,
    pub(super) text: String,
}

impl Source {
    /// Reads the text as a `T`.
    pub(super) fn parse<T: DeserializeOwned>(&self) -> Result<T, ProfileError> {
        serde_yaml::from_str_with_options(&self.text, options()).map_err(|error| {
            let location = error.location().unwrap_or(Location::UNKNOWN);
            ProfileError {
                origin: self.origin(location),
                problem: problem(error),
            }
        })
    }

    /// The place `location`.
    pub(super) fn origin(&self, location: Location) -> Origin {
        let number = |number| u32::try_from(number).unwrap_or(u32::MAX).max(1);
        Origin {
            file: self.file.clone(),
            line: number(location.line()),
            column: number(location.column()),
        }
    }

    /// The text from `location` on; none, if that is not known.
    fn from(&self, location: Location) -> &str {
        let start = location.span().byte_offset();
        start
            .and_then(|start| usize::try_from(start).ok())
            .and_then(|start| self.text.get(start..))
            .unwrap_or_default()
    }

    /// What is wrong with a boolean: the parser takes one in quotes, too, and the schema does
    /// not.
    pub(super) fn quoted(&self, boolean: &Spanned<bool>) -> Option<Problem> {
        let is_quoted = self.from(boolean.referenced).starts_with(QUOTES);
        is_quoted.then_some(Problem::Expected {
            expected: "`true` or `false`, without quotes",
        })
    }

    /// The place of what is at byte `offset` of `scalar`; where its spelling in
    /// the file is not its text (escapes, several lines), the place of `scalar`.
    pub(super) fn within(&self, scalar: &Spanned<String>, offset: usize) -> Origin {
        let mut origin = self.origin(scalar.referenced);
        let spelt = self.from(scalar.referenced);
        let quote = usize::from(spelt.starts_with(QUOTES));
        let verbatim = spelt
            .get(quote..)
            .is_some_and(|rest| rest.starts_with(&scalar.value));
        if verbatim && !scalar.value.contains('\n') {
            let before = scalar.value.get(..offset).unwrap_or(&scalar.value);
            let columns = quote + before.chars().count();
            origin.column = origin
                .column
                .saturating_add(u32::try_from(columns).unwrap_or(u32::MAX));
        }
        origin
    }
}

/// The marks around text in quotes.
const QUOTES: [char; 2] = ['"', '\''];

/// Takes away all of YAML that makes text mean something at a distance.
fn options() -> Options {
    serde_yaml::options! {
        budget: serde_yaml::budget! {
            max_documents: 1,
            max_aliases: 0,
            max_anchors: 0,
            max_depth: YAML_DEPTH,
            // A node has at least a byte and a separator.
            max_nodes: super::FILE_LEN / 2,
            max_events: super::FILE_LEN * 2,
        },
        merge_keys: MergeKeyPolicy::Error,
        strict_booleans: true,
        reject_unsupported_tags: true,
        reject_tagged_field_names: true,
        emit_comments: false,
        with_snippet: false,
    }
}

fn problem(error: Error) -> Problem {
    match error {
        Error::SerdeUnknownField {
            field: key,
            expected,
            ..
        } => Problem::UnknownKey {
            suggestion: suggest::nearest(&key, expected.iter().copied()),
            key: Escaped(key.as_bytes()).to_string(),
            expected,
        },
        Error::SerdeUnknownVariant {
            variant: value,
            expected,
            ..
        } => Problem::UnknownValue {
            suggestion: suggest::nearest(&value, expected.iter().copied()),
            value: Escaped(value.as_bytes()).to_string(),
            expected,
        },
        Error::SerdeMissingField { field: key, .. } => Problem::MissingKey { key },
        Error::DuplicateMappingKey { key, .. } => Problem::DuplicateKey {
            key: Escaped(key.unwrap_or_default().as_bytes()).to_string(),
        },
        Error::MergeKeyNotAllowed { .. }
        | Error::UnknownAnchor { .. }
        | Error::Budget {
            breach: BudgetBreach::Anchors { .. } | BudgetBreach::Aliases { .. },
            ..
        } => Problem::Anchor,
        Error::MultipleDocuments { .. }
        | Error::Budget {
            breach: BudgetBreach::Documents { .. },
            ..
        } => Problem::SecondDocument,
        Error::Eof { .. } => Problem::Empty,
        Error::InvalidBooleanStrict { .. } => Problem::Expected {
            expected: "`true` or `false`",
        },
        Error::Unexpected {
            expected: "sequence start",
            ..
        } => Problem::Expected {
            expected: "a list: `[a, b]`",
        },
        Error::Unexpected {
            expected: "mapping start",
            ..
        } => Problem::Expected {
            expected: "keys with their values: `key: value`",
        },
        Error::NullIntoString { .. } => Problem::Expected {
            expected: "text, and there is none",
        },
        Error::Unexpected {
            expected: "string scalar",
            ..
        } => Problem::Expected { expected: "text" },
        Error::SerdeInvalidType {
            unexpected,
            expected,
            ..
        } => Problem::WrongKind {
            found: Escaped(unexpected.as_bytes()).to_string(),
            expected,
        },
        other => Problem::Yaml {
            cause: Box::new(other),
        },
    }
}

/// The parser's message without its place, on one line.
pub(super) struct Message<'a>(pub(super) &'a Error);

impl fmt::Display for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = UserMessageFormatter.format_message(self.0.without_snippet());
        let mut letters = message.chars();
        let first = letters.next().map(char::to_lowercase);
        let text: String = first.into_iter().flatten().chain(letters).collect();
        Escaped(text.as_bytes()).fmt(f)?;
        // Most of this comes of a pattern that YAML takes for something else.
        let is_like = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if is_like(&["anchor", "bracket", "flow", "indicator"]) {
            f.write_str("; patterns with `*`, `[`, `{`, `&` or `#` go in quotes")
        } else if is_like(&["unsupported tag"]) {
            f.write_str("; leave it out")
        } else {
            Ok(())
        }
    }
}
