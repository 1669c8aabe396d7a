//! Rows on files and their names.

use std::{os::unix::fs::FileExt as _, path::Path};

use enforcer_tests::measure::{calls, each};
use rustix::fs::{AtFlags, CWD, Mode, OFlags};

use crate::place;

/// How many folders deep a file is opened.
pub(crate) const DEPTHS: [usize; 6] = [1, 2, 4, 8, 16, 24];

/// Chains of folders. How long the kernel looks for a name depends on where in memory its
/// folder is, by some ten instructions for all names of a deep one: the chains even that out.
pub(crate) const CHAINS: u32 = 20;

/// Operations in a batch, of those that take a few thousand instructions.
const MANY: u32 = 40;

/// Files of which each is opened once, besides one that makes their folder known.
pub(crate) const COLD: u32 = calls(MANY);

/// `open` and `close` of a file in so many folders, of each chain in turn.
pub(crate) fn open_deep<const FOLDERS: usize>() -> u64 {
    const { assert!(MANY.is_multiple_of(CHAINS)) };
    let paths: Vec<_> = (0..CHAINS)
        .map(|chain| place::deep(chain, FOLDERS))
        .collect();
    each(MANY, |number| open_once(&paths[(number % CHAINS) as usize]))
}

/// The same for a name of 200 bytes.
pub(crate) fn open_long() -> u64 {
    let path = place::long();
    each(MANY, |_| open_once(&path))
}

fn open_once(path: &Path) {
    rustix::fs::open(path, OFlags::RDONLY, Mode::empty())
        .map(drop)
        .expect("open");
}

/// The first `open` of a file in a folder that is known.
pub(crate) fn open_cold() -> u64 {
    let paths: Vec<_> = (0..=COLD).map(place::cold).collect();
    let (known, fresh) = paths.split_last().expect("there are some");
    open_once(known);
    each(MANY, |number| open_once(&fresh[number as usize]))
}

/// A file is made, closed and removed.
pub(crate) fn create() -> u64 {
    let path = place::path("spare/made.txt");
    each(MANY, |_| {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
        rustix::fs::open(&path, flags, Mode::from_raw_mode(0o644))
            .map(drop)
            .expect("create");
        rustix::fs::unlink(&path).expect("unlink");
    })
}

/// A rename, there and back in turn.
pub(crate) fn rename() -> u64 {
    let names = ["spare/one.txt", "spare/two.txt"].map(place::path);
    place::write(&names[0]);
    each(MANY, |number| {
        let [from, to] = if number.is_multiple_of(2) {
            [0, 1]
        } else {
            [1, 0]
        };
        rustix::fs::rename(&names[from], &names[to]).expect("rename");
    })
}

/// A second name is given and taken.
pub(crate) fn link() -> u64 {
    let [file, second] = ["spare/file.txt", "spare/link.txt"].map(place::path);
    place::write(&file);
    each(MANY, |_| {
        rustix::fs::link(&file, &second).expect("link");
        rustix::fs::unlink(&second).expect("unlink");
    })
}

/// A folder is made and removed.
pub(crate) fn mkdir() -> u64 {
    let path = place::path("spare/folder");
    each(MANY, |_| {
        rustix::fs::mkdir(&path, Mode::from_raw_mode(0o755)).expect("mkdir");
        rustix::fs::rmdir(&path).expect("rmdir");
    })
}

/// `newfstatat` of a path.
pub(crate) fn stat() -> u64 {
    let path = place::deep(0, 1);
    each(MANY, |_| {
        rustix::fs::statat(CWD, &path, AtFlags::empty())
            .map(drop)
            .expect("stat");
    })
}

/// `pread` of 64 bytes.
pub(crate) fn pread() -> u64 {
    let file = place::open(&place::deep(0, 1));
    let mut bytes = [0; 64];
    each(MANY, |_| {
        file.read_exact_at(&mut bytes, 0).expect("read");
    })
}

/// `pwrite` of 64 bytes.
pub(crate) fn pwrite() -> u64 {
    let file = std::fs::File::create(place::path("spare/written.txt")).expect("create");
    each(MANY, |_| {
        file.write_all_at(&[b'x'; 64], 0).expect("write");
    })
}
