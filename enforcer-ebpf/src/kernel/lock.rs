//! What at most one holds at a time.

#![expect(unsafe_code, reason = "atomic operations take raw pointers")]

#[cfg(not(feature = "legacy"))]
use core::intrinsics::{AtomicOrdering, atomic_xchg};
#[cfg(feature = "legacy")]
use core::ptr::read_volatile;

#[cfg(feature = "legacy")]
use super::atomic_add;

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
