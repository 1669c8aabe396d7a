//! Records for the agent, before Linux 5.12: in a queue.
//!
//! A ring buffer is younger, and a perf buffer needs a hook's context, which a
//! function that is verified on its own does not have.

#![expect(unsafe_code, reason = "maps hand out raw pointers")]

use core::hint::black_box;

use aya_ebpf::{
    btf_maps::{PerCpuArray, Queue},
    macros::btf_map,
};
use enforcer_abi::{Event, limits::QUEUED_EVENTS};

use crate::{
    kernel,
    maps::Haste,
    scratch::{BUFFER, Scratch},
};

/// An event with its path.
#[repr(C)]
struct Record {
    event: Event,
    path: [u8; BUFFER],
}

/// Records for the agent.
#[btf_map]
static EVENTS: Queue<Record, QUEUED_EVENTS> = Queue::new();

/// Where each CPU puts its record together.
#[btf_map]
static RECORD: PerCpuArray<Record, 1> = PerCpuArray::new();

/// Whether there is room for what can be told another time, too: nobody can say.
#[inline(always)]
pub(crate) fn has_room() -> bool {
    true
}

/// Sends an event with the path in `scratch`, and the current thread's name.
/// Returns whether there was room. The agent looks by itself, often.
#[inline(always)]
pub(crate) fn send(scratch: &Scratch, _haste: Haste, event: impl Fn() -> Event) -> bool {
    let Some(record) = RECORD.get_ptr_mut(0) else {
        return false;
    };
    // SAFETY: a map value of this CPU, where nothing preempts a program.
    let record = unsafe { &mut *record };
    record.event = event();
    kernel::comm(&mut record.event.comm);
    // Verifier: the mask changes nothing, which the compiler must not find out.
    let len = black_box(scratch.path_len()) & (BUFFER as u32 - 1);
    let start = scratch.start & (BUFFER as u32 - 1);
    // SAFETY: an address inside the buffer.
    let source = unsafe { scratch.buffer.as_ptr().add(start as usize) };
    // What is left over from another has no meaning, and a read of our own buffer
    // does not fail.
    let _result = kernel::read_into(&raw mut record.path, len, source as u64);
    EVENTS.push(&*record, 0).is_ok()
}
