//! Opening and making files.

use core::ffi::c_void;

use aya_ebpf::{macros::lsm, programs::LsmContext};
use enforcer_abi::{Access, Label, Operation, Reason};

use crate::{
    hooks::mediate,
    judge::Request,
    kernel::{offset, read},
    subject::file_object,
};

/// `FMODE_READ` and its kin, from `include/linux/fs.h`.
const FMODE_READ: u32 = 1;
const FMODE_WRITE: u32 = 1 << 1;
const FMODE_CREATED: u32 = 1 << 20;
/// The kernel opened the file for itself: the file under an overlay, whose own
/// open was judged. Such a file never gets a descriptor.
const FMODE_NOACCOUNT: u32 = 1 << 29;

/// From `include/uapi/asm-generic/fcntl.h`.
const O_TRUNC: u32 = 0o1000;
const O_APPEND: u32 = 0o2000;
/// The file is opened to be run. `include/linux/fs.h`; the same value in
/// `f_flags` on every kernel.
const FMODE_EXEC: u32 = 1 << 5;

/// From `include/uapi/linux/stat.h`.
const S_IFMT: u32 = 0o170_000;
const S_IFREG: u32 = 0o100_000;

/// `int file_open(struct file *file)`
#[lsm(hook = "file_open")]
fn file_open(context: LsmContext) -> i32 {
    let prior: i32 = context.arg(1);
    if prior != 0 {
        return prior;
    }
    let file: *const c_void = context.arg(0);
    mediate(|label| open(label, file as u64))
}

#[inline(always)]
fn open(label: &Label, file: u64) -> Result<Option<Request>, Reason> {
    let mode: u32 = read(file.wrapping_add(offset!(file_mode)))?;
    if mode & FMODE_NOACCOUNT != 0 {
        return Ok(None);
    }
    let flags: u32 = read(file.wrapping_add(offset!(file_flags)))?;
    let (operation, requested) = if flags & FMODE_EXEC == 0 {
        (Operation::Open, rights(mode, flags))
    } else if label.next_state == Label::NO_NEXT {
        // The program itself, which the exec hook is about to judge.
        return Ok(None);
    } else {
        // What a judged program has itself loaded with: a script's interpreter,
        // which the exec hook judges as well, or the loader, which it does not
        // see. It becomes code in the process.
        (Operation::Execute, Access::MAP)
    };
    let (vfsmount, dentry) = file_object(file)?;
    Ok(Some(Request {
        operation,
        requested,
        vfsmount,
        dentry,
    }))
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

/// `int path_mknod(const struct path *dir, struct dentry *dentry, umode_t mode, unsigned int dev)`
///
/// Comes before a file is made, by `open` with `O_CREAT` or by `mknod`.
/// [`file_open`] would only see it when it is there.
#[lsm(hook = "path_mknod")]
fn path_mknod(context: LsmContext) -> i32 {
    let prior: i32 = context.arg(4);
    if prior != 0 {
        return prior;
    }
    let dir: *const c_void = context.arg(0);
    let dentry: *const c_void = context.arg(1);
    let mode: u32 = context.arg(2);
    mediate(|_label| make(dir as u64, dentry as u64, mode))
}

#[inline(always)]
fn make(dir: u64, dentry: u64, mode: u32) -> Result<Option<Request>, Reason> {
    // Devices, fifos and sockets are made by their own system calls, which
    // nothing judges further, so making one takes the right to write as well.
    let kind = mode & S_IFMT;
    let requested = if kind == S_IFREG || kind == 0 {
        Access::CREATE
    } else {
        Access(Access::CREATE.0 | Access::WRITE.0)
    };
    Ok(Some(Request {
        operation: Operation::Create,
        requested,
        vfsmount: read(dir.wrapping_add(offset!(path_mnt)))?,
        dentry,
    }))
}
