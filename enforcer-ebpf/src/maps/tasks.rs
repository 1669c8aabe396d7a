//! What a task carries: its label and its scratch, in task storage.

#![expect(unsafe_code, reason = "maps hand out raw pointers")]

use core::ptr::{from_mut, from_ref, null_mut};

use aya_ebpf::{
    bindings::{BPF_F_NO_PREALLOC, BPF_LOCAL_STORAGE_GET_F_CREATE, bpf_map_type},
    helpers::generated::{bpf_task_storage_delete, bpf_task_storage_get},
    macros::btf_map,
};
use enforcer_abi::{Label, Reason, limits::MEMORY_TRIES};

use crate::{kernel::Task, scratch::Scratch};

/// Task storage, for which aya-ebpf 0.2.1 has no type. Linux 5.11.
#[repr(C)]
struct TaskStorage<T> {
    r#type: *const [i32; bpf_map_type::BPF_MAP_TYPE_TASK_STORAGE as usize],
    key: *const i32,
    value: *const T,
    max_entries: *const [i32; 0],
    map_flags: *const [i32; BPF_F_NO_PREALLOC as usize],
}

// SAFETY: a placeholder that the loader reads; its pointers are never followed.
unsafe impl<T> Sync for TaskStorage<T> {}

impl<T: 'static> TaskStorage<T> {
    const fn new() -> Self {
        Self {
            r#type: core::ptr::null(),
            key: core::ptr::null(),
            value: core::ptr::null(),
            max_entries: core::ptr::null(),
            map_flags: core::ptr::null(),
        }
    }

    /// The value of `task`, if it has one.
    #[inline(always)]
    fn get(&self, task: Task) -> Option<&'static mut T> {
        self.call(task, null_mut(), 0)
    }

    /// The value of `task`; `initial` (or zeros) if it had none. `None` if there
    /// is no memory.
    #[inline(always)]
    fn get_or_insert(&self, task: Task, initial: Option<&mut T>) -> Option<&'static mut T> {
        let initial = initial.map_or(null_mut(), from_mut);
        self.call(task, initial, BPF_LOCAL_STORAGE_GET_F_CREATE.into())
    }

    #[inline(always)]
    fn call(&self, task: Task, initial: *mut T, flags: u64) -> Option<&'static mut T> {
        let map = from_ref(self).cast_mut().cast();
        // SAFETY: the verifier checks that the map is one of task storage, that
        // the task is trusted and that `initial` has a value's size.
        let value = unsafe { bpf_task_storage_get(map, task.as_ptr(), initial.cast(), flags) };
        // SAFETY: the value lives as long as the task, which is the current one
        // or one that is being made; only programs that run as it write to it.
        unsafe { value.cast::<T>().as_mut() }
    }

    /// Frees the value of `task`.
    #[inline(always)]
    fn delete(&self, task: Task) {
        let map = from_ref(self).cast_mut().cast();
        // SAFETY: as in `call`. That there was none is no failure.
        let _result = unsafe { bpf_task_storage_delete(map, task.as_ptr()) };
    }
}

/// Domains of tasks. Written here alone.
#[btf_map]
static LABELS: TaskStorage<Label> = TaskStorage::new();

/// Scratch of confined tasks, and of others while they exec.
#[btf_map]
static SCRATCHES: TaskStorage<Scratch> = TaskStorage::new();

/// The label of `task`, if it has one.
#[inline(always)]
pub(crate) fn label(task: Task) -> Option<&'static mut Label> {
    LABELS.get(task)
}

/// The label of `task`, made from `initial` if it had none.
#[inline(always)]
pub(crate) fn label_or_insert(
    task: Task,
    initial: &mut Label,
) -> Result<&'static mut Label, Reason> {
    for _ in 0..MEMORY_TRIES {
        if let Some(label) = LABELS.get_or_insert(task, Some(initial)) {
            return Ok(label);
        }
    }
    Err(Reason::NoLabel)
}

/// The scratch of `task`.
#[inline(always)]
pub(crate) fn scratch(task: Task) -> Result<&'static mut Scratch, Reason> {
    SCRATCHES.get_or_insert(task, None).ok_or(Reason::NoScratch)
}

/// Frees the scratch of `task`.
#[inline(always)]
pub(crate) fn free_scratch(task: Task) {
    SCRATCHES.delete(task);
}
