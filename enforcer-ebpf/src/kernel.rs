//! Reads of kernel memory, and the helpers.

#![expect(unsafe_code, reason = "every helper is a call into the kernel")]

use core::{
    ffi::c_void,
    intrinsics::{AtomicOrdering, atomic_xadd},
    mem::MaybeUninit,
    ptr::{from_mut, read_volatile},
};

#[cfg(not(feature = "legacy"))]
use aya_ebpf::helpers::generated::{
    bpf_bprm_opts_set, bpf_get_current_task_btf, bpf_ktime_get_boot_ns,
};
#[cfg(feature = "legacy")]
use aya_ebpf::helpers::generated::{bpf_get_current_task, bpf_ktime_get_ns};
use aya_ebpf::{
    EbpfContext as _,
    bindings::task_struct,
    helpers::generated::{
        bpf_get_current_cgroup_id, bpf_get_current_comm, bpf_get_current_pid_tgid,
        bpf_get_current_uid_gid, bpf_probe_read_kernel, bpf_probe_read_kernel_str,
    },
    programs::LsmContext,
};
use enforcer_abi::{Offsets, Reason, limits::NAME_LEN};
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
        #[cfg(not(feature = "legacy"))]
        let task = unsafe { bpf_get_current_task_btf() };
        // SAFETY: as above. Before 5.11 there is no pointer with a type.
        #[cfg(feature = "legacy")]
        let task = unsafe { bpf_get_current_task() } as *mut task_struct;
        Self(task)
    }

    /// A task that a hook got as its argument.
    #[inline(always)]
    pub(crate) fn from_argument(task: *const c_void) -> Self {
        Self(task.cast_mut().cast())
    }

    /// The pointer, as helpers want it.
    #[cfg(not(feature = "legacy"))]
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

/// A hook's argument that may be a null pointer, as a number.
///
/// Verifier: before 7.0 it takes a hook's pointer for one that is never null, and
/// leaves out what a program does for the case that it is.
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
    ($(#[$doc:meta])* fn $name:ident($($argument:ident: $type:ty),*) -> u32 $body:block) => {
        $(#[$doc])*
        #[expect(unsafe_code, reason = "only an exported function is verified on its own")]
        #[unsafe(no_mangle)]
        #[inline(never)]
        pub(crate) extern "C" fn $name($($argument: $type),*) -> u32 $body
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

/// Whether `task` is a worker of an `io_uring`: it does what others ask for, with
/// their credentials. If that cannot be told, it is one. Linux 5.12.
#[inline(always)]
pub(crate) fn is_worker(task: Task) -> bool {
    const PF_IO_WORKER: u32 = 0x10;
    let flags: Result<u32, Reason> = read(task.address().wrapping_add(offset!(task_flags)));
    flags.unwrap_or(PF_IO_WORKER) & PF_IO_WORKER != 0
}

/// Whether the current task acts with credentials that are not its own: the
/// kernel does something for itself, as a file system that lies over another.
///
/// No task can bring it about, but by `io_uring`: whoever changes its credentials has
/// a worker act with those of old. What a worker does never counts.
#[inline(always)]
pub(crate) fn acts_for_itself(task: Task) -> bool {
    if is_worker(task) {
        return false;
    }
    let credentials = |at: u64| read::<u64>(task.address().wrapping_add(at));
    match (
        credentials(offset!(task_cred)),
        credentials(offset!(task_real_cred)),
    ) {
        (Ok(acting), Ok(own)) => acting != own,
        _ => false,
    }
}

/// Has the program that `bprm` leads to start with `AT_SECURE`, so that its
/// loader and libraries trust nothing in its environment. Linux 5.11.
#[cfg(not(feature = "legacy"))]
#[inline(always)]
pub(crate) fn scrub_environment(bprm: *const c_void) {
    const BPF_F_BPRM_SECUREEXEC: u64 = 1;
    // SAFETY: the verifier checks that it is a hook's argument. The helper fails
    // only for other flags.
    let _result = unsafe { bpf_bprm_opts_set(bprm.cast_mut().cast(), BPF_F_BPRM_SECUREEXEC) };
}

/// Before 5.11 there is no way to scrub. The agent loads no profile that needs it.
#[cfg(feature = "legacy")]
#[inline(always)]
pub(crate) fn scrub_environment(_bprm: *const c_void) {}

/// Copies text that ends with a NUL into `target`. Returns its length without
/// that NUL.
#[inline(always)]
pub(crate) fn read_text(target: &mut [u8; NAME_LEN + 1], address: u64) -> Result<u32, Reason> {
    let len = target.len() as u32;
    // SAFETY: the helper checks the address, and writes `len` bytes at most. The
    // target is not at the start of a map value, before which old kernels write a
    // NUL if the address is bad.
    let result = unsafe {
        bpf_probe_read_kernel_str(target.as_mut_ptr().cast(), len, address as *const c_void)
    };
    if result > 0 {
        Ok((result - 1) as u32)
    } else {
        Err(Reason::Fault)
    }
}

/// Adds to a counter that other programs may be adding to.
#[inline(always)]
pub(crate) fn atomic_add(counter: *mut u64, by: u64) {
    // SAFETY: the verifier checks the pointer; callers give a map value's.
    let _old = unsafe { atomic_xadd::<u64, u64, { AtomicOrdering::Relaxed }>(counter, by) };
}

/// A `T` of zeros.
#[inline(always)]
pub(crate) fn zeroed<T: FromZeros>() -> T {
    T::new_zeroed()
}
