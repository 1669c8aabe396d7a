//! What there is in a folder, to see what has changed.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{FileTypeExt as _, MetadataExt as _},
    path::Path,
};

/// Longest file of which the contents count.
const CONTENTS: u64 = 4096;

/// Everything beneath a folder, by path.
pub(super) type Tree = BTreeMap<String, String>;

/// Returns what there is beneath `folder`, and what is mounted there.
pub(super) fn read(folder: &Path) -> Tree {
    let mut tree = Tree::new();
    add(folder, &mut tree);
    let mounts = fs::read_to_string("/proc/self/mountinfo").expect("proc is mounted");
    let folder = folder.to_str().expect("test paths are text");
    for line in mounts.lines() {
        // Ids tell nothing, but for how many there are.
        let fields: Vec<&str> = line.split(' ').skip(3).collect();
        if fields.get(1).is_some_and(|point| point.starts_with(folder)) {
            tree.insert(format!("mount {}", tree.len()), fields.join(" "));
        }
    }
    tree
}

fn add(folder: &Path, tree: &mut Tree) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.expect("a folder of the test's own").path();
        tree.insert(path.to_string_lossy().into_owned(), describe(&path));
        if fs::symlink_metadata(&path).is_ok_and(|found| found.is_dir()) {
            add(&path, tree);
        }
    }
}

/// Everything about an object that one can set.
fn describe(path: &Path) -> String {
    let found = fs::symlink_metadata(path).expect("nobody else is here");
    let kind = found.file_type();
    let what = if kind.is_symlink() {
        format!("link to {:?}", fs::read_link(path))
    } else if kind.is_file() && found.len() <= CONTENTS {
        format!("file {:?} {}", fs::read(path), flags(path))
    } else if kind.is_dir() {
        "folder".to_owned()
    } else {
        let odd = kind.is_fifo() || kind.is_socket() || kind.is_char_device();
        format!("odd {odd} of {}", found.len())
    };
    let times = if kind.is_dir() { 0 } else { found.mtime() };
    let parts = if kind.is_dir() { 0 } else { found.mtime_nsec() };
    format!(
        "{what}, {} {:o} {}:{} {times}.{parts} links {} {}",
        found.ino(),
        found.mode(),
        found.uid(),
        found.gid(),
        found.nlink(),
        attributes(path)
    )
}

fn flags(path: &Path) -> String {
    let flags = fs::File::open(path).map(rustix::fs::ioctl_getflags);
    format!("{flags:?}")
}

fn attributes(path: &Path) -> String {
    let mut names = vec![0; 1024];
    let length = rustix::fs::llistxattr(path, &mut *names).unwrap_or(0);
    let names: Vec<_> = names[..length]
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
        .map(|name| {
            let mut value = [0; 256];
            let length = rustix::fs::lgetxattr(path, name, &mut value).unwrap_or(0);
            format!("{}={:?}", name.escape_ascii(), &value[..length])
        })
        .collect();
    format!("{names:?}")
}
