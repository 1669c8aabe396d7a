//! Decides an access for every layer of a domain, and reports it.
//!
//! The functions that are verified on their own talk through the scratch: the
//! request, the path, what a table said.
//!
//! - [`layer`]: what each layer says
//! - [`remembered`]: what was found before
//! - [`anywhere`]: an object that comes without a mount
//! - [`network`]: an address of a network
//! - [`privilege`]: what is no access to an object

mod anywhere;
mod layer;
mod network;
mod privilege;
mod remembered;

pub(crate) use self::layer::{OUTWARDS, slot_of};
use self::{
    anywhere::judge_anywhere,
    layer::layers,
    remembered::{judge_known, note_walked},
};
pub(crate) use self::{
    network::ask_endpoint,
    privilege::{Told, privilege},
    remembered::Folder,
};
use enforcer_abi::{Access, Counter, Label, Operation, Reason, Slot};

use crate::{
    kernel::{self, Task, global},
    maps::{self, known::STAYS},
    report::programs,
    scratch::{Object, Request, Scratch},
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

impl Question {
    /// One that is answered as usual.
    #[inline(always)]
    pub(crate) const fn plain(operation: Operation, requested: Access, object: Object) -> Self {
        Self {
            operation,
            requested,
            object,
            how: How::PLAIN,
        }
    }
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

/// Judges a question of the current task, whose label this is and which is confined.
#[inline(always)]
pub(crate) fn ask(label: &mut Label, question: &Question, folder: Folder) -> Answer {
    if remembered::grants(label, question, folder) {
        return Answer::Granted;
    }
    ask_slowly(label, question)
}

/// As [`ask`], without a look at what is remembered first.
#[inline(always)]
pub(crate) fn ask_slowly(label: &mut Label, question: &Question) -> Answer {
    let Some(scratch) = begin() else {
        return Answer::Refused;
    };
    let answer = consult(scratch, label, question);
    maps::give(scratch);
    answer
}

/// Judges two questions, the second only if the first is granted, of objects in two
/// folders.
#[inline(always)]
pub(crate) fn ask_both(
    label: &mut Label,
    first: &Question,
    second: &Question,
    folders: [u64; 2],
) -> Answer {
    if remembered::grants_move(label, first, second, folders) {
        return Answer::Granted;
    }
    let Some(scratch) = begin() else {
        return Answer::Refused;
    };
    let mut answer = consult(scratch, label, first);
    if answer == Answer::Granted {
        answer = consult(scratch, label, second);
    }
    maps::give(scratch);
    answer
}

/// As [`ask`], and says where an exec of the object leads.
#[inline(always)]
pub(crate) fn ask_target(label: &mut Label, question: &Question) -> (Answer, Target) {
    let staying = Question {
        requested: question.requested | STAYS,
        ..*question
    };
    let is_known = remembered::grants(label, &staying, Folder::Read);
    if is_known && remembered::knows_edge() == 1 {
        return (Answer::Granted, Target::NONE);
    }
    let Some(scratch) = begin() else {
        return (Answer::Refused, Target::NONE);
    };
    kernel::clear(&mut scratch.found);
    let answer = if is_known {
        // Who runs it is to be told.
        note(scratch, label, question);
        judge_by_path(scratch, label)
    } else {
        consult(scratch, label, question)
    };
    if answer == Answer::Granted {
        let _noted = remembered::note_edge();
    }
    let target = Target {
        slot: scratch.found.target,
        scrub: scratch.found.scrub != 0,
    };
    maps::give(scratch);
    (answer, target)
}

/// Where an exec leads.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    /// The profile.
    pub(crate) slot: Slot,
    /// Whether the program must not trust its environment.
    pub(crate) scrub: bool,
}

impl Target {
    /// Nowhere else.
    const NONE: Self = Self {
        slot: Slot::NONE,
        scrub: false,
    };
}

/// Takes a scratch for questions; `None`, which is counted, if there is none.
#[inline(always)]
fn begin() -> Option<&'static mut Scratch> {
    match maps::take() {
        Ok(scratch) => Some(scratch),
        Err(reason) => {
            // Nothing can be said about the object, and no layer can be asked
            // for its mode: the strictest.
            maps::count_reason(reason);
            maps::count(Counter::Denied);
            None
        }
    }
}

/// Judges a question with a scratch.
#[inline(always)]
fn consult(scratch: &mut Scratch, label: &mut Label, question: &Question) -> Answer {
    note(scratch, label, question);
    if judge_known(scratch.at) == 1 {
        return Answer::Granted;
    }
    judge_by_path(scratch, label)
}

/// Judges the question in a scratch by the object's path.
#[inline(always)]
fn judge_by_path(scratch: &mut Scratch, label: &Label) -> Answer {
    programs::introduce(label);
    Answer::from_number(judge_object(scratch.at))
}

/// Judges a question about an object of which the kernel does not tell by what
/// mount it was reached, and which is in `folder`.
///
/// Verifier: apart from [`ask`], whose callers have no stack left for it.
#[inline(always)]
pub(crate) fn ask_by_dentry(
    label: &mut Label,
    operation: Operation,
    requested: Access,
    dentry: u64,
    folder: u64,
) -> Answer {
    let vfsmount = 0;
    let question = Question::plain(operation, requested, Object { vfsmount, dentry });
    if remembered::grants_anywhere(label, dentry, folder, requested) {
        return Answer::Granted;
    }
    let Some(scratch) = begin() else {
        return Answer::Refused;
    };
    note(scratch, label, &question);
    programs::introduce(label);
    let answer = judge_anywhere(scratch.at);
    // The mount by which it was found is the one that the next is looked for by.
    label.object[0] = scratch.request.object.vfsmount;
    maps::give(scratch);
    Answer::from_number(answer)
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
    let Some(label) = maps::label(Task::current()) else {
        return Answer::Refused;
    };
    let Some(scratch) = begin() else {
        return Answer::Refused;
    };
    note(scratch, label, &question);
    programs::introduce(label);
    let answer = judge_unnamed(scratch.at, reason as u32);
    maps::give(scratch);
    Answer::from_number(answer)
}

/// Judges the request in the scratch: by what is remembered, or else by the object's
/// path.
#[inline(always)]
fn judge(at: u32) -> u32 {
    if judge_known(at) == 1 {
        return Answer::Granted as u32;
    }
    judge_object(at)
}

global! {
    /// Judges the request in the scratch for an object that has no name, for the
    /// reason with this number. Returns an [`Answer`].
    fn judge_unnamed(at: u32, reason: u32) -> u32 {
        let Ok(scratch) = maps::scratch(at) else {
            return Answer::Refused as u32;
        };
        scratch.clear_path();
        scratch.request.unnamed = reason;
        layers(scratch)
    }
}

/// Puts a question into the scratch, and of whom it is.
#[inline(always)]
fn note(scratch: &mut Scratch, label: &mut Label, question: &Question) {
    // Verifier: in a map, a pointer becomes a number, which a function that is
    // verified on its own can use.
    scratch.request = Request {
        object: question.object,
        requested: question.requested,
        how: question.how,
        operation: Some(question.operation),
        unnamed: NAMED,
    };
    subject::note(label, scratch, question.how);
}

global! {
    /// Judges the request in the scratch by the object's path. Returns an [`Answer`].
    fn judge_object(at: u32) -> u32 {
        let Ok(scratch) = maps::scratch(at) else {
            return Answer::Refused as u32;
        };
        maps::count(Counter::Judged);
        kernel::clear(&mut scratch.found);
        let Object { vfsmount, dentry } = scratch.request.object;
        let place = walk::path(scratch, vfsmount, dentry, scratch.subject.mount_namespace);
        let request = scratch.request;
        scratch.request.unnamed = match place {
            Ok(Place::Own) => NAMED,
            Ok(Place::Foreign) => Reason::ForeignMount as u32,
            Ok(Place::Anonymous) => match anonymous(request) {
                Some(answer) => return answer as u32,
                None => Reason::Nameless as u32,
            },
            Err(Reason::InternalMount | Reason::Escaped)
                if request.operation == Some(Operation::Open) && kernel::acts_for_itself() =>
            {
                return Answer::Granted as u32;
            }
            Err(reason) => reason as u32,
        };
        let answer = layers(scratch);
        if scratch.request.unnamed == NAMED {
            note_walked(at);
        }
        answer
    }
}

/// What the kernel makes without a name holds nothing that its owner did not put
/// there. It may be used in every way but as code.
///
/// An `io_uring` that comes from elsewhere is something else: the files that are registered
/// with it come along, and are asked about no more.
#[inline(always)]
fn anonymous(request: Request) -> Option<Answer> {
    let comes = matches!(
        request.operation,
        Some(Operation::Inherit | Operation::Receive)
    );
    if comes && walk::is_ring(request.object.dentry) != 0 {
        return None;
    }
    let code = Access::EXECUTE | Access::MAP;
    if (request.requested & code).is_empty() {
        Some(Answer::Granted)
    } else if request.operation == Some(Operation::Map) {
        Some(Answer::Anonymous)
    } else {
        None
    }
}
