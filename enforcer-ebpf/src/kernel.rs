//! Reads of kernel memory, and the helpers.
//!
//! - [`memory`]: reads, and words of maps
//! - [`task`]: who runs the program, and others
//! - [`lock`]: what at most one holds at a time

#![expect(unsafe_code, reason = "every helper is a call into the kernel")]

mod lock;
mod memory;
mod task;

use core::{
    arch::asm,
    ffi::c_void,
    mem::MaybeUninit,
    ptr::{from_mut, read_volatile},
};

#[cfg(feature = "legacy")]
use aya_ebpf::helpers::generated::bpf_ktime_get_ns;
#[cfg(not(feature = "legacy"))]
use aya_ebpf::helpers::generated::{bpf_bprm_opts_set, bpf_ktime_get_boot_ns};
use aya_ebpf::{
    EbpfContext as _,
    helpers::generated::{
        bpf_get_current_cgroup_id, bpf_get_current_comm, bpf_get_current_pid_tgid,
        bpf_get_current_uid_gid, bpf_get_prandom_u32, bpf_get_smp_processor_id,
    },
    programs::LsmContext,
};
use enforcer_abi::{Offsets, Reason};

pub(crate) use self::{
    lock::Lock,
    memory::{
        Words, atomic_add, can_load, clear, copy, half, halves, load, number, read, read_into,
        read_text, word,
    },
    task::{Task, acts_for_itself, is_worker, mount_namespace, owns, process},
};

/// Filled in by the agent before the programs are loaded.
#[unsafe(no_mangle)]
static OFFSETS: Offsets = {
    // SAFETY: all zero is a value of a structure of integers.
    unsafe { MaybeUninit::zeroed().assume_init() }
};

/// The value of a field of [`OFFSETS`]. Volatile: what the compiler sees there
/// is not what the agent puts there.
macro_rules! offset {
    ($field:ident) => {
        $crate::kernel::offset_at(|offsets| &raw const offsets.$field)
    };
}
pub(crate) use offset;

/// See [`offset!`].
#[inline(always)]
pub(crate) fn offset_at(field: impl FnOnce(&'static Offsets) -> *const u64) -> u64 {
    // SAFETY: the macro gives a pointer to a field of a static.
    unsafe { read_volatile(field(&OFFSETS)) }
}

/// Spreads an address over all bits; what it gives is to be taken from the upper ones.
#[inline(always)]
pub(crate) const fn spread(address: u64) -> u64 {
    address.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The number of the processor.
#[inline(always)]
pub(crate) fn processor() -> u32 {
    // SAFETY: the helper has no precondition.
    unsafe { bpf_get_smp_processor_id() }
}

/// `(tgid, tid)` of the current task, in the initial pid namespace.
#[inline(always)]
pub(crate) fn ids() -> (u32, u32) {
    // SAFETY: the helper has no precondition.
    let both = unsafe { bpf_get_current_pid_tgid() };
    ((both >> 32) as u32, both as u32)
}

/// `(uid, gid)` of the current task, in the initial user namespace.
#[inline(always)]
pub(crate) fn user() -> (u32, u32) {
    // SAFETY: the helper has no precondition.
    let both = unsafe { bpf_get_current_uid_gid() };
    (both as u32, (both >> 32) as u32)
}

/// Cgroup v2 id of the current task.
#[inline(always)]
pub(crate) fn cgroup() -> u64 {
    // SAFETY: the helper has no precondition.
    unsafe { bpf_get_current_cgroup_id() }
}

/// A number that nobody can tell before.
#[inline(always)]
pub(crate) fn random() -> u64 {
    // SAFETY: the helper has no precondition.
    let half = || u64::from(unsafe { bpf_get_prandom_u32() });
    half() << 32 | half()
}

/// Writes the current thread's name to `comm`.
#[inline(always)]
pub(crate) fn comm(comm: &mut [u8; 16]) {
    // SAFETY: the helper writes at most the length that it is given. If it
    // fails it leaves zeros, which is no name.
    let _result = unsafe { bpf_get_current_comm(from_mut(comm).cast(), 16) };
}

/// Nanoseconds of `CLOCK_BOOTTIME`.
#[cfg(not(feature = "legacy"))]
#[inline(always)]
pub(crate) fn time_ns() -> u64 {
    // SAFETY: the helper has no precondition.
    unsafe { bpf_ktime_get_boot_ns() }
}

/// Nanoseconds of `CLOCK_MONOTONIC`: before 5.8 there is no other.
#[cfg(feature = "legacy")]
#[inline(always)]
pub(crate) fn time_ns() -> u64 {
    // SAFETY: the helper has no precondition.
    unsafe { bpf_ktime_get_ns() }
}

/// [`time_ns`] in seconds.
#[inline(always)]
pub(crate) fn time_s() -> u32 {
    (time_ns() / 1_000_000_000) as u32
}

/// A hook's argument as a number: a pointer that may be null, or that is to be reckoned
/// with.
///
/// Verifier: it lets nobody reckon with pointers that it knows; and before 7.0 it takes a
/// hook's pointer for one that is never null, and leaves out what a program does for the
/// case that it is.
///
/// # Errors
///
/// [`Reason::Fault`].
#[inline(always)]
pub(crate) fn argument(context: &LsmContext, index: u64) -> Result<u64, Reason> {
    read((context.as_ptr() as u64).wrapping_add(index * 8))
}

/// Defines a function that the verifier looks at once, for any arguments, and not
/// again at each call. So it costs little to verify, also in a loop; and it knows
/// nothing that is not in its arguments, which are numbers, or in a map.
///
/// Linux 5.6.
macro_rules! global {
    ($(#[$doc:meta])* fn $name:ident($($argument:ident: $type:ty),*) -> $result:ty $body:block) => {
        $(#[$doc])*
        #[expect(unsafe_code, reason = "only an exported function is verified on its own")]
        #[unsafe(no_mangle)]
        #[inline(never)]
        pub(crate) extern "C" fn $name($($argument: $type),*) -> $result $body
    };
}
pub(crate) use global;

/// The reason with this number.
#[inline(always)]
pub(crate) fn reason(number: u32) -> Reason {
    if number as usize >= Reason::ALL.len() {
        return Reason::Fault;
    }
    // SAFETY: reasons are numbered from 0 without a gap, which the ABI's tests
    // check, and this is one of the numbers.
    unsafe { core::mem::transmute::<u8, Reason>(number as u8) }
}

/// A hook's result, 0 or an errno below it.
///
/// Verifier: it has to see that it is one, and forgets it on the way. What the compiler
/// sees to be superfluous it would leave out.
#[inline(always)]
pub(crate) fn errno_in_range(result: i32) -> i32 {
    /// As many errors as there can be, `MAX_ERRNO` from `include/linux/err.h`.
    const ERRORS: i32 = 4095;
    let mut number = (result + ERRORS) as u64;
    // SAFETY: it changes one register.
    unsafe { asm!("{number} &= {mask}", number = inout(reg) number, mask = const ERRORS) };
    number as i32 - ERRORS
}

/// Has the program that `bprm` leads to start with `AT_SECURE`, so that its
/// loader and libraries trust nothing in its environment. Linux 5.12.
#[cfg(not(feature = "legacy"))]
#[inline(always)]
pub(crate) fn scrub_environment(bprm: *const c_void) {
    const BPF_F_BPRM_SECUREEXEC: u64 = 1;
    // SAFETY: the verifier checks that it is a hook's argument. The helper fails
    // only for other flags.
    let _result = unsafe { bpf_bprm_opts_set(bprm.cast_mut().cast(), BPF_F_BPRM_SECUREEXEC) };
}

/// Before 5.12 there is no way to scrub. The agent loads no profile that needs it.
#[cfg(feature = "legacy")]
#[inline(always)]
pub(crate) fn scrub_environment(_bprm: *const c_void) {}
