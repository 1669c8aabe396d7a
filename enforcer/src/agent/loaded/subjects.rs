//! Who is attached to which profile.

use std::collections::BTreeMap;

use enforcer_abi::{Slot, Subjects as Kinds};

use super::{Registry, Tables, change::ChangeError};
use crate::{
    kernel::AccessError,
    profile::{Profile, User, UserRef, compile_attachments, compile_cgroups},
};

/// Who is attached to which profile, as the kernel has it beside the profiles'
/// tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subjects {
    /// Executables: the words of [`Slot::ATTACHMENTS`].
    pub attachments: Vec<u32>,
    /// Whether a profile names any.
    pub has_executables: bool,
    /// Cgroups: the words of [`Slot::CGROUPS`]. `None`: no profile names any.
    pub cgroups: Option<Vec<u32>>,
    /// Users, by their ids.
    pub users: BTreeMap<u32, Slot>,
}

impl Subjects {
    /// Returns which kinds of subjects the kernel has to look at, besides running
    /// processes that were put under a profile.
    pub fn kinds(&self) -> u32 {
        let mut kinds = 0;
        if self.has_executables {
            kinds |= Kinds::EXECUTABLES;
        }
        if !self.users.is_empty() {
            kinds |= Kinds::USERS;
        }
        if self.cgroups.is_some() {
            kinds |= Kinds::CGROUPS;
        }
        kinds
    }

    /// Puts into the kernel what differs from `before`.
    ///
    /// # Errors
    ///
    /// If the kernel refuses; it may have some of it then.
    pub(super) fn put(&self, before: &Self, kernel: &mut impl Tables) -> Result<(), AccessError> {
        if self.attachments != before.attachments && !self.attachments.is_empty() {
            kernel.set_table(Slot::ATTACHMENTS, &self.attachments)?;
        }
        if let Some(cgroups) = &self.cgroups
            && self.cgroups != before.cgroups
        {
            kernel.set_table(Slot::CGROUPS, cgroups)?;
        }
        for (&uid, &slot) in &self.users {
            if before.users.get(&uid) != Some(&slot) {
                kernel.set_user(uid, Some(slot))?;
            }
        }
        for &uid in before.users.keys() {
            if !self.users.contains_key(&uid) {
                kernel.set_user(uid, None)?;
            }
        }
        Ok(())
    }
}

impl Registry {
    /// Returns who is attached, if these are the profiles of the folder.
    pub(super) fn subjects_of(
        &self,
        profiles: &[(&Profile, Slot)],
    ) -> Result<Subjects, ChangeError> {
        let named = profiles
            .iter()
            .any(|(profile, _)| !profile.cgroups.is_empty());
        let cgroups = if named {
            Some(compile_cgroups(profiles).map_err(Box::new)?.words)
        } else {
            None
        };
        Ok(Subjects {
            has_executables: profiles
                .iter()
                .any(|(profile, _)| !profile.executables.is_empty()),
            attachments: compile_attachments(profiles).map_err(Box::new)?.words,
            cgroups,
            users: self.users_of(profiles)?,
        })
    }

    fn users_of(&self, profiles: &[(&Profile, Slot)]) -> Result<BTreeMap<u32, Slot>, ChangeError> {
        let mut users: BTreeMap<u32, (&str, Slot)> = BTreeMap::new();
        for &(profile, slot) in profiles {
            for user in &profile.users {
                let uid = self.uid(user)?;
                if let Some((first, other)) = users.insert(uid, (&profile.name, slot))
                    && other != slot
                {
                    return Err(ChangeError::TwoUsers {
                        origin: user.origin.clone(),
                        uid,
                        other: first.to_owned(),
                    });
                }
            }
        }
        Ok(users
            .into_iter()
            .map(|(uid, (_, slot))| (uid, slot))
            .collect())
    }

    fn uid(&self, user: &User) -> Result<u32, ChangeError> {
        let name = match &user.who {
            UserRef::Id(uid) => return Ok(*uid),
            UserRef::Name(name) => name,
        };
        let found = self
            .accounts
            .uid(name)
            .map_err(|source| ChangeError::Accounts {
                path: self.accounts.path().to_owned(),
                source,
            })?;
        found.ok_or_else(|| ChangeError::UnknownUser {
            origin: user.origin.clone(),
            user: name.clone(),
            path: self.accounts.path().to_owned(),
        })
    }
}
