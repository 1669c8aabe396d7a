//! Files and memory as code.
//!
//! A file becomes code by its right `map`. Memory that is executable and that
//! somebody may write to, or has written to, is no file's content: it takes a
//! privilege.

use aya_ebpf::{macros::lsm, programs::LsmContext};
use enforcer_abi::{Access, Operation, Privilege, Reason, offsets::Features};

use crate::{
    hooks::{
        address, confined, errno,
        file::{self, O_APPEND},
        need, privileged,
    },
    judge::{self, Answer, Folder, Question, Told},
    kernel::{self, Task, offset, read},
    subject::claims::{self, file_object},
    walk,
};

/// From `include/uapi/asm-generic/mman-common.h`.
const PROT_WRITE: u64 = 2;
const PROT_EXEC: u64 = 4;
/// From `include/uapi/linux/mman.h`.
const MAP_TYPE: u64 = 0x0f;
const MAP_PRIVATE: u64 = 2;
/// From `include/linux/mm.h`.
const VM_SHARED: u64 = 8;

/// What the memory of a file is to be.
#[derive(Clone, Copy)]
struct Mapping {
    file: u64,
    /// `PROT_WRITE` and its kin.
    protection: u64,
    shared: bool,
    /// Whether it has pages of its own, which differ from the file's.
    changed: bool,
}

/// `int mmap_file(struct file *file, unsigned long reqprot, unsigned long prot, unsigned long flags)`
#[lsm(hook = "mmap_file")]
fn mmap_file(context: LsmContext) -> i32 {
    let protection: u64 = context.arg(2);
    let flags: u64 = context.arg(3);
    let shared = flags & MAP_TYPE != MAP_PRIVATE;
    let unseen = offset!(features) & Features::URING_UNSEEN != 0;
    // Most mappings are of data that nobody else sees.
    if !unseen && protection & PROT_EXEC == 0 && !(shared && protection & PROT_WRITE != 0) {
        return 0;
    }
    let Ok(file) = kernel::argument(&context, 0) else {
        return confined(
            Operation::Map,
            #[inline(always)]
            |_label| Err(Reason::Fault),
        );
    };
    if unseen && file != 0 && walk::is_ring(file_object(file).1) != 0 {
        return need(Privilege::IO_URING);
    }
    mediate(Mapping {
        file,
        protection,
        shared,
        changed: false,
    })
}

/// `int file_mprotect(struct vm_area_struct *vma, unsigned long reqprot, unsigned long prot)`
#[lsm(hook = "file_mprotect")]
fn file_mprotect(context: LsmContext) -> i32 {
    let area = address(&context, 0);
    let protection: u64 = context.arg(2);
    if protection & (PROT_WRITE | PROT_EXEC) == 0 {
        return 0;
    }
    let file: Result<u64, Reason> = read(area.wrapping_add(offset!(vma_file)));
    let anonymous: Result<u64, Reason> = read(area.wrapping_add(offset!(vma_anonymous)));
    let flags: Result<u64, Reason> = read(area.wrapping_add(offset!(vma_flags)));
    let (Ok(file), Ok(anonymous), Ok(flags)) = (file, anonymous, flags) else {
        return confined(
            Operation::Map,
            #[inline(always)]
            |_label| Err(Reason::Fault),
        );
    };
    mediate(Mapping {
        file,
        protection,
        shared: flags & VM_SHARED != 0,
        changed: anonymous != 0,
    })
}

/// Judges a mapping. The usual ones, of data, cost next to nothing.
#[inline(always)]
fn mediate(mapping: Mapping) -> i32 {
    let Mapping {
        file,
        protection,
        shared,
        changed,
    } = mapping;
    let writable = protection & PROT_WRITE != 0;
    if protection & PROT_EXEC != 0 {
        if file == 0 || !shared && (writable || changed) {
            let answer = need(Privilege::EXECMEM);
            if answer != 0 || file == 0 {
                return answer;
            }
        }
        return map(file, Access::MAP);
    }
    // By memory, a file that was opened to be added to can be written to.
    if writable && shared && file != 0 && file::flags(file) & O_APPEND != 0 {
        return map(file, Access::WRITE);
    }
    0
}

#[inline(always)]
fn map(file: u64, requested: Access) -> i32 {
    confined(
        Operation::Map,
        #[inline(always)]
        |label| {
            let object = file::mapped_object(file);
            if requested == Access::MAP && claims::is_running(Task::current(), object.dentry) {
                // What runs is code already.
                return Ok(0);
            }
            let question = Question::plain(Operation::Map, requested, object);
            Ok(match judge::ask(label, &question, Folder::Read) {
                Answer::Anonymous => privileged(label, Privilege::EXECMEM, Told::Loudly),
                answer => errno(answer),
            })
        },
    )
}
