//! What a task carries, before Linux 5.11: its label in a hash, and a scratch that
//! belongs to the CPU.
//!
//! The key of a label is the address of its task, which no other has until the
//! kernel frees it; just before, `task_free` forgets the label. A scratch of a CPU
//! is safe here: on these kernels nothing preempts a program.

#![expect(unsafe_code, reason = "maps hand out raw pointers")]

use aya_ebpf::{
    bindings::{BPF_F_NO_PREALLOC, BPF_NOEXIST},
    btf_maps::{HashMap, PerCpuArray},
    macros::btf_map,
};
use enforcer_abi::{Label, Reason, limits::TASKS};

use crate::{kernel::Task, scratch::Scratch};

/// Domains of tasks. Written here alone.
#[btf_map]
static LABELS: HashMap<u64, Label, TASKS, { BPF_F_NO_PREALLOC as usize }> = HashMap::new();

/// Scratches of CPUs.
#[btf_map]
static SCRATCHES: PerCpuArray<Scratch, 1> = PerCpuArray::new();

/// The label of `task`, if it has one.
#[inline(always)]
pub(crate) fn label(task: Task) -> Option<&'static mut Label> {
    let label = LABELS.get_ptr_mut(task.address())?;
    // SAFETY: a map value, which stays until the task is freed. It is the current
    // task or one that is being made; only programs that run as it write to it.
    unsafe { label.as_mut() }
}

/// The label of `task`, made from `initial` if it had none.
#[inline(always)]
pub(crate) fn label_or_insert(
    task: Task,
    initial: &mut Label,
) -> Result<&'static mut Label, Reason> {
    if let Some(label) = label(task) {
        return Ok(label);
    }
    // That there is one meanwhile is no failure.
    let _result = LABELS.insert(task.address(), *initial, BPF_NOEXIST.into());
    label(task).ok_or(Reason::NoLabel)
}

/// Forgets the label of `task`, which is about to be freed.
#[inline(always)]
pub(crate) fn forget(task: Task) {
    // That there was none is no failure.
    let _result = LABELS.remove(task.address());
}

/// The scratch of this CPU.
#[inline(always)]
pub(crate) fn scratch(_task: Task) -> Result<&'static mut Scratch, Reason> {
    let scratch = SCRATCHES.get_ptr_mut(0).ok_or(Reason::NoScratch)?;
    // SAFETY: a map value, and this program is the only one that runs on the CPU.
    unsafe { scratch.as_mut() }.ok_or(Reason::NoScratch)
}

/// A scratch of a CPU stays.
#[inline(always)]
pub(crate) fn free_scratch(_task: Task) {}
