//! Many things at once.

use std::{
    fs,
    io::{self, BufRead as _, Write as _},
    os::unix::ffi::OsStrExt as _,
    path::Path,
};

use rustix::io::Errno;

use crate::{Attempt, failed, number};

pub(crate) fn attempt(what: &str, args: &[&Path]) -> Attempt {
    Some(match (what, args) {
        ("read-when-told", [path]) => read_when_told(path).map_err(|err| failed(&err)),
        ("read-many", []) => read_many().map_err(|err| failed(&err)),
        ("read-all", paths) => paths
            .iter()
            .try_for_each(|path| fs::read(path).map(drop))
            .map_err(|err| failed(&err)),
        ("read-storm", [path, rounds]) => {
            number(rounds).and_then(|rounds| read_storm(path, rounds))
        }
        _ => return None,
    })
}

/// Waits for a line, so that the test can change things meanwhile.
fn read_when_told(path: &Path) -> io::Result<()> {
    println!("ready");
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    fs::File::open(path).map(drop)
}

/// Opens each path that stdin names, one a line, and writes its errno.
fn read_many() -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().split(b'\n') {
        let line = line?;
        let path = Path::new(std::ffi::OsStr::from_bytes(&line));
        let errno = match fs::File::open(path) {
            Ok(_) => 0,
            Err(err) => err.raw_os_error().unwrap_or(-1),
        };
        writeln!(out, "{errno}")?;
    }
    out.flush()
}

/// Opens a path again and again while others rename things. `EBADMSG` if what
/// it once got says `secret`.
fn read_storm(path: &Path, rounds: u32) -> Result<(), Errno> {
    for _ in 0..rounds {
        if fs::read(path).is_ok_and(|contents| contents == b"secret") {
            return Err(Errno::BADMSG);
        }
    }
    Ok(())
}
