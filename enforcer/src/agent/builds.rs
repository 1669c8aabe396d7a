//! Which build of a program it was.
//!
//! The file is what a confined process made of it: only its beginning is read, and nothing
//! that it says makes the agent wait, or take more memory than that.

use std::{
    ffi::OsString,
    fs::File,
    io::Read as _,
    os::{
        fd::AsRawFd as _,
        unix::{ffi::OsStringExt as _, fs::MetadataExt as _},
    },
};

use object::{
    Endianness, FileKind, elf,
    read::elf::{FileHeader, ProgramHeader as _},
};
use rustix::fs::{Mode, OFlags, open};

use super::{aside, processes::recent::Recent};
use crate::text::hex;

/// Programs whose builds are remembered.
const PROGRAMS: usize = 1024;
/// Bytes of a program's beginning in which its notes are looked for. Linkers put them behind
/// the headers.
const BEGINNING: u64 = 16 << 10;
/// Bytes of a build id. Linkers make 20 at most, but by hand it can be anything.
const LONGEST: usize = 64;

/// What tells a file from the one that was there before.
type Stamp = (u64, u64, i64, i64);

/// Reads build ids.
#[derive(Clone, Debug)]
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
}

impl aside::Read for Builds {
    /// The path of a program.
    type Of = Vec<u8>;
    /// In hexadecimal.
    type Found = String;
    const NAME: &str = "builds";

    /// Reads the build id of what is at a path now, if it has one.
    fn read(&mut self, program: Vec<u8>) -> Option<String> {
        // What is no file by now, as a pipe or a device, is not opened.
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let place = open(OsString::from_vec(program), flags, Mode::empty());
        let place = File::from(place.ok()?);
        let metadata = place.metadata().ok().filter(std::fs::Metadata::is_file)?;
        let stamp = (
            metadata.dev(),
            metadata.ino(),
            metadata.mtime(),
            metadata.mtime_nsec(),
        );
        if let Some(build) = self.known.get(&stamp) {
            return build.clone();
        }
        let file = File::open(format!("/proc/self/fd/{}", place.as_raw_fd())).ok()?;
        let mut beginning = Vec::new();
        file.take(BEGINNING).read_to_end(&mut beginning).ok()?;
        let build = match FileKind::parse(&*beginning) {
            Ok(FileKind::Elf32) => build_id::<elf::FileHeader32<Endianness>>(&beginning),
            Ok(FileKind::Elf64) => build_id::<elf::FileHeader64<Endianness>>(&beginning),
            _ => None,
        };
        self.known.put(stamp, build.clone());
        build
    }
}

/// The build id in the notes that lie in the beginning of an ELF file.
fn build_id<Header: FileHeader<Endian = Endianness>>(beginning: &[u8]) -> Option<String> {
    let header = Header::parse(beginning).ok()?;
    let endian = header.endian().ok()?;
    let segments = header.program_headers(endian, beginning).ok()?;
    let notes = |segment: &Header::ProgramHeader| segment.notes(endian, beginning).ok()?;
    for mut notes in segments.iter().filter_map(notes) {
        while let Ok(Some(note)) = notes.next() {
            let is_build_id = note.name() == elf::ELF_NOTE_GNU
                && note.n_type(endian) == elf::NT_GNU_BUILD_ID
                && note.desc().len() <= LONGEST;
            if is_build_id {
                return Some(hex(note.desc()));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::ffi::OsStrExt as _, path::Path};

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::{Builds, LONGEST};
    use crate::agent::aside::Read as _;

    fn of(path: &Path) -> Option<String> {
        Builds::new().read(path.as_os_str().as_bytes().to_vec())
    }

    #[test]
    fn a_program_has_one_and_a_text_has_none() {
        let this = std::env::current_exe().unwrap();
        let build = of(&this).unwrap();
        assert!(build.len() >= 16, "{build}");
        let mut builds = Builds::new();
        for _ in 0..2 {
            let this = this.as_os_str().as_bytes().to_vec();
            assert_eq!(builds.read(this), Some(build.clone()));
        }
        for none in ["/etc/passwd", "/nonexistent", "/proc", ""] {
            assert_eq!(of(Path::new(none)), None, "{none}");
        }
    }

    /// An ELF file of 64 bits with one note of `length` bytes, and `more` of a header.
    fn elf(length: u32, place: u64, sections: u64) -> Vec<u8> {
        let mut text = b"\x7fELF\x02\x01\x01".to_vec();
        text.resize(16, 0);
        text.extend([2, 0, 62, 0, 1, 0, 0, 0]);
        text.extend([0_u64, 64, sections].map(u64::to_le_bytes).concat());
        text.extend([0; 4]);
        text.extend(
            [64_u16, 56, 1, 64, 0xff00, 1]
                .map(u16::to_le_bytes)
                .concat(),
        );
        text.extend([4_u32, 4].map(u32::to_le_bytes).concat());
        let size = 16 + u64::from(length.next_multiple_of(4));
        text.extend([place, 0, 0, size, size, 4].map(u64::to_le_bytes).concat());
        text.extend([4, length, 3].map(u32::to_le_bytes).concat());
        text.extend(b"GNU\0");
        text.resize(text.len() + length as usize, 7);
        text
    }

    #[test]
    fn a_file_can_be_anything() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        let longest = u32::try_from(LONGEST).unwrap();
        // Columns: what it is, its bytes, the length of its build id.
        let cases: [(&str, Vec<u8>, Option<usize>); 6] = [
            ("one of 20 bytes", elf(20, 120, 0), Some(20)),
            ("the longest", elf(longest, 120, 0), Some(LONGEST)),
            ("too long", elf(longest + 1, 120, 0), None),
            ("no place", elf(20, u64::MAX - 8, 0), None),
            ("sections nowhere", elf(20, 120, u64::MAX), Some(20)),
            ("cut off", elf(20, 120, 0)[..130].to_vec(), None),
        ];
        for (name, text, want) in cases {
            fs::write(&file, text).unwrap();
            // A file that ends nowhere is not read to its end.
            let sparse = fs::OpenOptions::new().write(true).open(&file).unwrap();
            if name != "cut off" {
                sparse.set_len(1 << 40).unwrap();
            }
            assert_eq!(of(&file).map(|build| build.len() / 2), want, "{name}");
        }
        let fifo = folder.path().join("fifo");
        mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        assert_eq!(of(&fifo), None);
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(std::env::current_exe().unwrap(), &link).unwrap();
        assert_eq!(of(&link), None, "a path has no link at its end");
    }
}
