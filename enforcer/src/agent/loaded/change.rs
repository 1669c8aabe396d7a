//! From one state of the loaded profiles to the next, wholly or not at all.
//!
//! A change is *staged*, which compiles and reserves and touches nothing, and
//! then *committed*. The hooks that the profiles need are attached first. Tables go in
//! before the executables, cgroups and users that lead to them, new slots before the
//! tables that name them as the target of an exec; then every task is evaluated anew;
//! then what is gone stops to refuse. Each table is swapped at one stroke. If the
//! kernel refuses one, those before it are put back; what was attached stays.

mod commit;
mod error;
mod fill;

use std::sync::Arc;

pub use self::error::ChangeError;
use self::fill::Wanted;
use super::{Instance, Registry, Source, Subjects, instance::Version, instance_name};
use crate::{
    kernel::AccessError,
    profile::{Profile, ProfileMode},
    tighten::Overlays,
};

/// A change that is ready to be committed.
#[derive(Debug)]
#[must_use = "what a staged change reserves is given back by committing or abandoning it"]
pub struct Staged {
    tables: Vec<StagedTable>,
    /// Instances whose profiles are gone, with the tables that they get.
    removed: Vec<(String, Version)>,
    /// Who will be attached, if that changes.
    subjects: Option<Subjects>,
    kind: Kind,
}

/// Why a change is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Profiles were loaded. What was used before says nothing of the new ones.
    Load,
    /// Rights were taken away or given back. What was used stays used.
    Tightening,
}

#[derive(Debug)]
struct StagedTable {
    name: String,
    instance: Instance,
    /// Whether the kernel needs a new table. Otherwise only places in files
    /// moved.
    loads: bool,
}

/// What a change did, by instance.
#[derive(Debug, Default)]
pub struct Changed {
    /// Those with a new table.
    pub loaded: Vec<String>,
    /// Those that refuse nothing any more.
    pub removed: Vec<String>,
    /// Those that should not refuse anything any more, but still do.
    pub stuck: Vec<(String, AccessError)>,
}

impl Registry {
    /// Stages the profiles of the folder, in place of those that it had before.
    ///
    /// # Errors
    ///
    /// If one of them cannot be compiled, or there is no room.
    pub fn stage_directory(
        &mut self,
        profiles: Vec<Profile>,
        overlays: &Overlays,
    ) -> Result<Staged, ChangeError> {
        let mut staged = Staged::new(Kind::Load);
        let result = self.fill_directory(&mut staged, profiles, overlays);
        self.finish(staged, result)
    }

    /// Stages a profile that was given to `enforcer exec`.
    ///
    /// # Errors
    ///
    /// As [`Registry::stage_directory`], or if another file has its name.
    pub fn stage_file(
        &mut self,
        profile: Profile,
        overlays: &Overlays,
    ) -> Result<Staged, ChangeError> {
        let name = profile.name.clone();
        self.is_free(&profile)?;
        // A file of the folder may be named, too: it stays one of the folder's.
        let source = self
            .get(&name)
            .map_or(Source::File, |instance| instance.source);
        let written = Arc::new(profile);
        let mut staged = Staged::new(Kind::Load);
        let result = self.fill_modes(&mut staged, &name, &written, source, overlays);
        self.finish(staged, result)
    }

    /// Stages a profile under which a client watches, with the subjects that it names.
    ///
    /// # Errors
    ///
    /// As [`Registry::stage_file`].
    pub fn stage_watch(
        &mut self,
        profile: Profile,
        overlays: &Overlays,
    ) -> Result<Staged, ChangeError> {
        self.is_free(&profile)?;
        let name = profile.name.clone();
        let written = Arc::new(profile);
        let mut staged = Staged::new(Kind::Load);
        let result = self.fill_watch(&mut staged, &name, Some(&written), overlays);
        self.finish(staged, result)
    }

    /// Stages the end of that: nothing is recorded of what stays under the profile.
    ///
    /// # Errors
    ///
    /// If nobody watches under it.
    pub fn stage_unwatch(
        &mut self,
        name: &str,
        overlays: &Overlays,
    ) -> Result<Staged, ChangeError> {
        let source = self.get(name).map(|instance| instance.source);
        if source != Some(Source::Watch) {
            return Err(ChangeError::NotLoaded {
                name: name.to_owned(),
            });
        }
        let mut staged = Staged::new(Kind::Load);
        let result = self.fill_watch(&mut staged, name, None, overlays);
        self.finish(staged, result)
    }

    /// Whether no other file has a profile of this name.
    fn is_free(&self, profile: &Profile) -> Result<(), ChangeError> {
        match self.get(&profile.name).map(|instance| &instance.written) {
            Some(other) if other.source != profile.source => Err(ChangeError::NameTaken {
                name: profile.name.clone(),
                file: profile.source.clone(),
                other: other.source.clone(),
            }),
            _ => Ok(()),
        }
    }

    /// Stages a loaded profile in another mode, and says what that instance is
    /// called.
    ///
    /// # Errors
    ///
    /// As [`Registry::stage_directory`], or if there is no such profile.
    pub fn stage_mode(
        &mut self,
        profile: &str,
        mode: ProfileMode,
        overlays: &Overlays,
    ) -> Result<(String, Staged), ChangeError> {
        let base = self.get(profile).ok_or_else(|| ChangeError::NotLoaded {
            name: profile.to_owned(),
        })?;
        let mut staged = Staged::new(Kind::Load);
        if base.mode() == mode {
            return Ok((profile.to_owned(), staged));
        }
        let (written, source) = (Arc::clone(&base.written), base.source);
        let name = instance_name(profile, Some(mode));
        let targets = self.live();
        let wanted = Wanted {
            written,
            source,
            mode_override: Some(mode),
            targets: &targets,
        };
        let result = self.fill(&mut staged, &name, wanted, overlays);
        self.finish(staged, result).map(|staged| (name, staged))
    }

    /// Stages a loaded profile anew, after its overlays changed. What was used
    /// under the old table stays used.
    ///
    /// # Errors
    ///
    /// As [`Registry::stage_directory`].
    pub fn stage_tightening(
        &mut self,
        profile: &str,
        overlays: &Overlays,
    ) -> Result<Staged, ChangeError> {
        let mut staged = Staged::new(Kind::Tightening);
        let Some(base) = self.get(profile) else {
            return Ok(staged);
        };
        let (written, source) = (Arc::clone(&base.written), base.source);
        let result = self.fill_modes(&mut staged, profile, &written, source, overlays);
        self.finish(staged, result)
    }

    /// Gives back what a change reserved.
    pub fn abandon(&mut self, staged: Staged) {
        let tables = staged.tables.into_iter().filter(|table| table.loads);
        let versions = tables
            .map(|table| table.instance.current)
            .chain(staged.removed.into_iter().map(|(_, version)| version));
        for version in versions {
            self.ranges.free(version.range);
        }
    }

    /// Returns what was staged, or gives it back.
    fn finish(
        &mut self,
        staged: Staged,
        result: Result<(), ChangeError>,
    ) -> Result<Staged, ChangeError> {
        match result {
            Ok(()) => Ok(staged),
            Err(error) => {
                self.abandon(staged);
                Err(error)
            }
        }
    }
}

impl Staged {
    fn new(kind: Kind) -> Self {
        Self {
            tables: Vec::new(),
            removed: Vec::new(),
            subjects: None,
            kind,
        }
    }
}
