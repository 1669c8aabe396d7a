//! Why nothing was learned.

use crate::profile::{FormatError, ProfileError};

/// Why nothing was learned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LearnError {
    /// A profile cannot have the name.
    #[error(
        "a profile cannot be named {name:?}: a name has up to 64 small letters, digits and `_.-`, \
         and begins with a letter or digit; give it another with --name"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// The profile from before, an abstraction or what came out is not valid.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// What came out cannot be formatted.
    #[error(transparent)]
    Format(#[from] FormatError),
}
