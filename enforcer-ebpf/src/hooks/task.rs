//! Making tasks, changing users, reaching into other tasks.

use aya_ebpf::{macros::lsm, programs::LsmContext};
use enforcer_abi::{Operation, Privilege};

use crate::{
    hooks::{ENOMEM, address, confined, privileged, refuse},
    judge::Told,
    kernel::Task,
    maps,
    subject::{self, claims, containment},
};

/// `int task_alloc(struct task_struct *task, unsigned long clone_flags)`
///
/// The child has its domain before it runs.
#[lsm(hook = "task_alloc")]
fn task_alloc(context: LsmContext) -> i32 {
    match subject::inherit(Task::from_argument(&context, 0)) {
        Ok(()) => 0,
        Err(reason) => {
            maps::count_reason(reason);
            -ENOMEM
        }
    }
}

/// `void task_free(struct task_struct *task)`
#[lsm(hook = "task_free")]
fn task_free(context: LsmContext) -> i32 {
    if maps::subjects().epoch != 0
        && let Ok(task) = Task::from_argument(&context, 0)
    {
        containment::end(task);
        maps::forget(task);
    }
    0
}

/// `int task_fix_setuid(struct cred *new, const struct cred *old, int flags)`
#[lsm(hook = "task_fix_setuid")]
fn task_fix_setuid(context: LsmContext) -> i32 {
    let new = address(&context, 0);
    match subject::become_user(claims::real_user(new)) {
        Ok(()) => 0,
        Err(reason) => refuse(reason),
    }
}

/// Asks for a privilege if the task that is a hook's first argument is not in the
/// current task's domain.
#[inline(always)]
fn reach(context: &LsmContext, privilege: Privilege, told: Told) -> i32 {
    confined(
        Operation::Privilege,
        #[inline(always)]
        |label| {
            let other = Task::from_argument(context, 0)?;
            if subject::is_in_domain(label, other, privilege) {
                return Ok(0);
            }
            Ok(privileged(label, privilege, told))
        },
    )
}

/// From `include/linux/ptrace.h`: it is only a look.
const PTRACE_MODE_NOAUDIT: u32 = 4;

/// `int ptrace_access_check(struct task_struct *child, unsigned int mode)`
///
/// Also `process_vm_readv` and its kin, and much of another process' `/proc`.
#[lsm(hook = "ptrace_access_check")]
fn ptrace_access_check(context: LsmContext) -> i32 {
    let mode: u32 = context.arg(1);
    let told = if mode & PTRACE_MODE_NOAUDIT == 0 {
        Told::Loudly
    } else {
        Told::Quietly
    };
    reach(&context, Privilege::PTRACE, told)
}

/// Defines a program for a hook whose first argument is a task that is signalled
/// or steered.
macro_rules! steered {
    ($($(#[$doc:meta])* $hook:ident,)*) => {
        $($(#[$doc])*
        #[lsm]
        fn $hook(context: LsmContext) -> i32 {
            reach(&context, Privilege::SIGNAL, Told::Loudly)
        })*
    };
}

steered! {
    /// `int task_kill(struct task_struct *p, …)`: a signal.
    task_kill,
    /// `int task_setrlimit(struct task_struct *p, …)`: its limits.
    task_setrlimit,
    /// `int task_setnice(struct task_struct *p, int nice)`: its priority.
    task_setnice,
    /// `int task_setioprio(struct task_struct *p, int ioprio)`: its priority for I/O.
    task_setioprio,
    /// `int task_setscheduler(struct task_struct *p)`: its scheduler and CPUs.
    task_setscheduler,
    /// `int task_movememory(struct task_struct *p)`: where its memory is.
    task_movememory,
}
