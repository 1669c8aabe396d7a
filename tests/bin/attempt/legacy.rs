//! System calls that newer machines do not have, each with a newer kin.

use std::{ffi::c_long, path::Path};

use rustix::io::Errno;

use crate::{
    Attempt,
    raw::{self, Arg},
};

pub(crate) fn attempt(what: &str, args: &[&Path]) -> Attempt {
    Some(match (what, args) {
        ("open-call", [path]) => on(libc::SYS_open, path, libc::O_RDONLY.into()),
        ("creat", [path]) => on(libc::SYS_creat, path, 0o644.into()),
        ("mkdir-call", [path]) => on(libc::SYS_mkdir, path, 0o755.into()),
        ("mknod-call", [path]) => on(libc::SYS_mknod, path, 0o100_644.into()),
        ("unlink-call", [path]) => on(libc::SYS_unlink, path, Arg::Null),
        ("rmdir-call", [path]) => on(libc::SYS_rmdir, path, Arg::Null),
        ("chmod-call", [path]) => on(libc::SYS_chmod, path, 0o600.into()),
        ("utime", [path]) => on(
            libc::SYS_utime,
            path,
            raw::fields(&[1, 2]).as_slice().into(),
        ),
        ("utimes", [path]) => {
            let times = raw::fields(&[1, 0, 2, 0]);
            on(libc::SYS_utimes, path, times.as_slice().into())
        }
        ("stat-call", [path]) => on(libc::SYS_stat, path, [0; 144].as_mut_slice().into()),
        ("lstat-call", [path]) => on(libc::SYS_lstat, path, [0; 144].as_mut_slice().into()),
        ("chown-call", [path]) => chown(libc::SYS_chown, path),
        ("lchown-call", [path]) => chown(libc::SYS_lchown, path),
        ("readlink-call", [path]) => readlink(path),
        ("rename-call", [old, new]) => on_two(libc::SYS_rename, old, new),
        ("link-call", [old, new]) => on_two(libc::SYS_link, old, new),
        ("symlink-call", [target, new]) => on_two(libc::SYS_symlink, target, new),
        _ => return None,
    })
}

fn on(number: c_long, path: &Path, argument: Arg<'_>) -> Result<(), Errno> {
    let path = raw::text(path)?;
    raw::call(number, [(&path).into(), argument]).map(drop)
}

fn on_two(number: c_long, old: &Path, new: &Path) -> Result<(), Errno> {
    let (old, new) = (raw::text(old)?, raw::text(new)?);
    raw::call(number, [(&old).into(), (&new).into()]).map(drop)
}

fn chown(number: c_long, path: &Path) -> Result<(), Errno> {
    let path = raw::text(path)?;
    raw::call(number, [(&path).into(), 1000.into(), 1000.into()]).map(drop)
}

fn readlink(path: &Path) -> Result<(), Errno> {
    let path = raw::text(path)?;
    let mut target = [0_u8; 256];
    let args = [(&path).into(), target.as_mut_slice().into(), 256.into()];
    raw::call(libc::SYS_readlink, args).map(drop)
}
