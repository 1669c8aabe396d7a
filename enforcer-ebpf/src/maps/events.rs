//! Records for the agent, in a ring buffer.

#![expect(unsafe_code, reason = "maps hand out raw pointers")]

use core::{hint::black_box, ptr::from_ref};

use aya_ebpf::{
    bindings::{BPF_RB_AVAIL_DATA, BPF_RB_FORCE_WAKEUP, BPF_RB_NO_WAKEUP},
    btf_maps::RingBuf,
    helpers::generated::bpf_ringbuf_query,
    macros::btf_map,
};
use enforcer_abi::{
    Event,
    limits::{EVENTS_BYTES, SHORT_PATH_LEN},
};

use crate::{
    kernel,
    maps::Haste,
    scratch::{BUFFER, Scratch},
};

/// Records for the agent.
#[btf_map]
static EVENTS: RingBuf<u8, EVENTS_BYTES> = RingBuf::new();

/// An event with the longest path that the short form holds.
#[repr(C)]
struct Record<const PATH: usize> {
    event: Event,
    path: [u8; PATH],
}

/// Sends an event with the path in `scratch`, and the current thread's name.
/// Returns whether there was room.
#[inline(always)]
pub(crate) fn send(scratch: &Scratch, haste: Haste, event: impl Fn() -> Event) -> bool {
    if scratch.path_len() < SHORT_PATH_LEN as u32 {
        send_as::<SHORT_PATH_LEN>(scratch, haste, event)
    } else {
        send_as::<BUFFER>(scratch, haste, event)
    }
}

/// Bytes of events that the agent has not read yet.
#[inline(always)]
fn waiting() -> u64 {
    let map = from_ref(&EVENTS).cast_mut().cast();
    // SAFETY: the map is a ring buffer.
    unsafe { bpf_ringbuf_query(map, BPF_RB_AVAIL_DATA.into()) }
}

/// Whether there is room for what can be told another time, too.
#[inline(always)]
pub(crate) fn has_room() -> bool {
    waiting() < EVENTS_BYTES as u64 / 4 * 3
}

#[inline(always)]
fn send_as<const PATH: usize>(scratch: &Scratch, haste: Haste, event: impl Fn() -> Event) -> bool {
    let Some(entry) = EVENTS.reserve_bytes(size_of::<Record<PATH>>(), 0) else {
        return false;
    };
    let mut entry = entry;
    let record = entry.as_mut_ptr().cast::<Record<PATH>>();
    // SAFETY: a place inside the entry.
    let head = unsafe { &raw mut (*record).event };
    // SAFETY: the entry has a record's size, and the kernel aligns it to 8.
    unsafe { head.write(event()) };
    // SAFETY: as before; it was just written.
    kernel::comm(unsafe { &mut (*head).comm });
    // SAFETY: a place inside the entry.
    let path = unsafe { &raw mut (*record).path };
    // Verifier: "R2 unbounded memory access, use 'var &= const'". The mask changes
    // nothing, which the compiler must not find out.
    const { assert!(PATH.is_power_of_two()) };
    let len = black_box(scratch.path_len()) & (PATH as u32 - 1);
    let start = scratch.start & (BUFFER as u32 - 1);
    // SAFETY: an address inside the buffer.
    let source = unsafe { scratch.buffer.as_ptr().add(start as usize) };
    // What is left unwritten has no meaning, and a read of our own buffer does
    // not fail.
    let _result = kernel::read_into(path, len, source as u64);
    let waits = haste == Haste::Later && waiting() < EVENTS_BYTES as u64 / 2;
    // Without a flag the kernel wakes nobody if there is a record before that nobody was
    // woken for.
    entry.submit(u64::from(if waits {
        BPF_RB_NO_WAKEUP
    } else {
        BPF_RB_FORCE_WAKEUP
    }));
    true
}
