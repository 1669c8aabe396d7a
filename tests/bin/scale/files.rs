//! Table `files`: opens of many different files, beyond what is remembered.

use std::{ffi::CStr, fs, io::Write as _, time::Instant};

use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};

use crate::{
    FOLDER,
    agent::{Agent, output_of},
    policy::write_one,
    tell_all,
};

/// The table's name.
const TABLE: &str = "files";

/// Files in a folder.
const IN_A_FOLDER: u32 = 1000;

/// Ways to grant the files: by their tree, and each by its name.
const WAYS: [(&str, &str); 2] = [("tree", "**"), ("names", "*/file-*")];

/// Measures rows.
pub(crate) fn measure(sizes: &[u32]) {
    let top = format!("{FOLDER}/files");
    let most = sizes.iter().max().copied().unwrap_or(0);
    for folder in 0..most.div_ceil(IN_A_FOLDER) {
        fs::create_dir_all(format!("{top}/folder-{folder:04}")).expect("make a folder");
    }
    each_path(&top, most, |path| {
        mknodat(
            CWD,
            path,
            FileType::RegularFile,
            Mode::from_raw_mode(0o644),
            0,
        )
        .expect("make a file");
    });
    for &size in sizes {
        let lines = output_of(None, &["files", &top, &size.to_string()]);
        tell_all(TABLE, size, "none-", &lines);
    }
    // A profile for each row, so that none has met the files before.
    let _agent = Agent::with(|folder| {
        for &size in sizes {
            for (way, pattern) in WAYS {
                let rule = (format!("{top}/{pattern}"), "read");
                write_one(folder, &format!("{way}-{size}"), "", &[rule]);
            }
        }
    });
    for &size in sizes {
        for (way, _) in WAYS {
            let profile = format!("{way}-{size}");
            let lines = output_of(Some(&profile), &["files", &top, &size.to_string()]);
            tell_all(TABLE, size, &format!("{way}-"), &lines);
        }
    }
}

/// Opens so many files twice, and tells what one open took on the average.
pub(crate) fn open_all(top: &str, count: u32) {
    for round in ["first", "again"] {
        let start = Instant::now();
        each_path(top, count, |path| {
            let opened = rustix::fs::open(path, OFlags::RDONLY, Mode::empty());
            drop(opened.unwrap_or_else(|error| panic!("open {path:?}: {error}")));
        });
        println!("{round} {}", start.elapsed().as_nanos() / u128::from(count));
    }
}

/// Calls `work` with the path of each of so many files.
fn each_path(top: &str, count: u32, mut work: impl FnMut(&CStr)) {
    let mut path = Vec::new();
    for number in 0..count {
        path.clear();
        let (folder, file) = (number / IN_A_FOLDER, number % IN_A_FOLDER);
        write!(path, "{top}/folder-{folder:04}/file-{file:04}\0").expect("write text");
        work(CStr::from_bytes_with_nul(&path).expect("it ends"));
    }
}
