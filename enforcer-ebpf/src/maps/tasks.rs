//! Labels of tasks.
//!
//! A task has a seat at the place that its address gives, unless another sits there: then
//! it has one of the spare seats, and a hash tells which. A seat costs less than a hash by
//! far, and less than task storage, which the kernel allocates and frees in its own time.
//!
//! The address of a task is no other's until the kernel frees it; just before, `task_free`
//! forgets the label.

#![expect(unsafe_code, reason = "maps hand out raw pointers")]

use core::ptr::{read_volatile, write_volatile};

use aya_ebpf::{
    bindings::{BPF_F_NO_PREALLOC, BPF_NOEXIST},
    btf_maps::{Array, HashMap},
    macros::btf_map,
};
use enforcer_abi::{
    Label, Reason,
    limits::{MEMORY_TRIES, SEAT_TRIES, SEATS as PLACES, SPARE_SEATS},
};

use crate::kernel::{self, Lock, Task, global};

/// A label, and whose it is.
#[repr(C)]
struct Seat {
    /// Held as long as somebody sits there.
    taken: Lock,
    /// The address of the task; 0 if none.
    task: u64,
    label: Label,
}

/// Seats by [`place`], then the spare ones. Written here alone: by the task that sits
/// there, and before it runs by the one that makes it.
#[btf_map]
static SEATS: Array<Seat, { PLACES + SPARE_SEATS }> = Array::new();

/// Spare seats of tasks, by their addresses.
#[btf_map]
static SPARE: HashMap<u64, u32, SPARE_SEATS, { BPF_F_NO_PREALLOC as usize }> = HashMap::new();

#[inline(always)]
fn place(task: Task) -> u32 {
    const { assert!(PLACES.is_power_of_two()) };
    (kernel::spread(task.address()) >> 40) as u32 & (PLACES as u32 - 1)
}

/// The seat at a place.
#[inline(always)]
fn any_seat(at: u32) -> Option<&'static mut Seat> {
    // SAFETY: a map value. Whoever does not sit there reads the task's address alone.
    unsafe { SEATS.get_ptr_mut(at)?.as_mut() }
}

/// The seat at a place, if `task` sits there.
#[inline(always)]
fn seat(at: u32, task: Task) -> Option<&'static mut Seat> {
    let seat = any_seat(at)?;
    // SAFETY: a reference; a task's address is written and read in one go.
    let who = unsafe { read_volatile(&raw const seat.task) };
    (who == task.address()).then_some(seat)
}

global! {
    /// Which spare seat the task at an address has; `u32::MAX`: none.
    fn spare_seat(task: u64) -> u32 {
        // SAFETY: a value is written once.
        unsafe { SPARE.get(task) }.map_or(u32::MAX, |at| *at)
    }
}

/// The label of `task`, if it has one.
///
/// Verifier: whatever the seat, the pointer is to a value of the same map.
#[inline(always)]
pub(crate) fn label(task: Task) -> Option<&'static mut Label> {
    let seat = match seat(place(task), task) {
        Some(seat) => seat,
        None => seat(spare_seat(task.address()), task)?,
    };
    // It stays until the task is freed, which is the current one, or one that is being made
    // or that the caller's hook holds.
    Some(&mut seat.label)
}

/// An empty label, of no epoch, for a task that is being made.
///
/// # Errors
///
/// As [`label_or_empty`].
#[inline(always)]
pub(crate) fn new_label(task: Task) -> Result<&'static mut Label, Reason> {
    make_label(task.address());
    label(task).ok_or(Reason::NoLabel)
}

/// The label of `task`; an empty one, of no epoch, if it had none.
///
/// # Errors
///
/// [`Reason::NoLabel`] if there is no seat.
#[inline(always)]
pub(crate) fn label_or_empty(task: Task) -> Result<&'static mut Label, Reason> {
    match label(task) {
        Some(label) => Ok(label),
        None => new_label(task),
    }
}

global! {
    /// Gives the task at this address a seat with an empty label, if there is one.
    fn make_label(task: u64) -> u32 {
        let task = Task::at(task);
        if sit(place(task), task) {
            return 0;
        }
        for _ in 0..SEAT_TRIES {
            let at = PLACES as u32 + (kernel::random() as u32 & (SPARE_SEATS as u32 - 1));
            if sit(at, task) {
                note_spare(task.address(), at);
                break;
            }
        }
        0
    }
}

global! {
    /// Notes which spare seat the task at an address has, or gives it up.
    fn note_spare(task: u64, at: u32) -> u32 {
        // From Linux 7.0 there may be no memory for a moment.
        for _ in 0..MEMORY_TRIES {
            if SPARE.insert(task, at, BPF_NOEXIST.into()).is_ok() {
                return 0;
            }
        }
        rise(at, Task::at(task));
        0
    }
}

/// Has `task` sit at a place, with an empty label, if nobody does. Returns whether.
#[inline(always)]
fn sit(at: u32, task: Task) -> bool {
    let Some(seat) = any_seat(at) else {
        return false;
    };
    // What was at the task's address before may not have left, where the kernel left out
    // its program.
    let stayed = self::seat(at, task).is_some();
    if !stayed && !seat.taken.try_take() {
        return false;
    }
    kernel::clear(&mut seat.label);
    // SAFETY: a reference to what now is this task's.
    unsafe { write_volatile(&raw mut seat.task, task.address()) };
    true
}

/// Has `task` leave a place. Returns whether it sat there.
#[inline(always)]
fn rise(at: u32, task: Task) -> bool {
    let Some(seat) = seat(at, task) else {
        return false;
    };
    // SAFETY: a reference to what is this task's until the next line.
    unsafe { write_volatile(&raw mut seat.task, 0) };
    seat.taken.give();
    true
}

/// Forgets the label of `task`, which is about to be freed.
#[inline(always)]
pub(crate) fn forget(task: Task) {
    if rise(place(task), task) {
        return;
    }
    let at = spare_seat(task.address());
    if at != u32::MAX {
        rise(at, task);
        // It was there just now, and only this program removes it.
        let _result = SPARE.remove(task.address());
    }
}
