//! Kernel memory, and words of maps.

#![expect(unsafe_code, reason = "every read is of raw memory")]

use core::{
    ffi::c_void,
    intrinsics::{AtomicOrdering, atomic_xadd},
    mem::MaybeUninit,
    ptr::{from_mut, from_ref, read_volatile, write_volatile},
};

use aya_ebpf::helpers::generated::{bpf_probe_read_kernel, bpf_probe_read_kernel_str};
use enforcer_abi::{Reason, limits::NAME_LEN};
use zerocopy::{FromBytes, FromZeros, IntoBytes};

use super::offset;

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
