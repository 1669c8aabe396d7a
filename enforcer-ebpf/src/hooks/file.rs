//! Opening, receiving and cutting files.

use aya_ebpf::{macros::lsm, programs::LsmContext};
use enforcer_abi::{Access, Label, Operation, Privilege, Reason};

use crate::{
    hooks::{address, confined, errno, loaded_object, mediate, mediate_path, need},
    judge::{self, Answer, How, Question},
    kernel::{self, half, load, offset},
    scratch::Object,
    subject::claims::{file_object, path_object},
    walk::mounts,
};

/// `FMODE_READ` and its kin, from `include/linux/fs.h`.
const FMODE_READ: u32 = 1;
const FMODE_WRITE: u32 = 1 << 1;
/// The descriptor names a file and gives no access to it.
const FMODE_PATH: u32 = 1 << 14;
const FMODE_CREATED: u32 = 1 << 20;
/// The kernel opened the file for itself: the file under an overlay, whose own
/// open was judged. Such a file never gets a descriptor.
const FMODE_NOACCOUNT: u32 = 1 << 29;

/// From `include/uapi/asm-generic/fcntl.h`.
const O_TRUNC: u32 = 0o1000;
pub(super) const O_APPEND: u32 = 0o2000;
const F_SETFL: u32 = 4;
const F_SETOWN: u32 = 8;
const F_SETOWN_EX: u32 = 15;
/// The file is opened to be run. `include/linux/fs.h`; the same value in
/// `f_flags` on every kernel.
const FMODE_EXEC: u32 = 1 << 5;

/// `int file_open(struct file *file)`
#[lsm(hook = "file_open")]
fn file_open(context: LsmContext) -> i32 {
    let file = address(&context, 0);
    mediate(
        Operation::Open,
        #[inline(always)]
        |label| Ok(open(label, file)),
    )
}

#[inline(always)]
fn open(label: &Label, file: u64) -> Option<Question> {
    let (mode, flags) = loaded_mode_and_flags(file);
    if mode & FMODE_NOACCOUNT != 0 {
        return None;
    }
    let (operation, requested) = if flags & FMODE_EXEC == 0 {
        (Operation::Open, rights(mode, flags))
    } else if label.next_state == Label::NO_NEXT {
        // The program itself, which the exec hook is about to judge.
        return None;
    } else {
        // What a judged program has itself loaded with: a script's interpreter,
        // which the exec hook judges as well, or the loader, which it does not
        // see. It becomes code in the process.
        (Operation::Execute, Access::MAP)
    };
    Some(question(operation, requested, file))
}

/// Judges whether the current task may use an open file as it was opened.
///
/// Whoever opened it may have been in another mount namespace, as what starts a
/// service often is; then the first of its names in the task's own counts.
#[inline(always)]
pub(super) fn use_of(
    label: &mut Label,
    operation: Operation,
    file: u64,
    how: u32,
) -> Result<Answer, Reason> {
    let mode = half(file.wrapping_add(offset!(file_mode)));
    if mode & FMODE_PATH != 0 {
        // It names a file, and gives no access to it.
        return Ok(Answer::Granted);
    }
    let (vfsmount, dentry) = file_object(file);
    Ok(judge::ask_slowly(
        label,
        &Question {
            operation,
            // Whoever opened it made it, and cut it.
            requested: rights(mode & !FMODE_CREATED, flags(file) & !O_TRUNC),
            object: Object {
                vfsmount: mounts::nearest(vfsmount, dentry)?,
                dentry,
            },
            how,
        },
    ))
}

/// Mount and dentry of the file that a memory area maps, as who maps it sees it.
///
/// From 6.5 on an overlay's area has the file beneath, which knows what it stands for.
/// No other of those that the kernel opens for itself is ever mapped. The flag
/// `FMODE_BACKING` would say so, but is not the same on all kernels.
#[inline(always)]
pub(super) fn mapped_object(file: u64) -> Object {
    let mode = half(file.wrapping_add(offset!(file_mode)));
    let user_path = offset!(backing_user_path);
    let (vfsmount, dentry) = if user_path != 0 && mode & FMODE_NOACCOUNT != 0 {
        path_object(file.wrapping_add(user_path))
    } else {
        file_object(file)
    };
    Object { vfsmount, dentry }
}

/// A question about a file that is a hook's argument.
#[inline(always)]
pub(super) fn question(operation: Operation, requested: Access, file: u64) -> Question {
    let object = loaded_object(file, offset!(file_path));
    Question::plain(operation, requested, object)
}

/// Mode and flags of a file that is a hook's argument.
#[inline(always)]
fn loaded_mode_and_flags(file: u64) -> (u32, u32) {
    (
        load(file, offset!(file_mode)),
        load(file, offset!(file_flags)),
    )
}

/// The flags of an open file.
#[inline(always)]
pub(super) fn flags(file: u64) -> u32 {
    half(file.wrapping_add(offset!(file_flags)))
}

/// The rights that an open with `mode` and `flags` needs.
#[inline(always)]
fn rights(mode: u32, flags: u32) -> Access {
    let mut rights = 0;
    if mode & FMODE_READ != 0 {
        rights |= Access::READ.0;
    }
    if mode & FMODE_WRITE != 0 {
        rights |= if flags & O_APPEND != 0 && flags & O_TRUNC == 0 {
            Access::APPEND.0
        } else {
            Access::WRITE.0
        };
    }
    if flags & O_TRUNC != 0 {
        rights |= Access::WRITE.0;
    }
    if mode & FMODE_CREATED != 0 {
        rights |= Access::CREATE.0;
    }
    Access(rights)
}

/// `int file_receive(struct file *file)`
///
/// A descriptor comes from another process: in a message, or by `pidfd_getfd`.
#[lsm(hook = "file_receive")]
fn file_receive(context: LsmContext) -> i32 {
    let file = address(&context, 0);
    confined(
        Operation::Receive,
        #[inline(always)]
        |label| use_of(label, Operation::Receive, file, How::PLAIN).map(errno),
    )
}

/// `int file_truncate(struct file *file)`, from 6.2: `ftruncate` and `O_TRUNC`.
#[lsm(hook = "file_truncate")]
fn file_truncate(context: LsmContext) -> i32 {
    let file = address(&context, 0);
    mediate(
        Operation::Truncate,
        #[inline(always)]
        |_label| Ok(Some(question(Operation::Truncate, Access::WRITE, file))),
    )
}

/// `int path_truncate(const struct path *path)`: `truncate`; before 6.2 the others
/// as well.
#[lsm(hook = "path_truncate")]
fn path_truncate(context: LsmContext) -> i32 {
    mediate_path(Operation::Truncate, Access::WRITE, address(&context, 0))
}

/// `int file_fcntl(struct file *file, unsigned int cmd, unsigned long arg)`
#[lsm(hook = "file_fcntl")]
fn file_fcntl(context: LsmContext) -> i32 {
    let command: u32 = context.arg(1);
    let argument: u64 = context.arg(2);
    match command {
        F_SETFL if argument & u64::from(O_APPEND) == 0 => no_append(address(&context, 0)),
        F_SETOWN if is_own(argument) => 0,
        // Who owns a file gets signals when something can be read from it.
        F_SETOWN | F_SETOWN_EX => need(Privilege::SIGNAL),
        _ => 0,
    }
}

/// Whether `id` is nobody's, or that of the current task. Inside a pid namespace
/// none is, which errs on the safe side.
#[inline(always)]
fn is_own(id: u64) -> bool {
    let (process, thread) = kernel::ids();
    id == 0 || id == u64::from(process) || id == u64::from(thread)
}

/// A file that was opened to be added to would become one to be written to.
#[inline(always)]
fn no_append(file: u64) -> i32 {
    mediate(
        Operation::Fcntl,
        #[inline(always)]
        |_label| {
            let (mode, flags) = loaded_mode_and_flags(file);
            if mode & FMODE_WRITE == 0 || flags & O_APPEND == 0 {
                return Ok(None);
            }
            Ok(Some(question(Operation::Fcntl, Access::WRITE, file)))
        },
    )
}

/// `int path_notify(const struct path *path, u64 mask, unsigned int obj_type)`
#[lsm(hook = "path_notify")]
fn path_notify(context: LsmContext) -> i32 {
    mediate_path(Operation::Watch, Access::READ, address(&context, 0))
}
