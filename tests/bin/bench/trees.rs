//! Rows on many files: what backs up, builds or installs does.

use std::{
    fs::{self, File, Permissions},
    io::{Read as _, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
};

use enforcer_tests::measure::{median, whole};
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};

use crate::place;

/// The tree that is walked.
const WALKED: &str = "walked";
const FOLDERS: u32 = 20;
const FILES: u32 = 100;

/// The tree that is unpacked: folders, files in each, and bytes in a file.
const UNPACKED: &str = "unpacked";
const PARTS: u32 = 10;
const MEMBERS: u32 = 100;
const CONTENTS: [u8; 1024] = [b'x'; 1024];

/// How often something that can be repeated is.
const ROUNDS: usize = 3;

/// Makes what is walked.
pub(crate) fn prepare() {
    for folder in 0..FOLDERS {
        for file in 0..FILES {
            place::write(&place::path(&format!(
                "{WALKED}/part{folder:02}/file{file:03}"
            )));
        }
    }
}

/// The first walk of this process.
pub(crate) fn walk_first() -> u64 {
    whole(walk)
}

/// A further walk.
pub(crate) fn walk_again() -> u64 {
    walk();
    median((0..ROUNDS).map(|_| whole(walk)).collect())
}

/// Lists every folder; opens, looks at, reads and closes every file.
fn walk() {
    let mut bytes = [0; 256];
    let mut count = 0;
    let top = place::path(WALKED);
    for folder in fs::read_dir(top).expect("list a folder") {
        let folder = folder.expect("an entry").path();
        for entry in fs::read_dir(folder).expect("list a folder") {
            let path = entry.expect("an entry").path();
            let mut file = place::open(&path);
            file.metadata().expect("stat");
            let got = file.read(&mut bytes).expect("read");
            assert_eq!(got, 64, "{}", path.display());
            count += 1;
        }
    }
    assert_eq!(count, FOLDERS * FILES);
}

/// Unpacks a thousand files, as `tar` does.
pub(crate) fn unpack() -> u64 {
    let rounds = (0..ROUNDS).map(|round| {
        let top = place::path(&format!("{UNPACKED}{round}"));
        let folders: Vec<PathBuf> = (0..PARTS)
            .map(|folder| top.join(format!("part{folder:02}")))
            .collect();
        fs::create_dir(&top).expect("make a folder");
        let took = whole(|| folders.iter().for_each(unpack_folder));
        fs::remove_dir_all(&top).expect("remove a tree");
        took
    });
    median(rounds.collect())
}

fn unpack_folder(folder: &PathBuf) {
    fs::create_dir(folder).expect("make a folder");
    for member in 0..MEMBERS {
        let path = folder.join(format!("file{member:03}"));
        let mut file = File::create_new(&path).expect("create");
        file.write_all(&CONTENTS).expect("write");
        file.set_permissions(Permissions::from_mode(0o640))
            .expect("fchmod");
        drop(file);
        set_times(&path);
    }
}

/// Sets a file's times by its path, which `std` cannot.
fn set_times(path: &PathBuf) {
    let time = Timespec {
        tv_sec: 1_700_000_000,
        tv_nsec: 0,
    };
    let times = Timestamps {
        last_access: time,
        last_modification: time,
    };
    utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).expect("utimensat");
}
