//! Steering files: `ioctl`.
//!
//! What a file system does by one of its own, without a hook of its own, is asked here.

use aya_ebpf::{macros::lsm, programs::LsmContext};
use enforcer_abi::{Access, Operation, Privilege};

use crate::hooks::{address, file::question, mediate, need};

/// `FS_IOC_SETFLAGS` and its kin, from `include/uapi/linux/fs.h`, `fsverity.h` and
/// `fscrypt.h`: they change a file through a descriptor that may only read.
const FS_IOC_SETFLAGS: u32 = 0x4008_6602;
const FS_IOC32_SETFLAGS: u32 = 0x4004_6602;
const FS_IOC_SETVERSION: u32 = 0x4008_7602;
const FS_IOC32_SETVERSION: u32 = 0x4004_7602;
const FS_IOC_FSSETXATTR: u32 = 0x401c_5820;
const FS_IOC_ENABLE_VERITY: u32 = 0x4080_6685;
const FS_IOC_SET_ENCRYPTION_POLICY: u32 = 0x800c_6613;
/// As these, of a subvolume: from `include/uapi/linux/btrfs.h`.
const BTRFS_IOC_SUBVOL_SETFLAGS: u32 = 0x4008_941a;
/// As these, also who may write: from `include/uapi/linux/msdos_fs.h`.
const FAT_IOCTL_SET_ATTRIBUTES: u32 = 0x4004_7211;

/// Make and remove subvolumes, from `include/uapi/linux/btrfs.h`: a snapshot has all of
/// another one under a name of the caller's, and no hook tells of that.
const BTRFS_IOC_SNAP_CREATE: u32 = 0x5000_9401;
const BTRFS_IOC_SNAP_CREATE_V2: u32 = 0x5000_9417;
const BTRFS_IOC_SUBVOL_CREATE: u32 = 0x5000_940e;
const BTRFS_IOC_SUBVOL_CREATE_V2: u32 = 0x5000_9418;
const BTRFS_IOC_SNAP_DESTROY: u32 = 0x5000_940f;
const BTRFS_IOC_SNAP_DESTROY_V2: u32 = 0x5000_943f;
/// Gives what one path names another, both from memory: `fs/ocfs2/ocfs2_ioctl.h`.
const OCFS2_IOC_REFLINK: u32 = 0x4018_6f04;

/// Who is signalled. From `include/uapi/asm-generic/sockios.h`.
const FIOSETOWN: u32 = 0x8901;
const SIOCSPGRP: u32 = 0x8902;

/// Put input into a terminal. From `include/uapi/asm-generic/ioctls.h`.
const TIOCSTI: u32 = 0x5412;
const TIOCLINUX: u32 = 0x541c;

/// `int file_ioctl(struct file *file, unsigned int cmd, unsigned long arg)`
#[lsm(hook = "file_ioctl")]
fn file_ioctl(context: LsmContext) -> i32 {
    ioctl(&context)
}

/// `int file_ioctl_compat(struct file *file, unsigned int cmd, unsigned long arg)`
#[lsm(hook = "file_ioctl_compat")]
fn file_ioctl_compat(context: LsmContext) -> i32 {
    ioctl(&context)
}

#[inline(always)]
fn ioctl(context: &LsmContext) -> i32 {
    let command: u32 = context.arg(1);
    match command {
        FS_IOC_SETFLAGS
        | FS_IOC32_SETFLAGS
        | FS_IOC_SETVERSION
        | FS_IOC32_SETVERSION
        | FS_IOC_FSSETXATTR
        | FS_IOC_ENABLE_VERITY
        | FS_IOC_SET_ENCRYPTION_POLICY
        | BTRFS_IOC_SUBVOL_SETFLAGS
        | FAT_IOCTL_SET_ATTRIBUTES => {
            let file = address(context, 0);
            mediate(
                Operation::Ioctl,
                #[inline(always)]
                |_label| Ok(Some(question(Operation::Ioctl, Access::ATTRIBUTES, file))),
            )
        }
        BTRFS_IOC_SNAP_CREATE
        | BTRFS_IOC_SNAP_CREATE_V2
        | BTRFS_IOC_SUBVOL_CREATE
        | BTRFS_IOC_SUBVOL_CREATE_V2
        | BTRFS_IOC_SNAP_DESTROY
        | BTRFS_IOC_SNAP_DESTROY_V2
        | OCFS2_IOC_REFLINK => need(Privilege::SYS_ADMIN),
        TIOCSTI | TIOCLINUX => need(Privilege::TERMINAL),
        FIOSETOWN | SIOCSPGRP => need(Privilege::SIGNAL),
        _ => 0,
    }
}
