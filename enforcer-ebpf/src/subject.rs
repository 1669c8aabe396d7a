//! Who is confined: labels of tasks, and how they change.
//!
//! A label is decided when a program is executed, inherited when a task is made,
//! and decided late for a task that has none yet or whose label is older than
//! the last change of what is attached to what: at its first mediated operation,
//! so that what ran before a profile was loaded is confined without a search for
//! it.
//!
//! - [`claims`]: which profile claims a user, a program, a cgroup, a process
//! - [`containment`]: who keeps no right but to read

pub(crate) mod claims;
pub(crate) mod containment;

use enforcer_abi::{
    Domain, Label, Layer, Privilege, Reason, Slot, Subjects,
    label::{are_same, is_any},
    limits::LAYERS,
};

use crate::{
    judge::{How, OUTWARDS, slot_of},
    kernel::{self, Task, global},
    maps::{self, known},
    scratch::{Scratch, Subject},
};

/// The label of the current task, if anything confines it.
///
/// # Errors
///
/// [`Reason::NoLabel`] if a profile is to confine the task and there is no
/// memory for its label.
#[inline(always)]
pub(crate) fn confined(task: Task) -> Result<Option<&'static mut Label>, Reason> {
    let Subjects { epoch, kinds, .. } = maps::subjects();
    if epoch == 0 {
        return Ok(None);
    }
    let label = match maps::label(task) {
        Some(label) if label.epoch == epoch && containment::is_known(label) => label,
        _ => {
            if decide_late() == NO_LABEL {
                return Err(Reason::NoLabel);
            }
            match maps::label(task) {
                Some(label) => label,
                None => return Ok(None),
            }
        }
    };
    if kinds & Subjects::USERS != 0 && kernel::is_worker() {
        follow_user();
        // It may be another now, behind our back.
        return Ok(maps::label(task).filter(|label| label.is_confined()));
    }
    Ok(label.is_confined().then_some(label))
}

global! {
    /// Gives the current task, a worker, the user's layer of whom it acts for. Returns
    /// nothing of use.
    fn follow_user() -> u32 {
        let task = Task::current();
        let (Some(label), Ok(slot)) = (maps::label(task), claims::user(task, maps::subjects())) else {
            return 0;
        };
        if label.layers[Layer::User as usize].0 != slot.0
            && let Err(reason) = set_user(task, label, slot)
        {
            maps::count_reason(reason);
        }
        0
    }
}

/// Gives a task the profile of a user.
///
/// # Errors
///
/// As [`enter`].
#[inline(always)]
fn set_user(task: Task, label: &mut Label, slot: Slot) -> Result<(), Reason> {
    let mut layers = label.layers;
    layers[Layer::User as usize] = slot;
    take(label, layers);
    if label.is_confined() {
        enter(task, label)?;
    }
    Ok(())
}

/// Gives a task these layers. Those that change are new from now on.
#[inline(always)]
pub(crate) fn take(label: &mut Label, layers: [Slot; LAYERS]) {
    if !are_same(&label.layers, &layers) {
        let time = kernel::time_s();
        for layer in OUTWARDS {
            if slot_of(&label.layers, layer).0 != slot_of(&layers, layer).0 {
                *label.since(layer) = time;
            }
        }
        label.layers = layers;
    }
    label.enter();
}

/// What comes of [`decide_late`]: it cannot be told now. The task stays as it
/// is, and is asked again at its next operation.
const UNDECIDED: u32 = 0;
/// The task has a label of this epoch.
const LABELLED: u32 = 1;
/// A profile is to confine the task, and there is no memory for its label.
const NO_LABEL: u32 = 2;

global! {
    /// Decides the domain of the current task, which runs already; or, if that is decided,
    /// whether it is contained.
    fn decide_late() -> u32 {
        let task = Task::current();
        let subjects = maps::subjects();
        if let Some(label) = maps::label(task)
            && label.epoch == subjects.epoch
        {
            let _done = containment::look_whether_contained();
            return LABELLED;
        }
        let mut layers = maps::label(task).map_or([Slot::NONE; 3], |label| label.layers);
        let Ok(user) = claims::user(task, subjects) else {
            return UNDECIDED;
        };
        layers[Layer::User as usize] = user;
        // What it has from an exec stands.
        if layers[Layer::Application as usize].is_none() {
            match claims::running_program(task, subjects) {
                Ok(slot) => layers[Layer::Application as usize] = slot,
                Err(_reason) => return UNDECIDED,
            }
        }
        if layers[Layer::Process as usize].is_none() {
            match claims::process(task, subjects) {
                Ok(slot) => layers[Layer::Process as usize] = slot,
                Err(_reason) => return UNDECIDED,
            }
        }
        let confined = is_any(&layers);
        let Ok(label) = maps::label_or_empty(task) else {
            return if confined { NO_LABEL } else { UNDECIDED };
        };
        label.epoch = subjects.epoch;
        take(label, layers);
        if confined && let Err(reason) = enter(task, label) {
            maps::count_reason(reason);
        }
        LABELLED
    }
}

/// Notes when a task became confined and where it entered its domain, unless that
/// is noted.
///
/// # Errors
///
/// [`Reason::Fault`]; the label then confines the task to no namespace, so that
/// every path of it is foreign.
#[inline(always)]
pub(crate) fn enter(task: Task, label: &mut Label) -> Result<(), Reason> {
    if label.lineage == 0 {
        label.lineage = kernel::time_ns();
    }
    if label.mount_namespace == 0 {
        label.enter();
        label.mount_namespace = kernel::mount_namespace(task)?;
    }
    Ok(())
}

/// Notes in the scratch whose request it is: that of the domain, or of the one that
/// an exec leads to.
#[inline(always)]
pub(crate) fn note(label: &Label, scratch: &mut Scratch, how: u32) {
    scratch.version = maps::version();
    scratch.subject = if how & How::NEXT == 0 {
        Subject {
            mount_namespace: label.mount_namespace,
            number: match label.number {
                0 => number_domain(),
                number => number,
            },
            layers: label.layers,
            contained: label.containment.layers,
        }
    } else {
        Subject {
            // A domain is entered where its program starts. Nothing is a mount of none.
            mount_namespace: kernel::mount_namespace(Task::current()).unwrap_or(0),
            number: 0,
            layers: label.next,
            contained: label.containment.layers,
        }
    };
}

global! {
    /// Gives the domain of the current task a number. Returns it; 0 if there is none to
    /// be had, or nothing is remembered of any domain.
    fn number_domain() -> u64 {
        if !known::remembers() {
            return 0;
        }
        let Some(label) = maps::label(Task::current()) else {
            return 0;
        };
        label.number = known::number(&Domain {
            mount_namespace: label.mount_namespace,
            layers: label.layers,
            contained: label.containment.layers,
        });
        label.number
    }
}

/// Gives a task that is made the domain of the current task.
///
/// An unconfined task's label is inherited too: the child runs the same program,
/// so that asking again would give the same answer, and dearer.
///
/// # Errors
///
/// [`Reason::NoLabel`] if the current task is confined and there is no memory
/// for the child's label.
#[inline(always)]
pub(crate) fn inherit(child: Result<Task, Reason>) -> Result<(), Reason> {
    if maps::subjects().epoch == 0 {
        return Ok(());
    }
    let task = Task::current();
    // What is due is decided first: the child may be in no one's list.
    confined(task)?;
    let Some(label) = maps::label(task) else {
        return Ok(());
    };
    match child.and_then(maps::new_label) {
        Ok(copy) => {
            kernel::copy(copy, label);
            copy.next_state = Label::NO_NEXT;
            copy.told = 0;
            Ok(())
        }
        Err(reason) if label.is_confined() => Err(reason),
        Err(_) => Ok(()),
    }
}

/// Gives the current task the domain of the user that it is about to become.
///
/// # Errors
///
/// [`Reason::NoLabel`] if there is no memory for the label of a task that is to
/// be confined.
#[inline(always)]
pub(crate) fn become_user(uid: Result<u32, Reason>) -> Result<(), Reason> {
    let subjects = maps::subjects();
    if subjects.epoch == 0 || subjects.kinds & Subjects::USERS == 0 {
        return Ok(());
    }
    let task = Task::current();
    let is_confined = confined(task)?.is_some();
    let slot = match uid {
        Ok(uid) => maps::user(uid),
        Err(reason) if is_confined => return Err(reason),
        Err(_) => {
            // Nothing of ours refuses an unconfined task; its next operation
            // decides.
            if let Some(label) = maps::label(task) {
                label.epoch = 0;
            }
            return Ok(());
        }
    };
    match maps::label_or_empty(task) {
        Ok(label) => set_user(task, label, slot),
        Err(_) if slot.is_none() => Ok(()),
        Err(reason) => Err(reason),
    }
}

/// Whether `other` is in the domain of `label`, the current task's, and so may be reached
/// without the privilege: the same profiles confine it. Of who is contained, only who is so,
/// too, or belongs to its process.
///
/// Who looks into another has its descriptors and its memory, and so what its mounts say
/// that paths mean: these have to be the same, too.
#[inline(always)]
pub(crate) fn is_in_domain(label: &Label, other: Task, privilege: Privilege) -> bool {
    let Some(found) = maps::label(other) else {
        return false;
    };
    are_same(&label.layers, &found.layers)
        && (privilege != Privilege::PTRACE || label.mount_namespace == found.mount_namespace)
        && (label.containment.layers == 0
            || found.containment.layers != 0
            || kernel::process(other) == kernel::ids().0)
}
