//! Which build of a program it was.

use std::{
    ffi::OsStr,
    fs::{File, Metadata},
    os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    path::Path,
};

use object::{Object as _, read::ReadCache};

use super::processes::recent::Recent;
use crate::text::hex;

/// Programs whose builds are remembered.
const PROGRAMS: usize = 1024;

/// What tells a file from the one that was there before.
type Stamp = (u64, u64, i64, i64);

/// Build ids of programs.
#[derive(Debug)]
pub(super) struct Builds {
    known: Recent<Stamp, Option<String>>,
}

impl Builds {
    /// Nothing is known yet.
    pub(super) fn new() -> Self {
        Self {
            known: Recent::new(PROGRAMS),
        }
    }

    /// Returns the build id of the program at a path, in hexadecimal, if it has one. It is
    /// that of what is there now.
    pub(super) fn of(&mut self, program: &[u8]) -> Option<String> {
        let path = Path::new(OsStr::from_bytes(program));
        let file = path.metadata().ok().filter(Metadata::is_file)?;
        let stamp = (file.dev(), file.ino(), file.mtime(), file.mtime_nsec());
        if let Some(build) = self.known.get(&stamp) {
            return build.clone();
        }
        let build = read(path);
        self.known.put(stamp, build.clone());
        build
    }
}

/// Reads the build id of an ELF file.
fn read(path: &Path) -> Option<String> {
    let cache = ReadCache::new(File::open(path).ok()?);
    let file = object::File::parse(&cache).ok()?;
    file.build_id().ok()?.map(hex)
}

#[cfg(test)]
mod tests {
    use super::Builds;

    #[test]
    fn a_program_has_one_and_a_text_has_none() {
        let mut builds = Builds::new();
        let this = std::env::current_exe().unwrap();
        let this = this.to_str().unwrap().as_bytes();
        let build = builds.of(this).unwrap();
        assert!(build.len() >= 16, "{build}");
        assert_eq!(builds.of(this), Some(build));
        assert_eq!(builds.of(b"/etc/passwd"), None);
        assert_eq!(builds.of(b"/nonexistent"), None);
        assert_eq!(builds.of(b""), None);
    }
}
