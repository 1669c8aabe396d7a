//! What a program inherits: open descriptors.
//!
//! A descriptor that stays open over an exec gives the new domain what the old
//! one opened. So an exec into another domain is refused if one of them is to a
//! file that the new domain could not have opened so.

use enforcer_abi::{Operation, Reason, limits::DESCRIPTORS};

use crate::{
    hooks::file,
    judge::{Answer, How},
    kernel::{Task, global, offset, read},
    maps,
};

/// What [`inherit_next`] returns: there may be another.
const GO_ON: u32 = 0;
/// There was none.
const DONE: u32 = 1;
/// It could not be told.
const FAULT: u32 = 2;

/// What [`find_inherited`] returns besides a descriptor: there is none up to here,
/// and the search can go on.
const MORE: u32 = 1 << 31;
/// There are no more.
const END: u32 = u32::MAX;
/// A read failed.
const UNREADABLE: u32 = u32::MAX - 1;

/// Descriptors in a word of the kernel's bitmaps.
const WORD: u32 = 64;
/// Words that one call of [`find_inherited`] looks at.
const WORDS: u32 = 16;

/// A table of open files.
struct Table {
    address: u64,
    words: u32,
}

impl Table {
    #[inline(always)]
    fn of(task: Task) -> Result<Self, Reason> {
        let files: u64 = read(task.address().wrapping_add(offset!(task_files)))?;
        let address: u64 = read(files.wrapping_add(offset!(files_table)))?;
        let capacity: u32 = read(address.wrapping_add(offset!(fdtable_max)))?;
        Ok(Self {
            address,
            words: capacity.wrapping_add(WORD - 1) / WORD,
        })
    }

    /// The descriptors of a word that stay open over an exec, as bits.
    #[inline(always)]
    fn inherited(&self, word: u32) -> Result<u64, Reason> {
        let at = u64::from(word) * 8;
        let open: u64 = read(self.address.wrapping_add(offset!(fdtable_open)))?;
        let close: u64 = read(self.address.wrapping_add(offset!(fdtable_close_on_exec)))?;
        let open: u64 = read(open.wrapping_add(at))?;
        let close: u64 = read(close.wrapping_add(at))?;
        Ok(open & !close)
    }

    /// The `struct file *` of a descriptor.
    #[inline(always)]
    fn file(&self, descriptor: u32) -> Result<u64, Reason> {
        let files: u64 = read(self.address.wrapping_add(offset!(fdtable_files)))?;
        read(files.wrapping_add(u64::from(descriptor) * 8))
    }
}

/// Judges what stays open, for the domain that the exec leads to.
///
/// # Errors
///
/// [`Reason::TooManyDescriptors`], or a [`Reason::Fault`].
#[inline(always)]
pub(super) fn inherit() -> Result<Answer, Reason> {
    let scratch = maps::take()?;
    scratch.descriptor = 0;
    scratch.refused = 0;
    let mut answer = Err(Reason::TooManyDescriptors);
    for _ in 0..DESCRIPTORS {
        match inherit_next(scratch.at) {
            GO_ON => continue,
            DONE if scratch.refused == 0 => answer = Ok(Answer::Granted),
            DONE => answer = Ok(Answer::Refused),
            _ => answer = Err(Reason::Fault),
        }
        break;
    }
    maps::give(scratch);
    answer
}

global! {
    /// Judges the next descriptor that stays open, from the scratch's on.
    fn inherit_next(at: u32) -> u32 {
        judge_next(at).unwrap_or(FAULT)
    }
}

#[inline(always)]
fn judge_next(at: u32) -> Result<u32, Reason> {
    let task = Task::current();
    let scratch = maps::scratch(at)?;
    let found = find_inherited(scratch.descriptor);
    if found == END {
        return Ok(DONE);
    }
    if found == UNREADABLE {
        return Err(Reason::Fault);
    }
    if found & MORE != 0 {
        scratch.descriptor = found & !MORE;
        return Ok(GO_ON);
    }
    scratch.descriptor = found.wrapping_add(1);
    let file = Table::of(task)?.file(found)?;
    // One may be closed meanwhile by another thread, which the exec will end.
    let label = maps::label(task).ok_or(Reason::NoLabel)?;
    if file != 0 && file::use_of(label, Operation::Inherit, file, How::NEXT)? != Answer::Granted {
        scratch.refused = 1;
    }
    Ok(GO_ON)
}

global! {
    /// The first descriptor from `from` on that stays open over an exec.
    fn find_inherited(from: u32) -> u32 {
        find(from).unwrap_or(UNREADABLE)
    }
}

#[inline(always)]
fn find(from: u32) -> Result<u32, Reason> {
    let table = Table::of(Task::current())?;
    let first = from / WORD;
    for word in first..first.wrapping_add(WORDS) {
        if word >= table.words {
            return Ok(END);
        }
        let mut bits = table.inherited(word)?;
        if word == first {
            bits &= u64::MAX << (from % WORD);
        }
        if bits != 0 {
            return Ok(word * WORD + bits.trailing_zeros());
        }
    }
    Ok(MORE | first.wrapping_add(WORDS).wrapping_mul(WORD))
}
