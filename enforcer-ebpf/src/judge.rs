//! Decides an access for every layer of a domain, and reports it.
//!
//! The functions that are verified on their own talk through the scratch: the
//! request, the path, what a table said.
//!
//! - [`anywhere`]: an object that comes without a mount
//! - [`privilege`]: what is no access to an object

mod anywhere;
mod privilege;

use self::anywhere::judge_anywhere;
pub(crate) use self::privilege::{Told, privilege};
use enforcer_abi::{
    Access, Counter, Label, Layer, Mode, Operation, Privilege, Reach, Reason, Slot, Verdict,
    decide, policy::refusal,
};

use crate::{
    automaton,
    kernel::{self, Task, global},
    maps,
    report::{self, Refusal},
    scratch::{Found, Object, Request, Scratch},
    subject,
    walk::{self, NAMED, Place},
};

/// How an answer is found, and what becomes of it.
pub(crate) struct How;

impl How {
    /// As usual.
    pub(crate) const PLAIN: u32 = 0;
    /// What each layer says of the object is kept for a second question.
    pub(crate) const KEEP: u32 = 1;
    /// The object must not have more rights under this name than under the one
    /// that was kept.
    pub(crate) const NO_GROWTH: u32 = 1 << 1;
    /// Nor under that one more than under this.
    pub(crate) const NO_LOSS: u32 = 1 << 2;
    /// As for the two before, with what is beneath.
    pub(crate) const DIRECTORY: u32 = 1 << 3;
    /// Nobody is told, and modes that let through do not.
    pub(crate) const QUIETLY: u32 = 1 << 4;
    /// Any of those that tell a move.
    const MOVE: u32 = Self::KEEP | Self::NO_GROWTH | Self::NO_LOSS;
    /// For the domain that an exec leads to.
    pub(crate) const NEXT: u32 = 1 << 5;
}

/// What a confined task asks for.
#[derive(Clone, Copy)]
pub(crate) struct Question {
    /// What it does.
    pub(crate) operation: Operation,
    /// The rights that this needs.
    pub(crate) requested: Access,
    /// On what.
    pub(crate) object: Object,
    /// Bits of [`How`].
    pub(crate) how: u32,
}

/// What became of a question. The numbers are those of the functions that are
/// verified on their own.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Answer {
    /// Every layer grants it, or lets it through.
    Granted = 0,
    /// A layer refuses it, only because rights would grow.
    Grows = 1,
    /// A layer refuses it.
    Refused = 2,
    /// The memory that is to be code is no file's content.
    Anonymous = 3,
}

impl Answer {
    #[inline(always)]
    fn from_number(number: u32) -> Self {
        match number {
            0 => Self::Granted,
            1 => Self::Grows,
            3 => Self::Anonymous,
            _ => Self::Refused,
        }
    }
}

/// Judges a question of the current task, which is confined.
#[inline(always)]
pub(crate) fn ask(question: &Question) -> Answer {
    answer(question, || judge_object())
}

/// Judges a question about an object of which the kernel does not tell by what
/// mount it was reached.
///
/// Verifier: apart from [`ask`], whose callers have no stack left for it.
#[inline(always)]
pub(crate) fn ask_by_dentry(operation: Operation, requested: Access, dentry: u64) -> Answer {
    let question = Question {
        operation,
        requested,
        object: Object {
            vfsmount: 0,
            dentry,
        },
        how: How::PLAIN,
    };
    answer(&question, || judge_anywhere())
}

/// Judges what the current task wants to do and what could not be understood, for
/// `reason`. It asks for every right, of the domain that `how` says.
#[inline(always)]
pub(crate) fn fail(operation: Operation, reason: Reason, how: u32) -> Answer {
    let question = Question {
        operation,
        requested: Access::ALL,
        object: Object {
            vfsmount: 0,
            dentry: 0,
        },
        how,
    };
    answer(&question, || judge_unnamed(reason as u32))
}

/// Has `judge` answer a question by the scratch.
#[inline(always)]
fn answer(question: &Question, judge: impl FnOnce() -> u32) -> Answer {
    if note(question) {
        Answer::from_number(judge())
    } else {
        Answer::Refused
    }
}

global! {
    /// Judges the request in the scratch for an object that has no name, for the
    /// reason with this number. Returns an [`Answer`].
    fn judge_unnamed(reason: u32) -> u32 {
        let Ok(scratch) = maps::scratch(Task::current()) else {
            return Answer::Refused as u32;
        };
        scratch.clear_path();
        scratch.request.unnamed = reason;
        layers(scratch)
    }
}

/// Puts a question into the scratch. Returns whether there is one.
#[inline(always)]
fn note(question: &Question) -> bool {
    maps::count(Counter::Judged);
    let scratch = match maps::first_scratch() {
        Ok(scratch) => scratch,
        Err(reason) => {
            // Nothing can be said about the object, and no layer can be asked
            // for its mode: the strictest.
            maps::count_reason(reason);
            maps::count(Counter::Denied);
            return false;
        }
    };
    // Verifier: in a map, a pointer becomes a number, which a function that is
    // verified on its own can use.
    scratch.request = Request {
        object: question.object,
        requested: question.requested,
        how: question.how,
        operation: Some(question.operation),
        unnamed: NAMED,
    };
    true
}

global! {
    /// Judges the request in the scratch. Returns an [`Answer`].
    fn judge_object() -> u32 {
        let task = Task::current();
        let (Some(label), Ok(scratch)) = (maps::label(task), maps::scratch(task)) else {
            return Answer::Refused as u32;
        };
        scratch.found = Found::NOTHING;
        let place = subject::namespace(task, label, scratch.request.how)
            .and_then(|namespace| {
                let Object { vfsmount, dentry } = scratch.request.object;
                walk::path(vfsmount, dentry, namespace)
            });
        let request = scratch.request;
        scratch.request.unnamed = match place {
            Ok(Place::Own) => NAMED,
            Ok(Place::Foreign) => Reason::ForeignMount as u32,
            Ok(Place::Anonymous) => match anonymous(request) {
                Some(answer) => return answer as u32,
                None => Reason::Nameless as u32,
            },
            Err(Reason::InternalMount | Reason::Escaped)
                if request.operation == Some(Operation::Open) && kernel::acts_for_itself(task) =>
            {
                return Answer::Granted as u32;
            }
            Err(reason) => reason as u32,
        };
        layers(scratch)
    }
}

/// What the kernel makes without a name holds nothing that its owner did not put
/// there. It may be used in every way but as code.
#[inline(always)]
fn anonymous(request: Request) -> Option<Answer> {
    let code = Access::EXECUTE | Access::MAP;
    if (request.requested & code).is_empty() {
        Some(Answer::Granted)
    } else if request.operation == Some(Operation::Map) {
        Some(Answer::Anonymous)
    } else {
        None
    }
}

/// Asks every layer, and not only until one refuses, so that each one's
/// violation is known. Leaves in the scratch what the innermost layer found that
/// there is, which says where an exec leads.
#[inline(always)]
fn layers(scratch: &mut Scratch) -> u32 {
    let quietly = scratch.request.how & How::QUIETLY != 0;
    let mut strictest = Verdict::Allow as u32;
    let mut answer = Answer::Granted as u32;
    for layer in [Layer::User, Layer::Process, Layer::Application] {
        let said = judge_layer(layer as u32);
        let verdict = said & 0xff;
        if verdict > strictest {
            strictest = verdict;
        }
        if verdict == Verdict::Deny as u32 && said >> 8 > answer {
            answer = said >> 8;
        }
    }
    if !quietly {
        count(strictest);
    }
    answer
}

/// Counts what was let through or refused.
#[inline(always)]
fn count(verdict: u32) {
    if verdict == Verdict::Deny as u32 {
        maps::count(Counter::Denied);
    } else if verdict == Verdict::Audit as u32 {
        maps::count(Counter::Audited);
    } else if verdict == Verdict::Learn as u32 {
        maps::count(Counter::Learned);
    }
}

global! {
    /// Asks one layer about the request and the path in the scratch. Returns the
    /// [`Verdict`], and above it the [`Answer`] of a refusal.
    fn judge_layer(layer: u32) -> u32 {
        let task = Task::current();
        let (Some(label), Ok(scratch)) = (maps::label(task), maps::scratch(task)) else {
            return (Answer::Refused as u32) << 8 | Verdict::Deny as u32;
        };
        let layer = Layer::from_index(layer);
        let request = scratch.request;
        let slot = slot_of(label, layer, request.how);
        if slot.is_none() {
            return Verdict::Allow as u32;
        }
        scratch.found = Found::NOTHING;
        let ran = automaton::run(slot, scratch);
        let found = scratch.found;
        let problem = match ran {
            Ok(()) if request.unnamed == NAMED => missing(scratch, layer, request, found),
            // What is granted on every path is granted without one, but for a move.
            Ok(()) if request.how & How::MOVE == 0 && found.everywhere.contains(request.requested) => None,
            Ok(()) => Some((request.requested, kernel::reason(request.unnamed))),
            Err(reason) => Some((request.requested, reason)),
        };
        let Some((missing, reason)) = problem else {
            if !request.requested.is_empty() && request.how & How::QUIETLY == 0 {
                maps::hit(found.hits, request.requested);
            }
            return Verdict::Allow as u32;
        };
        let grows = reason == Reason::RightsGrow;
        let answer = if grows { Answer::Grows } else { Answer::Refused } as u32;
        if request.how & How::QUIETLY != 0 {
            return answer << 8 | Verdict::Deny as u32;
        }
        if reason != Reason::NotGranted && !grows {
            // No rule was matched, so none says where an exec leads.
            scratch.found.target = Slot::NONE;
        }
        let mode = if ran.is_ok() { found.mode } else { 0 };
        let verdict = refusal(Mode(mode));
        if verdict != Verdict::Allow {
            maps::count_reason(reason);
            report::violation(scratch, Refusal {
                operation: request.operation,
                privilege: Privilege::NONE,
                requested: request.requested,
                missing,
                reason,
                layer,
                slot,
                verdict,
            });
        }
        answer << 8 | verdict as u32
    }
}

/// The profile of a layer.
#[inline(always)]
fn slot_of(label: &Label, layer: Layer, how: u32) -> Slot {
    let layers = if how & How::NEXT != 0 {
        label.next
    } else {
        label.layers
    };
    let [user, application, process] = layers;
    match layer {
        Layer::User => user,
        Layer::Application => application,
        Layer::Process => process,
    }
}

/// What a layer does not grant of a request on an object with a path.
#[inline(always)]
fn missing(
    scratch: &mut Scratch,
    layer: Layer,
    request: Request,
    found: Found,
) -> Option<(Access, Reason)> {
    let kept = kept(scratch, layer);
    let before = *kept;
    let reach = found.reach();
    if request.how & How::KEEP != 0 {
        *kept = reach;
    }
    let missing = request.requested.missing_from(found.allow);
    if decide(Mode::ENFORCE, request.requested, found.allow) != Verdict::Allow {
        return Some((missing, Reason::NotGranted));
    }
    let directory = request.how & How::DIRECTORY != 0;
    if request.how & How::NO_GROWTH != 0 && before.grows_to(reach, directory) {
        return Some((reach.allow.missing_from(before.allow), Reason::RightsGrow));
    }
    if request.how & How::NO_LOSS != 0 && reach.grows_to(before, directory) {
        return Some((before.allow.missing_from(reach.allow), Reason::RightsGrow));
    }
    None
}

#[inline(always)]
fn kept(scratch: &mut Scratch, layer: Layer) -> &mut Reach {
    let [user, application, process] = &mut scratch.kept;
    match layer {
        Layer::User => user,
        Layer::Application => application,
        Layer::Process => process,
    }
}
