//! Reads of kernel memory, and the helpers.

#![expect(unsafe_code, reason = "every helper is a call into the kernel")]

use core::{
    ffi::c_void,
    intrinsics::{AtomicOrdering, atomic_or, atomic_xadd},
    mem::MaybeUninit,
    ptr::{from_mut, read_volatile},
};

use aya_ebpf::{
    bindings::task_struct,
    helpers::generated::{
        bpf_get_current_cgroup_id, bpf_get_current_comm, bpf_get_current_pid_tgid,
        bpf_get_current_task_btf, bpf_get_current_uid_gid, bpf_ktime_get_boot_ns, bpf_loop,
        bpf_probe_read_kernel,
    },
};
use enforcer_abi::{Offsets, Reason};
use zerocopy::{FromBytes, FromZeros};

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

/// Copies a `T` out of kernel memory at `address`.
///
/// Safe for any address: a bad one is a [`Reason::Fault`], and `FromBytes` says
/// that whatever is there is a `T`. It is only as meaningful as the caller's
/// reason to think that a `T` was put there.
#[inline(always)]
pub(crate) fn read<T: FromBytes>(address: u64) -> Result<T, Reason> {
    let mut value = MaybeUninit::<T>::uninit();
    // SAFETY: the helper checks the address itself and writes all of the `T`.
    let result = unsafe {
        bpf_probe_read_kernel(
            value.as_mut_ptr().cast(),
            size_of::<T>() as u32,
            address as *const c_void,
        )
    };
    if result == 0 {
        // SAFETY: written in full by the helper.
        Ok(unsafe { value.assume_init() })
    } else {
        Err(Reason::Fault)
    }
}

/// Copies `len` bytes of kernel memory at `address` to `target`.
///
/// The verifier checks that `target` has room for the greatest `len` possible,
/// or refuses the program.
#[inline(always)]
pub(crate) fn read_into<T: FromBytes>(
    target: *mut T,
    len: u32,
    address: u64,
) -> Result<(), Reason> {
    // SAFETY: the helper checks the address, and the verifier the target.
    let result = unsafe { bpf_probe_read_kernel(target.cast(), len, address as *const c_void) };
    if result == 0 {
        Ok(())
    } else {
        Err(Reason::Fault)
    }
}

/// The current task.
#[derive(Clone, Copy)]
pub(crate) struct Task(*mut task_struct);

impl Task {
    /// The task that runs the program.
    #[inline(always)]
    pub(crate) fn current() -> Self {
        // SAFETY: the helper has no precondition.
        Self(unsafe { bpf_get_current_task_btf() })
    }

    /// A task that a hook got as its argument.
    #[inline(always)]
    pub(crate) fn from_argument(task: *const c_void) -> Self {
        Self(task.cast_mut().cast())
    }

    /// The pointer, as helpers want it.
    #[inline(always)]
    pub(crate) fn as_ptr(self) -> *mut task_struct {
        self.0
    }

    /// Its address, for [`read`].
    #[inline(always)]
    pub(crate) fn address(self) -> u64 {
        self.0 as u64
    }
}

/// Address of the current task's mount namespace.
#[inline(always)]
pub(crate) fn mount_namespace(task: Task) -> Result<u64, Reason> {
    let proxy: u64 = read(task.address().wrapping_add(offset!(task_nsproxy)))?;
    read(proxy.wrapping_add(offset!(nsproxy_mnt_ns)))
}

/// Process id of `task`'s parent, in the initial pid namespace; 0 if unknown.
#[inline(always)]
pub(crate) fn parent(task: Task) -> u32 {
    read::<u64>(task.address().wrapping_add(offset!(task_real_parent)))
        .and_then(|parent| read(parent.wrapping_add(offset!(task_tgid))))
        .unwrap_or(0)
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

/// Writes the current thread's name to `comm`.
#[inline(always)]
pub(crate) fn comm(comm: &mut [u8; 16]) {
    // SAFETY: the helper writes at most the length that it is given. If it
    // fails it leaves zeros, which is no name.
    let _result = unsafe { bpf_get_current_comm(from_mut(comm).cast(), 16) };
}

/// Nanoseconds of `CLOCK_BOOTTIME`.
#[inline(always)]
pub(crate) fn boot_time_ns() -> u64 {
    // SAFETY: the helper has no precondition.
    unsafe { bpf_ktime_get_boot_ns() }
}

/// Whether [`repeat`] goes on.
pub(crate) enum Next {
    /// With the next step.
    Continue,
    /// No more.
    Stop,
}

/// The body of a loop that is too long for the verifier to unroll.
pub(crate) trait Step {
    /// Takes the step number `index`.
    fn step(&mut self, index: u32) -> Next;
}

/// Takes up to `times` steps. Linux 5.17.
#[inline(always)]
pub(crate) fn repeat<S: Step>(times: u32, steps: &mut S) {
    extern "C" fn call<S: Step>(index: u32, steps: *mut S) -> i64 {
        // SAFETY: the helper hands on the pointer that it got below, while the
        // borrow there lasts.
        let steps = unsafe { &mut *steps };
        match steps.step(index) {
            Next::Continue => 0,
            Next::Stop => 1,
        }
    }
    let call: extern "C" fn(u32, *mut S) -> i64 = call::<S>;
    // SAFETY: the verifier follows `call` with this very pointer. The helper
    // fails only for more than 2^23 steps, which no caller asks for.
    let _count = unsafe { bpf_loop(times, call as *mut c_void, from_mut(steps).cast(), 0) };
}

/// Adds to a counter that other programs may be adding to.
#[inline(always)]
pub(crate) fn atomic_add(counter: *mut u64, by: u64) {
    // SAFETY: the verifier checks the pointer; callers give a map value's.
    let _old = unsafe { atomic_xadd::<u64, u64, { AtomicOrdering::Relaxed }>(counter, by) };
}

/// Sets bits that other programs may be setting.
#[inline(always)]
pub(crate) fn atomic_set(bits: *mut u32, more: u32) {
    // SAFETY: the verifier checks the pointer; callers give a map value's.
    let _old = unsafe { atomic_or::<u32, u32, { AtomicOrdering::Relaxed }>(bits, more) };
}

/// A `T` of zeros.
#[inline(always)]
pub(crate) fn zeroed<T: FromZeros>() -> T {
    T::new_zeroed()
}
