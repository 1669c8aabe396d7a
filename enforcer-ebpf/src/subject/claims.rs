//! Which profile claims a user, a program, a cgroup, a process.

use enforcer_abi::{Access, Adopted, Layer, Reason, Slot, Subjects};

use crate::{
    automaton,
    kernel::{self, Task, global, offset, read, word},
    maps::{
        self,
        known::{self, Key, Known},
    },
    walk::{self, Place, cgroup},
};

/// What [`claimed_program`] returns besides a slot.
const ERROR: u32 = 1 << 31;

/// The profile of the real user of `task`; of whom it acts for, if it is a worker.
///
/// # Errors
///
/// [`Reason::Fault`].
#[inline(always)]
pub(crate) fn user(task: Task, subjects: Subjects) -> Result<Slot, Reason> {
    if subjects.kinds & Subjects::USERS == 0 {
        return Ok(Slot::NONE);
    }
    // What the kernel does for itself meanwhile changes nothing.
    let credentials = if kernel::is_worker() {
        offset!(task_cred)
    } else {
        offset!(task_real_cred)
    };
    let credentials: u64 = read(task.address().wrapping_add(credentials))?;
    real_user(credentials).map(maps::user)
}

/// The real user id in a `struct cred`.
///
/// # Errors
///
/// [`Reason::Fault`].
#[inline(always)]
pub(crate) fn real_user(credentials: u64) -> Result<u32, Reason> {
    read(credentials.wrapping_add(offset!(cred_uid)))
}

/// The `struct file *` of the program that `task` runs; 0 for a kernel thread, and for
/// one that is no longer.
#[inline(always)]
pub(crate) fn running_file(task: Task) -> u64 {
    match task.word(offset!(task_mm)) {
        0 => 0,
        memory => word(memory.wrapping_add(offset!(mm_exe_file))),
    }
}

/// Whether the program that `task` runs is the one at `dentry`.
#[inline(always)]
pub(crate) fn is_running(task: Task, dentry: u64) -> bool {
    let running = running_file(task);
    running != 0 && file_object(running).1 == dentry
}

/// The profile that claims the program that `task` runs.
///
/// # Errors
///
/// If it cannot be told now.
#[inline(always)]
pub(crate) fn running_program(task: Task, subjects: Subjects) -> Result<Slot, Reason> {
    let file = running_file(task);
    if file == 0 {
        return Ok(Slot::NONE);
    }
    let (vfsmount, dentry) = file_object(file);
    program(vfsmount, dentry, subjects)
}

/// Mount and dentry of a `struct file`.
#[inline(always)]
pub(crate) fn file_object(file: u64) -> (u64, u64) {
    path_object(file.wrapping_add(offset!(file_path)))
}

/// Mount and dentry of a `struct path`.
#[inline(always)]
pub(crate) fn path_object(path: u64) -> (u64, u64) {
    (
        word(path.wrapping_add(offset!(path_mnt))),
        word(path.wrapping_add(offset!(path_dentry))),
    )
}

/// The profile that claims the program at `dentry`.
///
/// A profile claims a path in whatever mount namespace the program is, since a
/// service with a namespace of its own is the same service.
///
/// # Errors
///
/// If it cannot be told now. A program that has no name is in no profile's
/// list; one whose name could not be read may be.
#[inline(always)]
pub(crate) fn program(vfsmount: u64, dentry: u64, subjects: Subjects) -> Result<Slot, Reason> {
    if subjects.kinds & Subjects::EXECUTABLES == 0 {
        return Ok(Slot::NONE);
    }
    from_number(claimed_program(vfsmount, dentry))
}

global! {
    /// [`program`] as numbers.
    fn claimed_program(vfsmount: u64, dentry: u64) -> u32 {
        let key = Key {
            domain: Key::OF_NO_DOMAIN,
            object: [vfsmount, dentry],
            version: maps::version(),
        };
        match recall(&key) {
            Some(slot) => slot.0,
            None => look_for_program(&key).unwrap_or_else(|reason| ERROR | reason as u32),
        }
    }
}

/// The profile that is remembered to claim a program.
#[inline(always)]
fn recall(key: &Key) -> Option<Slot> {
    if !known::remembers() {
        return None;
    }
    let known = key.recall()?;
    // Read last: nothing was moved since.
    (walk::sequences() == Ok(known.sequences)).then_some(Slot(known.states as u32))
}

/// As [`claimed_program`], by its path, and remembers it.
#[inline(always)]
fn look_for_program(key: &Key) -> Result<u32, Reason> {
    let [vfsmount, dentry] = key.object;
    let namespace = kernel::mount_namespace(Task::current())?;
    let scratch = maps::take()?;
    // Verifier: what it is, as a number, since the parts of a `Result` would be mixed.
    let found = number(match walk::path(scratch, vfsmount, dentry, namespace) {
        Ok(Place::Own | Place::Foreign) => {
            automaton::run(Slot::ATTACHMENTS, scratch).map(|()| scratch.found.target)
        }
        Err(reason @ (Reason::Raced | Reason::Fault)) => Err(reason),
        Ok(Place::Anonymous) | Err(_) => Ok(Slot::NONE),
    });
    if found & ERROR == 0
        && known::remembers()
        && scratch.settled == 1
        && scratch.personal == 0
        && walk::is_in_procfs(dentry) == Ok(false)
    {
        key.remember(&Known {
            sequences: scratch.sequences,
            mark: 0,
            states: found.into(),
            granted: Access::NONE,
            is_uniform: false,
            len: 0,
            steps: 0,
        });
    }
    maps::give(scratch);
    Ok(found)
}

/// The profile that claims `task` as a process: because somebody put it there, or
/// by its cgroup.
///
/// # Errors
///
/// If it cannot be told now.
#[inline(always)]
pub(crate) fn process(task: Task, subjects: Subjects) -> Result<Slot, Reason> {
    if subjects.kinds & Subjects::ADOPTED != 0 {
        let adopted = adopted(task)?;
        if !adopted.is_none() {
            return Ok(adopted);
        }
    }
    own_cgroup(subjects)
}

/// The profile under which somebody put the process of `task`.
#[inline(always)]
fn adopted(task: Task) -> Result<Slot, Reason> {
    identity(task).map(|process| maps::adopted(&process))
}

/// The profile under which the next exec of `task` puts it.
///
/// # Errors
///
/// [`Reason::Fault`].
#[inline(always)]
pub(crate) fn enrolled(task: Task, subjects: Subjects) -> Result<Slot, Reason> {
    if subjects.kinds & Subjects::ENROLLED == 0 {
        return Ok(Slot::NONE);
    }
    identity(task).map(|process| maps::enrolment(&process))
}

/// What names the process of `task`, now and among those that were.
///
/// # Errors
///
/// [`Reason::Fault`].
#[inline(always)]
pub(crate) fn identity(task: Task) -> Result<Adopted, Reason> {
    let start_ns: u64 = read(task.leader()?.wrapping_add(offset!(task_start)))?;
    Ok(Adopted {
        start: start_ns / Adopted::TICK_NS,
        tgid: kernel::process(task),
        reserved: 0,
    })
}

/// The profile that claims the cgroup of the current task.
///
/// # Errors
///
/// If it cannot be told now.
#[inline(always)]
pub(crate) fn own_cgroup(subjects: Subjects) -> Result<Slot, Reason> {
    if subjects.kinds & Subjects::CGROUPS == 0 {
        return Ok(Slot::NONE);
    }
    from_number(claimed_cgroup())
}

global! {
    /// [`own_cgroup`] as numbers.
    fn claimed_cgroup() -> u32 {
        number(look_for_cgroup())
    }
}

#[inline(always)]
fn look_for_cgroup() -> Result<Slot, Reason> {
    let scratch = maps::take()?;
    let slot = cgroup::path(Task::current(), scratch)
        .and_then(|()| automaton::run(Slot::CGROUPS, scratch))
        .map(|()| scratch.found.target);
    maps::give(scratch);
    slot
}

#[inline(always)]
fn number(slot: Result<Slot, Reason>) -> u32 {
    match slot {
        Ok(slot) => slot.0,
        Err(reason) => ERROR | reason as u32,
    }
}

#[inline(always)]
fn from_number(number: u32) -> Result<Slot, Reason> {
    if number & ERROR == 0 {
        Ok(Slot(number))
    } else {
        Err(kernel::reason(number & !ERROR))
    }
}

/// The profile of each layer of a program that `task` is about to run, but for
/// what the caller decides: the user's, and the cgroup's unless `layers` has a
/// process layer already.
///
/// # Errors
///
/// If it cannot be told now.
#[inline(always)]
pub(crate) fn around(task: Task, subjects: Subjects, layers: &mut [Slot; 3]) -> Result<(), Reason> {
    layers[Layer::User as usize] = user(task, subjects)?;
    let process = &mut layers[Layer::Process as usize];
    if process.is_none() {
        *process = own_cgroup(subjects)?;
    }
    Ok(())
}
