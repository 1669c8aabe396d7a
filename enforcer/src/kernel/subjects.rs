//! Who is confined by what, besides executables.

use aya::maps::{MapData, MapError};
use enforcer_abi::{Adopted, Slot, Subjects};

use super::{AccessError, Kernel, failed, plain::Plain};

/// The map of [`Subjects`]: a section of the object.
pub(super) const SUBJECTS: &str = ".data.subjects";

impl Kernel {
    /// Makes every task be evaluated again at its next mediated operation, with a
    /// look at these kinds of subjects, and at who is enrolled.
    ///
    /// # Errors
    ///
    /// If the kernel refuses.
    pub fn advance_epoch(&mut self, kinds: u32) -> Result<(), AccessError> {
        self.change_subjects(|subjects| {
            // 0 means that nothing is loaded.
            subjects.epoch = subjects.epoch.wrapping_add(1).max(1);
            subjects.kinds = kinds | subjects.kinds & Subjects::ENROLLED;
        })
    }

    /// Makes the programs forget what they remember of objects, since a table was
    /// replaced, or it was remembered long enough.
    ///
    /// # Errors
    ///
    /// If the kernel refuses.
    pub fn forget(&mut self) -> Result<(), AccessError> {
        self.change_subjects(|subjects| subjects.version = subjects.version.wrapping_add(1))
    }

    /// Tells the programs when their clock was 0, in seconds since 1970, UTC: rules that end
    /// do so by that. What is less than two seconds off is left, since clocks are read one
    /// after the other.
    ///
    /// # Errors
    ///
    /// If the kernel refuses.
    pub fn set_booted(&mut self, booted: u32) -> Result<(), AccessError> {
        let Plain(subjects) = self.subjects.get(&0, 0).map_err(failed("read", SUBJECTS))?;
        if subjects.booted.abs_diff(booted) < 2 {
            return Ok(());
        }
        self.change_subjects(|subjects| subjects.booted = booted)
    }

    pub(super) fn change_subjects(
        &mut self,
        change: impl FnOnce(&mut Subjects),
    ) -> Result<(), AccessError> {
        let Plain(mut subjects) = self.subjects.get(&0, 0).map_err(failed("read", SUBJECTS))?;
        change(&mut subjects);
        self.subjects
            .set(0, Plain(subjects), 0)
            .map_err(failed("write", SUBJECTS))
    }

    /// Puts a user under the profile in `slot`, or under none.
    ///
    /// # Errors
    ///
    /// If the kernel refuses.
    pub fn set_user(&mut self, uid: u32, slot: Option<Slot>) -> Result<(), AccessError> {
        set(&mut self.users, uid, slot).map_err(failed("write", "USERS"))
    }

    /// Puts a running process under the profile in `slot`, from the next epoch on;
    /// or forgets that it was, which changes nothing for the process.
    ///
    /// # Errors
    ///
    /// If the kernel refuses.
    pub fn set_adopted(&mut self, process: Adopted, slot: Option<Slot>) -> Result<(), AccessError> {
        set(&mut self.adopted, Plain(process), slot).map_err(failed("write", "ADOPTED"))
    }

    /// Lets the next exec of a process put it under `slot`, in the process layer;
    /// or no longer.
    ///
    /// # Errors
    ///
    /// If the kernel refuses.
    pub fn set_enrolment(
        &mut self,
        process: Adopted,
        slot: Option<Slot>,
    ) -> Result<(), AccessError> {
        let enrols = slot.is_some();
        if enrols {
            // Before it counts that it is there.
            self.change_subjects(|subjects| subjects.kinds |= Subjects::ENROLLED)?;
        }
        set(&mut self.enrolments, Plain(process), slot).map_err(failed("write", "ENROLMENTS"))?;
        if !enrols && self.enrolments.keys().next().is_none() {
            self.change_subjects(|subjects| subjects.kinds &= !Subjects::ENROLLED)?;
        }
        Ok(())
    }
}

/// Sets or removes the slot of a key.
fn set<K: aya::Pod>(
    map: &mut aya::maps::HashMap<MapData, K, Plain<Slot>>,
    key: K,
    slot: Option<Slot>,
) -> Result<(), MapError> {
    match slot {
        Some(slot) => map.insert(key, Plain(slot), 0),
        None => match map.remove(&key) {
            Err(MapError::KeyNotFound) => Ok(()),
            result => result,
        },
    }
}
