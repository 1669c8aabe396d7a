//! What is kept as files of its own, one in YAML for each: so that it holds from the next
//! start on, whatever happens to the store, and can be read and corrected by hand.

use std::{
    collections::BTreeMap,
    fmt::Display,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};

/// Something of which there is a file.
pub trait Keep: Serialize + DeserializeOwned {
    /// Its name, which is the stem of the file's.
    type Id: Copy + Ord + Display;
    /// What it is called.
    const WHAT: &str;
    /// What it does to move its file away.
    const WITHOUT: &str;

    /// Its name.
    fn id(&self) -> Self::Id;
}

/// Why a file cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeptError {
    /// The folder or a file in it cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file says nothing that makes sense.
    #[error("cannot use the {what} {}; correct it, or move it away to {without}", path.display())]
    Parse {
        /// What it should be.
        what: &'static str,
        /// What comes of moving it away.
        without: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<serde_yaml::Error>,
    },
    /// A file has another name than what is in it.
    #[error("the {what} {id} is in {}; rename the file to {id}.yaml", path.display())]
    Misnamed {
        /// What it is.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What it says.
        id: String,
    },
    /// Something cannot be put into words.
    #[error("cannot write the {what} {id}")]
    Serialize {
        /// What it is.
        what: &'static str,
        /// Which.
        id: String,
        /// Why.
        source: Box<serde_yaml::ser::Error>,
    },
    /// A file cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// All there are of a kind, as their files say.
#[derive(Debug, PartialEq, Eq)]
pub struct Kept<T: Keep> {
    directory: PathBuf,
    all: BTreeMap<T::Id, T>,
}

impl<T: Keep> Kept<T> {
    /// Reads the files in `directory`, which is made where it is missing.
    ///
    /// # Errors
    ///
    /// A file that cannot be read or understood: what it says would silently not hold.
    pub fn load(directory: &Path) -> Result<Self, KeptError> {
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            move |source| KeptError::Read { path, source }
        };
        fs::create_dir_all(directory).map_err(unreadable(directory))?;
        let mut all = BTreeMap::new();
        for entry in fs::read_dir(directory).map_err(unreadable(directory))? {
            let path = entry.map_err(unreadable(directory))?.path();
            // Others are what a crash left of a write.
            if path.extension().is_none_or(|extension| extension != "yaml") {
                continue;
            }
            let text = fs::read_to_string(&path).map_err(unreadable(&path))?;
            let one: T = serde_yaml::from_str(&text).map_err(|source| KeptError::Parse {
                what: T::WHAT,
                without: T::WITHOUT,
                path: path.clone(),
                source: Box::new(source),
            })?;
            if path != file(directory, one.id()) {
                return Err(KeptError::Misnamed {
                    what: T::WHAT,
                    path,
                    id: one.id().to_string(),
                });
            }
            all.insert(one.id(), one);
        }
        Ok(Self {
            directory: directory.to_owned(),
            all,
        })
    }

    /// Writes one to its file, wholly or not at all, and keeps it.
    ///
    /// # Errors
    ///
    /// If the file cannot be written; all is then as before.
    pub fn put(&mut self, one: T) -> Result<(), KeptError> {
        let id = one.id();
        let text = serde_yaml::to_string(&one).map_err(|source| KeptError::Serialize {
            what: T::WHAT,
            id: id.to_string(),
            source: Box::new(source),
        })?;
        let path = file(&self.directory, id);
        replace(&path, &text).map_err(|source| KeptError::Write { path, source })?;
        self.all.insert(id, one);
        Ok(())
    }

    /// Removes one with its file, if there is such.
    ///
    /// # Errors
    ///
    /// If the file cannot be removed; all is then as before.
    pub fn remove(&mut self, id: T::Id) -> Result<(), KeptError> {
        let path = file(&self.directory, id);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(KeptError::Write { path, source })
            }
            _ => {
                self.all.remove(&id);
                Ok(())
            }
        }
    }

    /// Returns the one with this name.
    pub fn get(&self, id: T::Id) -> Option<&T> {
        self.all.get(&id)
    }

    /// Returns all, by name.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.all.values()
    }
}

/// The file of one.
fn file(directory: &Path, id: impl Display) -> PathBuf {
    directory.join(format!("{id}.yaml"))
}

/// Replaces the file at `path`, so that whatever happens it holds the old text
/// or the new one.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    // The new name has to survive a power cut, too.
    match path.parent() {
        Some(directory) => File::open(directory)?.sync_all(),
        None => Ok(()),
    }
}
