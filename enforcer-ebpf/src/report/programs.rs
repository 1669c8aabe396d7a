//! Which programs confined tasks run.
//!
//! Of a task that enters a domain the agent is told at once: it may be waited for. Of
//! another it is told before the first request that takes more than a look at what is
//! remembered; so most programs cost nothing here, and none violates untold.

use enforcer_abi::{Counter, Event, EventKind, Label, Operation};

use crate::{
    kernel::{self, Task, global},
    maps::{self, Haste},
    report::event,
    scratch::Scratch,
    subject::claims,
    walk,
};

/// Tells the agent which program the current task runs, whose label this is, unless it
/// was told. One that is about to enter its first domain runs nobody's.
#[inline(always)]
pub(crate) fn introduce(label: &Label) {
    if label.told == 0 && label.is_confined() {
        tell(EventKind::Running as u32);
    }
}

/// Tells the agent that the current task entered its domain.
#[inline(always)]
pub(crate) fn entered() {
    tell(EventKind::Executed as u32);
}

global! {
    /// Tells the agent of the program of the current task, in an event of this kind, and
    /// of its parent's, which may be gone when the agent asks.
    fn tell(kind: u32) -> u32 {
        let task = Task::current();
        let Ok(scratch) = maps::take() else {
            return 0;
        };
        if let Some(label) = maps::label(task) {
            // What there was no room for is told the next time.
            label.told = tell_of(scratch, task, label, kind);
        }
        let parent = task.parent();
        if let Some(label) = maps::label(parent)
            && label.is_confined()
            && label.told == 0
        {
            // It is no other's to note in its label.
            let _told = tell_of(scratch, parent, label, EventKind::Running as u32);
        }
        maps::give(scratch);
        0
    }
}

/// Tells the agent of the program that `task` runs, as far as it is known. Returns 1, or 0
/// if there was no room.
#[inline(always)]
fn tell_of(scratch: &Scratch, task: Task, label: &Label, kind: u32) -> u32 {
    let file = claims::running_file(task);
    if file == 0 {
        return 1;
    }
    let (vfsmount, dentry) = claims::file_object(file);
    // Whose it is makes no difference.
    let _place = walk::path(scratch, vfsmount, dentry, label.mount_namespace);
    // What a parent ran that is ending may be no file any longer.
    if claims::running_file(task) == file {
        send_program(scratch.at, task.address(), kind)
    } else {
        1
    }
}

global! {
    /// Sends the path in the scratch as that of the program of a task: 1 if there was room.
    fn send_program(at: u32, task: u64, kind: u32) -> u32 {
        let task = Task::at(task);
        let (Some(label), Ok(scratch)) = (maps::label(task), maps::scratch(at)) else {
            return 0;
        };
        let (kind, haste) = if kind == EventKind::Executed as u32 {
            (EventKind::Executed, Haste::Now)
        } else {
            // It is read with what it is told for.
            (EventKind::Running, Haste::Later)
        };
        let sent = maps::send(scratch, haste, || Event {
            kind,
            operation: Operation::Execute,
            tgid: kernel::process(task),
            parent: kernel::process(task.parent()),
            ..event(label, scratch, kernel::time_ns())
        });
        if !sent {
            maps::count(Counter::EventsLost);
        }
        u32::from(sent)
    }
}
