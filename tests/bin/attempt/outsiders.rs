//! What stays outside, for the confined to reach into.

use std::{
    io::{self, Read as _},
    os::fd::AsRawFd as _,
    path::Path,
};

use rustix::{fs::OFlags, io::Errno};

use crate::{Attempt, failed, open::open, raw};

pub(crate) fn attempt(what: &str, args: &[&Path]) -> Attempt {
    match (what, args) {
        ("hold", [folder, name]) => Some(hold(folder, name)),
        _ => None,
    }
}

/// Holds a file open, in its folder, until stdin ends.
fn hold(folder: &Path, name: &Path) -> Result<(), Errno> {
    rustix::process::chdir(folder)?;
    let file = open(name, OFlags::RDONLY)?;
    let memory = vec![0_u8; 2 * 4096];
    println!("{} {}", file.as_raw_fd(), raw::address(memory.as_ptr()));
    let mut rest = Vec::new();
    let read = io::stdin().read_to_end(&mut rest);
    drop(std::hint::black_box(memory));
    read.map(drop).map_err(|err| failed(&err))
}
