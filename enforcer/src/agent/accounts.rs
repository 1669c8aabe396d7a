//! User names, from `/etc/passwd`.
//!
//! Only the file is read. A name that comes from elsewhere (LDAP, systemd) would
//! have a meaning that changes under the agent's feet, and looking it up could take
//! a network; such a user is named by id.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The accounts of this machine.
#[derive(Clone, Debug)]
pub struct Accounts {
    path: PathBuf,
}

impl Default for Accounts {
    fn default() -> Self {
        Self::at(Path::new("/etc/passwd"))
    }
}

impl Accounts {
    /// Those in the file at `path`, in the form of passwd(5).
    pub fn at(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    /// Where they are.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the id of a user, if there is one with this name.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn uid(&self, name: &str) -> io::Result<Option<u32>> {
        fs::read(&self.path).map(|text| uid_in(&text, name))
    }
}

/// The id of the first user with this name. Lines that are no account are passed
/// over, as the C library does.
fn uid_in(text: &[u8], name: &str) -> Option<u32> {
    text.split(|&byte| byte == b'\n').find_map(|line| {
        let mut fields = line.split(|&byte| byte == b':');
        let (found, _password, uid) = (fields.next()?, fields.next()?, fields.next()?);
        if found != name.as_bytes() || !uid.iter().all(u8::is_ascii_digit) {
            return None;
        }
        std::str::from_utf8(uid).ok()?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Accounts, uid_in};

    #[test]
    fn uid_table() {
        let text = b"root:x:0:0:root:/root:/bin/bash\n\
                     # a comment\n\
                     \n\
                     bad:x:many:0::/:\n\
                     bad:x:+5:0::/:\n\
                     bad:x:7:7::/:\n\
                     short:x\n\
                     +nis::::::\n\
                     huge:x:4294967296:0::/:\n\
                     twice:x:8:8::/:\n\
                     twice:x:9:9::/:\n\
                     odd\xff:x:11:11::/:\n\
                     last:x:10:10::/:";
        #[rustfmt::skip]
        let cases = [
            ("the first",                "root",      Some(0)),
            ("the last, without its end", "last",     Some(10)),
            ("the first of two",         "twice",     Some(8)),
            ("the first that is sound",  "bad",       Some(7)),
            ("a part of a name",         "roo",       None),
            ("a line without an id",     "short",     None),
            ("an id of 33 bits",         "huge",      None),
            ("a comment",                "# a comment", None),
            ("no name",                  "",          None),
            ("nobody",                   "nobody",    None),
        ];
        for (name, user, want) in cases {
            assert_eq!(uid_in(text, user), want, "{name}");
        }
    }

    #[test]
    fn a_missing_file_is_an_error() {
        assert!(Accounts::at(Path::new("/nowhere")).uid("root").is_err());
    }
}
