//! Writer of the archive that a kernel unpacks at boot: cpio, format "newc".
//!
//! Format: `Documentation/driver-api/early-userspace/buffer-format.rst` in the
//! kernel's source. Archives can be concatenated; what comes later replaces
//! what came earlier under the same name.

use std::fs;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context, Result};

/// File types in the mode word.
const DIRECTORY: u32 = 0o040_000;
const REGULAR: u32 = 0o100_000;
const SYMLINK: u32 = 0o120_000;
const CHARACTER: u32 = 0o020_000;

/// Name of the entry that ends an archive.
const TRAILER: &[u8] = b"TRAILER!!!";

/// User and group of an entry.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Owner {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// An archive in the making.
#[derive(Debug)]
pub(crate) struct Writer<W> {
    out: W,
    /// Number of entries so far. Each is its own inode: the kernel would take
    /// two with one number for hard links.
    entries: u32,
}

impl<W: Write> Writer<W> {
    /// Starts an archive.
    pub(crate) const fn new(out: W) -> Self {
        Self { out, entries: 0 }
    }

    /// Adds a directory. One that is there already gets the new mode.
    pub(crate) fn dir(&mut self, path: &str, mode: u32) -> io::Result<()> {
        self.entry(
            path.as_bytes(),
            DIRECTORY | mode,
            Owner::default(),
            (0, 0),
            b"",
        )
    }

    /// Adds a regular file.
    pub(crate) fn file(&mut self, path: &str, mode: u32, data: &[u8]) -> io::Result<()> {
        self.entry(
            path.as_bytes(),
            REGULAR | mode,
            Owner::default(),
            (0, 0),
            data,
        )
    }

    /// Adds a symbolic link to `target`.
    pub(crate) fn symlink(&mut self, path: &str, target: &str) -> io::Result<()> {
        let mode = SYMLINK | 0o777;
        self.entry(
            path.as_bytes(),
            mode,
            Owner::default(),
            (0, 0),
            target.as_bytes(),
        )
    }

    /// Adds a character device.
    pub(crate) fn device(&mut self, path: &str, mode: u32, number: (u32, u32)) -> io::Result<()> {
        self.entry(
            path.as_bytes(),
            CHARACTER | mode,
            Owner::default(),
            number,
            b"",
        )
    }

    /// Adds what is at `source`, with everything beneath it, as `path`.
    ///
    /// Sockets, pipes and devices are left out. `owner` is the owner of
    /// everything, or `None` to keep each file's own.
    pub(crate) fn tree(&mut self, path: &Path, source: &Path, owner: Option<Owner>) -> Result<()> {
        let context = || format!("cannot pack {}", source.display());
        let meta = fs::symlink_metadata(source).with_context(context)?;
        let name = path.as_os_str().as_bytes();
        let own = Owner {
            uid: meta.uid(),
            gid: meta.gid(),
        };
        let owner_here = owner.unwrap_or(own);
        let mode = meta.permissions().mode();
        if meta.is_dir() {
            if !name.is_empty() {
                self.entry(name, mode, owner_here, (0, 0), b"")?;
            }
            let mut children: Vec<_> = fs::read_dir(source)
                .and_then(Iterator::collect)
                .with_context(context)?;
            // So that the same tree makes the same archive.
            children.sort_by_key(fs::DirEntry::file_name);
            for child in children {
                self.tree(&path.join(child.file_name()), &child.path(), owner)?;
            }
        } else if meta.is_file() {
            let data = fs::read(source).with_context(context)?;
            self.entry(name, mode, owner_here, (0, 0), &data)?;
        } else if meta.is_symlink() {
            let target = fs::read_link(source).with_context(context)?;
            let target = target.as_os_str().as_bytes();
            self.entry(name, mode, owner_here, (0, 0), target)?;
        }
        Ok(())
    }

    /// Ends the archive and returns what it was written to.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.entry(TRAILER, 0, Owner::default(), (0, 0), b"")?;
        Ok(self.out)
    }

    fn entry(
        &mut self,
        name: &[u8],
        mode: u32,
        owner: Owner,
        device: (u32, u32),
        data: &[u8],
    ) -> io::Result<()> {
        self.entries += 1;
        let size = u32::try_from(data.len()).map_err(io::Error::other)?;
        let name_size = u32::try_from(name.len() + 1).map_err(io::Error::other)?;
        let fields = [
            self.entries,
            mode,
            owner.uid,
            owner.gid,
            1, // links
            0, // time of change
            size,
            0,
            0, // device that holds the file
            device.0,
            device.1,
            name_size,
            0, // checksum, unused in this format
        ];
        self.out.write_all(b"070701")?;
        for field in fields {
            write!(self.out, "{field:08X}")?;
        }
        self.out.write_all(name)?;
        self.out.write_all(&[0])?;
        self.pad(HEADER_LEN + name.len() + 1)?;
        self.out.write_all(data)?;
        self.pad(data.len())
    }

    /// Fills up to a multiple of four after `len` bytes.
    fn pad(&mut self, len: usize) -> io::Result<()> {
        self.out.write_all(&vec![0; len.next_multiple_of(4) - len])
    }
}

/// Length of an entry's header: the magic number and 13 fields of 8 digits.
const HEADER_LEN: usize = 6 + 13 * 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_name_and_data_are_padded() {
        let mut writer = Writer::new(Vec::new());
        writer.file("init", 0o755, b"hello").unwrap();
        let archive = writer.finish().unwrap();

        #[rustfmt::skip]
        let want = concat!(
            "070701", "00000001", "000081ED", "00000000", "00000000", "00000001", "00000000",
            "00000005", "00000000", "00000000", "00000000", "00000000", "00000005", "00000000",
            "init\0\0", "hello\0\0\0",
            "070701", "00000002", "00000000", "00000000", "00000000", "00000001", "00000000",
            "00000000", "00000000", "00000000", "00000000", "00000000", "0000000B", "00000000",
            "TRAILER!!!\0\0\0\0",
        );
        assert_eq!(String::from_utf8(archive).unwrap(), want);
    }

    #[test]
    fn a_tree_is_packed_in_order_with_modes() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("b"), "data").unwrap();
        fs::create_dir(dir.path().join("a")).unwrap();
        std::os::unix::fs::symlink("b", dir.path().join("c")).unwrap();

        let mut writer = Writer::new(Vec::new());
        writer
            .tree(Path::new("x"), dir.path(), Some(Owner::default()))
            .unwrap();
        let archive = String::from_utf8(writer.finish().unwrap()).unwrap();

        let names = ["x\0", "x/a\0", "x/b\0", "x/c\0", "TRAILER"].map(|name| archive.find(name));
        assert!(
            names.is_sorted() && names.iter().all(Option::is_some),
            "{names:?}"
        );
        assert!(archive.contains("0000A1FF"), "the link is a link");
    }
}
