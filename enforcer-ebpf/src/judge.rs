//! Decides an access for every layer of a domain, and reports it.

use enforcer_abi::{
    Access, Counter, Label, Layer, Mode, Operation, Reason, Slot, Verdict, decide, policy::refusal,
};

use crate::{
    automaton,
    kernel::Task,
    maps,
    report::{self, Refusal},
    scratch::Scratch,
    walk::{self, Place},
};

/// What a confined task asks for.
#[derive(Clone, Copy)]
pub(crate) struct Request {
    /// What it does.
    pub(crate) operation: Operation,
    /// The rights that this needs.
    pub(crate) requested: Access,
    /// `struct vfsmount *` of the object.
    pub(crate) vfsmount: u64,
    /// `struct dentry *` of the object.
    pub(crate) dentry: u64,
}

/// What became of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Every layer grants it, or only audits it.
    Granted,
    /// A layer refuses it.
    Refused,
}

/// Judges a request of the current task, which `label` confines.
#[inline(always)]
pub(crate) fn request(task: Task, label: &Label, request: Request) -> Answer {
    maps::count(Counter::Judged);
    let scratch = match maps::scratch(task) {
        Ok(scratch) => scratch,
        Err(reason) => {
            // Nothing can be said about the object, and no layer can be asked
            // for its mode: the strictest.
            maps::count_reason(reason);
            maps::count(Counter::Denied);
            return Answer::Refused;
        }
    };
    scratch.found = automaton::NOTHING;
    let place = walk::path(
        scratch,
        request.vfsmount,
        request.dentry,
        label.mount_namespace,
    );
    let named = match place {
        Ok(Place::Own) => Ok(()),
        Ok(Place::Foreign) => Err(Reason::ForeignMount),
        Ok(Place::Anonymous) => return anonymous(label, scratch, request),
        Err(reason) => Err(reason),
    };
    layers(label, scratch, request, named)
}

/// A pipe, socket, pidfd or namespace: it may be read and written, and nothing
/// else.
#[inline(always)]
fn anonymous(label: &Label, scratch: &mut Scratch, request: Request) -> Answer {
    let harmless = Access::READ | Access::WRITE | Access::APPEND;
    if harmless.contains(request.requested) {
        return Answer::Granted;
    }
    layers(label, scratch, request, Err(Reason::Nameless))
}

/// What all layers are asked.
struct Question<'a> {
    label: &'a Label,
    operation: Operation,
    requested: Access,
    /// Why the object has no path to judge by, if it has none.
    named: Result<(), Reason>,
}

/// Asks every layer, and not only until one refuses, so that each one's
/// violation is known. Leaves in the scratch where an exec leads.
#[inline(always)]
fn layers(
    label: &Label,
    scratch: &mut Scratch,
    request: Request,
    named: Result<(), Reason>,
) -> Answer {
    let question = Question {
        label,
        operation: request.operation,
        requested: request.requested,
        named,
    };
    let [user, application, process] = label.layers;
    let user = one(&question, scratch, Layer::User, user);
    let process = one(&question, scratch, Layer::Process, process);
    // Last, since it is this layer that says where an exec leads.
    scratch.found.target = Slot::NONE;
    let application = one(&question, scratch, Layer::Application, application);
    match strictest(strictest(user, process), application) {
        Verdict::Allow => Answer::Granted,
        Verdict::Audit => {
            maps::count(Counter::Audited);
            Answer::Granted
        }
        Verdict::Deny => {
            maps::count(Counter::Denied);
            Answer::Refused
        }
    }
}

#[inline(always)]
fn strictest(one: Verdict, other: Verdict) -> Verdict {
    if other as u8 > one as u8 { other } else { one }
}

/// Asks one layer. An empty layer grants everything.
#[inline(never)]
fn one(question: &Question<'_>, scratch: &mut Scratch, layer: Layer, slot: Slot) -> Verdict {
    if slot.is_none() {
        return Verdict::Allow;
    }
    let ran = automaton::run(slot, scratch);
    let requested = question.requested;
    let (verdict, missing, reason) = match ran.and(question.named) {
        Ok(()) => {
            let found = scratch.found;
            let verdict = decide(Mode(found.mode), requested, found.allow);
            let missing = requested.missing_from(found.allow);
            if missing.is_empty() {
                maps::hit(found.hits, requested);
                return Verdict::Allow;
            }
            (verdict, missing, Reason::NotGranted)
        }
        Err(reason) => {
            // No rule was matched, so none says where an exec leads.
            scratch.found.target = Slot::NONE;
            let mode = if ran.is_ok() { scratch.found.mode } else { 0 };
            (refusal(Mode(mode)), requested, reason)
        }
    };
    if verdict != Verdict::Allow {
        maps::count_reason(reason);
        report::violation(
            question.label,
            scratch,
            &Refusal {
                operation: question.operation,
                requested,
                missing,
                reason,
                layer,
                slot,
                verdict,
            },
        );
    }
    verdict
}
