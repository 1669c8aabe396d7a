//! From one state of the loaded profiles to the next, wholly or not at all.
//!
//! A change is *staged*, which compiles and reserves and touches nothing, and
//! then *committed*. Tables go in before the attachments that lead to them, new
//! slots before the tables that name them as the target of an exec; then every
//! task is evaluated anew; then what is gone stops to refuse. Each table is
//! swapped at one stroke. If the kernel refuses one, those before it are put
//! back.

mod commit;
mod error;

use std::{collections::BTreeSet, sync::Arc};

use enforcer_abi::{Mode, Slot, table::Header};

pub use self::error::ChangeError;
use super::{Instance, Registry, Source, instance::Carried, instance::Version, instance_name};
use crate::{
    kernel::AccessError,
    profile::{
        CompileError, Compiled, Profile, ProfileMode, compile, compile_attachments,
    },
    tighten::Overlays,
};

/// A change that is ready to be committed.
#[derive(Debug)]
#[must_use = "what a staged change reserves is given back by committing or abandoning it"]
pub struct Staged {
    tables: Vec<StagedTable>,
    /// Instances whose profiles are gone, with the tables that they get.
    removed: Vec<(String, Version)>,
    /// New attachments, if they change.
    attachments: Option<Vec<u32>>,
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

/// What a table is to be made from.
struct Wanted<'a> {
    written: Arc<Profile>,
    source: Source,
    mode_override: Option<ProfileMode>,
    /// The profiles to which an exec can lead.
    targets: &'a BTreeSet<String>,
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
        if let Some(other) = self.get(&name).map(|instance| &instance.written)
            && other.source != profile.source
        {
            return Err(ChangeError::NameTaken {
                name,
                file: profile.source,
                other: other.source.clone(),
            });
        }
        // A file of the folder may be named, too: it stays one of the folder's.
        let source = self.get(&name).map_or(Source::File, |instance| instance.source);
        let written = Arc::new(profile);
        let mut staged = Staged::new(Kind::Load);
        let result = self.fill_modes(&mut staged, &name, &written, source, overlays);
        self.finish(staged, result)
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
        let wanted = Wanted { written, source, mode_override: Some(mode), targets: &targets };
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

    fn fill_directory(
        &mut self,
        staged: &mut Staged,
        profiles: Vec<Profile>,
        overlays: &Overlays,
    ) -> Result<(), ChangeError> {
        let mut targets = self.files();
        for profile in &profiles {
            if let Some(other) = self.get(&profile.name)
                && other.source == Source::File
            {
                return Err(ChangeError::NameTaken {
                    name: profile.name.clone(),
                    file: profile.source.clone(),
                    other: other.written.source.clone(),
                });
            }
            let _slot = self.slot_for(&profile.name)?;
            targets.insert(profile.name.clone());
        }
        let profiles: Vec<_> = profiles.into_iter().map(Arc::new).collect();
        for written in &profiles {
            for mode_override in self.modes(&written.name) {
                let name = instance_name(&written.name, mode_override);
                let wanted = Wanted {
                    written: Arc::clone(written),
                    source: Source::Directory,
                    mode_override,
                    targets: &targets,
                };
                self.fill(staged, &name, wanted, overlays)?;
            }
        }
        let gone: Vec<_> = self
            .instances
            .iter()
            .filter(|(_, instance)| !instance.removed && instance.source == Source::Directory)
            .filter(|(_, instance)| !targets.contains(&instance.written.name))
            .map(|(name, instance)| (name.clone(), Arc::clone(&instance.written)))
            .collect();
        for (name, written) in gone {
            let empty = Profile { rules: Vec::new(), ..(*written).clone() };
            let compiled = compile(&empty, &|_| None).map_err(compile_error)?;
            let version = self.version(Arc::new(empty), compiled, Mode::OFF)?;
            staged.removed.push((name, version));
        }

        let attached: Vec<(&Profile, Slot)> = profiles
            .iter()
            .filter_map(|profile| Some((profile.as_ref(), *self.slots.get(&profile.name)?)))
            .collect();
        let attachments = compile_attachments(&attached).map_err(compile_error)?.words;
        if self.attachments.as_ref() != Some(&attachments) {
            staged.attachments = Some(attachments);
        }
        Ok(())
    }

    /// Stages a profile in each mode that it is loaded in.
    fn fill_modes(
        &mut self,
        staged: &mut Staged,
        profile: &str,
        written: &Arc<Profile>,
        source: Source,
        overlays: &Overlays,
    ) -> Result<(), ChangeError> {
        let targets = self.live();
        for mode_override in self.modes(profile) {
            let name = instance_name(profile, mode_override);
            let wanted = Wanted {
                written: Arc::clone(written),
                source,
                mode_override,
                targets: &targets,
            };
            self.fill(staged, &name, wanted, overlays)?;
        }
        Ok(())
    }

    /// Stages one instance.
    fn fill(
        &mut self,
        staged: &mut Staged,
        name: &str,
        wanted: Wanted<'_>,
        overlays: &Overlays,
    ) -> Result<(), ChangeError> {
        let Wanted { written, source, mode_override, targets } = wanted;
        let slot = self.slot_for(name)?;
        let effective = Arc::new(overlays.applied_to(&written));
        let slots = |target: &str| {
            let target = targets.get(target)?;
            self.slots.get(target).copied()
        };
        let mut compiled = compile(&effective, &slots).map_err(compile_error)?;
        let mode = mode_override.unwrap_or(written.mode).for_kernel();
        set_word(&mut compiled, Header::MODE, mode.0);

        let before = self.get(name);
        let carried = before.map_or_else(Carried::default, |instance| instance.carried.clone());
        let previous = before.and_then(|instance| instance.previous.clone());
        let equal = before
            .filter(|instance| instance.current.equals(&compiled))
            .map(|instance| instance.current.clone());
        let loads = equal.is_none();
        let current = match equal {
            Some(kept) => {
                set_word(&mut compiled, Header::GENERATION, kept.generation);
                set_word(&mut compiled, Header::HITS, kept.range.first);
                Version { effective, compiled: Arc::new(compiled), ..kept }
            }
            None => self.version(effective, compiled, mode)?,
        };
        staged.tables.push(StagedTable {
            name: name.to_owned(),
            instance: Instance {
                slot,
                source,
                written,
                mode_override,
                current,
                previous,
                removed: false,
                carried,
            },
            loads,
        });
        Ok(())
    }

    /// Gives a table its number, its hit counters and its mode.
    fn version(
        &mut self,
        effective: Arc<Profile>,
        mut compiled: Compiled,
        mode: Mode,
    ) -> Result<Version, ChangeError> {
        let outcomes = u32::try_from(compiled.outcomes.len()).unwrap_or(u32::MAX);
        let range = self.ranges.take(outcomes)?;
        self.generation = self.generation.wrapping_add(1);
        set_word(&mut compiled, Header::GENERATION, self.generation);
        set_word(&mut compiled, Header::HITS, range.first);
        set_word(&mut compiled, Header::MODE, mode.0);
        Ok(Version {
            generation: self.generation,
            effective,
            compiled: Arc::new(compiled),
            range,
        })
    }

    /// The modes in which a profile is loaded, or will be: its own, and those
    /// that were asked for.
    fn modes(&self, profile: &str) -> Vec<Option<ProfileMode>> {
        let overrides = self.instances.values().filter_map(|instance| {
            let mode = instance.mode_override?;
            (instance.written.name == profile && !instance.removed).then_some(Some(mode))
        });
        std::iter::once(None).chain(overrides).collect()
    }

    /// The names of the loaded profiles.
    fn live(&self) -> BTreeSet<String> {
        self.instances
            .values()
            .filter(|instance| !instance.removed)
            .map(|instance| instance.written.name.clone())
            .collect()
    }

    /// The names of the profiles that were given to `enforcer exec`.
    fn files(&self) -> BTreeSet<String> {
        self.instances
            .values()
            .filter(|instance| !instance.removed && instance.source == Source::File)
            .map(|instance| instance.written.name.clone())
            .collect()
    }
}

impl Staged {
    fn new(kind: Kind) -> Self {
        Self {
            tables: Vec::new(),
            removed: Vec::new(),
            attachments: None,
            kind,
        }
    }
}

fn compile_error(source: CompileError) -> ChangeError {
    Box::new(source).into()
}

/// Sets a word of the header.
fn set_word(compiled: &mut Compiled, at: u32, value: u32) {
    if let Some(word) = compiled.words.get_mut(at as usize) {
        *word = value;
    }
}
