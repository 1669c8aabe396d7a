//! Making, moving and removing names.

use aya_ebpf::{macros::lsm, programs::LsmContext};
use enforcer_abi::{Access, Operation};

use crate::{
    hooks::{EACCES, EXDEV, address, confined, errno},
    judge::{self, Answer, Folder, How, Question},
    kernel::{load, offset},
    scratch::Object,
};

/// From `include/uapi/linux/stat.h`.
const S_IFMT: u32 = 0o170_000;
const S_IFREG: u32 = 0o100_000;
const S_IFDIR: u32 = 0o040_000;

/// From `include/uapi/linux/fs.h`.
const RENAME_EXCHANGE: u32 = 1 << 1;
const RENAME_WHITEOUT: u32 = 1 << 2;

/// The object at `dentry` in the directory of the `struct path` at `directory`.
#[inline(always)]
fn in_directory(directory: u64, dentry: u64) -> Object {
    Object {
        vfsmount: load(directory, offset!(path_mnt)),
        dentry,
    }
}

/// The `struct dentry *` of a `struct path`.
#[inline(always)]
fn folder(directory: u64) -> u64 {
    load(directory, offset!(path_dentry))
}

/// Judges what is done to the name that the hook's first two arguments tell, in what
/// `place` makes of its folder.
#[inline(always)]
fn mediate_name(
    context: &LsmContext,
    operation: Operation,
    requested: Access,
    place: impl FnOnce(u64) -> Folder,
) -> i32 {
    let (directory, dentry) = (address(context, 0), address(context, 1));
    confined(
        operation,
        #[inline(always)]
        |label| {
            let question = Question::plain(operation, requested, in_directory(directory, dentry));
            Ok(errno(judge::ask(
                label,
                &question,
                place(folder(directory)),
            )))
        },
    )
}

/// Judges whether the name may be made that the hook's first two arguments tell.
#[inline(always)]
fn mediate_new(context: &LsmContext, operation: Operation, requested: Access) -> i32 {
    mediate_name(context, operation, requested, Folder::Coming)
}

/// Judges whether the name may be taken away that the hook's first two arguments tell.
#[inline(always)]
fn mediate_removal(context: &LsmContext, operation: Operation) -> i32 {
    mediate_name(context, operation, Access::REMOVE, Folder::This)
}

/// `int path_mknod(const struct path *dir, struct dentry *dentry, umode_t mode, unsigned int dev)`
///
/// Comes before a file is made, by `open` with `O_CREAT` or by `mknod`.
/// `file_open` would only see it when it is there.
#[lsm(hook = "path_mknod")]
fn path_mknod(context: LsmContext) -> i32 {
    let mode: u32 = context.arg(2);
    // Devices, fifos and sockets are made by their own system calls, which
    // nothing judges further, so making one takes the right to write as well.
    match mode & S_IFMT {
        S_IFREG | 0 => mediate_new(&context, Operation::Create, Access::CREATE),
        _ => mediate_new(
            &context,
            Operation::Mknod,
            Access(Access::CREATE.0 | Access::WRITE.0),
        ),
    }
}

/// `int path_mkdir(const struct path *dir, struct dentry *dentry, umode_t mode)`
#[lsm(hook = "path_mkdir")]
fn path_mkdir(context: LsmContext) -> i32 {
    mediate_new(&context, Operation::Mkdir, Access::CREATE)
}

/// `int path_symlink(const struct path *dir, struct dentry *dentry, const char *old_name)`
#[lsm(hook = "path_symlink")]
fn path_symlink(context: LsmContext) -> i32 {
    mediate_new(&context, Operation::Symlink, Access::CREATE)
}

/// `int path_unlink(const struct path *dir, struct dentry *dentry)`
#[lsm(hook = "path_unlink")]
fn path_unlink(context: LsmContext) -> i32 {
    mediate_removal(&context, Operation::Unlink)
}

/// `int path_rmdir(const struct path *dir, struct dentry *dentry)`
#[lsm(hook = "path_rmdir")]
fn path_rmdir(context: LsmContext) -> i32 {
    mediate_removal(&context, Operation::Rmdir)
}

/// `int path_link(struct dentry *old_dentry, const struct path *new_dir, struct dentry *new_dentry)`
///
/// The kernel has checked that both names are on one mount.
#[lsm(hook = "path_link")]
fn path_link(context: LsmContext) -> i32 {
    let (old, directory, new) = (
        address(&context, 0),
        address(&context, 1),
        address(&context, 2),
    );
    confined(
        Operation::Link,
        #[inline(always)]
        |label| {
            let folders = [load(old, offset!(dentry_parent)), folder(directory)];
            let old = Question {
                operation: Operation::Link,
                requested: Access::NONE,
                object: in_directory(directory, old),
                how: How::KEEP,
            };
            let new = Question {
                operation: Operation::Link,
                requested: Access::CREATE,
                object: in_directory(directory, new),
                how: How::NO_GROWTH,
            };
            Ok(errno(judge::ask_both(label, &old, &new, folders)))
        },
    )
}

/// `int path_rename(const struct path *old_dir, struct dentry *old_dentry, const struct path *new_dir, struct dentry *new_dentry, unsigned int flags)`
#[lsm(hook = "path_rename")]
fn path_rename(context: LsmContext) -> i32 {
    let flags: u32 = context.arg(4);
    rename(&context, flags)
}

/// The same without `flags`, before 5.19. An exchange then comes twice, with the
/// names swapped.
#[lsm(hook = "path_rename")]
fn path_rename_plain(context: LsmContext) -> i32 {
    rename(&context, 0)
}

#[inline(always)]
fn rename(context: &LsmContext, flags: u32) -> i32 {
    let (old_directory, old) = (address(context, 0), address(context, 1));
    let (new_directory, new) = (address(context, 2), address(context, 3));
    confined(
        Operation::Rename,
        #[inline(always)]
        |label| {
            let exchange = flags & RENAME_EXCHANGE != 0;
            let mut leaves = Access::REMOVE;
            if exchange || flags & RENAME_WHITEOUT != 0 {
                leaves |= Access::CREATE;
            }
            let old_kind = kind(old);
            let new_kind = kind(new);
            let mut comes = Access::CREATE;
            if new_kind != 0 {
                comes |= Access::REMOVE;
            }
            let mut how = How::NO_GROWTH;
            if exchange {
                how |= How::NO_LOSS;
            }
            if old_kind == S_IFDIR || new_kind == S_IFDIR {
                how |= How::DIRECTORY;
            }
            let from = Question {
                operation: Operation::Rename,
                requested: leaves,
                object: in_directory(old_directory, old),
                how: How::KEEP,
            };
            let to = Question {
                operation: Operation::Rename,
                requested: comes,
                object: in_directory(new_directory, new),
                how,
            };
            let folders = [folder(old_directory), folder(new_directory)];
            let answer = judge::ask_both(label, &from, &to, folders);
            Ok(match answer {
                Answer::Granted => 0,
                // Whoever moves things then copies them, and the copy is judged.
                Answer::Grows => -EXDEV,
                _ => -EACCES,
            })
        },
    )
}

/// The kind of the object at `dentry`, as in its mode; 0 if there is none.
#[inline(always)]
fn kind(dentry: u64) -> u32 {
    let inode: u64 = load(dentry, offset!(dentry_inode));
    if inode == 0 {
        return 0;
    }
    let mode: u16 = load(inode, offset!(inode_mode));
    u32::from(mode) & S_IFMT
}
