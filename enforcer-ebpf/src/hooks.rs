//! The hooks. Each names the object and the rights, or the privilege, that the
//! operation needs; what follows is the same for all.
//!
//! - [`file`]: opening, receiving and cutting files; [`ioctl`]: steering them
//! - [`name`]: making, moving and removing names
//! - [`attributes`]: changing and reading what is known about an object
//! - [`memory`]: files and memory as code
//! - [`socket`]: unix sockets; [`network`]: the others
//! - [`exec`]: running programs; [`descriptors`]: what they inherit
//! - [`task`]: making tasks, changing users, reaching into other tasks
//! - [`privilege`]: what is no access to an object
//! - [`dentry`]: what makes stale what is remembered
//!
//! A program does not get the answer of the LSM programs before it: the kernel
//! stops at the first that refuses.
//!
//! A hook whose arguments differ between kernels has a program for each form.
//! The agent picks by the arguments' names in the kernel's BTF.

mod attributes;
mod dentry;
mod descriptors;
mod exec;
mod file;
mod ioctl;
mod memory;
mod name;
mod network;
mod privilege;
mod socket;
mod task;

use core::ffi::c_void;

use aya_ebpf::programs::LsmContext;
use enforcer_abi::{Access, Counter, Label, Operation, Privilege, Reason};

use crate::{
    judge::{self, Answer, Folder, How, Question, Told},
    kernel::{self, Task, errno_in_range, load, offset},
    maps,
    scratch::Object,
    subject,
};

const EPERM: i32 = 1;
const ENOMEM: i32 = 12;
const EACCES: i32 = 13;
const EXDEV: i32 = 18;

/// Has `decide` decide about the current task, if anything confines it. What it
/// cannot understand is refused, as far as the modes of the profiles have it so.
#[inline(always)]
fn confined(operation: Operation, decide: impl FnOnce(&mut Label) -> Result<i32, Reason>) -> i32 {
    errno_in_range(match subject::confined(Task::current()) {
        Ok(None) => 0,
        Ok(Some(label)) => decide(label).unwrap_or_else(|reason| fail(operation, reason)),
        Err(reason) => refuse(reason),
    })
}

/// Judges an operation of the current task, which is confined, that could not be
/// understood.
#[inline(always)]
fn fail(operation: Operation, reason: Reason) -> i32 {
    errno(judge::fail(operation, reason, How::PLAIN))
}

/// Judges what the current task asks for, if anything confines it. `question` is
/// called only then; it returns `None` for what no profile speaks about.
#[inline(always)]
fn mediate(
    operation: Operation,
    question: impl FnOnce(&Label) -> Result<Option<Question>, Reason>,
) -> i32 {
    confined(
        operation,
        #[inline(always)]
        |label| {
            Ok(match question(label)? {
                None => 0,
                Some(question) => errno(judge::ask(label, &question, Folder::Loaded)),
            })
        },
    )
}

/// Judges an access to the `struct path` that is a hook's argument.
#[inline(always)]
fn mediate_path(operation: Operation, requested: Access, path: u64) -> i32 {
    mediate(
        operation,
        #[inline(always)]
        |_label| {
            Ok(Some(Question::plain(
                operation,
                requested,
                loaded_object(path, 0),
            )))
        },
    )
}

/// The object of the `struct path` at `offset` in what a hook got as its argument.
#[inline(always)]
fn loaded_object(structure: u64, offset: u64) -> Object {
    Object {
        vfsmount: load(structure, offset.wrapping_add(offset!(path_mnt))),
        dentry: load(structure, offset.wrapping_add(offset!(path_dentry))),
    }
}

/// Judges an access to the object at `dentry`, of which the kernel does not tell
/// by what mount it was reached. What the kernel does for itself passes: what it
/// stands for was judged.
///
/// Verifier: not by way of [`confined`], whose closure would be a call more than
/// there may be.
#[inline(always)]
fn mediate_dentry(operation: Operation, requested: Access, dentry: u64) -> i32 {
    let task = Task::current();
    match subject::confined(task) {
        Ok(None) => 0,
        Ok(Some(_label)) if kernel::acts_for_itself() => 0,
        Ok(Some(label)) => {
            let folder = load(dentry, offset!(dentry_parent));
            let answer = judge::ask_by_dentry(label, operation, requested, dentry, folder);
            errno(answer)
        }
        Err(reason) => refuse(reason),
    }
}

/// Asks for a privilege, if anything confines the current task.
#[inline(always)]
fn need(privilege: Privilege) -> i32 {
    confined(
        Operation::Privilege,
        #[inline(always)]
        |label| Ok(privileged(label, privilege, Told::Loudly)),
    )
}

/// Asks for a privilege of the current task, which is confined.
#[inline(always)]
fn privileged(label: &mut Label, privilege: Privilege, told: Told) -> i32 {
    match judge::privilege(label, privilege, told) {
        Answer::Granted => 0,
        _ => -EPERM,
    }
}

#[inline(always)]
fn errno(answer: Answer) -> i32 {
    match answer {
        Answer::Granted => 0,
        Answer::Grows | Answer::Refused | Answer::Anonymous => -EACCES,
    }
}

/// Refuses: a profile is to confine the task, and which cannot be told.
#[inline(always)]
fn refuse(reason: Reason) -> i32 {
    maps::count_reason(reason);
    maps::count(Counter::Denied);
    -EACCES
}

/// The address in a hook's argument.
#[inline(always)]
fn address(context: &LsmContext, index: usize) -> u64 {
    let pointer: *const c_void = context.arg(index);
    pointer as u64
}
