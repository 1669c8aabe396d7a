//! The history: what profiles grant and is used.
//!
//! Each object is told once for each right, and again after the agent forgot it. Only
//! what is judged by its path is looked at, and of an outcome no more than
//! [`LOOKS`](enforcer_abi::limits::LOOKS) grants at a time: so a warm path tells nothing,
//! and a rule under which thousands of objects come and go costs no more than they do.

use enforcer_abi::{Access, Event, EventKind, Layer, Operation, UseKey};

use crate::{
    automaton,
    judge::{OUTWARDS, slot_of},
    kernel::{self, Task, global},
    maps::{self, Haste},
    report::event,
    scratch::Scratch,
    subject::claims,
};

global! {
    /// Tells the agent of what the layers in `scratch.looks` granted, unless it knows. What
    /// cannot be told now is not remembered, so that it is told the next time.
    fn tell_uses(at: u32) -> u32 {
        let Ok(scratch) = maps::scratch(at) else {
            return 0;
        };
        let _hash = automaton::hash(scratch);
        for layer in OUTWARDS {
            if scratch.looks & 1 << layer as u32 != 0 && tell_use(at, layer as u32) == 0 {
                scratch.is_passing = 1;
            }
        }
        0
    }
}

/// [`tell_uses`], for other modules.
#[inline(always)]
pub(crate) fn tell(scratch: &Scratch) {
    let _done = tell_uses(scratch.at);
}

global! {
    /// [`tell_uses`] for one layer: whether the agent knows, 0 or 1.
    fn tell_use(at: u32, layer: u32) -> u32 {
        let task = Task::current();
        let (Some(label), Ok(scratch)) = (maps::label(task), maps::scratch(at)) else {
            return 0;
        };
        let layer = Layer::from_index(layer);
        let requested = scratch.request.requested;
        let key = UseKey {
            path_hash: scratch.hash,
            slot: slot_of(&scratch.subject.layers, layer),
            program: program(task, requested),
        };
        let told = maps::uses::known(&key);
        if told.contains(requested) {
            return 1;
        }
        let operation = scratch.request.operation.unwrap_or(Operation::Open);
        let sent = maps::has_room() && maps::send(scratch, Haste::Later, || Event {
            kind: EventKind::Used,
            path_hash: key.path_hash,
            slot: key.slot,
            requested,
            operation,
            layer,
            ..event(label, scratch, kernel::time_ns())
        });
        if sent {
            maps::uses::note(&key, told | requested);
        }
        u32::from(sent)
    }
}

/// [`UseKey::program`].
#[inline(always)]
fn program(task: Task, requested: Access) -> u32 {
    if (requested & Access::EXECUTE).is_empty() {
        return 0;
    }
    match claims::running_file(task) {
        0 => 0,
        // What is equal in all addresses of a kind is left out.
        file => (claims::file_object(file).1 >> 6) as u32,
    }
}
