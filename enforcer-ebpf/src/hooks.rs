//! The hooks. Each names the object and the rights that the operation needs;
//! what follows is the same for all.
//!
//! Every hook's last argument is the answer of the LSM programs before ours: a
//! refusal stands.

mod exec;
mod file;
mod task;

use enforcer_abi::{Counter, Label, Reason};

use crate::{
    judge::{self, Answer, Request},
    kernel::Task,
    maps, subject,
};

const EACCES: i32 = 13;
const ENOMEM: i32 = 12;

/// Judges what the current task asks for, if anything confines it. `ask` is
/// called only then; it returns `None` for what no profile speaks about.
#[inline(always)]
fn mediate(ask: impl FnOnce(&Label) -> Result<Option<Request>, Reason>) -> i32 {
    let task = Task::current();
    let label = match subject::confined(task) {
        Ok(None) => return 0,
        Ok(Some(label)) => label,
        Err(reason) => return refuse(reason),
    };
    match ask(label) {
        Ok(None) => 0,
        Ok(Some(request)) => match judge::request(task, label, request) {
            Answer::Granted => 0,
            Answer::Refused => -EACCES,
        },
        Err(reason) => refuse(reason),
    }
}

/// Refuses, since the request of a confined task could not be understood.
#[inline(always)]
fn refuse(reason: Reason) -> i32 {
    maps::count_reason(reason);
    maps::count(Counter::Denied);
    -EACCES
}
