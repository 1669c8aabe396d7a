//! What a race is about.

use std::{fs, io, os::unix::fs::symlink, path::Path};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::{board::Board, scenes::SCENES};

/// A folder with files, what an outsider does to their names, and what a confined
/// reader may find. Paths are relative to the folder.
///
/// The changes are made over and over, in turn. State *n* is how things are
/// after *n* of them, and after the last one they are as at first.
pub(crate) struct Scene {
    /// Name on the command line.
    pub(crate) name: &'static str,
    /// Patterns that the reader's profile lets it read.
    pub(crate) rules: &'static [&'static str],
    /// Files at first, and what they hold. Their folders are made as well.
    pub(crate) files: &'static [(&'static str, &'static str)],
    /// Folders at first that hold no file.
    pub(crate) folders: &'static [&'static str],
    /// Symbolic links at first, and where they lead.
    pub(crate) links: &'static [(&'static str, &'static str)],
    /// What the outsider does.
    pub(crate) changes: &'static [Change],
    /// What the reader does, one a round, in turn.
    pub(crate) tries: &'static [Try],
    /// The names by which a refused file may have been called.
    pub(crate) refusals: &'static [&'static str],
}

/// Something that is done to names.
pub(crate) enum Change {
    /// The first gets the second's name, and takes its place.
    Move(&'static str, &'static str),
    /// Both get the other's name.
    Exchange(&'static str, &'static str),
    /// The first gets the second as a further name.
    Link(&'static str, &'static str),
    /// A name is taken away.
    Remove(&'static str),
    /// The symbolic link is replaced by one that leads to the second.
    Point(&'static str, &'static str),
    /// A file is made that holds the second.
    Write(&'static str, &'static str),
}

/// An open for reading.
pub(crate) struct Try {
    /// Where it starts.
    pub(crate) from: Start,
    /// The path from there.
    pub(crate) path: &'static str,
    /// What has to come of it in each state.
    pub(crate) stable: &'static [Outcome],
    /// What else may come of it where it meets a change.
    pub(crate) also: &'static [Outcome],
}

/// Where the path of a [`Try`] starts.
pub(crate) enum Start {
    /// At the scene's folder.
    Top,
    /// At a folder that was found by this name when the reader started. It stays
    /// found, whatever it is called later.
    Held(&'static str),
}

/// What comes of an open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The file holds this.
    Reads(&'static str),
    /// `EACCES`.
    Refused,
    /// `ENOENT`.
    Missing,
}

impl Scene {
    /// The scene of this name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        SCENES.iter().find(|scene| scene.name == name)
    }

    /// Makes what is there at first.
    pub(crate) fn prepare(&self, folder: &Path) -> io::Result<()> {
        for (name, contents) in self.files {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap_or(folder))?;
            fs::write(path, contents)?;
        }
        for name in self.folders {
            fs::create_dir_all(folder.join(name))?;
        }
        for (name, target) in self.links {
            symlink(target, folder.join(name))?;
        }
        Board::make(folder)
    }
}

impl Change {
    /// Makes the change.
    pub(crate) fn make(&self, folder: &Path) -> io::Result<()> {
        match self {
            Self::Move(from, to) => fs::rename(folder.join(from), folder.join(to)),
            Self::Exchange(one, other) => {
                let (one, other) = (folder.join(one), folder.join(other));
                renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).map_err(Into::into)
            }
            Self::Link(from, to) => fs::hard_link(folder.join(from), folder.join(to)),
            Self::Remove(name) => fs::remove_file(folder.join(name)),
            Self::Point(name, target) => {
                let new = folder.join("new-link");
                symlink(target, &new)?;
                fs::rename(new, folder.join(name))
            }
            Self::Write(name, contents) => fs::write(folder.join(name), contents),
        }
    }
}

impl Try {
    /// Whether `outcome` may come of it. `state`: all of it happened in that one.
    pub(crate) fn permits(&self, outcome: &Found, state: Option<usize>) -> bool {
        match state.and_then(|state| self.stable.get(state)) {
            Some(stable) => outcome.is(*stable),
            None => self
                .stable
                .iter()
                .chain(self.also)
                .any(|one| outcome.is(*one)),
        }
    }
}

/// What came of an open.
#[derive(Debug)]
pub(crate) enum Found {
    /// The file held this.
    Contents(Vec<u8>),
    /// It failed with this errno.
    Errno(rustix::io::Errno),
}

impl Found {
    /// Whether it is this outcome.
    pub(crate) fn is(&self, outcome: Outcome) -> bool {
        use rustix::io::Errno;
        match (self, outcome) {
            (Self::Contents(contents), Outcome::Reads(text)) => contents == text.as_bytes(),
            (Self::Errno(errno), Outcome::Refused) => *errno == Errno::ACCESS,
            (Self::Errno(errno), Outcome::Missing) => *errno == Errno::NOENT,
            _ => false,
        }
    }
}
