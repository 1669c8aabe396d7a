//! One instance of a profile, and what its tables were.

use std::sync::Arc;

use enforcer_abi::{Slot, table::Header};

use super::{Tables, ranges::Range};
use crate::{
    kernel::AccessError,
    profile::{Compiled, Profile, ProfileMode},
    tighten::Usage,
};

/// Where a profile comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// From the folder of profiles. Its executables are attached.
    Directory,
    /// From a file that was given to `enforcer exec`. It confines what is put
    /// under it, and nothing else.
    File,
    /// From a client that watches what is done under it. The executables, users and cgroups
    /// that it names are attached until the client ends that, or is gone.
    Watch,
}

/// A profile in a mode, in its slot.
#[derive(Clone, Debug)]
pub struct Instance {
    /// Its slot.
    pub slot: Slot,
    /// Where it comes from.
    pub source: Source,
    /// The profile as its author wrote it.
    pub written: Arc<Profile>,
    /// The mode that was asked for, if it is not the profile's own.
    pub mode_override: Option<ProfileMode>,
    /// The table in the kernel.
    pub current: Version,
    /// The one before. Events may still name it.
    pub previous: Option<Version>,
    /// Whether the profile is gone. The table is then one that refuses nothing.
    pub removed: bool,
    /// What was used under earlier tables that only tightenings replaced.
    pub carried: Carried,
}

/// One table of an instance.
#[derive(Clone, Debug)]
pub struct Version {
    /// Its number.
    pub generation: u32,
    /// The profile that it was made from: as written, without what tightenings
    /// took away.
    pub effective: Arc<Profile>,
    /// The table itself, header and all.
    pub compiled: Arc<Compiled>,
    /// Its hit counters.
    pub range: Range,
}

/// What was used under earlier tables.
#[derive(Clone, Debug, Default)]
pub struct Carried {
    /// Which rights.
    pub usage: Usage,
    /// How many accesses were granted.
    pub hits: u64,
}

impl Instance {
    /// Its mode.
    pub fn mode(&self) -> ProfileMode {
        self.mode_override.unwrap_or(self.written.mode)
    }

    /// Returns the table with this number, if it is known still.
    pub fn version(&self, generation: u32) -> Option<&Version> {
        [Some(&self.current), self.previous.as_ref()]
            .into_iter()
            .flatten()
            .find(|version| version.generation == generation)
    }

    /// Returns which rights were used since the profile was loaded.
    ///
    /// # Errors
    ///
    /// If the kernel does not tell.
    pub fn usage(&self, kernel: &impl Tables) -> Result<Usage, AccessError> {
        let mut usage = self.carried.usage.clone();
        self.current.add_to(&mut usage, kernel)?;
        Ok(usage)
    }

    /// Returns how many accesses were granted since the profile was loaded.
    ///
    /// # Errors
    ///
    /// If the kernel does not tell.
    pub fn hits(&self, kernel: &impl Tables) -> Result<u64, AccessError> {
        Ok(self.carried.hits.saturating_add(self.current.hits(kernel)?))
    }
}

impl Version {
    /// Adds the rights that were used under this table.
    pub(super) fn add_to(
        &self,
        usage: &mut Usage,
        kernel: &impl Tables,
    ) -> Result<(), AccessError> {
        let hits = kernel.hits(self.range.first, self.range.count)?;
        usage.add(&self.effective, &self.compiled.outcomes, &hits);
        Ok(())
    }

    /// Returns how many accesses were granted under this table.
    pub(super) fn hits(&self, kernel: &impl Tables) -> Result<u64, AccessError> {
        let hits = kernel.hits(self.range.first, self.range.count)?;
        Ok(hits
            .iter()
            .fold(0, |sum: u64, hit| sum.saturating_add(hit.count)))
    }

    /// Whether a table would say the same as this one.
    pub(super) fn equals(&self, other: &Compiled) -> bool {
        let answers = |compiled: &Compiled| {
            [Header::MODE, Header::RESPOND, Header::PERMITTED]
                .map(|at| compiled.words.get(at as usize).copied())
        };
        answers(&self.compiled) == answers(other) && self.compiled.digest() == other.digest()
    }
}
