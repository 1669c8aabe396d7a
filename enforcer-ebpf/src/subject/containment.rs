//! Containment: who violated a profile that wants it so keeps no right but to read.
//!
//! The task that violates is contained before its system call returns. The others of its
//! process find it in a map: every confined task looks there once after anybody was
//! contained or released. What a contained task starts inherits it with the label.

use enforcer_abi::{Containment, Counter, Label};

use crate::{
    kernel::{Task, global},
    maps::{self, contained},
    subject::claims,
};

/// Whether a task has looked whether it is contained since anybody was contained or
/// released. What is not confined need not.
#[inline(always)]
pub(crate) fn is_known(label: &Label) -> bool {
    !label.is_confined() || label.looked == contained::changes()
}

global! {
    /// Takes in whether the current task is contained.
    fn look_whether_contained() -> u32 {
        let task = Task::current();
        let Some(label) = maps::label(task) else {
            return 0;
        };
        // What is contained after this is read is looked for the next time.
        let changes = contained::changes();
        let Ok(process) = claims::identity(task) else {
            return 0;
        };
        let before = label.containment.layers;
        if before == 0 {
            label.containment = contained::find(&process);
        }
        if label.containment.layers != 0 && contained::is_released(&label.containment) {
            label.containment = Containment::NONE;
        }
        if label.containment.layers != before {
            label.enter();
        }
        label.looked = changes;
        0
    }
}

/// Contains the process of the current task, whose label this is.
#[inline(always)]
pub(crate) fn contain(task: Task, label: &mut Label, containment: Containment) {
    label.containment = containment;
    label.enter();
    maps::count(Counter::Contained);
    match claims::identity(task) {
        Ok(process) => contained::note(&process, &containment),
        // Its other threads are not: that is all that can be done.
        Err(reason) => maps::count_reason(reason),
    }
}

global! {
    /// Forgets the process whose first thread this task is, if it is one: it is about to be
    /// freed.
    fn forget_contained(task: u64) -> u32 {
        let task = Task::at(task);
        if task.leader() == Ok(task.address())
            && let Ok(process) = claims::identity(task)
        {
            contained::forget(&process);
        }
        0
    }
}

/// [`forget_contained`], for whom it concerns.
#[inline(always)]
pub(crate) fn end(task: Task) {
    if contained::changes() != 0
        && maps::label(task).is_some_and(|label| label.containment.layers != 0)
    {
        let _done = forget_contained(task.address());
    }
}
