//! Making tasks.

use core::ffi::c_void;

use aya_ebpf::{macros::lsm, programs::LsmContext};

use crate::{hooks::ENOMEM, kernel::Task, maps, subject};

/// `int task_alloc(struct task_struct *task, unsigned long clone_flags)`
///
/// The child has its domain before it runs.
#[lsm(hook = "task_alloc")]
fn task_alloc(context: LsmContext) -> i32 {
    let prior: i32 = context.arg(2);
    if prior != 0 {
        return prior;
    }
    let child: *const c_void = context.arg(0);
    match subject::inherit(Task::from_argument(child)) {
        Ok(()) => 0,
        Err(reason) => {
            maps::count_reason(reason);
            -ENOMEM
        }
    }
}
