//! The files that are measured on. They are made beforehand by somebody unconfined, so
//! that the kernel knows their names and what confines has never met them.

use std::{
    fs::{self, File, Permissions},
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
};

use crate::{files, nginx, nothing, trees};

/// The folder with all of it, on the guest's tmpfs.
pub(crate) const FOLDER: &str = "/tmp/bench";

/// The user that is measured: nobody special, as a service should be.
pub(crate) const USER: u32 = 7001;

/// The program that ends at once.
pub(crate) const NOTHING: &str = "/tmp/bench/bin/nothing";

/// The copy of this program that measures, and which alone is ever confined.
pub(crate) const BENCH: &str = "/tmp/bench/bin/bench";

/// A file that no rule grants.
pub(crate) const FORBIDDEN: &str = "/opt/forbidden";

/// The path of `name` in the folder.
pub(crate) fn path(name: &str) -> PathBuf {
    Path::new(FOLDER).join(name)
}

/// The path of a file in so many folders of a chain of them.
pub(crate) fn deep(chain: u32, folders: usize) -> PathBuf {
    let folders = (1..=folders).map(|number| format!("fold{chain:02}{number:02}"));
    path("").join(folders.collect::<PathBuf>()).join("file.txt")
}

/// The path of a file with a name of 200 bytes.
pub(crate) fn long() -> PathBuf {
    path("long").join("n".repeat(200))
}

/// The path of one of the files that are opened once.
pub(crate) fn cold(number: u32) -> PathBuf {
    path("cold").join(format!("file{number:04}"))
}

/// Makes everything, anew.
pub(crate) fn prepare() {
    let _absent = fs::remove_dir_all(FOLDER);
    for folder in ["empty", "spare"] {
        fs::create_dir_all(path(folder)).expect("make a folder");
    }
    for chain in 0..files::CHAINS {
        for folders in files::DEPTHS {
            write(&deep(chain, folders));
        }
    }
    write(&long());
    for number in 0..=files::COLD {
        write(&cold(number));
    }
    write(Path::new(FORBIDDEN));
    write(Path::new(NOTHING));
    fs::write(NOTHING, nothing::program()).expect("write a program");
    fs::set_permissions(NOTHING, Permissions::from_mode(0o755)).expect("make it executable");
    let bench = std::env::current_exe().expect("the path of this program");
    fs::copy(bench, BENCH).expect("copy this program");
    trees::prepare();
    nginx::prepare();
    give(Path::new(FOLDER));
}

/// Writes a file of a few bytes, with the folders that it needs.
pub(crate) fn write(path: &Path) {
    fs::create_dir_all(path.parent().expect("it is in a folder")).expect("make a folder");
    fs::write(path, [b'x'; 64]).expect("write a file");
}

/// Opens a file for reading.
pub(crate) fn open(path: &Path) -> File {
    File::open(path).unwrap_or_else(|error| panic!("open {}: {error}", path.display()))
}

/// Gives a tree to the user that is measured.
fn give(path: &Path) {
    chown(path, Some(USER), Some(USER)).expect("give a file away");
    if path.is_dir() {
        for entry in fs::read_dir(path).expect("list a folder") {
            give(&entry.expect("an entry").path());
        }
    }
}
