//! Hit counters, in memory that the agent shares with the kernel programs.
//!
//! They are no map with values for each CPU: the kernel takes those from where each new
//! process gets some, too, and what fills it makes every fork on the host dearer.

#![expect(unsafe_code, reason = "the memory is mapped, and others write to it")]

use std::{
    ffi::c_void,
    os::fd::AsFd as _,
    ptr::{self, NonNull},
    sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
};

use aya::{
    Ebpf,
    maps::{Map, MapError},
};
use enforcer_abi::{
    Access, Hit,
    limits::{LOOKS, OUTCOMES},
};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

use super::{AccessError, LoadError, failed};

/// The name of the map.
pub(super) const HITS: &str = "HITS";

/// A counter for each outcome, CPU by CPU.
pub(super) struct Hits {
    memory: NonNull<c_void>,
    cpus: usize,
}

// SAFETY: the memory stays where it is, and is only read and written by atomics.
unsafe impl Send for Hits {}

/// A counter, as others may be writing to it.
struct Shared {
    count: *mut u64,
    used: *mut u32,
    looks: *mut u32,
}

impl Hits {
    /// Maps the counters, which the programs of `ebpf` have for so many CPUs.
    pub(super) fn map(ebpf: &Ebpf, cpus: usize) -> Result<Self, LoadError> {
        let Some(Map::Array(data)) = ebpf.map(HITS) else {
            return Err(LoadError::Map {
                map: HITS,
                source: None,
            });
        };
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping, which nothing else uses.
        let memory = unsafe {
            mmap(
                ptr::null_mut(),
                len(cpus),
                access,
                MapFlags::SHARED,
                data.fd().as_fd(),
                0,
            )
        };
        let failed = |errno: rustix::io::Errno| LoadError::Map {
            map: HITS,
            source: Some(Box::new(MapError::IoError(errno.into()))),
        };
        let memory = memory.map_err(failed)?;
        let memory = NonNull::new(memory).ok_or_else(|| failed(rustix::io::Errno::FAULT))?;
        Ok(Self { memory, cpus })
    }

    /// The counter of an outcome, summed over CPUs.
    pub(super) fn get(&self, outcome: u32) -> Result<Hit, AccessError> {
        let mut sum = Hit::default();
        for Shared { count, used, .. } in self.of(outcome, "read")? {
            // SAFETY: inside the mapping, and aligned.
            let count = unsafe { AtomicU64::from_ptr(count) }.load(Relaxed);
            // SAFETY: as before.
            let used = unsafe { AtomicU32::from_ptr(used) }.load(Relaxed);
            sum.count = sum.count.saturating_add(count);
            sum.used |= Access(used);
        }
        Ok(sum)
    }

    /// Returns the rights of an outcome that were used since this was asked last.
    pub(super) fn take_used(&mut self, outcome: u32) -> Result<Access, AccessError> {
        let mut sum = Access::NONE;
        for Shared { used, .. } in self.of(outcome, "write")? {
            // SAFETY: inside the mapping, and aligned.
            let used = unsafe { AtomicU32::from_ptr(used) };
            // Most were not used: a page that is only read stays as it is. A program that
            // comes between puts back what was taken, which then counts twice.
            if used.load(Relaxed) != 0 {
                sum |= Access(used.swap(0, Relaxed));
            }
        }
        Ok(sum)
    }

    /// Sets the counter of an outcome to zero.
    pub(super) fn clear(&mut self, outcome: u32) -> Result<(), AccessError> {
        for Shared { count, used, looks } in self.of(outcome, "clear")? {
            // SAFETY: inside the mapping, and aligned.
            unsafe { AtomicU64::from_ptr(count) }.store(0, Relaxed);
            // SAFETY: as before.
            unsafe { AtomicU32::from_ptr(used) }.store(0, Relaxed);
            // SAFETY: as before.
            unsafe { AtomicU32::from_ptr(looks) }.store(0, Relaxed);
        }
        Ok(())
    }

    /// Allows an outcome its looks again. Returns whether it had taken all of them on a
    /// CPU: what came beyond was not told.
    pub(super) fn allow_looks(&mut self, outcome: u32) -> Result<bool, AccessError> {
        let mut is_out = false;
        for Shared { looks, .. } in self.of(outcome, "write")? {
            // SAFETY: inside the mapping, and aligned.
            let looks = unsafe { AtomicU32::from_ptr(looks) };
            // Most were not used: a page that is only read stays as it is.
            let taken = looks.load(Relaxed);
            if taken > 0 {
                looks.store(0, Relaxed);
                is_out |= taken >= LOOKS;
            }
        }
        Ok(is_out)
    }

    fn of(
        &self,
        outcome: u32,
        action: &'static str,
    ) -> Result<impl Iterator<Item = Shared>, AccessError> {
        let at = outcome as usize;
        if at >= OUTCOMES {
            return Err(failed(action, HITS)(MapError::OutOfBounds {
                index: outcome,
                max_entries: u32::try_from(OUTCOMES).unwrap_or(u32::MAX),
            }));
        }
        let first: NonNull<Hit> = self.memory.cast();
        Ok((0..self.cpus).map(move |cpu| {
            // SAFETY: less than `OUTCOMES` for each of `cpus`, all of which are mapped.
            let hit = unsafe { first.as_ptr().add(cpu * OUTCOMES + at) };
            // SAFETY: a place inside it.
            let count = unsafe { &raw mut (*hit).count };
            // SAFETY: likewise.
            let used = unsafe { &raw mut (*hit).used };
            // SAFETY: likewise.
            let looks = unsafe { &raw mut (*hit).looks };
            Shared {
                count,
                used: used.cast(),
                looks,
            }
        }))
    }
}

impl Drop for Hits {
    fn drop(&mut self) {
        // SAFETY: what `map` mapped, and nobody has a reference into it.
        let unmapped = unsafe { munmap(self.memory.as_ptr(), len(self.cpus)) };
        debug_assert!(unmapped.is_ok(), "{unmapped:?}");
    }
}

/// Bytes of the counters of so many CPUs.
const fn len(cpus: usize) -> usize {
    cpus * OUTCOMES * size_of::<Hit>()
}
