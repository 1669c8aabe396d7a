//! The profiles that the agent has put into the kernel.
//!
//! An *instance* is a profile in a mode: `nginx`, and beside it `nginx+audit` if
//! somebody asked for that. Each has a slot of its own, which it keeps as long as
//! the agent runs: a task may be in it for ever, so a slot never gets another
//! tenant.
//!
//! - [`ranges`]: hit counters
//! - [`instance`]: one instance, and what its tables were
//! - [`subjects`]: who is attached to which; [`adoption`]: who was put under one
//! - [`change`]: from one state to the next, wholly or not at all

pub mod adoption;
pub mod change;
pub mod instance;
pub mod ranges;
pub mod subjects;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use enforcer_abi::{
    Access, Adopted, Event, Hit, Reason, Slot, Verdict,
    limits::{OUTCOMES, SLOTS},
};

use self::ranges::Ranges;
pub use self::{
    adoption::AdoptError,
    change::{ChangeError, Changed, Staged},
    instance::{Instance, Source},
    subjects::Subjects,
};
use super::accounts::Accounts;
use crate::{
    kernel::{
        AccessError, Kernel,
        hooks::{Feature, Need},
    },
    profile::{Profile, ProfileMode, RULES, Rule, Telling},
    tighten::Usage,
};

// A profile with as many rules as there may be can be changed, too: see [`OUTCOMES`].
const _: () = assert!(3 * (RULES + 1) <= OUTCOMES);

/// What the agent puts tables into.
///
/// The kernel; tests have one that refuses on demand.
pub trait Tables {
    /// See [`Kernel::set_table`].
    fn set_table(&mut self, slot: Slot, words: &[u32]) -> Result<(), AccessError>;
    /// See [`Kernel::set_tables`].
    fn set_tables(&mut self, tables: &[(Slot, &[u32])]) -> Result<(), AccessError>;
    /// See [`Kernel::set_user`].
    fn set_user(&mut self, uid: u32, slot: Option<Slot>) -> Result<(), AccessError>;
    /// See [`Kernel::set_adopted`].
    fn set_adopted(&mut self, process: Adopted, slot: Option<Slot>) -> Result<(), AccessError>;
    /// See [`Kernel::advance_epoch`].
    fn advance_epoch(&mut self, kinds: u32) -> Result<(), AccessError>;
    /// See [`Kernel::attach`].
    fn attach(&mut self, needs: &[Need]) -> Result<(), AccessError>;
    /// See [`Kernel::hits`].
    fn hits(&self, first: u32, count: u32) -> Result<Vec<Hit>, AccessError>;
    /// See [`Kernel::clear_hits`].
    fn clear_hits(&mut self, first: u32, count: u32) -> Result<(), AccessError>;
    /// See [`Kernel::lacks`].
    fn lacks(&self) -> &[Feature];
}

impl Tables for Kernel {
    fn set_table(&mut self, slot: Slot, words: &[u32]) -> Result<(), AccessError> {
        Self::set_table(self, slot, words)
    }

    fn set_tables(&mut self, tables: &[(Slot, &[u32])]) -> Result<(), AccessError> {
        Self::set_tables(self, tables)
    }

    fn set_user(&mut self, uid: u32, slot: Option<Slot>) -> Result<(), AccessError> {
        Self::set_user(self, uid, slot)
    }

    fn set_adopted(&mut self, process: Adopted, slot: Option<Slot>) -> Result<(), AccessError> {
        Self::set_adopted(self, process, slot)
    }

    fn advance_epoch(&mut self, kinds: u32) -> Result<(), AccessError> {
        Self::advance_epoch(self, kinds)
    }

    fn attach(&mut self, needs: &[Need]) -> Result<(), AccessError> {
        Self::attach(self, needs)
    }

    fn hits(&self, first: u32, count: u32) -> Result<Vec<Hit>, AccessError> {
        Self::hits(self, first, count)
    }

    fn clear_hits(&mut self, first: u32, count: u32) -> Result<(), AccessError> {
        Self::clear_hits(self, first, count)
    }

    fn lacks(&self) -> &[Feature] {
        Self::lacks(self)
    }
}

/// The profiles that the agent has put into the kernel.
#[derive(Debug)]
pub struct Registry {
    /// Slots by instance, those of removed ones too.
    slots: BTreeMap<String, Slot>,
    /// Instances by slot, from [`Slot::FIRST`] on.
    names: Vec<String>,
    instances: BTreeMap<String, Instance>,
    ranges: Ranges,
    /// Counts the tables that were made.
    generation: u32,
    /// Who is attached, once profiles were loaded.
    subjects: Option<Subjects>,
    /// Running processes that were put under an instance, with its name.
    adopted: HashMap<Adopted, String>,
    accounts: Accounts,
}

impl Default for Registry {
    fn default() -> Self {
        Self {
            slots: BTreeMap::new(),
            names: Vec::new(),
            instances: BTreeMap::new(),
            ranges: Ranges::new(u32::try_from(OUTCOMES).unwrap_or(u32::MAX)),
            generation: 0,
            subjects: None,
            adopted: HashMap::new(),
            accounts: Accounts::default(),
        }
    }
}

/// What a permit let through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permitted {
    /// The rights that nothing else granted.
    pub missing: Access,
    /// The permit's rule; `None`: it lets everything through.
    pub rule: Option<String>,
}

/// The name of the instance of a profile in a mode that is not its own.
fn instance_name(profile: &str, mode: Option<ProfileMode>) -> String {
    match mode {
        // No name of a profile has a `+`.
        Some(mode) => format!("{profile}+{}", mode.name()),
        None => profile.to_owned(),
    }
}

impl Registry {
    /// The number of the last table that was made.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// Returns the instance with this name, unless it was removed.
    pub fn get(&self, name: &str) -> Option<&Instance> {
        self.instances
            .get(name)
            .filter(|instance| !instance.removed)
    }

    /// Returns all instances, the removed ones too, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Instance)> {
        self.instances
            .iter()
            .map(|(name, instance)| (name.as_str(), instance))
    }

    /// Returns all instances, the removed ones too, by name.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut Instance)> {
        self.instances
            .iter_mut()
            .map(|(name, instance)| (name.as_str(), instance))
    }

    /// Returns the name and the instance in `slot`.
    pub fn in_slot(&self, slot: Slot) -> Option<(&str, &Instance)> {
        let place = slot.0.checked_sub(Slot::FIRST.0)?;
        let name = self.names.get(place as usize)?;
        let (name, instance) = self.instances.get_key_value(name)?;
        Some((name, instance))
    }

    /// Returns the profile as it was written, by its own name.
    pub fn profile(&self, name: &str) -> Option<&Arc<Profile>> {
        self.get(name).map(|instance| &instance.written)
    }

    /// Returns where the rule stands that denies what is missing to the access of which
    /// `event` tells, or wants it told, if one does. The table does not know: it leaves
    /// out a deny of what nothing allows.
    pub fn telling_rule(&self, event: &Event, path: &[u8]) -> Option<String> {
        let (_, instance) = self.in_slot(event.slot)?;
        let version = instance.version(event.generation)?;
        let mut rules = version.effective.rules.iter();
        let tells = |rule: &Rule| match event.reason {
            Reason::Watched => {
                rule.telling == Telling::Audit && !(rule.allow & event.requested).is_empty()
            }
            _ => !(rule.deny & event.missing).is_empty(),
        };
        rules
            .find(|rule| tells(rule) && rule.pattern.matches(path))
            .map(|rule| rule.origin.to_string())
    }

    /// Returns what of the access of which `event` tells a permit let through, if one did.
    pub fn permitted(&self, event: &Event, path: &[u8]) -> Option<Permitted> {
        let (_, instance) = self.in_slot(event.slot)?;
        let profile = &instance.version(event.generation)?.effective;
        let enforces = instance.mode() == ProfileMode::Enforce && profile.permitted != 0;
        match (event.reason, event.verdict) {
            (Reason::NotGranted, Verdict::Audit) => enforces.then_some(Permitted {
                missing: event.missing,
                rule: None,
            }),
            (Reason::Watched, Verdict::Allow) => {
                let matching = profile.rules.iter();
                let matching: Vec<&Rule> =
                    matching.filter(|rule| rule.pattern.matches(path)).collect();
                let is_permit = |rule: &&&Rule| rule.telling == Telling::Permit;
                let allowed = |is_wanted: bool| {
                    let rules = matching.iter().filter(|rule| is_permit(rule) == is_wanted);
                    rules.fold(Access::NONE, |all, rule| all | rule.allow)
                };
                let missing = event.requested & allowed(true) & !allowed(false);
                let mut permits = matching.iter().filter(is_permit);
                let rule = permits.find(|rule| !(rule.allow & missing).is_empty())?;
                Some(Permitted {
                    missing,
                    rule: Some(rule.origin.to_string()),
                })
            }
            _ => None,
        }
    }

    /// Returns which rights of a profile were used since it was loaded, in
    /// whatever mode.
    ///
    /// # Errors
    ///
    /// If the kernel does not tell.
    pub fn usage(&self, profile: &str, kernel: &impl Tables) -> Result<Usage, AccessError> {
        let mut usage = Usage::default();
        for instance in self.instances.values() {
            if instance.written.name == profile {
                usage.merge(&instance.usage(kernel)?);
            }
        }
        Ok(usage)
    }

    /// Takes over what was used of a profile under an earlier agent.
    pub fn restore_usage(&mut self, profile: &str, usage: &Usage) {
        if let Some(instance) = self.instances.get_mut(profile) {
            instance.carried.usage.merge(usage);
        }
    }

    /// Returns the slot of an instance; a new one, if it has none.
    fn slot_for(&mut self, name: &str) -> Result<Slot, ChangeError> {
        if let Some(&slot) = self.slots.get(name) {
            return Ok(slot);
        }
        let slot = u32::try_from(self.names.len())
            .ok()
            .and_then(|taken| Slot::FIRST.0.checked_add(taken))
            .map(Slot)
            .filter(|slot| (slot.0 as usize) < SLOTS)
            .ok_or_else(|| ChangeError::NoSlot {
                name: name.to_owned(),
            })?;
        self.slots.insert(name.to_owned(), slot);
        self.names.push(name.to_owned());
        Ok(slot)
    }
}

#[cfg(test)]
mod tests;
