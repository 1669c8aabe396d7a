//! Changing and reading what is known about an object.

use aya_ebpf::{macros::lsm, programs::LsmContext};
use enforcer_abi::{Access, Operation, offsets::Features};

use crate::{
    hooks::{address, mediate_dentry, mediate_path},
    kernel::{load, offset},
};

/// From `include/linux/fs.h`.
const ATTR_UID: u32 = 1 << 1;
const ATTR_GID: u32 = 1 << 2;
const ATTR_SIZE: u32 = 1 << 3;
const ATTR_ATIME: u32 = 1 << 4;
const ATTR_MTIME: u32 = 1 << 5;
/// The kernel does it for itself, as when a write takes away the set-user-id bit.
const ATTR_FORCE: u32 = 1 << 9;

/// `int path_chmod(const struct path *path, umode_t mode)`
#[lsm(hook = "path_chmod")]
fn path_chmod(context: LsmContext) -> i32 {
    mediate_path(Operation::Chmod, Access::ATTRIBUTES, address(&context, 0))
}

/// `int path_chown(const struct path *path, kuid_t uid, kgid_t gid)`, from 6.1.
#[lsm(hook = "path_chown")]
fn path_chown(context: LsmContext) -> i32 {
    mediate_path(Operation::Chown, Access::ATTRIBUTES, address(&context, 0))
}

/// `int inode_setattr(struct dentry *dentry, struct iattr *attr)`, before 6.9.
#[lsm(hook = "inode_setattr")]
fn inode_setattr(context: LsmContext) -> i32 {
    set(address(&context, 0), address(&context, 1))
}

/// `int inode_setattr(struct mnt_idmap *idmap, struct dentry *dentry, struct iattr *attr)`
#[lsm(hook = "inode_setattr")]
fn inode_setattr_idmap(context: LsmContext) -> i32 {
    set(address(&context, 1), address(&context, 2))
}

/// Judges what no hook with a path sees: times, and owners on old kernels.
#[inline(always)]
fn set(dentry: u64, attributes: u64) -> i32 {
    let valid: u32 = load(attributes, offset!(iattr_valid));
    if valid & (ATTR_FORCE | ATTR_SIZE) != 0 {
        return 0;
    }
    let by_inode = offset!(features) & Features::CHOWN_BY_INODE != 0;
    if valid & (ATTR_UID | ATTR_GID) != 0 {
        if by_inode {
            return mediate_dentry(Operation::Chown, Access::ATTRIBUTES, dentry);
        }
    } else if valid & (ATTR_ATIME | ATTR_MTIME) != 0 {
        return mediate_dentry(Operation::Utimes, Access::ATTRIBUTES, dentry);
    }
    0
}

/// `int inode_setxattr(struct dentry *dentry, const char *name, …)`, before 5.12.
#[lsm(hook = "inode_setxattr")]
fn inode_setxattr_plain(context: LsmContext) -> i32 {
    mediate_dentry(Operation::Xattr, Access::ATTRIBUTES, address(&context, 0))
}

/// `int inode_setxattr(struct mnt_idmap *idmap, struct dentry *dentry, const char *name, …)`
#[lsm(hook = "inode_setxattr")]
fn inode_setxattr(context: LsmContext) -> i32 {
    mediate_dentry(Operation::Xattr, Access::ATTRIBUTES, address(&context, 1))
}

/// `int inode_removexattr(struct dentry *dentry, const char *name)`, before 5.12.
#[lsm(hook = "inode_removexattr")]
fn inode_removexattr_plain(context: LsmContext) -> i32 {
    mediate_dentry(Operation::Xattr, Access::ATTRIBUTES, address(&context, 0))
}

/// `int inode_removexattr(struct mnt_idmap *idmap, struct dentry *dentry, const char *name)`
#[lsm(hook = "inode_removexattr")]
fn inode_removexattr(context: LsmContext) -> i32 {
    mediate_dentry(Operation::Xattr, Access::ATTRIBUTES, address(&context, 1))
}

/// `int inode_set_acl(struct mnt_idmap *idmap, struct dentry *dentry, …)`, from 6.2.
#[lsm(hook = "inode_set_acl")]
fn inode_set_acl(context: LsmContext) -> i32 {
    mediate_dentry(Operation::Xattr, Access::ATTRIBUTES, address(&context, 1))
}

/// `int inode_remove_acl(struct mnt_idmap *idmap, struct dentry *dentry, …)`, from 6.2.
#[lsm(hook = "inode_remove_acl")]
fn inode_remove_acl(context: LsmContext) -> i32 {
    mediate_dentry(Operation::Xattr, Access::ATTRIBUTES, address(&context, 1))
}

/// `int inode_file_setattr(struct dentry *dentry, struct file_kattr *fa)`, from 6.17.
///
/// `file_setattr(2)`, and `ioctl` once more.
#[lsm(hook = "inode_file_setattr")]
fn inode_file_setattr(context: LsmContext) -> i32 {
    mediate_dentry(Operation::Ioctl, Access::ATTRIBUTES, address(&context, 0))
}

/// `int inode_getattr(const struct path *path)`
#[lsm(hook = "inode_getattr")]
fn inode_getattr(context: LsmContext) -> i32 {
    mediate_path(Operation::Stat, Access::METADATA, address(&context, 0))
}

/// `int inode_readlink(struct dentry *dentry)`
#[lsm(hook = "inode_readlink")]
fn inode_readlink(context: LsmContext) -> i32 {
    mediate_dentry(Operation::Stat, Access::METADATA, address(&context, 0))
}

/// `int inode_getxattr(struct dentry *dentry, const char *name)`
#[lsm(hook = "inode_getxattr")]
fn inode_getxattr(context: LsmContext) -> i32 {
    mediate_dentry(Operation::Stat, Access::METADATA, address(&context, 0))
}

/// `int inode_listxattr(struct dentry *dentry)`
#[lsm(hook = "inode_listxattr")]
fn inode_listxattr(context: LsmContext) -> i32 {
    mediate_dentry(Operation::Stat, Access::METADATA, address(&context, 0))
}

/// `int inode_get_acl(struct mnt_idmap *idmap, struct dentry *dentry, …)`, from 6.2.
#[lsm(hook = "inode_get_acl")]
fn inode_get_acl(context: LsmContext) -> i32 {
    mediate_dentry(Operation::Stat, Access::METADATA, address(&context, 1))
}
