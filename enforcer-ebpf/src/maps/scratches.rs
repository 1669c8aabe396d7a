//! Scratches: each processor has a few, and there are some for all.
//!
//! A task can be preempted in the middle of a program, and another's program then runs on
//! that processor. So a scratch is held from a decision's start to its end.

#![expect(unsafe_code, reason = "maps hand out raw pointers")]

use aya_ebpf::{btf_maps::Array, macros::btf_map};
use enforcer_abi::{
    Reason,
    limits::{SCRATCH_TRIES, SCRATCHES_A_CPU, SCRATCHES_FOR_ALL},
};

use crate::{
    kernel::{self, global, offset},
    scratch::Scratch,
};

/// The agent makes as many as the machine's processors take.
#[btf_map]
static SCRATCHES: Array<Scratch, SCRATCHES_FOR_ALL> = Array::new();

/// The scratch at a place, which the caller holds.
#[inline(always)]
pub(crate) fn scratch(at: u32) -> Result<&'static mut Scratch, Reason> {
    let scratch = SCRATCHES.get_ptr_mut(at).ok_or(Reason::NoScratch)?;
    // SAFETY: a map value, which nobody else holds.
    unsafe { scratch.as_mut() }.ok_or(Reason::NoScratch)
}

/// Takes a scratch that nobody holds.
///
/// # Errors
///
/// [`Reason::NoScratch`].
#[inline(always)]
pub(crate) fn take() -> Result<&'static mut Scratch, Reason> {
    let first = kernel::processor().wrapping_mul(SCRATCHES_A_CPU);
    match try_take(first) {
        Some(scratch) => Ok(scratch),
        None => scratch(take_other(first)),
    }
}

global! {
    /// The place of another scratch than `first`, taken; `u32::MAX` if there is none.
    fn take_other(first: u32) -> u32 {
        for next in 1..SCRATCHES_A_CPU {
            if try_take(first.wrapping_add(next)).is_some() {
                return first.wrapping_add(next);
            }
        }
        for _ in 0..SCRATCH_TRIES {
            let at = kernel::random() as u32 & (SCRATCHES_FOR_ALL as u32 - 1);
            let at = at.wrapping_add(offset!(scratches) as u32);
            if try_take(at).is_some() {
                return at;
            }
        }
        u32::MAX
    }
}

#[inline(always)]
fn try_take(at: u32) -> Option<&'static mut Scratch> {
    let scratch = scratch(at).ok()?;
    if !scratch.held.try_take() {
        return None;
    }
    scratch.at = at;
    Some(scratch)
}

/// Gives a scratch back.
#[inline(always)]
pub(crate) fn give(scratch: &mut Scratch) {
    scratch.held.give();
}
