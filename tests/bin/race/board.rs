//! A number in memory that both sides of a race see.
//!
//! The changer adds one before each change and one after it. So while the number
//! is even nothing changes, and half of it tells how many changes there were,
//! hence which state the scene is in. A reader who finds the same even number
//! before and after an open knows that all of the open happened in that state,
//! and what has to come of it. Otherwise the open met a change, and what may come
//! of it is what may come of it in any state.

#![expect(unsafe_code, reason = "memory that two processes share")]

use std::{
    fs::{File, OpenOptions},
    io,
    path::Path,
    ptr,
    sync::atomic::{AtomicU64, Ordering},
};

use rustix::mm::{MapFlags, ProtFlags, mmap};

/// Name of the file that is mapped, in the scene's folder.
pub(crate) const FILE: &str = "board";

/// The number.
pub(crate) struct Board(&'static AtomicU64);

impl Board {
    /// Makes the file, with 0 in it.
    pub(crate) fn make(folder: &Path) -> io::Result<()> {
        File::create(folder.join(FILE))?.set_len(size_of::<AtomicU64>() as u64)
    }

    /// The changer's side.
    pub(crate) fn to_write(folder: &Path) -> io::Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(folder.join(FILE))?;
        Self::map(&file, ProtFlags::READ | ProtFlags::WRITE)
    }

    /// The reader's side.
    pub(crate) fn to_read(folder: &Path) -> io::Result<Self> {
        Self::map(&File::open(folder.join(FILE))?, ProtFlags::READ)
    }

    fn map(file: &File, protection: ProtFlags) -> io::Result<Self> {
        let len = size_of::<AtomicU64>();
        // SAFETY: a new mapping, at an address that the kernel chooses.
        let address = unsafe { mmap(ptr::null_mut(), len, protection, MapFlags::SHARED, file, 0) }?;
        // SAFETY: the mapping is aligned to a page, has the number's size, is
        // never unmapped, and whoever else has it uses it as an atomic. Loads
        // of this size need no right to write.
        Ok(Self(unsafe { &*address.cast::<AtomicU64>() }))
    }

    /// The number. What happens after it in the program happens after it.
    pub(crate) fn number(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    /// Adds one.
    pub(crate) fn advance(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}
