//! Files of profiles: what they are called, and how they are read.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use super::FILE_LEN;

/// Whether a file is called as profiles and abstractions are: `NAME.yaml`.
pub(crate) fn is_yaml(file: &Path) -> bool {
    file.extension().is_some_and(|end| end == "yaml")
}

/// Whether a file is called as if it were meant for a profile, and is not read: `NAME.yml`, or
/// with capitals.
pub(super) fn is_misnamed(file: &Path) -> bool {
    let is_meant = |end: &str| {
        ["yaml", "yml"]
            .iter()
            .any(|yaml| end.eq_ignore_ascii_case(yaml))
    };
    let end = file.extension().and_then(|end| end.to_str());
    !is_yaml(file) && end.is_some_and(is_meant)
}

/// Opens a file that has an end. What is a FIFO or a device is no such file, and is not waited
/// for.
///
/// # Errors
///
/// If it cannot be opened, or is no regular file.
pub(crate) fn open(file: &Path) -> io::Result<File> {
    let open = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(file)?;
    let kind = open.metadata()?.file_type();
    // To read a folder fails in the system's words.
    if kind.is_file() || kind.is_dir() {
        Ok(open)
    } else {
        Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is no regular file",
        ))
    }
}

/// Reads a file, up to one byte more than [`FILE_LEN`]: by that it is told to be too long.
///
/// # Errors
///
/// As [`open`], or if it cannot be read.
pub(crate) fn read(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(file)?
        .take(FILE_LEN as u64 + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::{fs, io, path::Path};

    use rustix::fs::{CWD, Mode};

    use super::{FILE_LEN, is_misnamed, is_yaml, read};

    #[test]
    fn names() {
        // Columns: the name, whether it is a profile's, whether it may have been meant for one.
        #[rustfmt::skip]
        let cases = [
            ("web.yaml",     true,  false),
            ("web.yml",      false, true),
            ("web.YAML",     false, true),
            ("web.Yml",      false, true),
            ("web.yaml.bak", false, false),
            ("README.md",    false, false),
            ("web",          false, false),
        ];
        for (name, yaml, misnamed) in cases {
            let file = Path::new(name);
            assert_eq!(
                (is_yaml(file), is_misnamed(file)),
                (yaml, misnamed),
                "{name}"
            );
        }
    }

    #[test]
    fn what_has_no_end_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        rustix::fs::mkfifoat(CWD, &fifo, Mode::RUSR).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
        for file in [&fifo, &link, Path::new("/dev/zero")] {
            let error = read(file).unwrap_err();
            assert_eq!(
                error.kind(),
                io::ErrorKind::InvalidInput,
                "{file:?}: {error}"
            );
        }
        let long = folder.path().join("long");
        fs::write(&long, vec![b'a'; FILE_LEN + 10]).unwrap();
        assert_eq!(read(&long).unwrap().len(), FILE_LEN + 1);
        assert!(read(folder.path()).is_err(), "a folder");
    }
}
