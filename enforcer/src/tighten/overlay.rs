//! Removals as they are kept: one YAML file for each tightening.
//!
//! The files in `STATE/overlays` decide which tightenings hold; the user's
//! profile is never rewritten. A change of state is written and synced *before*
//! the kernel gets the table that goes with it, and written back if the kernel
//! refuses that table. So a crash in between is a crash after the change: the
//! next start reads the file and loads the rights that it says.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::beyond;
use crate::{
    detection::{DetectionId, TighteningId},
    profile::{Profile, Removal},
};

/// A tightening: rights that are, or would be, taken away from a profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overlay {
    /// Its name, and the stem of its file's name.
    pub id: TighteningId,
    /// The profile that it tightens.
    pub profile: String,
    /// When it was proposed.
    pub created: Timestamp,
    /// Whether it holds.
    pub state: OverlayState,
    /// Until when it is on trial, or was before it came to hold by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<Timestamp>,
    /// Only what was used since then counts against it; `None`: whenever it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The detections because of which.
    pub detections: Vec<DetectionId>,
    /// What goes.
    pub removals: Vec<Removal>,
    /// Why, for people.
    pub reason: String,
}

/// Whether a tightening holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OverlayState {
    /// It waits for somebody to accept it.
    Proposed,
    /// It takes nothing away yet. Every use is told of what it would.
    OnTrial,
    /// It holds.
    Applied,
    /// Somebody took it back. It is not proposed again.
    Reverted,
}

impl OverlayState {
    /// The name, as the command line and the store spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::OnTrial => "on-trial",
            Self::Applied => "applied",
            Self::Reverted => "reverted",
        }
    }
}

/// An overlay that cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OverlayError {
    /// The folder or a file in it cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is no overlay.
    #[error("cannot use the tightening {}; correct it, or move it away to give its rights back", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<serde_yaml::Error>,
    },
    /// A file has another name than the tightening in it.
    #[error("the tightening {id} is in {}; rename the file to {id}.yaml", path.display())]
    Misnamed {
        /// The file.
        path: PathBuf,
        /// What it says.
        id: TighteningId,
    },
    /// An overlay cannot be put into words.
    #[error("cannot write the tightening {id}")]
    Serialize {
        /// Which.
        id: TighteningId,
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

/// What is left to propose of a plan, beside the proposals that there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unproposed {
    /// Removals that nobody has proposed.
    pub fresh: Vec<Removal>,
    /// Open proposals that have some of the plan's removals.
    pub joined: Vec<TighteningId>,
}

/// All tightenings there are, as their files say.
#[derive(Debug)]
pub struct Overlays {
    directory: PathBuf,
    all: BTreeMap<TighteningId, Overlay>,
}

impl Overlays {
    /// Reads the overlays in `directory`, which is made where it is missing.
    ///
    /// # Errors
    ///
    /// A file that cannot be read or understood: what it takes away would
    /// silently be granted again.
    pub fn load(directory: &Path) -> Result<Self, OverlayError> {
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            move |source| OverlayError::Read { path, source }
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
            let overlay: Overlay =
                serde_yaml::from_str(&text).map_err(|source| OverlayError::Parse {
                    path: path.clone(),
                    source: Box::new(source),
                })?;
            if path != file(directory, overlay.id) {
                return Err(OverlayError::Misnamed {
                    path,
                    id: overlay.id,
                });
            }
            all.insert(overlay.id, overlay);
        }
        Ok(Self {
            directory: directory.to_owned(),
            all,
        })
    }

    /// Writes an overlay to its file, wholly or not at all, and keeps it.
    ///
    /// # Errors
    ///
    /// If the file cannot be written; the overlay is then as before.
    pub fn put(&mut self, overlay: Overlay) -> Result<(), OverlayError> {
        let id = overlay.id;
        let text = serde_yaml::to_string(&overlay).map_err(|source| OverlayError::Serialize {
            id,
            source: Box::new(source),
        })?;
        let path = file(&self.directory, id);
        replace(&path, &text).map_err(|source| OverlayError::Write { path, source })?;
        self.all.insert(id, overlay);
        Ok(())
    }

    /// Returns the overlay with this name.
    pub fn get(&self, id: TighteningId) -> Option<&Overlay> {
        self.all.get(&id)
    }

    /// Returns all overlays, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Overlay> {
        self.all.values()
    }

    /// Returns a name that no overlay has, beyond `last` as well.
    pub fn next_id(&self, last: TighteningId) -> TighteningId {
        let highest = self
            .all
            .last_key_value()
            .map_or(last, |(&id, _)| id.max(last));
        TighteningId(highest.0.saturating_add(1))
    }

    /// Returns the overlays of a profile that are in `state`.
    pub fn of<'a>(
        &'a self,
        profile: &'a str,
        state: OverlayState,
    ) -> impl Iterator<Item = &'a Overlay> {
        self.all
            .values()
            .filter(move |overlay| overlay.profile == profile && overlay.state == state)
    }

    /// Returns `profile` with what its applied overlays leave of it, and those on trial.
    pub fn applied_to(&self, profile: &Profile) -> Profile {
        let removals = |state| -> Vec<Removal> {
            self.of(&profile.name, state)
                .flat_map(|overlay| overlay.removals.iter().cloned())
                .collect()
        };
        profile
            .without(&removals(OverlayState::Applied))
            .with_trial(&removals(OverlayState::OnTrial))
    }

    /// Returns what is left to propose of `planned` for a profile.
    ///
    /// What somebody took back is not proposed again: that would undo a person's
    /// decision at the next violation.
    pub fn unproposed(&self, profile: &str, planned: &[Removal]) -> Unproposed {
        let wanted = self
            .of(profile, OverlayState::Reverted)
            .fold(planned.to_vec(), |rest, overlay| {
                beyond(&rest, &overlay.removals)
            });
        let mut unproposed = Unproposed {
            fresh: wanted,
            joined: Vec::new(),
        };
        let open = [OverlayState::Proposed, OverlayState::OnTrial];
        for overlay in open.into_iter().flat_map(|state| self.of(profile, state)) {
            let rest = beyond(&unproposed.fresh, &overlay.removals);
            if rest != unproposed.fresh {
                unproposed.joined.push(overlay.id);
                unproposed.fresh = rest;
            }
        }
        unproposed
    }
}

/// The file of an overlay.
fn file(directory: &Path, id: TighteningId) -> PathBuf {
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

#[cfg(test)]
mod tests;
