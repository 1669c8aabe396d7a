//! Reads of kernel memory, and the helpers.

#![expect(unsafe_code, reason = "every helper is a call into the kernel")]

#[cfg(not(feature = "legacy"))]
use core::intrinsics::atomic_xchg;
use core::{
    arch::asm,
    ffi::c_void,
    intrinsics::{AtomicOrdering, atomic_xadd},
    mem::MaybeUninit,
    ptr::{from_mut, from_ref, read_volatile, write_volatile},
};

#[cfg(feature = "legacy")]
use aya_ebpf::helpers::generated::bpf_ktime_get_ns;
#[cfg(not(feature = "legacy"))]
use aya_ebpf::helpers::generated::{
    bpf_bprm_opts_set, bpf_get_current_task_btf, bpf_ktime_get_boot_ns,
};
use aya_ebpf::{
    EbpfContext as _,
    helpers::generated::{
        bpf_get_current_cgroup_id, bpf_get_current_comm, bpf_get_current_pid_tgid,
        bpf_get_current_task, bpf_get_current_uid_gid, bpf_get_prandom_u32,
        bpf_get_smp_processor_id, bpf_probe_read_kernel, bpf_probe_read_kernel_str,
    },
    programs::LsmContext,
};
use enforcer_abi::{Offsets, Reason, limits::NAME_LEN};
use zerocopy::{FromBytes, FromZeros, IntoBytes};

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

/// Loads a `T` at `offset` of a structure whose pointer the verifier knows: a hook's
/// argument that is never null.
///
/// Much cheaper than [`read`], and never fails: the verifier has the kernel catch what
/// may not be there, and gives 0.
#[inline(always)]
pub(crate) fn load<T: FromBytes>(structure: u64, offset: u64) -> T {
    // SAFETY: the verifier checks that there is such a member.
    unsafe { read_volatile(structure.wrapping_add(offset) as *const T) }
}

/// Kernel memory at any address, word by word.
///
/// From 6.2 on a load each, which gives 0 where there is nothing; before that, or
/// without BTF for it, a helper's call each.
#[derive(Clone, Copy)]
pub(crate) struct Words(u64);

/// Stands for the number of the kernel function `bpf_rdonly_cast`, which the agent
/// fills in: aya cannot call one.
const CAST: usize = enforcer_abi::offsets::CAST as usize;

impl Words {
    /// The memory from `address` on.
    #[inline(always)]
    pub(crate) fn at(address: u64) -> Self {
        Self(if can_load() { cast(address) } else { address })
    }

    /// The word at `offset`, which is a multiple of 8 and less than 120.
    #[inline(always)]
    pub(crate) fn word(self, offset: u64) -> u64 {
        self.get(offset)
    }

    /// The half word at `offset`, which is a multiple of 4 and less than 120.
    #[inline(always)]
    pub(crate) fn half(self, offset: u64) -> u32 {
        self.get(offset)
    }

    #[inline(always)]
    fn get<T: FromBytes>(self, offset: u64) -> T {
        if can_load() {
            load(self.0, offset)
        } else {
            read(self.0.wrapping_add(offset)).unwrap_or_else(|_fault| T::new_zeroed())
        }
    }
}

/// A pointer by which there can be loads at any address.
#[inline(always)]
fn cast(address: u64) -> u64 {
    // SAFETY: the kernel function takes any address, and gives it back as a pointer to
    // what it is told that it is: loads from it are caught.
    let cast = unsafe { core::mem::transmute::<usize, extern "C" fn(u64, u64) -> u64>(CAST) };
    cast(address, offset!(words_type))
}

/// Whether any memory can be read by a load.
#[inline(always)]
pub(crate) fn can_load() -> bool {
    cfg!(not(feature = "legacy")) && offset!(words_type) != 0
}

/// The word at `address`, where it is known that there is one: what is not there reads
/// as 0.
#[inline(always)]
pub(crate) fn word(address: u64) -> u64 {
    Words::at(address).word(0)
}

/// As [`word`], of half its size.
#[inline(always)]
pub(crate) fn half(address: u64) -> u32 {
    Words::at(address).half(0)
}

/// The half words at two addresses.
///
/// # Errors
///
/// [`Reason::Fault`], where it takes a helper; else what is not there reads as 0.
#[inline(always)]
pub(crate) fn halves([one, other]: [u64; 2]) -> Result<[u32; 2], Reason> {
    if can_load() {
        Ok([load(cast(one), 0), load(cast(other), 0)])
    } else {
        Ok([read(one)?, read(other)?])
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

/// A task, by its address.
#[derive(Clone, Copy)]
pub(crate) struct Task(u64);

impl Task {
    /// The task that runs the program.
    #[inline(always)]
    pub(crate) fn current() -> Self {
        // SAFETY: the helper has no precondition.
        Self(unsafe { bpf_get_current_task() })
    }

    /// The task at an address.
    #[inline(always)]
    pub(crate) const fn at(address: u64) -> Self {
        Self(address)
    }

    /// A task that is a hook's argument.
    ///
    /// # Errors
    ///
    /// [`Reason::Fault`].
    #[inline(always)]
    pub(crate) fn from_argument(context: &LsmContext, index: u64) -> Result<Self, Reason> {
        argument(context, index).map(Self)
    }

    /// The word at `offset`; 0 if it cannot be read.
    #[inline(always)]
    pub(crate) fn word(self, offset: u64) -> u64 {
        word(self.0.wrapping_add(offset))
    }

    /// Its parent, which stays at least until the program ends.
    #[inline(always)]
    pub(crate) fn parent(self) -> Self {
        Self(self.word(offset!(task_real_parent)))
    }

    /// Its address.
    #[inline(always)]
    pub(crate) fn address(self) -> u64 {
        self.0
    }
}

/// What at most one holds at a time.
#[repr(transparent)]
pub(crate) struct Lock(u64);

impl Lock {
    /// Takes it, unless somebody holds it. Returns whether.
    #[cfg(not(feature = "legacy"))]
    #[inline(always)]
    pub(crate) fn try_take(&mut self) -> bool {
        // SAFETY: a word of a map value, on which all act so. Linux 5.12.
        unsafe { atomic_xchg::<u64, { AtomicOrdering::SeqCst }>(&raw mut self.0, 1) == 0 }
    }

    /// Gives it back.
    #[cfg(not(feature = "legacy"))]
    #[inline(always)]
    pub(crate) fn give(&mut self) {
        // SAFETY: as above. Not a plain write, which could come before those to what it
        // guards.
        unsafe { atomic_xchg::<u64, { AtomicOrdering::SeqCst }>(&raw mut self.0, 0) };
    }

    /// Takes it, unless somebody holds it. Returns whether.
    ///
    /// Before 5.12 there is no operation that tells what was there. Who finds only itself
    /// counted holds it; two at once may both fail.
    #[cfg(feature = "legacy")]
    #[inline(always)]
    pub(crate) fn try_take(&mut self) -> bool {
        atomic_add(&raw mut self.0, 1);
        // SAFETY: a word of a map value.
        if unsafe { read_volatile(&raw const self.0) } == 1 {
            return true;
        }
        atomic_add(&raw mut self.0, u64::MAX);
        false
    }

    /// Gives it back.
    #[cfg(feature = "legacy")]
    #[inline(always)]
    pub(crate) fn give(&mut self) {
        atomic_add(&raw mut self.0, u64::MAX);
    }
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

/// Address of the current task's mount namespace.
#[inline(always)]
pub(crate) fn mount_namespace(task: Task) -> Result<u64, Reason> {
    let proxy: u64 = read(task.address().wrapping_add(offset!(task_nsproxy)))?;
    read(proxy.wrapping_add(offset!(nsproxy_mnt_ns)))
}

/// Process id of `task`, in the initial pid namespace; 0 if unknown.
#[inline(always)]
pub(crate) fn process(task: Task) -> u32 {
    half(task.address().wrapping_add(offset!(task_tgid)))
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

/// A member of the current task.
///
/// # Errors
///
/// [`Reason::Fault`], before 5.12.
#[cfg(not(feature = "legacy"))]
#[inline(always)]
fn of_current<T: FromBytes>(offset: u64) -> Result<T, Reason> {
    // SAFETY: the helper has no precondition.
    Ok(load(unsafe { bpf_get_current_task_btf() } as u64, offset))
}

#[cfg(feature = "legacy")]
#[inline(always)]
fn of_current<T: FromBytes>(offset: u64) -> Result<T, Reason> {
    read(Task::current().address().wrapping_add(offset))
}

/// Whether the current task is a worker of an `io_uring`: it does what others ask for,
/// with their credentials. If that cannot be told, it is one. Linux 5.12.
#[inline(always)]
pub(crate) fn is_worker() -> bool {
    const PF_IO_WORKER: u32 = 0x10;
    let flags: Result<u32, Reason> = of_current(offset!(task_flags));
    flags.unwrap_or(PF_IO_WORKER) & PF_IO_WORKER != 0
}

/// Whether the current task acts with credentials that are not its own: the
/// kernel does something for itself, as a file system that lies over another.
///
/// No task can bring it about, but by `io_uring`: whoever changes its credentials has
/// a worker act with those of old. What a worker does never counts.
#[inline(always)]
pub(crate) fn acts_for_itself() -> bool {
    let effective: Result<u64, Reason> = of_current(offset!(task_cred));
    let own: Result<u64, Reason> = of_current(offset!(task_real_cred));
    match (effective, own) {
        (Ok(effective), Ok(own)) => effective != own && !is_worker(),
        _ => false,
    }
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

/// A pointer as a number, with which there may be any reckoning.
///
/// Verifier: that is what it becomes in a map value.
#[inline(always)]
pub(crate) fn number(place: &mut u64, pointer: u64) -> u64 {
    *place = pointer;
    // SAFETY: a reference.
    unsafe { read_volatile(place) }
}

/// Makes a structure of whole words all zero.
///
/// LLVM would have it done by a loop over bytes.
#[inline(always)]
pub(crate) fn clear<T: FromZeros>(target: &mut T) {
    const { assert!(align_of::<T>() == 8) };
    let words: *mut u64 = from_mut(target).cast();
    for at in 0..size_of::<T>() / 8 {
        // SAFETY: inside the structure.
        let word = unsafe { words.add(at) };
        // SAFETY: a word of the structure, of which zero is a value.
        unsafe { write_volatile(word, 0) };
    }
}

/// Copies a structure of whole words.
///
/// As for [`clear`].
#[inline(always)]
pub(crate) fn copy<T: FromBytes + IntoBytes>(target: &mut T, source: &T) {
    const { assert!(align_of::<T>() == 8) };
    let words: *mut u64 = from_mut(target).cast();
    let source: *const u64 = from_ref(source).cast();
    for at in 0..size_of::<T>() / 8 {
        // SAFETY: inside the structure.
        let from = unsafe { source.add(at) };
        // SAFETY: a word of the structure.
        let value = unsafe { read_volatile(from) };
        // SAFETY: inside the structure.
        let word = unsafe { words.add(at) };
        // SAFETY: a word of the structure, of which any bytes are a value.
        unsafe { write_volatile(word, value) };
    }
}
