//! Changing what is known about an object, and a file's length.

use std::{ffi::c_long, path::Path};

use enforcer_tests::acl;
use rustix::{
    fs::{AtFlags, CWD, Gid, IFlags, Mode, OFlags, Timespec, Timestamps, Uid, XattrFlags},
    io::Errno,
};

use crate::{
    Attempt, number,
    open::{named, open},
    proc_path, raw,
};

/// What no other attribute of the tests is called.
const NAME: &str = "trusted.enforcer";

/// Where the access control list of POSIX is.
const ACL: &str = "system.posix_acl_access";

/// Numbers that the C library does not know yet.
const SYS_FCHMODAT2: c_long = 452;
const SYS_SETXATTRAT: c_long = 463;
const SYS_REMOVEXATTRAT: c_long = 466;
const SYS_FILE_SETATTR: c_long = 469;

/// From `include/uapi/linux/fs.h`.
const FS_IOC_FSGETXATTR: u32 = 0x801c_581f;
const FS_IOC_FSSETXATTR: u32 = 0x401c_5820;
const FS_XFLAG_NODUMP: u32 = 0x80;

/// What only some file systems know, by the names that [`of_a_file_system`] has for it.
/// From `include/uapi/linux/btrfs.h` and `msdos_fs.h`, and `fs/ocfs2/ocfs2_ioctl.h`.
#[rustfmt::skip]
const OF_FILE_SYSTEMS: &[(&str, u32)] = &[
    ("make-snapshot",       0x5000_9401),
    ("make-snapshot-v2",    0x5000_9417),
    ("make-subvolume",      0x5000_940e),
    ("make-subvolume-v2",   0x5000_9418),
    ("remove-subvolume",    0x5000_940f),
    ("remove-subvolume-v2", 0x5000_943f),
    ("reflink",             0x4018_6f04),
    ("set-subvolume-flags", 0x4008_941a),
    ("set-fat-attributes",  0x4004_7211),
];

pub(crate) fn attempt(what: &str, args: &[&Path]) -> Attempt {
    let [path] = args else {
        return (what == "chown-to").then(|| chown_to(args));
    };
    Some(match what {
        "chmod" => rustix::fs::chmod(*path, mode()),
        "chmod-by-proc" => named(path).and_then(|file| rustix::fs::chmod(proc_path(&file), mode())),
        "fchmod" => read(path).and_then(|file| rustix::fs::fchmod(file, mode())),
        "fchmodat2" => fchmodat2(path),
        "chown" => rustix::fs::chown(*path, Some(owner()), Some(group())),
        "chgrp" => rustix::fs::chown(*path, None, Some(group())),
        "lchown" => rustix::fs::chownat(
            CWD,
            *path,
            Some(owner()),
            Some(group()),
            AtFlags::SYMLINK_NOFOLLOW,
        ),
        "fchown" => {
            read(path).and_then(|file| rustix::fs::fchown(file, Some(owner()), Some(group())))
        }
        "chown-descriptor" => named(path).and_then(|file| {
            rustix::fs::chownat(file, c"", Some(owner()), Some(group()), AtFlags::EMPTY_PATH)
        }),
        "utimensat" => rustix::fs::utimensat(CWD, *path, &times(), AtFlags::empty()),
        "lutimens" => rustix::fs::utimensat(CWD, *path, &times(), AtFlags::SYMLINK_NOFOLLOW),
        "futimens" => read(path).and_then(|file| rustix::fs::futimens(file, &times())),
        "touch" => touch(path),
        _ => return xattr(what, path),
    })
}

fn xattr(what: &str, path: &Path) -> Attempt {
    let flags = XattrFlags::empty();
    Some(match what {
        "setxattr" => rustix::fs::setxattr(path, NAME, b"x", flags),
        "lsetxattr" => rustix::fs::lsetxattr(path, NAME, b"x", flags),
        "fsetxattr" => read(path).and_then(|file| rustix::fs::fsetxattr(file, NAME, b"x", flags)),
        "setxattrat" => setxattrat(path),
        "removexattr" => rustix::fs::removexattr(path, NAME),
        "lremovexattr" => rustix::fs::lremovexattr(path, NAME),
        "fremovexattr" => read(path).and_then(|file| rustix::fs::fremovexattr(file, NAME)),
        "removexattrat" => removexattrat(path),
        "set-acl" => rustix::fs::setxattr(path, ACL, &acl(), flags),
        "remove-acl" => rustix::fs::removexattr(path, ACL),
        "set-default-acl" => rustix::fs::setxattr(path, "system.posix_acl_default", &acl(), flags),
        "setflags" => setflags(path),
        "make-immutable" => make_immutable(path),
        "fssetxattr" => fssetxattr(path),
        "file-setattr" => file_setattr(path),
        "cut" => truncate(path),
        "cut-open" => open(path, OFlags::WRONLY | OFlags::APPEND)
            .and_then(|file| rustix::fs::ftruncate(file, 1)),
        _ => return of_a_file_system(what, path),
    })
}

/// Asks for what only some file systems do. `ENOTTY`: this one does not.
fn of_a_file_system(what: &str, path: &Path) -> Attempt {
    let (_name, command) = OF_FILE_SYSTEMS.iter().find(|(name, _)| *name == what)?;
    let request = [0_u8; 4096];
    Some(read(path).and_then(|file| {
        let args = [(&file).into(), (*command).into(), request.as_slice().into()];
        raw::call(libc::SYS_ioctl, args).map(drop)
    }))
}

fn read(path: &Path) -> Result<std::os::fd::OwnedFd, Errno> {
    open(path, OFlags::RDONLY)
}

fn owner() -> Uid {
    Uid::from_raw(1000)
}

fn group() -> Gid {
    Gid::from_raw(1000)
}

fn mode() -> Mode {
    Mode::from_raw_mode(0o600)
}

fn times() -> Timestamps {
    let time = Timespec {
        tv_sec: 1,
        tv_nsec: 0,
    };
    Timestamps {
        last_access: time,
        last_modification: time,
    }
}

fn chown_to(args: &[&Path]) -> Result<(), Errno> {
    let [path, uid, gid] = args else {
        return Err(Errno::INVAL);
    };
    let (uid, gid) = (Uid::from_raw(number(uid)?), Gid::from_raw(number(gid)?));
    rustix::fs::chown(*path, Some(uid), Some(gid))
}

/// Sets the times to now, which needs no owner.
fn touch(path: &Path) -> Result<(), Errno> {
    let path = raw::text(path)?;
    let args = [raw::here().into(), (&path).into(), raw::Arg::Null, 0.into()];
    raw::call(libc::SYS_utimensat, args).map(drop)
}

/// By an identity without rights.
fn fchmodat2(path: &Path) -> Result<(), Errno> {
    let file = named(path)?;
    let args = [
        (&file).into(),
        c"".into(),
        0o600.into(),
        libc::AT_EMPTY_PATH.into(),
    ];
    raw::call(SYS_FCHMODAT2, args).map(drop)
}

fn setxattrat(path: &Path) -> Result<(), Errno> {
    raw::xattr_at(SYS_SETXATTRAT, path, NAME, &mut [b'x'])
}

fn removexattrat(path: &Path) -> Result<(), Errno> {
    let (path, name) = (raw::text(path)?, raw::text(Path::new(NAME))?);
    let args = [raw::here().into(), (&path).into(), 0.into(), (&name).into()];
    raw::call(SYS_REMOVEXATTRAT, args).map(drop)
}

fn setflags(path: &Path) -> Result<(), Errno> {
    let file = read(path)?;
    let flags = rustix::fs::ioctl_getflags(&file)?;
    rustix::fs::ioctl_setflags(&file, flags | IFlags::NODUMP)
}

/// So that nobody can change or remove it, and back.
fn make_immutable(path: &Path) -> Result<(), Errno> {
    let file = read(path)?;
    let flags = rustix::fs::ioctl_getflags(&file)?;
    rustix::fs::ioctl_setflags(&file, flags | IFlags::IMMUTABLE)?;
    rustix::fs::ioctl_setflags(&file, flags)
}

fn fssetxattr(path: &Path) -> Result<(), Errno> {
    let file = read(path)?;
    // `struct fsxattr`, which begins with the flags.
    let mut request = [0_u8; 28];
    let get = [
        (&file).into(),
        FS_IOC_FSGETXATTR.into(),
        request.as_mut_slice().into(),
    ];
    raw::call(libc::SYS_ioctl, get)?;
    request[..4].copy_from_slice(&FS_XFLAG_NODUMP.to_ne_bytes());
    let set = [
        (&file).into(),
        FS_IOC_FSSETXATTR.into(),
        request.as_slice().into(),
    ];
    raw::call(libc::SYS_ioctl, set).map(drop)
}

fn file_setattr(path: &Path) -> Result<(), Errno> {
    let path = raw::text(path)?;
    // `struct file_attr`: flags; then sizes and ids, all 0.
    let request = raw::fields(&[u64::from(FS_XFLAG_NODUMP), 0, 0]);
    let args = [
        raw::here().into(),
        (&path).into(),
        request.as_slice().into(),
        24.into(),
        0.into(),
    ];
    raw::call(SYS_FILE_SETATTR, args).map(drop)
}

fn truncate(path: &Path) -> Result<(), Errno> {
    let path = raw::text(path)?;
    raw::call(libc::SYS_truncate, [(&path).into(), 1.into()]).map(drop)
}
