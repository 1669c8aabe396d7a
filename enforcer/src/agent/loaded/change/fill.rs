//! Compiling what a change loads, and reserving what it needs.

use std::{collections::BTreeSet, sync::Arc};

use enforcer_abi::{Mode, Slot, table::Header};

use super::{
    super::{
        Instance, Registry, Source,
        instance::{Carried, Version},
        instance_name,
    },
    ChangeError, Staged, StagedTable,
};
use crate::{
    profile::{CompileError, Compiled, Profile, ProfileMode, compile},
    tighten::Overlays,
};

/// What a table is to be made from.
pub(super) struct Wanted<'a> {
    pub(super) written: Arc<Profile>,
    pub(super) source: Source,
    pub(super) mode_override: Option<ProfileMode>,
    /// The profiles to which an exec can lead.
    pub(super) targets: &'a BTreeSet<String>,
}

impl Registry {
    pub(super) fn fill_directory(
        &mut self,
        staged: &mut Staged,
        profiles: Vec<Profile>,
        overlays: &Overlays,
    ) -> Result<(), ChangeError> {
        let mut targets = self.files();
        for profile in &profiles {
            if let Some(other) = self.get(&profile.name)
                && other.source != Source::Directory
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
            self.fill_removed(staged, name, &written)?;
        }
        self.fill_subjects(staged, profiles.into_iter().chain(self.from(Source::Watch)))
    }

    /// Stages a profile that a client watches under; `None` instead of what was there.
    pub(super) fn fill_watch(
        &mut self,
        staged: &mut Staged,
        name: &str,
        written: Option<&Arc<Profile>>,
        overlays: &Overlays,
    ) -> Result<(), ChangeError> {
        let others: Vec<_> = self
            .from(Source::Directory)
            .chain(self.from(Source::Watch))
            .filter(|profile| profile.name != name)
            .collect();
        if let Some(written) = written {
            self.fill_modes(staged, name, written, Source::Watch, overlays)?;
        } else if let Some(before) = self.profile(name).cloned() {
            self.fill_removed(staged, name.to_owned(), &before)?;
        }
        self.fill_subjects(staged, others.into_iter().chain(written.cloned()))
    }

    /// Stages that an instance refuses nothing any more.
    fn fill_removed(
        &mut self,
        staged: &mut Staged,
        name: String,
        written: &Profile,
    ) -> Result<(), ChangeError> {
        let empty = Profile {
            rules: Vec::new(),
            ..written.clone()
        };
        let compiled = compile(&empty, &|_| None).map_err(compile_error)?;
        let version = self.version(Arc::new(empty), compiled, Mode::OFF)?;
        staged.removed.push((name, version));
        Ok(())
    }

    /// Stages who is attached, if that changes.
    fn fill_subjects(
        &self,
        staged: &mut Staged,
        profiles: impl Iterator<Item = Arc<Profile>>,
    ) -> Result<(), ChangeError> {
        let profiles: Vec<_> = profiles.collect();
        let attached: Vec<(&Profile, Slot)> = profiles
            .iter()
            .filter_map(|profile| Some((profile.as_ref(), *self.slots.get(&profile.name)?)))
            .collect();
        let subjects = self.subjects_of(&attached)?;
        if self.subjects.as_ref() != Some(&subjects) {
            staged.subjects = Some(subjects);
        }
        Ok(())
    }

    /// The loaded profiles of a source.
    fn from(&self, source: Source) -> impl Iterator<Item = Arc<Profile>> {
        let instances = self.instances.values().filter(move |instance| {
            !instance.removed && instance.source == source && instance.mode_override.is_none()
        });
        instances.map(|instance| Arc::clone(&instance.written))
    }

    /// Stages a profile in each mode that it is loaded in.
    pub(super) fn fill_modes(
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
    pub(super) fn fill(
        &mut self,
        staged: &mut Staged,
        name: &str,
        wanted: Wanted<'_>,
        overlays: &Overlays,
    ) -> Result<(), ChangeError> {
        let Wanted {
            written,
            source,
            mode_override,
            targets,
        } = wanted;
        let slot = self.slot_for(name)?;
        let effective = Arc::new(overlays.applied_to(&written));
        let mode = mode_override.unwrap_or(written.mode);
        let before = self.get(name);
        let carried = before.map_or_else(Carried::default, |instance| instance.carried.clone());
        let previous = before.and_then(|instance| instance.previous.clone());
        let unchanged = before
            .filter(|instance| {
                let made_from = &instance.current.effective;
                instance.mode() == mode
                    && made_from.makes_same_table(&effective)
                    && effective.targets().all(|target| targets.contains(target))
            })
            .map(|instance| instance.current.clone());
        let (current, loads) = match unchanged {
            Some(kept) => (Version { effective, ..kept }, false),
            None => self.compiled(name, effective, &written, mode.for_kernel(), targets)?,
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

    /// Compiles a profile, and tells whether the kernel has another table in its place.
    fn compiled(
        &mut self,
        name: &str,
        effective: Arc<Profile>,
        written: &Profile,
        mode: Mode,
        targets: &BTreeSet<String>,
    ) -> Result<(Version, bool), ChangeError> {
        let slots = |target: &str| {
            let target = targets.get(target)?;
            self.slots.get(target).copied()
        };
        if !effective.makes_same_table(written) {
            // What was taken away may be given back.
            compile(written, &slots).map_err(compile_error)?;
        }
        let mut compiled = compile(&effective, &slots).map_err(compile_error)?;
        set_word(&mut compiled, Header::MODE, mode.0);
        let before = self.get(name).map(|instance| &instance.current);
        let equal = before.filter(|current| current.equals(&compiled)).cloned();
        let Some(kept) = equal else {
            return Ok((self.version(effective, compiled, mode)?, true));
        };
        set_word(&mut compiled, Header::GENERATION, kept.generation);
        set_word(&mut compiled, Header::HITS, kept.range.first);
        let version = Version {
            effective,
            compiled: Arc::new(compiled),
            ..kept
        };
        Ok((version, false))
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
    pub(super) fn live(&self) -> BTreeSet<String> {
        self.instances
            .values()
            .filter(|instance| !instance.removed)
            .map(|instance| instance.written.name.clone())
            .collect()
    }

    /// The names of the profiles that clients have read.
    fn files(&self) -> BTreeSet<String> {
        self.instances
            .values()
            .filter(|instance| !instance.removed && instance.source != Source::Directory)
            .map(|instance| instance.written.name.clone())
            .collect()
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
