//! Every map, each behind safe functions.

#![expect(unsafe_code, reason = "maps hand out raw pointers")]

use core::{
    hint::black_box,
    ptr::{from_mut, from_ref, null_mut},
};

use aya_ebpf::{
    bindings::{BPF_F_NO_PREALLOC, BPF_LOCAL_STORAGE_GET_F_CREATE, BPF_NOEXIST, bpf_map_type},
    btf_maps::{Array, ArrayOfMaps, HashMap, PerCpuArray, RingBuf},
    helpers::generated::{bpf_task_storage_delete, bpf_task_storage_get},
    macros::btf_map,
};
use enforcer_abi::{
    Access, Counter, Event, Hit, Label, Reason, Slot, ViolationCount, ViolationKey,
    limits::{EVENTS_BYTES, OUTCOMES, SHORT_PATH_LEN, SLOTS, TABLE_WORDS, VIOLATIONS},
};

use crate::{
    kernel::{self, Task},
    scratch::{BUFFER, Scratch},
};

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

/// The profile that the task's next exec puts it under, in the process layer.
/// Written by the agent alone, by pidfd.
#[btf_map]
static ENROLMENTS: TaskStorage<Slot> = TaskStorage::new();

/// Scratch of confined tasks, and of others while they exec.
#[btf_map]
static SCRATCHES: TaskStorage<Scratch> = TaskStorage::new();

/// The subject epoch: counts the changes of attachments; 0 while nothing is
/// loaded. Written by the agent alone.
#[btf_map]
static EPOCH: Array<u32, 1> = Array::new();

/// The size class of each slot's table. Written by the agent alone.
#[btf_map]
static CLASSES: Array<u32, SLOTS> = Array::new();

/// Tables of each size class by slot. Written by the agent alone, one inner map
/// a slot, never changed once it is in.
#[btf_map]
static TABLES_SMALL: Tables<{ TABLE_WORDS[0] }> = ArrayOfMaps::new();
#[btf_map]
static TABLES_MEDIUM: Tables<{ TABLE_WORDS[1] }> = ArrayOfMaps::new();
#[btf_map]
static TABLES_LARGE: Tables<{ TABLE_WORDS[2] }> = ArrayOfMaps::new();

type Tables<const WORDS: usize> = ArrayOfMaps<Array<[u32; WORDS], 1>, SLOTS>;

/// Grants by outcome. The agent sums over CPUs.
#[btf_map]
static HITS: PerCpuArray<Hit, OUTCOMES> = PerCpuArray::new();

/// See [`Counter`]. The agent sums over CPUs.
#[btf_map]
static COUNTERS: PerCpuArray<u64, { Counter::COUNT }> = PerCpuArray::new();

/// Distinct violations. The agent reads, and removes what it has taken over.
#[btf_map]
static VIOLATIONS_SEEN: HashMap<ViolationKey, ViolationCount, VIOLATIONS> = HashMap::new();

/// Records for the agent.
#[btf_map]
static EVENTS: RingBuf<u8, EVENTS_BYTES> = RingBuf::new();

/// The subject epoch; 0 while nothing is loaded.
#[inline(always)]
pub(crate) fn epoch() -> u32 {
    EPOCH.get(0).copied().unwrap_or(0)
}

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
    LABELS
        .get_or_insert(task, Some(initial))
        .ok_or(Reason::NoLabel)
}

/// The profile under which the agent put the next exec of `task`.
#[inline(always)]
pub(crate) fn enrolment(task: Task) -> Slot {
    ENROLMENTS.get(task).map_or(Slot::NONE, |slot| *slot)
}

/// Forgets the enrolment of `task`, which has taken effect.
#[inline(always)]
pub(crate) fn end_enrolment(task: Task) {
    ENROLMENTS.delete(task);
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

/// A slot's table, of its size class.
pub(crate) enum AnyTable {
    Small(&'static [u32; TABLE_WORDS[0]]),
    Medium(&'static [u32; TABLE_WORDS[1]]),
    Large(&'static [u32; TABLE_WORDS[2]]),
}

/// The table of `slot`.
#[inline(always)]
pub(crate) fn table(slot: Slot) -> Option<AnyTable> {
    match CLASSES.get(slot.0)? {
        0 => TABLES_SMALL.get_value(slot.0, &0).map(AnyTable::Small),
        1 => TABLES_MEDIUM.get_value(slot.0, &0).map(AnyTable::Medium),
        2 => TABLES_LARGE.get_value(slot.0, &0).map(AnyTable::Large),
        _ => None,
    }
}

/// Counts one grant of `used` by the outcome whose counter is `index`.
#[inline(always)]
pub(crate) fn hit(index: u32, used: Access) {
    let Some(hit) = HITS.get_ptr_mut(index) else {
        return;
    };
    // SAFETY: a map value; `addr_of` makes no reference.
    kernel::atomic_add(unsafe { &raw mut (*hit).count }, 1);
    // SAFETY: as above; a stale read only makes one more write.
    let known = unsafe { (*hit).used };
    if !known.contains(used) {
        // SAFETY: as above.
        kernel::atomic_set(unsafe { &raw mut (*hit).used.0 }, used.0);
    }
}

/// Adds one to a counter.
#[inline(always)]
pub(crate) fn count(counter: Counter) {
    count_at(counter as u32);
}

/// Adds one to the counter of `reason`.
#[inline(always)]
pub(crate) fn count_reason(reason: Reason) {
    count_at(reason as u32);
}

#[inline(always)]
fn count_at(index: u32) {
    if let Some(counter) = COUNTERS.get_ptr_mut(index) {
        kernel::atomic_add(counter, 1);
    }
}

/// Whether a violation still has to be told to the agent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Telling {
    /// It was told before; its count is enough.
    Done,
    /// It is the first of its kind, or the first try to tell it failed.
    Due,
}

/// Counts a violation at `now_ns`.
#[inline(always)]
pub(crate) fn violation(key: &ViolationKey, now_ns: u64) -> Telling {
    if let Some(telling) = again(key, now_ns) {
        return telling;
    }
    let first = ViolationCount {
        count: 1,
        first_ns: now_ns,
        last_ns: now_ns,
        told: 0,
        reserved: 0,
    };
    match VIOLATIONS_SEEN.insert(key, first, BPF_NOEXIST.into()) {
        Ok(()) => Telling::Due,
        // Another CPU was first, or the map is full.
        Err(_) => again(key, now_ns).unwrap_or_else(|| {
            count(Counter::ViolationsUnlisted);
            Telling::Due
        }),
    }
}

/// Counts a violation that is in the map already.
#[inline(always)]
fn again(key: &ViolationKey, now_ns: u64) -> Option<Telling> {
    let seen = VIOLATIONS_SEEN.get_ptr_mut(key)?;
    // SAFETY: a map value. Were it removed meanwhile, this count would go with
    // it: the agent removes only what has been quiet for long.
    kernel::atomic_add(unsafe { &raw mut (*seen).count }, 1);
    // SAFETY: as above; CPUs may set it in either order, by nanoseconds.
    unsafe { (*seen).last_ns = now_ns };
    // SAFETY: as above.
    let told = unsafe { (*seen).told };
    Some(if told == 0 {
        Telling::Due
    } else {
        Telling::Done
    })
}

/// Notes that the agent was told of `key`.
#[inline(always)]
pub(crate) fn told(key: &ViolationKey) {
    if let Some(seen) = VIOLATIONS_SEEN.get_ptr_mut(key) {
        // SAFETY: a map value, and a word that is only ever set to 1.
        unsafe { (*seen).told = 1 };
    }
}

/// An event with the longest path that the short form holds.
#[repr(C)]
struct Record<const PATH: usize> {
    event: Event,
    path: [u8; PATH],
}

/// Sends `event` with the path in `scratch`. Returns whether there was room.
#[inline(always)]
pub(crate) fn send(event: &Event, scratch: &Scratch) -> bool {
    if event.path_len < SHORT_PATH_LEN as u32 {
        send_as::<SHORT_PATH_LEN>(event, scratch)
    } else {
        send_as::<BUFFER>(event, scratch)
    }
}

#[inline(always)]
fn send_as<const PATH: usize>(event: &Event, scratch: &Scratch) -> bool {
    let Some(entry) = EVENTS.reserve_bytes(size_of::<Record<PATH>>(), 0) else {
        return false;
    };
    let mut entry = entry;
    let record = entry.as_mut_ptr().cast::<Record<PATH>>();
    // SAFETY: a place inside the entry.
    let head = unsafe { &raw mut (*record).event };
    // SAFETY: the entry has a record's size, and the kernel aligns it to 8.
    unsafe { head.write(*event) };
    // SAFETY: a place inside the entry.
    let path = unsafe { &raw mut (*record).path };
    // Verifier: "R2 unbounded memory access, use 'var &= const'". The mask changes
    // nothing, which the compiler must not find out.
    const { assert!(PATH.is_power_of_two()) };
    let len = black_box(event.path_len) & (PATH as u32 - 1);
    let start = scratch.start & (BUFFER as u32 - 1);
    // SAFETY: an address inside the buffer.
    let source = unsafe { scratch.buffer.as_ptr().add(start as usize) };
    // What is left unwritten has no meaning, and a read of our own buffer does
    // not fail.
    let _result = kernel::read_into(path, len, source as u64);
    entry.submit(0);
    true
}
