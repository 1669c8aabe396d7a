//! Every map, each behind safe functions.
//!
//! - [`tasks`]: labels; [`scratches`]; [`contained`]: who is contained
//! - [`known`]: what is remembered of objects
//! - [`violations`]: counts of violations; [`uses`]: what of grants was told; [`events`]:
//!   records for the agent
//!
//! `events` exists twice, with one interface: for kernels from 5.12 on, and for older
//! ones.

#![expect(unsafe_code, reason = "maps hand out raw pointers")]

pub(crate) mod contained;
#[cfg_attr(feature = "legacy", path = "maps/events_legacy.rs")]
pub(crate) mod events;
pub(crate) mod known;
mod scratches;
mod tasks;
pub(crate) mod uses;
pub(crate) mod violations;

use core::{
    cell::UnsafeCell,
    hint::black_box,
    mem::offset_of,
    ptr::{read_volatile, write_volatile},
};

use aya_ebpf::{
    bindings::BPF_F_MMAPABLE,
    btf_maps::{Array, ArrayOfMaps, HashMap, PerCpuArray},
    macros::btf_map,
};
use enforcer_abi::{
    Access, Adopted, Counter, Hit, Reason, Slot, Subjects,
    limits::{self, LOOKS, OUTCOMES, SLOTS, TABLE_WORDS},
};

pub(crate) use self::{
    events::{has_room, send},
    scratches::{give, scratch, take},
    tasks::{forget, label, label_or_empty, new_label},
    violations::{Telling, told, violation},
};
use crate::kernel;

/// When the agent is to read an event.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Haste {
    /// At once.
    Now,
    /// With the next that is to be read at once, or when it looks by itself; or when half
    /// of the room is taken.
    Later,
}

/// What there is to look at when a domain is decided. Written by the agent alone. A
/// section of its own makes it a map of its own, which is read without a look-up.
#[unsafe(no_mangle)]
#[unsafe(link_section = ".data.subjects")]
static SUBJECTS: Shared<Subjects> = Shared(UnsafeCell::new(Subjects::NONE));

/// A global of which each word is read and written at once, by whoever.
#[repr(transparent)]
struct Shared<T>(UnsafeCell<T>);

// SAFETY: what is in it are numbers, of which any are a value.
unsafe impl<T> Sync for Shared<T> {}

/// Its own address.
#[unsafe(link_section = ".bss.base")]
static BASE: Shared<u64> = Shared(UnsafeCell::new(0));

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

/// Grants by outcome, but for those from memory: so many for each CPU, which the agent
/// sums. It makes as many as the machine's processors take, and maps them.
#[btf_map]
static HITS: Array<Hit, OUTCOMES, { BPF_F_MMAPABLE as usize }> = Array::new();

/// See [`Counter`]. The agent sums over CPUs.
#[btf_map]
static COUNTERS: PerCpuArray<u64, { Counter::COUNT }> = PerCpuArray::new();

/// What there is to look at when a domain is decided, but for the version.
#[inline(always)]
pub(crate) fn subjects() -> Subjects {
    // SAFETY: a global, which begins with these; the agent replaces its words one by one.
    let [epoch, kinds] = unsafe { read_volatile(SUBJECTS.0.get().cast()) };
    Subjects {
        epoch,
        kinds,
        ..Subjects::NONE
    }
}

/// The version of the profiles, [`Subjects::version`].
#[inline(always)]
pub(crate) fn version() -> u32 {
    word_of_subjects(offset_of!(Subjects, version))
}

/// When the programs' clock was 0, [`Subjects::booted`].
#[inline(always)]
pub(crate) fn booted() -> u32 {
    word_of_subjects(offset_of!(Subjects, booted))
}

/// The word of [`Subjects`] at this offset in bytes, one of its fields.
#[inline(always)]
fn word_of_subjects(offset: usize) -> u32 {
    let subjects: *const u32 = SUBJECTS.0.get().cast();
    // SAFETY: inside the global.
    let word = unsafe { subjects.byte_add(offset) };
    // SAFETY: as before; the agent replaces it at once.
    unsafe { read_volatile(word) }
}

/// A pointer as a number, with which there may be any reckoning.
///
/// Verifier: the difference of two pointers is one, and so is a pointer in a map.
#[inline(always)]
pub(crate) fn number(pointer: u64) -> u64 {
    let base = BASE.0.get();
    // SAFETY: a global. Whoever writes to it writes the same.
    let mut address = unsafe { read_volatile(base) };
    if address == 0 {
        // SAFETY: as before.
        unsafe { write_volatile(base, base as u64) };
        // SAFETY: as before.
        address = unsafe { read_volatile(base) };
    }
    black_box(pointer.wrapping_sub(base as u64)).wrapping_add(address)
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

/// The counter `index` on this CPU.
#[inline(always)]
fn hits(index: u32) -> Option<*mut Hit> {
    let of_cpu = kernel::processor().wrapping_mul(OUTCOMES as u32);
    HITS.get_ptr_mut(of_cpu.wrapping_add(index))
}

/// Whether a grant by the outcome whose counter is `index` is looked at for the history.
#[inline(always)]
pub(crate) fn is_looked_at(index: u32) -> bool {
    // SAFETY: a map value, of which a word is read.
    hits(index).is_some_and(|hit| unsafe { (*hit).looks } < LOOKS)
}

/// Takes one of the looks that the outcome with this counter has left.
#[inline(always)]
pub(crate) fn look(index: u32) -> bool {
    let Some(hit) = hits(index) else {
        return false;
    };
    // SAFETY: a map value, of which a word is read.
    let looks = unsafe { (*hit).looks };
    if looks >= LOOKS {
        return false;
    }
    // SAFETY: as before. Another program that comes between takes the same look.
    unsafe { (*hit).looks = looks + 1 };
    true
}

/// Counts one grant of `used` by the outcome whose counter is `index`.
#[inline(always)]
pub(crate) fn hit(index: u32, used: Access) {
    let Some(hit) = hits(index) else {
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
