//! Who is contained, and who was released.

#![expect(unsafe_code, reason = "maps hand out raw pointers")]

use core::{cell::UnsafeCell, mem::offset_of, ptr::read_volatile};

use aya_ebpf::{btf_maps::LruHashMap, macros::btf_map};
use enforcer_abi::{Adopted, Containment, Subjects, limits};

use super::{Shared, word_of_subjects};
use crate::kernel;

/// Processes that a violation contained, as long as they live. Those that they start have
/// it in their labels.
#[btf_map]
static CONTAINED: LruHashMap<Adopted, Containment, { limits::CONTAINED }> = LruHashMap::new();

/// Violations after which the agent released whom they contained, and until when: in
/// nanoseconds of the programs' clock. Written by the agent alone.
#[btf_map]
static RELEASED: LruHashMap<u64, u64, { limits::RELEASED }> = LruHashMap::new();

/// Counts the containments.
#[unsafe(link_section = ".bss.contained")]
static COUNT: Shared<u64> = Shared(UnsafeCell::new(0));

/// How many times anybody was contained or released.
#[inline(always)]
pub(crate) fn changes() -> u64 {
    // SAFETY: a global; a number that others add to at once.
    let contained = unsafe { read_volatile(COUNT.0.get()) };
    let releases = word_of_subjects(offset_of!(Subjects, releases));
    contained.wrapping_add(u64::from(releases))
}

/// Why a process is contained; [`Containment::NONE`]: it is not.
#[inline(always)]
pub(crate) fn find(process: &Adopted) -> Containment {
    // SAFETY: what two write at once is one of them or a mixture: contained in any case.
    unsafe { CONTAINED.get(process) }.map_or(Containment::NONE, |found| *found)
}

/// Notes that a process is contained, and has every confined task look whether it is.
#[inline(always)]
pub(crate) fn note(process: &Adopted, containment: &Containment) {
    // The map makes room for it. If it cannot, the thread that is here is contained, and
    // what it starts.
    let _result = CONTAINED.insert(process, containment, 0);
    kernel::atomic_add(COUNT.0.get(), 1);
}

/// Forgets a process that has ended.
#[inline(always)]
pub(crate) fn forget(process: &Adopted) {
    // Its threads may have had it from elsewhere.
    let _result = CONTAINED.remove(process);
}

/// Whether the agent released whom this contained.
#[inline(always)]
pub(crate) fn is_released(containment: &Containment) -> bool {
    // SAFETY: a word, which the agent replaces at once.
    let until = unsafe { RELEASED.get(containment.violation) };
    until.is_some_and(|&until| until >= containment.since_ns)
}
