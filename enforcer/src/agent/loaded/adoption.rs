//! Running processes that somebody put under a profile.

use enforcer_abi::{Adopted, Subjects as Kinds, limits::ADOPTED, table::Words as _};

use super::{Registry, Subjects, Tables};
use crate::kernel::AccessError;

/// Why a process cannot be put under a profile.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdoptError {
    /// It is under another one.
    #[error(
        "the process is under the profile {profile} already, and stays there as long as it lives"
    )]
    Taken {
        /// Which.
        profile: String,
    },
    /// There is no such profile.
    #[error("there is no profile {name}")]
    NotLoaded {
        /// Its name.
        name: String,
    },
    /// There are too many.
    #[error(
        "{ADOPTED} processes are under a profile by command already; there is no room for more"
    )]
    NoRoom,
    /// The kernel refused.
    #[error("the kernel does not take the process")]
    Kernel {
        /// What it said.
        #[from]
        source: AccessError,
    },
}

impl Registry {
    /// Puts a running process under an instance. It is confined from its next
    /// mediated operation on, unless it is in the process layer of another profile:
    /// then it stays there. Returns whether that is new.
    ///
    /// # Errors
    ///
    /// If it is known to be there already, or the kernel refuses.
    pub fn adopt(
        &mut self,
        process: Adopted,
        instance: &str,
        kernel: &mut impl Tables,
    ) -> Result<bool, AdoptError> {
        let slot = self
            .get(instance)
            .map(|instance| instance.slot)
            .ok_or_else(|| AdoptError::NotLoaded {
                name: instance.to_owned(),
            })?;
        match self.adopted.get(&process) {
            Some(profile) if profile == instance => return Ok(false),
            Some(profile) => {
                return Err(AdoptError::Taken {
                    profile: profile.clone(),
                });
            }
            None if self.adopted.len() >= ADOPTED => return Err(AdoptError::NoRoom),
            None => {}
        }
        kernel.set_adopted(process, Some(slot))?;
        self.adopted.insert(process, instance.to_owned());
        if let Err(error) = kernel.advance_epoch(self.kinds()) {
            self.adopted.remove(&process);
            kernel.set_adopted(process, None)?;
            return Err(error.into());
        }
        Ok(true)
    }

    /// Forgets the processes that are gone.
    ///
    /// # Errors
    ///
    /// If the kernel refuses. Those that are left are forgotten the next time.
    pub fn forget_dead(
        &mut self,
        lives: impl Fn(&Adopted) -> bool,
        kernel: &mut impl Tables,
    ) -> Result<(), AccessError> {
        let dead: Vec<_> = self
            .adopted
            .keys()
            .filter(|process| !lives(process))
            .copied()
            .collect();
        for process in dead {
            kernel.set_adopted(process, None)?;
            self.adopted.remove(&process);
        }
        Ok(())
    }

    /// Returns the name of the profile that claims a cgroup, by its path.
    pub fn of_cgroup(&self, path: &[u8]) -> Option<&str> {
        let words = self.subjects.as_ref()?.cgroups.as_ref()?;
        let slot = words.judge(path).target;
        let (name, _) = self.in_slot(slot).filter(|_| !slot.is_none())?;
        Some(name)
    }

    /// Returns which kinds of subjects the kernel has to look at.
    pub(super) fn kinds(&self) -> u32 {
        self.kinds_with(None)
    }

    /// The same once `after` is in the kernel, if something changes.
    pub(super) fn kinds_with(&self, after: Option<&Subjects>) -> u32 {
        let subjects = after.or(self.subjects.as_ref());
        let mut kinds = subjects.map_or(0, Subjects::kinds);
        if !self.adopted.is_empty() {
            kinds |= Kinds::ADOPTED;
        }
        kinds
    }
}
