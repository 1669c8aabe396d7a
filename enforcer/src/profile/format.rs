//! The one style of profiles and abstractions, as `enforcer fmt` writes it.
//!
//! - [`tree`]: a file with its comments; [`read`]: from its text to that
//! - [`order`]: where keys and rights stand
//! - [`compose`]: pieces of texts that programs make
//! - [`write`]: from the tree to text; [`scalar`]: words, and which need quotes
//! - [`append`]: what one profile has besides, at the ends of another's lists; [`insert`]: the
//!   same, with every line that was there left as it is
//!
//! Only what a file looks like changes. That it says the same is not taken on trust: the
//! new text is read again and compared, and if anything is missing there is no new text.

mod append;
mod compose;
mod insert;
mod order;
mod read;
mod scalar;
mod tree;
mod write;

use std::path::{Path, PathBuf};

use serde::{Deserialize, de::IgnoredAny};

pub(crate) use self::compose::{Text, comment, exec_rule, path_rule, quoted};
pub(super) use self::order::keys as in_order;
pub use self::{append::append, insert::insert};
use super::{
    Escaped, FILE_LEN, Origin, Profile,
    error::{Problem, ProfileError},
    raw::{RawAbstraction, RawProfile},
    yaml::Source,
};

/// What kind of file a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A profile.
    Profile,
    /// An abstraction.
    Abstraction,
}

/// Why a text was not formatted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The file is not what it should be.
    #[error(transparent)]
    Invalid(#[from] ProfileError),
    /// There is something that the style has no place for.
    #[error("{origin}: a tag says nothing here that is not known; remove it")]
    Tag {
        /// Where.
        origin: Origin,
    },
    /// The new text would not say the same.
    #[error(
        "{}: it is left as it is, since formatted it would not say the same; this is a fault of \
         enforcer, please report it with the file",
        Escaped::path(file)
    )]
    Changed {
        /// The file.
        file: PathBuf,
    },
}

impl FormatError {
    /// Where in a file it is, if that is known.
    pub fn origin(&self) -> Option<&Origin> {
        match self {
            Self::Invalid(error) => Some(&error.origin),
            Self::Tag { origin } => Some(origin),
            Self::Changed { .. } => None,
        }
    }
}

/// Formats the text of `file`: a profile that includes from the folder `abstractions`, or
/// an abstraction.
///
/// Of a file whose syntax and keys are right, more need not be: what only shows when its
/// names and patterns are looked at is for `enforcer check` to tell.
///
/// # Errors
///
/// If the text is not valid YAML with the right keys, or if the new text would not say
/// the same.
pub fn format(
    text: &str,
    file: &Path,
    kind: FileKind,
    abstractions: &Path,
) -> Result<String, FormatError> {
    if text.len() > FILE_LEN {
        return Err(FormatError::Invalid(ProfileError {
            origin: Origin::start_of(file),
            problem: Problem::FileTooLong,
        }));
    }
    let document = parse(text, file, kind)?;
    let new = written(document, file, kind)?;
    let changed = || FormatError::Changed {
        file: file.to_owned(),
    };
    if kind == FileKind::Profile
        && let Ok(before) = Profile::parse(text, file, abstractions)
    {
        let after = Profile::parse(&new, file, abstractions).map_err(|_fault| changed())?;
        if !is_same(&before, &after) {
            return Err(changed());
        }
    }
    Ok(new)
}

/// The text of a file, which says the same when it is read again.
fn written(
    mut document: tree::Document,
    file: &Path,
    kind: FileKind,
) -> Result<String, FormatError> {
    order::sort(&mut document);
    let new = write::text(&document);
    let changed = || FormatError::Changed {
        file: file.to_owned(),
    };
    // What was valid and is no longer so has changed, too.
    let mut again = parse(&new, file, kind).map_err(|_fault| changed())?;
    order::sort(&mut again);
    if document.says_same(&again) {
        Ok(new)
    } else {
        Err(changed())
    }
}

/// The keys that only profiles have.
#[derive(Deserialize)]
struct Keys {
    name: Option<IgnoredAny>,
    mode: Option<IgnoredAny>,
}

/// What kind of file a text from nowhere is: only profiles have a name and a mode.
pub fn kind_of(text: &str) -> FileKind {
    let source = Source {
        file: Path::new("").into(),
        text: text.to_owned(),
    };
    // What is no YAML is wrong either way.
    match source.parse::<Keys>() {
        Ok(Keys {
            name: None,
            mode: None,
        }) => FileKind::Abstraction,
        _ => FileKind::Profile,
    }
}

/// Reads a text whose syntax and keys are right.
fn parse(text: &str, file: &Path, kind: FileKind) -> Result<tree::Document, FormatError> {
    let source = Source {
        file: file.into(),
        text: text.to_owned(),
    };
    match kind {
        FileKind::Profile => source.parse::<RawProfile>().map(drop)?,
        FileKind::Abstraction => source.parse::<RawAbstraction>().map(drop)?,
    }
    read::document(&source)
}

/// Whether two profiles differ in places alone.
fn is_same(one: &Profile, other: &Profile) -> bool {
    let executables = |profile: &Profile| -> Vec<String> {
        let all = profile.executables.iter();
        all.map(|one| one.pattern.text().to_owned()).collect()
    };
    let users = |profile: &Profile| -> Vec<_> {
        profile.users.iter().map(|user| user.who.clone()).collect()
    };
    let cgroups = |profile: &Profile| -> Vec<_> {
        let all = profile.cgroups.iter();
        all.map(|one| (one.pattern.text().to_owned(), one.unit.clone()))
            .collect()
    };
    let reasons = |profile: &Profile| -> Vec<_> {
        profile
            .rules
            .iter()
            .map(|rule| rule.reason.clone())
            .collect()
    };
    one.makes_same_table(other)
        && (&one.name, &one.description) == (&other.name, &other.description)
        && executables(one) == executables(other)
        && users(one) == users(other)
        && cgroups(one) == cgroups(other)
        && reasons(one) == reasons(other)
        && one.on_violation == other.on_violation
}

#[cfg(test)]
mod tests;
