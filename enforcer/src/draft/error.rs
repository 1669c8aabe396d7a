//! Why there is no profile.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use super::elf::ElfError;
use crate::profile::{Escaped, FormatError, ProfileError};

/// Why there is no profile. Paths are those of the host.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DraftError {
    /// There is no such program.
    #[error("there is no program {}{}", Escaped::path(path), Found(found.as_deref()))]
    NotFound {
        /// What was asked for.
        path: PathBuf,
        /// A program with its name.
        found: Option<PathBuf>,
    },
    /// It is a folder.
    #[error("{} is a folder; name the program in it", Escaped::path(path))]
    Folder {
        /// The folder.
        path: PathBuf,
    },
    /// It cannot be read.
    #[error("cannot read {}", Escaped::path(path))]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Nobody may run it.
    #[error(
        "{} is no program: nobody may execute it; name the program that uses it",
        Escaped::path(path)
    )]
    NotExecutable {
        /// The file.
        path: PathBuf,
    },
    /// It is neither for the processor nor for an interpreter.
    #[error(
        "{} is no program: it begins neither as ELF files do nor with `#!`",
        Escaped::path(path)
    )]
    NoProgram {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be understood.
    #[error("cannot read the program {}", Escaped::path(path))]
    Elf {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ElfError,
    },
    /// A profile cannot have the name.
    #[error(
        "a profile cannot be named {name:?}: a name has up to 64 small letters, digits and `_.-`, \
         and begins with a letter or digit; give it another with --name"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// An abstraction or what came out is not valid.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// What came out cannot be formatted.
    #[error(transparent)]
    Format(#[from] FormatError),
}

/// The hint where another program was meant, maybe.
struct Found<'a>(Option<&'a Path>);

impl fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(path) => write!(f, "; did you mean {}?", Escaped::path(path)),
            None => f.write_str("; give its path, as in /usr/sbin/nginx"),
        }
    }
}
