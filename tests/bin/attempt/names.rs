//! Making, moving and removing names.

use std::path::Path;

use rustix::{
    fs::{AtFlags, CWD, FileType, Mode, OFlags, RenameFlags, makedev},
    io::Errno,
};

use crate::{Attempt, open, proc_path};

pub(crate) fn attempt(what: &str, args: &[&Path]) -> Attempt {
    Some(match (what, args) {
        ("mkdir", [path]) => rustix::fs::mkdir(*path, Mode::from_raw_mode(0o755)),
        ("mkdirat", [folder, name]) => open::named(folder)
            .and_then(|folder| rustix::fs::mkdirat(folder, *name, Mode::from_raw_mode(0o755))),
        ("file-node", [path]) => node(path, FileType::RegularFile, 0),
        ("fifo", [path]) => node(path, FileType::Fifo, 0),
        ("socket-node", [path]) => node(path, FileType::Socket, 0),
        ("character-device", [path]) => node(path, FileType::CharacterDevice, makedev(1, 3)),
        ("block-device", [path]) => node(path, FileType::BlockDevice, makedev(7, 0)),
        ("symlink", [target, path]) => rustix::fs::symlink(*target, *path),
        ("symlinkat", [target, folder, name]) => {
            open::named(folder).and_then(|folder| rustix::fs::symlinkat(*target, folder, *name))
        }
        ("unlink", [path]) => rustix::fs::unlinkat(CWD, *path, AtFlags::empty()),
        ("unlinkat", [folder, name]) => open::named(folder)
            .and_then(|folder| rustix::fs::unlinkat(folder, *name, AtFlags::empty())),
        ("rmdir", [path]) => rustix::fs::unlinkat(CWD, *path, AtFlags::REMOVEDIR),
        ("link", [old, new]) => rustix::fs::linkat(CWD, *old, CWD, *new, AtFlags::empty()),
        ("link-followed", [old, new]) => {
            rustix::fs::linkat(CWD, *old, CWD, *new, AtFlags::SYMLINK_FOLLOW)
        }
        ("link-descriptor", [old, new]) => open::named(old)
            .and_then(|old| rustix::fs::linkat(old, c"", CWD, *new, AtFlags::EMPTY_PATH)),
        ("link-by-proc", [old, new]) => open::named(old).and_then(|old| {
            rustix::fs::linkat(CWD, proc_path(&old), CWD, *new, AtFlags::SYMLINK_FOLLOW)
        }),
        ("link-tmpfile", [folder, new]) => link_tmpfile(folder, new),
        _ => return rename(what, args),
    })
}

fn node(path: &Path, kind: FileType, device: u64) -> Result<(), Errno> {
    rustix::fs::mknodat(CWD, path, kind, Mode::from_raw_mode(0o644), device)
}

/// Makes a file without a name, then gives it one.
fn link_tmpfile(folder: &Path, new: &Path) -> Result<(), Errno> {
    let file = open::open(folder, OFlags::WRONLY | OFlags::TMPFILE)?;
    rustix::fs::linkat(CWD, proc_path(&file), CWD, new, AtFlags::SYMLINK_FOLLOW)
}

fn rename(what: &str, args: &[&Path]) -> Attempt {
    let [old, new] = args else {
        return renameat(what, args);
    };
    let flags = match what {
        "rename" => return Some(rustix::fs::rename(*old, *new)),
        "rename-new" => RenameFlags::NOREPLACE,
        "exchange" => RenameFlags::EXCHANGE,
        "rename-whiteout" => RenameFlags::WHITEOUT,
        _ => return None,
    };
    Some(rustix::fs::renameat_with(CWD, *old, CWD, *new, flags))
}

fn renameat(what: &str, args: &[&Path]) -> Attempt {
    let ("renameat", [folder, old, new]) = (what, args) else {
        return None;
    };
    Some(open::named(folder).and_then(|folder| rustix::fs::renameat(&folder, *old, &folder, *new)))
}
