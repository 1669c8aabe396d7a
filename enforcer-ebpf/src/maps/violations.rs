//! Distinct violations, and how often each happened.

#![expect(unsafe_code, reason = "maps hand out raw pointers")]

use aya_ebpf::{bindings::BPF_NOEXIST, btf_maps::HashMap, macros::btf_map};
use enforcer_abi::{Counter, ViolationCount, ViolationKey, limits::VIOLATIONS};

use crate::{kernel, maps::count};

/// Distinct violations. The agent reads, and removes what it has taken over.
#[btf_map]
static VIOLATIONS_SEEN: HashMap<ViolationKey, ViolationCount, VIOLATIONS> = HashMap::new();

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
