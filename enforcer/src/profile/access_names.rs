//! Sets of rights as lists of names, for serde and for the command line.

use enforcer_abi::Access;
use serde::{Deserialize, Deserializer, Serializer, de, ser::SerializeSeq};

use super::{Escaped, suggest};

/// A name that no right has.
#[derive(
    Clone, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr, strum::VariantNames,
)]
#[strum(serialize_all = "kebab-case", prefix = "access-")]
pub enum AccessNameError {
    /// There is one that looks like it.
    #[error("unknown access `{name}`; did you mean `{suggestion}`?")]
    Misspelt {
        /// What was written.
        name: String,
        /// What may have been meant.
        suggestion: &'static str,
    },
    /// It is an operation that may ask for any right.
    #[error(
        "`{name}` does not say what is asked for; name the rights: {}",
        list(Access::ALL)
    )]
    Depends {
        /// What was written.
        name: String,
    },
    /// There is none that looks like it.
    #[error("unknown access `{name}`; expected one of {}", list(*known))]
    Unknown {
        /// What was written.
        name: String,
        /// What there is.
        known: Access,
    },
}

/// Returns the set of the rights with these names.
///
/// # Errors
///
/// The first name that no right has.
pub fn access_from_names(
    names: impl IntoIterator<Item: AsRef<str>>,
) -> Result<Access, AccessNameError> {
    names.into_iter().try_fold(Access::NONE, |set, name| {
        Ok(set | from_name(name.as_ref(), Access::ALL, &[])?)
    })
}

/// Returns the right with this name. `known` are the rights that can stand here, and
/// `others` words that would have been right, too.
pub(super) fn from_name(
    name: &str,
    known: Access,
    others: &[&'static str],
) -> Result<Access, AccessNameError> {
    if let Some(right) = Access::from_name(name) {
        return Ok(right);
    }
    let words = known.names().chain(others.iter().copied());
    let suggestion = suggest::nearest(name, words);
    // What was written may be anything, and is shown on terminals.
    let name = Escaped(name.as_bytes()).to_string();
    Err(match suggestion {
        Some(suggestion) => AccessNameError::Misspelt { name, suggestion },
        None => AccessNameError::Unknown { name, known },
    })
}

/// Writes a set of rights as a list of names.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
pub(super) fn serialize<S: Serializer>(access: &Access, serializer: S) -> Result<S::Ok, S::Error> {
    let mut list = serializer.serialize_seq(None)?;
    for name in access.names() {
        list.serialize_element(name)?;
    }
    list.end()
}

/// Reads a list of names as a set of rights.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Access, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    access_from_names(names).map_err(de::Error::custom)
}

/// The names of rights, as a sentence lists them.
fn list(rights: Access) -> String {
    rights.names().collect::<Vec<_>>().join(", ")
}
