//! Putting a process under a profile: at its next exec, or at once.
//!
//! The kernel programs know a process by its id and by when it started, so that a
//! later one with the same id is another. The agent removes what has had its
//! effect, and what is gone.
//!
//! What the agent can know of a process stands in `/proc`. Whether it is in the
//! process layer of a profile already, because an ancestor of it was started by
//! `enforcer exec`, only the kernel knows: the process then stays where it is.

use std::{collections::HashMap, fs, os::linux::fs::MetadataExt as _, path::Path};

use enforcer_abi::{Adopted, EventKind, limits::ADOPTED};

use super::{
    Agent, clock,
    loaded::AdoptError,
    log,
    processes::procfs::{Procfs, Stat},
};
use crate::{
    kernel::Record,
    profile::ProfileMode,
    protocol::{Failure, FailureKind, ProfileChoice, chain, views},
};

/// Why a process cannot be put under a profile, whatever the profile.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum UnfitError {
    /// There is none with this id.
    #[error("there is no process {pid}")]
    Gone { pid: u32 },
    /// The id is that of a thread.
    #[error("{pid} is a thread of the process {process}; name the process")]
    Thread { pid: u32, process: u32 },
    /// It runs no program.
    #[error("the process {pid} runs no program: it is a kernel thread, or is ending")]
    NoProgram { pid: u32 },
    /// It is the agent.
    #[error("{pid} is the agent itself, which no profile may confine")]
    Agent { pid: u32 },
}

/// Processes whose next exec puts them under a profile, with when that was asked
/// for: nanoseconds of `CLOCK_BOOTTIME`.
pub(super) type Enrolments = HashMap<Adopted, u64>;

impl Agent {
    /// Puts a process under a profile at its next exec.
    pub(super) fn enrol(
        &mut self,
        choice: ProfileChoice,
        mode: Option<ProfileMode>,
        process: Option<Adopted>,
    ) -> Result<views::Enrolled, Failure> {
        knows_processes()?;
        let gone = || Failure::new(FailureKind::Conflict, "the process that asked is gone");
        let process = process.ok_or_else(gone)?;
        let instance = self.instance(choice, mode)?;
        let slot = self.registry.get(&instance).ok_or_else(gone)?.slot;
        if self.enrolments.len() >= ADOPTED {
            self.forget_dead_enrolments();
        }
        let failed = |error| Failure::internal(&error);
        self.kernel
            .set_enrolment(process, Some(slot))
            .map_err(failed)?;
        self.enrolments.insert(process, clock::boot_time_ns());
        Ok(views::Enrolled { profile: instance })
    }

    /// Forgets the enrolments that have had their effect, as the records tell.
    pub(super) fn end_enrolments(&mut self, records: &[Record]) {
        if self.enrolments.is_empty() {
            return;
        }
        for Record { event, .. } in records {
            let done: Vec<_> = self
                .enrolments
                .iter()
                // An exec from before it was asked for is another.
                .filter(|&(process, &asked_ns)| {
                    event.kind == EventKind::Executed
                        && process.tgid == event.tgid
                        && asked_ns < event.time_ns
                })
                .map(|(process, _)| *process)
                .collect();
            for process in done {
                self.end_enrolment(process);
            }
        }
    }

    fn end_enrolment(&mut self, process: Adopted) {
        match self.kernel.set_enrolment(process, None) {
            Ok(()) => drop(self.enrolments.remove(&process)),
            Err(error) => log::problem("a process that is enrolled is not forgotten", &error),
        }
    }

    /// Puts a running process under a profile.
    pub(super) fn adopt(
        &mut self,
        choice: ProfileChoice,
        mode: Option<ProfileMode>,
        pid: u32,
    ) -> Result<views::Adopted, Failure> {
        knows_processes()?;
        let procfs = Procfs::at(Path::new("/proc"));
        let process = fit(&procfs, pid, std::process::id())?;
        let exe = procfs.exe(pid);
        let instance = self.instance(choice, mode)?;
        let claimed = procfs
            .cgroup(pid)
            .and_then(|path| self.registry.of_cgroup(&path));
        if let Some(profile) = claimed.filter(|profile| *profile != instance) {
            return Err(Failure::new(
                FailureKind::Conflict,
                format!("the process {pid} is under the profile {profile} by its cgroup"),
            ));
        }
        self.forget_dead();
        let is_new = self.registry.adopt(process, &instance, &mut self.kernel)?;
        if is_new {
            log::adopted(pid, &instance);
        }
        Ok(views::Adopted {
            profile: instance,
            pid,
            is_new,
            exe: exe.as_deref().map(crate::text::lossy),
        })
    }

    /// Forgets the processes that were put under a profile and are gone.
    pub(super) fn forget_dead(&mut self) {
        if let Err(error) = self.registry.forget_dead(lives, &mut self.kernel) {
            log::problem("processes that are gone are not forgotten", &error);
        }
    }

    /// Forgets the processes that were enrolled and are gone.
    pub(super) fn forget_dead_enrolments(&mut self) {
        let enrolled = self.enrolments.keys();
        let dead: Vec<_> = enrolled
            .filter(|process| !lives(process))
            .copied()
            .collect();
        for process in dead {
            self.end_enrolment(process);
        }
    }
}

/// Whether a process is there still.
fn lives(process: &Adopted) -> bool {
    let stat = Procfs::at(Path::new("/proc")).stat(process.tgid);
    stat.is_some_and(|stat| stat.start == process.start)
}

/// Whether process ids mean to the agent what they mean to the kernel programs.
fn knows_processes() -> Result<(), Failure> {
    if in_first_pid_namespace(Path::new("/proc")) {
        return Ok(());
    }
    Err(Failure::new(
        FailureKind::Conflict,
        "the agent runs in a pid namespace of its own, where process ids mean something else \
         than to the kernel programs; start it outside",
    ))
}

/// Returns the name under which the kernel programs know a process, if it can be
/// put under a profile.
fn fit(procfs: &Procfs, pid: u32, agent: u32) -> Result<Adopted, UnfitError> {
    if pid == agent {
        return Err(UnfitError::Agent { pid });
    }
    // First when it started: should the id come to mean another process while the
    // rest is looked up, the kernel takes that for none of ours.
    let Stat { start, .. } = procfs.stat(pid).ok_or(UnfitError::Gone { pid })?;
    let process = procfs.process_of(pid).ok_or(UnfitError::Gone { pid })?;
    if process != pid {
        return Err(UnfitError::Thread { pid, process });
    }
    if procfs.exe(pid).is_none() {
        return Err(UnfitError::NoProgram { pid });
    }
    Ok(Adopted {
        start,
        tgid: pid,
        reserved: 0,
    })
}

/// Whether this process is in the first pid namespace, whose inode has had the
/// number `PROC_PID_INIT_INO` of `include/linux/proc_ns.h` for ever.
pub fn in_first_pid_namespace(proc: &Path) -> bool {
    const FIRST: u64 = 0xEFFF_FFFC;
    fs::metadata(proc.join("self/ns/pid")).is_ok_and(|namespace| namespace.st_ino() == FIRST)
}

impl From<UnfitError> for Failure {
    fn from(error: UnfitError) -> Self {
        let kind = match error {
            UnfitError::Gone { .. } => FailureKind::NotFound,
            UnfitError::Thread { .. } | UnfitError::NoProgram { .. } | UnfitError::Agent { .. } => {
                FailureKind::Conflict
            }
        };
        Self::new(kind, error.to_string())
    }
}

impl From<AdoptError> for Failure {
    fn from(error: AdoptError) -> Self {
        let kind = match error {
            AdoptError::NotLoaded { .. } => FailureKind::NotFound,
            AdoptError::Taken { .. } | AdoptError::NoRoom => FailureKind::Conflict,
            AdoptError::Kernel { .. } => FailureKind::Internal,
        };
        Self::new(kind, chain(&error))
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::{Adopted, Procfs, UnfitError, fit, in_first_pid_namespace};

    #[test]
    fn fit_table() {
        let base = tempfile::tempdir().unwrap();
        let add = |pid: u32, process: u32, exe: bool| {
            let folder = base.path().join(pid.to_string());
            fs::create_dir(&folder).unwrap();
            let rest = "S 7 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4242 0 0";
            fs::write(folder.join("stat"), format!("{pid} (a) {rest}")).unwrap();
            fs::write(
                folder.join("status"),
                format!("Name:\ta\nTgid:\t{process}\nPid:\t{pid}\n"),
            )
            .unwrap();
            if exe {
                symlink("/bin/a", folder.join("exe")).unwrap();
            }
        };
        add(5, 5, true);
        add(6, 5, true);
        add(7, 7, false);
        add(9, 9, true);
        let process = Adopted {
            start: 4242,
            tgid: 5,
            reserved: 0,
        };
        #[rustfmt::skip]
        let cases = [
            ("a process",  5, Ok(process)),
            ("a thread",   6, Err(UnfitError::Thread { pid: 6, process: 5 })),
            ("no program", 7, Err(UnfitError::NoProgram { pid: 7 })),
            ("nobody",     8, Err(UnfitError::Gone { pid: 8 })),
            ("the agent",  9, Err(UnfitError::Agent { pid: 9 })),
        ];
        for (name, pid, want) in cases {
            assert_eq!(fit(&Procfs::at(base.path()), pid, 9), want, "{name}");
        }
    }

    #[test]
    fn a_folder_is_no_namespace() {
        let base = tempfile::tempdir().unwrap();
        assert!(!in_first_pid_namespace(base.path()));
    }
}
