//! Looking at what is known about an object.

use std::{ffi::c_long, path::Path};

use rustix::{
    fs::{AtFlags, CWD, OFlags, StatxFlags},
    io::Errno,
};

use crate::{
    Attempt,
    open::{named, open},
    raw,
};

const NAME: &str = "trusted.enforcer";

/// A number that the C library does not know yet.
const SYS_GETXATTRAT: c_long = 464;

pub(crate) fn attempt(what: &str, args: &[&Path]) -> Attempt {
    let [path] = args else { return None };
    let mut value = [0_u8; 256];
    Some(match what {
        "stat" => rustix::fs::stat(*path).map(drop),
        "lstat" => rustix::fs::lstat(*path).map(drop),
        "fstat" => named(path).and_then(|file| rustix::fs::fstat(file).map(drop)),
        "stat-descriptor" => named(path)
            .and_then(|file| rustix::fs::statat(file, c"", AtFlags::EMPTY_PATH).map(drop)),
        "statx" => {
            rustix::fs::statx(CWD, *path, AtFlags::empty(), StatxFlags::BASIC_STATS).map(drop)
        }
        "readlink" => rustix::fs::readlink(*path, Vec::new()).and_then(|text| {
            // No link is empty. Late releases of 5.10 lose the errno of a namespace
            // that may not be seen, and give no text.
            let is_read = !text.as_bytes().is_empty();
            is_read.then_some(()).ok_or(Errno::ACCESS)
        }),
        "readlink-descriptor" => open(path, OFlags::PATH | OFlags::NOFOLLOW)
            .and_then(|link| rustix::fs::readlinkat(link, c"", Vec::new()).map(drop)),
        "getxattr" => rustix::fs::getxattr(*path, NAME, &mut value).map(drop),
        "lgetxattr" => rustix::fs::lgetxattr(*path, NAME, &mut value).map(drop),
        "getxattrat" => getxattrat(path),
        "get-acl" => rustix::fs::getxattr(*path, "system.posix_acl_access", &mut value).map(drop),
        "listxattr" => rustix::fs::listxattr(*path, &mut value).map(drop),
        _ => return watch(what, path),
    })
}

fn getxattrat(path: &Path) -> Result<(), Errno> {
    raw::xattr_at(SYS_GETXATTRAT, path, NAME, &mut [0; 16])
}

/// Being told of what happens to an object.
fn watch(what: &str, path: &Path) -> Attempt {
    Some(match what {
        "inotify" => inotify(path),
        "fanotify" => fanotify(path, libc::FAN_MARK_ADD),
        "fanotify-mount" => fanotify(path, libc::FAN_MARK_ADD | libc::FAN_MARK_MOUNT),
        _ => return None,
    })
}

fn inotify(path: &Path) -> Result<(), Errno> {
    use rustix::fs::inotify;
    let watcher = inotify::init(inotify::CreateFlags::CLOEXEC)?;
    inotify::add_watch(&watcher, path, inotify::WatchFlags::MODIFY).map(drop)
}

fn fanotify(path: &Path, how: u32) -> Result<(), Errno> {
    let path = raw::text(path)?;
    let flags = libc::FAN_CLASS_NOTIF | libc::FAN_CLOEXEC;
    let args = [flags.into(), libc::O_RDONLY.into()];
    let watcher = raw::open(libc::SYS_fanotify_init, args)?;
    let args = [
        (&watcher).into(),
        how.into(),
        libc::FAN_MODIFY.into(),
        raw::here().into(),
        (&path).into(),
    ];
    raw::call(libc::SYS_fanotify_mark, args).map(drop)
}
