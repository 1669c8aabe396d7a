//! Every map, each behind safe functions.
//!
//! - [`tasks`]: labels and scratches
//! - [`violations`]: counts of violations; [`events`]: records for the agent
//!
//! `tasks` and `events` exist twice, with one interface: for kernels from 5.11
//! on, and for older ones.

#![expect(unsafe_code, reason = "maps hand out raw pointers")]

#[cfg_attr(feature = "legacy", path = "maps/events_legacy.rs")]
pub(crate) mod events;
#[cfg_attr(feature = "legacy", path = "maps/tasks_legacy.rs")]
pub(crate) mod tasks;
pub(crate) mod violations;

use aya_ebpf::{
    btf_maps::{Array, ArrayOfMaps, HashMap, PerCpuArray},
    macros::btf_map,
};
use enforcer_abi::{
    Access, Adopted, Counter, Hit, Reason, Slot, Subjects,
    limits::{self, MEMORY_TRIES, OUTCOMES, SLOTS, TABLE_WORDS},
};

pub(crate) use self::{
    events::send,
    tasks::{free_scratch, label, label_or_insert, scratch},
    violations::{Telling, told, violation},
};
use crate::{
    kernel::{self, Task, global},
    scratch::Scratch,
};

/// The scratch of the current task, for what asks for it first.
#[inline(always)]
pub(crate) fn first_scratch() -> Result<&'static mut Scratch, Reason> {
    let task = Task::current();
    scratch(task).or_else(|reason| match make_scratch() {
        0 => Err(reason),
        _ => scratch(task),
    })
}

global! {
    /// Makes the current task's scratch. Returns whether it is there: 0 or 1.
    fn make_scratch() -> u32 {
        for _ in 0..MEMORY_TRIES {
            if scratch(Task::current()).is_ok() {
                return 1;
            }
        }
        0
    }
}

/// What there is to look at when a domain is decided. Written by the agent alone.
#[btf_map]
static SUBJECTS: Array<Subjects, 1> = Array::new();

/// Profiles by user id. Written by the agent alone.
#[btf_map]
static USERS: HashMap<u32, Slot, { limits::USERS }> = HashMap::new();

/// Profiles under which running processes were put. Written by the agent alone.
#[btf_map]
static ADOPTED: HashMap<Adopted, Slot, { limits::ADOPTED }> = HashMap::new();

/// Profiles under which the next exec of a process puts it, in the process layer.
/// Written by the agent alone.
#[btf_map]
static ENROLMENTS: HashMap<Adopted, Slot, { limits::ADOPTED }> = HashMap::new();

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

/// What there is to look at when a domain is decided.
#[inline(always)]
pub(crate) fn subjects() -> Subjects {
    SUBJECTS
        .get(0)
        .copied()
        .unwrap_or(Subjects { epoch: 0, kinds: 0 })
}

/// The profile of a user.
#[inline(always)]
pub(crate) fn user(uid: u32) -> Slot {
    // SAFETY: the agent replaces values whole.
    unsafe { USERS.get(uid) }.map_or(Slot::NONE, |slot| *slot)
}

/// The profile under which a running process was put.
#[inline(always)]
pub(crate) fn adopted(process: &Adopted) -> Slot {
    // SAFETY: as above.
    unsafe { ADOPTED.get(process) }.map_or(Slot::NONE, |slot| *slot)
}

/// The profile under which the next exec of a process puts it.
#[inline(always)]
pub(crate) fn enrolment(process: &Adopted) -> Slot {
    // SAFETY: as above.
    unsafe { ENROLMENTS.get(process) }.map_or(Slot::NONE, |slot| *slot)
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
        // SAFETY: as above. It is this CPU's own: what another program that came
        // between sets meanwhile is set again by the next hit.
        unsafe { (*hit).used = known | used };
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
