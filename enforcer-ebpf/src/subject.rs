//! Who is confined: labels of tasks, and how they change.
//!
//! A label is decided when a program is executed, inherited when a task is made,
//! and decided late for a task that has none yet or whose label is older than
//! the last change of attachments: at its first mediated operation, so that
//! what ran before a profile was loaded is confined without a search for it.

use enforcer_abi::{Label, Layer, Reason, Slot};

use crate::{
    automaton,
    kernel::{self, Task, offset, read},
    maps,
    scratch::Scratch,
    walk::{self, Place},
};

/// The label of the current task, if anything confines it.
///
/// # Errors
///
/// [`Reason::NoLabel`] if a profile is to confine the task and there is no
/// memory for its label.
#[inline(always)]
pub(crate) fn confined(task: Task) -> Result<Option<&'static mut Label>, Reason> {
    let epoch = maps::epoch();
    if epoch == 0 {
        return Ok(None);
    }
    let label = match maps::label(task) {
        Some(label) if label.epoch == epoch => label,
        _ => {
            if late(task, epoch) == Late::NoLabel {
                return Err(Reason::NoLabel);
            }
            match maps::label(task) {
                Some(label) => label,
                None => return Ok(None),
            }
        }
    };
    Ok(label.is_confined().then_some(label))
}

/// What came of [`late`].
///
/// Verifier: a function that is not inlined returns a number and no pointer.
/// Behind a `Result` in memory 6.1 forgets that it is one.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
enum Late {
    /// It cannot be told now. The task stays as it is, and is asked again at its
    /// next operation.
    Undecided = 0,
    /// The task has a label of this epoch.
    Labelled = 1,
    /// A profile is to confine the task, and there is no memory for its label.
    NoLabel = 2,
}

/// Decides the application layer of a task by the program that it runs.
#[inline(never)]
fn late(task: Task, epoch: u32) -> Late {
    let attached = match maps::label(task) {
        // It has its profile from an exec; that stands.
        Some(label) if !label.layers[Layer::Application as usize].is_none() => Slot::NONE,
        _ => match attached_to_executable(task) {
            Ok(slot) => slot,
            Err(_reason) => return Late::Undecided,
        },
    };
    let mut initial = Label {
        epoch,
        ..kernel::zeroed()
    };
    let Ok(label) = maps::label_or_insert(task, &mut initial) else {
        return if attached.is_none() {
            Late::Undecided
        } else {
            Late::NoLabel
        };
    };
    label.epoch = epoch;
    if !attached.is_none() {
        label.layers[Layer::Application as usize] = attached;
        if let Err(reason) = enter(task, label) {
            maps::count_reason(reason);
        }
    }
    Late::Labelled
}

/// The profile that claims the program of `task`.
#[inline(always)]
fn attached_to_executable(task: Task) -> Result<Slot, Reason> {
    let Some((vfsmount, dentry)) = executable(task)? else {
        return Ok(Slot::NONE);
    };
    let scratch = maps::scratch(task)?;
    let slot = attached(task, scratch, vfsmount, dentry)?;
    if slot.is_none() {
        maps::free_scratch(task);
    }
    Ok(slot)
}

/// Mount and dentry of the program of `task`; none for a kernel thread.
#[inline(always)]
fn executable(task: Task) -> Result<Option<(u64, u64)>, Reason> {
    let memory: u64 = read(task.address().wrapping_add(offset!(task_mm)))?;
    if memory == 0 {
        return Ok(None);
    }
    let file: u64 = read(memory.wrapping_add(offset!(mm_exe_file)))?;
    if file == 0 {
        return Ok(None);
    }
    file_object(file).map(Some)
}

/// Mount and dentry of a `struct file`.
#[inline(always)]
pub(crate) fn file_object(file: u64) -> Result<(u64, u64), Reason> {
    let path = file.wrapping_add(offset!(file_path));
    Ok((
        read(path.wrapping_add(offset!(path_mnt)))?,
        read(path.wrapping_add(offset!(path_dentry)))?,
    ))
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
#[inline(never)]
pub(crate) fn attached(
    task: Task,
    scratch: &mut Scratch,
    vfsmount: u64,
    dentry: u64,
) -> Result<Slot, Reason> {
    let namespace = kernel::mount_namespace(task)?;
    match walk::path(scratch, vfsmount, dentry, namespace) {
        Ok(Place::Own | Place::Foreign) => {}
        Err(reason @ (Reason::Raced | Reason::Fault)) => return Err(reason),
        Ok(Place::Anonymous) | Err(_) => return Ok(Slot::NONE),
    }
    automaton::run(Slot::ATTACHMENTS, scratch)?;
    Ok(scratch.found.target)
}

/// Notes when and where a task became confined, if it was not before.
///
/// # Errors
///
/// [`Reason::Fault`]; the label then confines the task to no namespace, so that
/// every path of it is foreign.
#[inline(always)]
pub(crate) fn enter(task: Task, label: &mut Label) -> Result<(), Reason> {
    if label.lineage == 0 {
        label.lineage = kernel::boot_time_ns();
        label.mount_namespace = kernel::mount_namespace(task)?;
    }
    Ok(())
}

/// Gives `child` the domain of the current task.
///
/// An unconfined task's label is inherited too: the child runs the same program,
/// so that asking again would give the same answer, and dearer.
///
/// # Errors
///
/// [`Reason::NoLabel`] if the current task is confined and there is no memory
/// for the child's label.
#[inline(always)]
pub(crate) fn inherit(child: Task) -> Result<(), Reason> {
    if maps::epoch() == 0 {
        return Ok(());
    }
    let Some(label) = maps::label(Task::current()) else {
        return Ok(());
    };
    let mut copy = *label;
    copy.next_state = Label::NO_NEXT;
    match maps::label_or_insert(child, &mut copy) {
        Err(reason) if copy.is_confined() => Err(reason),
        Ok(_) | Err(_) => Ok(()),
    }
}
