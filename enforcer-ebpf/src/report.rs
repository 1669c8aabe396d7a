//! Violations and events: what the agent hears of a decision, after it was made.
//!
//! Nothing here changes that verdict; later ones it does, where the process is contained.
//! What cannot be sent is counted.
//!
//! - [`programs`]: who does it
//! - [`uses`]: what was granted

pub(crate) mod programs;
pub(crate) mod uses;

use enforcer_abi::{
    Access, Containment, Counter, Event, EventKind, Label, Layer, Operation, Privilege, Reason,
    Response, Slot, Verdict, ViolationKey,
};

use crate::{
    automaton,
    judge::{How, slot_of},
    kernel::{self, Task, global},
    maps::{self, Haste, Telling},
    scratch::{Request, Scratch},
    subject::containment,
};

/// What one layer did not grant. Zero bytes are a value of it.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Refusal {
    /// `None` before anything was refused.
    pub(crate) operation: Option<Operation>,
    pub(crate) privilege: Privilege,
    pub(crate) requested: Access,
    pub(crate) missing: Access,
    pub(crate) reason: Reason,
    pub(crate) layer: Layer,
    pub(crate) slot: Slot,
    pub(crate) verdict: Verdict,
    pub(crate) response: Response,
}

/// Stands for no privilege in [`report_violation`].
pub(crate) const PATH: u32 = Privilege::NONE.0 as u32;

/// A reason and a verdict, for [`report_violation`].
#[inline(always)]
pub(crate) fn what(reason: Reason, verdict: Verdict) -> u32 {
    (verdict as u32) << 8 | reason as u32
}

/// The verdict in a [`what`].
#[inline(always)]
fn verdict(what: u32) -> Verdict {
    match what >> 8 {
        0 => Verdict::Allow,
        1 => Verdict::Learn,
        2 => Verdict::Audit,
        _ => Verdict::Deny,
    }
}

global! {
    /// Counts what a layer says to the request in the scratch, and tells the agent if it is
    /// the first of its kind: [`what`], the rights that are missing, and the privilege, if it
    /// takes one and is about no path.
    ///
    /// Verifier: the parts share no stack, of which there is little.
    fn report_violation(at: u32, layer: u32, what: u32, missing: u32, privilege: u32) -> u32 {
        let Ok(scratch) = maps::scratch(at) else {
            return 0;
        };
        let privilege = Privilege(privilege as u8);
        let Request { operation, requested, .. } = scratch.request;
        let (operation, requested) = if privilege.is_none() {
            (operation, requested)
        } else {
            (Some(Operation::Privilege), Access::NONE)
        };
        let layer = Layer::from_index(layer);
        scratch.refusal = Refusal {
            operation,
            privilege,
            requested,
            missing: Access(missing),
            reason: kernel::reason(what & 0xff),
            layer,
            slot: slot_of(&scratch.subject.layers, layer),
            verdict: verdict(what),
            response: Response::None,
        };
        let now_ns = kernel::time_ns();
        let _hash = automaton::hash(scratch);
        let _done = contain(at, now_ns);
        if count_violation(at, now_ns) == 0 {
            return 0;
        }
        if send_violation(at, now_ns) == 0 {
            maps::count(Counter::EventsLost);
            return 0;
        }
        note_told(at)
    }
}

global! {
    /// Answers the refusal in the scratch, if the profile wants that: contains the process of
    /// the current task, unless it is.
    fn contain(at: u32, now_ns: u64) -> u32 {
        let task = Task::current();
        let (Some(label), Ok(scratch)) = (maps::label(task), maps::scratch(at)) else {
            return 0;
        };
        let refusal = &scratch.refusal;
        // Who runs a program is not of the domain that it would have.
        let is_own = !refusal.privilege.is_none() || scratch.request.how & How::NEXT == 0;
        if label.containment.layers != 0
            || !scratch.found.respond.contains()
            || refusal.verdict as u32 != Verdict::Deny as u32
            || !refusal.reason.is_attempt()
            || !is_own
        {
            return 0;
        }
        scratch.refusal.response = Response::Contained;
        containment::contain(task, label, Containment {
            violation: key(label, scratch).number(),
            since_ns: now_ns,
            layers: 1 << scratch.refusal.layer as u32,
            reserved: 0,
        });
        0
    }
}

global! {
    /// Counts the refusal in the scratch. Returns 1 if the agent is to be told.
    fn count_violation(at: u32, now_ns: u64) -> u32 {
        let task = Task::current();
        let (Some(label), Ok(scratch)) = (maps::label(task), maps::scratch(at)) else {
            return 0;
        };
        u32::from(maps::violation(&key(label, scratch), now_ns) == Telling::Due)
    }
}

global! {
    /// Sends the refusal in the scratch. Returns 1 if there was room.
    fn send_violation(at: u32, now_ns: u64) -> u32 {
        let task = Task::current();
        let (Some(label), Ok(scratch)) = (maps::label(task), maps::scratch(at)) else {
            return 0;
        };
        let refusal = scratch.refusal;
        u32::from(maps::send(scratch, Haste::Now, || Event {
            path_hash: scratch.hash,
            slot: refusal.slot,
            requested: refusal.requested,
            missing: refusal.missing,
            operation: refusal.operation.unwrap_or(Operation::Open),
            reason: refusal.reason,
            layer: refusal.layer,
            verdict: refusal.verdict,
            privilege: refusal.privilege,
            response: refusal.response,
            ..event(label, scratch, now_ns)
        }))
    }
}

global! {
    /// Notes that the agent was told of the refusal in the scratch.
    fn note_told(at: u32) -> u32 {
        let task = Task::current();
        if let (Some(label), Ok(scratch)) = (maps::label(task), maps::scratch(at)) {
            maps::told(&key(label, scratch));
        }
        0
    }
}

/// What makes the refusal in the scratch the same as another.
#[inline(always)]
fn key(label: &Label, scratch: &Scratch) -> ViolationKey {
    let refusal = scratch.refusal;
    ViolationKey {
        lineage: label.lineage,
        path_hash: scratch.hash,
        slot: refusal.slot,
        requested: refusal.requested,
        operation: refusal.operation.unwrap_or(Operation::Open),
        reason: refusal.reason,
        layer: refusal.layer,
        verdict: refusal.verdict,
        privilege: refusal.privilege,
        response: refusal.response,
        reserved: [0; 2],
    }
}

/// An event about the current task and the path in `scratch`, but for the
/// thread's name.
#[inline(always)]
fn event(label: &Label, scratch: &Scratch, time_ns: u64) -> Event {
    let (process, thread) = kernel::ids();
    let (uid, gid) = kernel::user();
    Event {
        time_ns,
        lineage: label.lineage,
        cgroup: kernel::cgroup(),
        path_hash: 0,
        tgid: process,
        tid: thread,
        parent: kernel::process(Task::current().parent()),
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
        privilege: Privilege::NONE,
        response: Response::None,
        reserved: [0; 5],
        comm: [0; 16],
    }
}
