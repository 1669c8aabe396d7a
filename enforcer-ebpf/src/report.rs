//! Violations and events: what the agent hears of a decision, after it was made.
//!
//! Nothing here changes a verdict. What cannot be sent is counted.

use enforcer_abi::{
    Access, Counter, Event, EventKind, Label, Layer, Operation, Reason, Slot, Verdict, ViolationKey,
};

use crate::{
    automaton,
    kernel::{self, Task},
    maps::{self, Telling},
    scratch::Scratch,
};

/// What one layer did not grant.
pub(crate) struct Refusal {
    pub(crate) operation: Operation,
    pub(crate) requested: Access,
    pub(crate) missing: Access,
    pub(crate) reason: Reason,
    pub(crate) layer: Layer,
    pub(crate) slot: Slot,
    pub(crate) verdict: Verdict,
}

/// Counts a violation, and tells the agent if it is the first of its kind.
#[inline(never)]
pub(crate) fn violation(label: &Label, scratch: &Scratch, refusal: &Refusal) {
    let now_ns = kernel::boot_time_ns();
    let key = ViolationKey {
        lineage: label.lineage,
        path_hash: automaton::hash(scratch),
        slot: refusal.slot,
        requested: refusal.requested,
        operation: refusal.operation,
        reason: refusal.reason,
        layer: refusal.layer,
        verdict: refusal.verdict,
        reserved: 0,
    };
    if maps::violation(&key, now_ns) == Telling::Done {
        return;
    }
    let mut event = event(label, scratch, now_ns);
    event.path_hash = key.path_hash;
    event.slot = refusal.slot;
    event.requested = refusal.requested;
    event.missing = refusal.missing;
    event.operation = refusal.operation;
    event.reason = refusal.reason;
    event.layer = refusal.layer;
    event.verdict = refusal.verdict;
    if maps::send(&event, scratch) {
        maps::told(&key);
    } else {
        maps::count(Counter::EventsLost);
    }
}

/// Tells the agent that a confined task runs the program whose path is in
/// `scratch`.
#[inline(never)]
pub(crate) fn executed(label: &Label, scratch: &Scratch) {
    let mut event = event(label, scratch, kernel::boot_time_ns());
    event.kind = EventKind::Executed;
    event.operation = Operation::Execute;
    if !maps::send(&event, scratch) {
        maps::count(Counter::EventsLost);
    }
}

/// An event about the current task and the path in `scratch`.
#[inline(always)]
fn event(label: &Label, scratch: &Scratch, time_ns: u64) -> Event {
    let (process, thread) = kernel::ids();
    let (uid, gid) = kernel::user();
    let mut comm = [0; 16];
    kernel::comm(&mut comm);
    Event {
        time_ns,
        lineage: label.lineage,
        cgroup: kernel::cgroup(),
        path_hash: 0,
        tgid: process,
        tid: thread,
        parent: kernel::parent(Task::current()),
        uid,
        gid,
        slot: Slot::NONE,
        generation: scratch.found.generation,
        outcome: scratch.found.outcome,
        requested: Access::NONE,
        missing: Access::NONE,
        path_len: scratch.path_len(),
        kind: EventKind::Violation,
        operation: Operation::Open,
        reason: Reason::NotGranted,
        layer: Layer::User,
        verdict: Verdict::Allow,
        reserved: [0; 7],
        comm,
    }
}
