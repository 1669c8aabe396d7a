//! Changing what is mounted, by the old calls and the new.

use std::{
    ffi::c_long,
    os::fd::{AsFd as _, OwnedFd},
    path::Path,
};

use rustix::{
    fs::{CWD, Mode, OFlags},
    io::Errno,
    mount::{
        FsMountFlags, FsOpenFlags, FsPickFlags, MountAttrFlags, MountFlags, MountPropagationFlags,
        MoveMountFlags, OpenTreeFlags, UnmountFlags,
    },
};

use crate::{Attempt, number, raw};

/// A number that the C library does not know yet.
const SYS_OPEN_TREE_ATTR: c_long = 467;

pub(crate) fn attempt(what: &str, args: &[&Path]) -> Attempt {
    Some(match (what, args) {
        ("mount", [path]) => tmpfs(path),
        ("mount-bind", [from, to]) => rustix::mount::mount_bind(*from, *to),
        ("remount", [path]) => rustix::mount::mount_remount(*path, MountFlags::RDONLY, c""),
        ("remount-bind", [path]) => {
            rustix::mount::mount_remount(*path, MountFlags::BIND | MountFlags::RDONLY, c"")
        }
        ("mount-shared", [path]) => {
            rustix::mount::mount_change(*path, MountPropagationFlags::SHARED)
        }
        ("mount-move", [from, to]) => rustix::mount::mount_move(*from, *to),
        ("unmount", [path]) => rustix::mount::unmount(*path, UnmountFlags::empty()),
        ("unmount-lazily", [path]) => rustix::mount::unmount(*path, UnmountFlags::DETACH),
        ("mount-on-demand", [path]) => {
            let kind = c"no-such-file-system";
            rustix::mount::mount(c"none", *path, kind, MountFlags::empty(), None)
        }
        ("pivot-root", [root]) => rustix::process::chroot(*root)
            .and_then(|()| rustix::process::chdir("/inner"))
            .and_then(|()| rustix::process::pivot_root(".", ".")),
        _ => return new(what, args),
    })
}

/// Mounts a tmpfs.
pub(crate) fn tmpfs(path: &Path) -> Result<(), Errno> {
    rustix::mount::mount(c"none", path, c"tmpfs", MountFlags::empty(), None)
}

fn new(what: &str, args: &[&Path]) -> Attempt {
    Some(match (what, args) {
        ("fsopen", []) => context().map(drop),
        ("fsmount", [context]) => number(context).and_then(|context| {
            let context: OwnedFd = raw::inherited(context).into();
            make(&context).map(drop)
        }),
        ("fspick", [path]) => {
            rustix::mount::fspick(CWD, *path, FsPickFlags::FSPICK_CLOEXEC).map(drop)
        }
        ("reconfigure", [path]) => reconfigure(path),
        ("open-tree", [path]) => tree(path).map(drop),
        ("read-in-tree", [folder, name]) => tree(folder).and_then(|tree| {
            rustix::fs::openat(tree, *name, OFlags::RDONLY, Mode::empty()).map(drop)
        }),
        ("open-tree-attr", [path]) => open_tree_attr(path),
        ("attach", [path]) => context()
            .and_then(|context| make(&context))
            .and_then(|mount| move_to(&mount, path)),
        ("attach-copy", [from, to]) => tree(from).and_then(|mount| move_to(&mount, to)),
        ("attach-inherited", [mount, path]) => {
            number(mount).and_then(|mount| move_to(&raw::inherited(mount).into(), path))
        }
        ("mount-setattr", [path]) => mount_setattr(path),
        _ => return None,
    })
}

/// What a tmpfs is made from.
pub(crate) fn context() -> Result<OwnedFd, Errno> {
    let context = rustix::mount::fsopen(c"tmpfs", FsOpenFlags::empty())?;
    rustix::mount::fsconfig_create(&context)?;
    Ok(context)
}

fn make(context: &OwnedFd) -> Result<OwnedFd, Errno> {
    rustix::mount::fsmount(
        context,
        FsMountFlags::FSMOUNT_CLOEXEC,
        MountAttrFlags::empty(),
    )
}

/// A copy of what is mounted at `path`, mounted nowhere.
pub(crate) fn tree(path: &Path) -> Result<OwnedFd, Errno> {
    rustix::mount::open_tree(CWD, path, OpenTreeFlags::OPEN_TREE_CLONE)
}

fn move_to(mount: &OwnedFd, path: &Path) -> Result<(), Errno> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
    rustix::mount::move_mount(mount, c"", CWD, path, flags)
}

fn reconfigure(path: &Path) -> Result<(), Errno> {
    let context = rustix::mount::fspick(CWD, path, FsPickFlags::FSPICK_CLOEXEC)?;
    rustix::mount::fsconfig_reconfigure(context.as_fd())
}

/// `struct mount_attr` that makes a mount read-only.
fn read_only() -> Vec<u8> {
    raw::fields(&[libc::MOUNT_ATTR_RDONLY, 0, 0, 0])
}

fn mount_setattr(path: &Path) -> Result<(), Errno> {
    let (path, read_only) = (raw::text(path)?, read_only());
    let args = [
        raw::here().into(),
        (&path).into(),
        0.into(),
        read_only.as_slice().into(),
        32.into(),
    ];
    raw::call(libc::SYS_mount_setattr, args).map(drop)
}

fn open_tree_attr(path: &Path) -> Result<(), Errno> {
    let (path, read_only) = (raw::text(path)?, read_only());
    let args = [
        raw::here().into(),
        (&path).into(),
        OpenTreeFlags::OPEN_TREE_CLONE.bits().into(),
        read_only.as_slice().into(),
        32.into(),
    ];
    raw::open(SYS_OPEN_TREE_ATTR, args).map(drop)
}
