//! A root file system: the only way to files that a draft has.
//!
//! Symbolic links are followed beneath the root, as a process would that has it for its
//! own: none leads out. Paths are absolute, and as seen from within.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Read as _},
    os::unix::{ffi::OsStrExt as _, fs::PermissionsExt as _},
    path::{Component, Path, PathBuf},
    process::Command,
};

/// Most symbolic links on a way: that of the kernel.
const LINKS: usize = 40;

/// Longest file that is read, in bytes: a program with its debug information may be long.
const FILE_LEN: u64 = 1 << 30;

/// Most names of a folder that is looked at: a confined process may make any number.
pub(crate) const ENTRIES: usize = 20_000;

/// A root file system.
#[derive(Debug)]
pub struct Root {
    dir: PathBuf,
}

/// A path without symbolic links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Resolved {
    /// As the kernel sees it.
    pub(super) path: PathBuf,
    /// The names by which it was reached, from the first on, this one among them.
    pub(super) names: Vec<PathBuf>,
}

/// What is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A file, and whether somebody may run it.
    File {
        /// Whether it has a bit for that.
        executable: bool,
    },
    /// A folder.
    Folder,
    /// A device, a socket.
    Other,
    /// Nothing, or nothing that can be seen.
    Nothing,
}

impl Root {
    /// The root file system in the folder `dir`.
    ///
    /// # Errors
    ///
    /// If it is no folder, or cannot be read.
    pub fn at(dir: &Path) -> io::Result<Self> {
        let dir = fs::canonicalize(dir)?;
        fs::read_dir(&dir)?;
        Ok(Self { dir })
    }

    /// Whether it is the one of this process.
    pub(super) fn is_own(&self) -> bool {
        self.dir == Path::new("/")
    }

    /// Where a path without symbolic links lies outside.
    fn outside(&self, path: &Path) -> PathBuf {
        self.dir.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Follows all symbolic links of `path`.
    ///
    /// # Errors
    ///
    /// If it is not there, or there are too many of them.
    pub(super) fn resolve(&self, path: &Path) -> io::Result<Resolved> {
        let (resolved, rest) = self.walk(path)?;
        if rest.as_os_str().is_empty() {
            return Ok(resolved);
        }
        Err(io::ErrorKind::NotFound.into())
    }

    /// The path as the kernel sees it, or will once it is there: what is there of it
    /// without symbolic links, and the rest as it is.
    pub(super) fn settle(&self, path: &Path) -> PathBuf {
        match self.walk(path) {
            Ok((resolved, rest)) if rest.as_os_str().is_empty() => resolved.path,
            Ok((resolved, rest)) => resolved.path.join(rest),
            Err(_) => path.to_owned(),
        }
    }

    /// Goes as far as something is there. Returns the rest of the way, too.
    fn walk(&self, path: &Path) -> io::Result<(Resolved, PathBuf)> {
        let mut names = vec![path.to_owned()];
        let mut at = PathBuf::from("/");
        // What is still to go, the next at the end.
        let mut rest: Vec<OsString> = parts(path);
        let mut links = 0;
        while let Some(part) = rest.pop() {
            if part == ".." {
                at.pop();
                continue;
            }
            let next = at.join(&part);
            let outside = self.outside(&next);
            let there = match fs::symlink_metadata(&outside) {
                Ok(there) => there,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    rest.push(part);
                    break;
                }
                Err(error) => return Err(error),
            };
            if !there.is_symlink() {
                at = next;
                continue;
            }
            links += 1;
            if links > LINKS {
                return Err(io::Error::other("too many symbolic links"));
            }
            let target = fs::read_link(&outside)?;
            if target.is_absolute() {
                at = PathBuf::from("/");
            }
            rest.extend(parts(&target));
            let name = rest
                .iter()
                .rev()
                .fold(at.clone(), |name, part| name.join(part));
            names.push(name);
        }
        names.push(at.clone());
        names.dedup();
        let rest = rest.iter().rev().collect();
        Ok((Resolved { path: at, names }, rest))
    }

    /// What is at `path`.
    pub(super) fn kind(&self, path: &Path) -> Kind {
        let there = self
            .resolve(path)
            .and_then(|resolved| fs::metadata(self.outside(&resolved.path)));
        match there {
            Err(_) => Kind::Nothing,
            Ok(there) if there.is_dir() => Kind::Folder,
            Ok(there) if there.is_file() => Kind::File {
                executable: there.permissions().mode() & 0o111 != 0,
            },
            Ok(_) => Kind::Other,
        }
    }

    /// What the file `path` holds.
    ///
    /// # Errors
    ///
    /// If it is not there, is no file, cannot be read, or has more than a GiB.
    pub(super) fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let resolved = self.resolve(path)?;
        let outside = self.outside(&resolved.path);
        // To open what is no file may take for ever.
        if !fs::metadata(&outside)?.is_file() {
            return Err(io::Error::other("it is no file"));
        }
        let mut bytes = Vec::new();
        File::open(outside)?
            .take(FILE_LEN + 1)
            .read_to_end(&mut bytes)?;
        if bytes.len() as u64 > FILE_LEN {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(bytes)
    }

    /// The text of the file `path`, as far as it is text. Nothing if it cannot be read.
    pub(super) fn text(&self, path: &Path) -> String {
        let bytes = self.read(path).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// What is in the folder `path`, symbolic links not followed: names, and whether they are
    /// folders. `None` if it cannot be read; one more than [`ENTRIES`] if there are more, any
    /// of them.
    pub(crate) fn entries(&self, path: &Path) -> Option<Vec<(OsString, bool)>> {
        let resolved = self.resolve(path).ok()?;
        // Behind a symbolic link it is another folder, which has its own name.
        if resolved.path != path {
            return None;
        }
        let entries = fs::read_dir(self.outside(path)).ok()?;
        let entries = entries.filter_map(Result::ok).take(ENTRIES + 1);
        let is_folder = |entry: &fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir());
        let mut all: Vec<(OsString, bool)> = entries
            .map(|entry| (entry.file_name(), is_folder(&entry)))
            .collect();
        all.sort();
        Some(all)
    }

    /// The names in the folder `path`, in their order. None if it cannot be read.
    pub(super) fn list(&self, path: &Path) -> Vec<OsString> {
        let entries = self
            .resolve(path)
            .and_then(|resolved| fs::read_dir(self.outside(&resolved.path)));
        let mut names: Vec<OsString> = entries
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.file_name()))
            .collect();
        names.sort();
        names
    }

    /// What `rpm` answers about this root. `None` where it has no database, or there is no
    /// such program here, or it fails.
    pub(super) fn rpm(&self, arguments: &[&str]) -> Option<String> {
        const DATABASES: [&str; 2] = ["/usr/lib/sysimage/rpm", "/var/lib/rpm"];
        DATABASES
            .iter()
            .find(|dir| !self.list(Path::new(dir)).is_empty())?;
        let mut command = Command::new("rpm");
        if !self.is_own() {
            command.arg("--root").arg(&self.dir);
        }
        let output = command.args(arguments).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        output.status.success().then_some(text)
    }
}

/// The names in a path, the last first.
fn parts(path: &Path) -> Vec<OsString> {
    let parts = path.components().rev().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    });
    parts.collect()
}

/// Whether a path is in a folder, or the folder itself.
pub(super) fn is_within(path: &Path, folder: &str) -> bool {
    path.as_os_str().as_bytes() == folder.as_bytes() || path.starts_with(folder)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink, path::Path};

    use super::{ENTRIES, Kind, Root};

    #[test]
    fn a_folder_may_have_too_many_names() {
        let base = tempfile::tempdir().unwrap();
        let root = Root::at(base.path()).unwrap();
        let folder = base.path().join("many");
        fs::create_dir(&folder).unwrap();
        for name in 0..ENTRIES {
            fs::File::create(folder.join(name.to_string())).unwrap();
        }
        let entries = || root.entries(Path::new("/many")).map(|all| all.len());
        assert_eq!(entries(), Some(ENTRIES));
        for name in ["one more", "and another"] {
            fs::File::create(folder.join(name)).unwrap();
            assert_eq!(entries(), Some(ENTRIES + 1));
        }
    }

    #[test]
    fn no_way_leads_out() {
        let outer = tempfile::tempdir().unwrap();
        fs::write(outer.path().join("secret"), "outside").unwrap();
        let base = outer.path().join("root");
        for dir in ["usr/bin", "run", "etc/alternatives"] {
            fs::create_dir_all(base.join(dir)).unwrap();
        }
        fs::write(base.join("usr/bin/real"), "inside").unwrap();
        let links = [
            ("bin", "usr/bin"),
            ("var", "."),
            ("usr/bin/editor", "/etc/alternatives/editor"),
            ("etc/alternatives/editor", "/bin/real"),
            ("up", "../secret"),
            ("upper", "/../../../secret"),
            ("loop", "loop"),
            ("gone", "/nowhere/x"),
        ];
        for (name, target) in links {
            symlink(target, base.join(name)).unwrap();
        }
        let root = Root::at(&base).unwrap();

        // Columns: what it shows, path, what it leads to, what it would be.
        #[rustfmt::skip]
        let cases = [
            ("a plain one",        "/usr/bin/real",    Some("/usr/bin/real"), "/usr/bin/real"),
            ("a folder's link",    "/bin/real",        Some("/usr/bin/real"), "/usr/bin/real"),
            ("a chain",            "/usr/bin/editor",  Some("/usr/bin/real"), "/usr/bin/real"),
            ("dots",               "/usr/../bin/./real", Some("/usr/bin/real"), "/usr/bin/real"),
            ("above the root",     "/../../bin/real",  Some("/usr/bin/real"), "/usr/bin/real"),
            ("a link out",         "/up",              None,                  "/secret"),
            ("another",            "/upper",           None,                  "/secret"),
            ("not there yet",      "/var/run/x/y.pid", None,                  "/run/x/y.pid"),
            ("a link to nothing",  "/gone",            None,                  "/nowhere/x"),
            ("a circle",           "/loop/a",          None,                  "/loop/a"),
        ];
        for (name, path, want, settled) in cases {
            let path = Path::new(path);
            let resolved = root.resolve(path).ok().map(|resolved| resolved.path);
            assert_eq!(resolved.as_deref(), want.map(Path::new), "{name}");
            assert_eq!(root.settle(path), Path::new(settled), "{name}");
        }
        let names = root.resolve(Path::new("/bin/editor")).unwrap().names;
        let want = [
            "/bin/editor",
            "/usr/bin/editor",
            "/etc/alternatives/editor",
            "/bin/real",
            "/usr/bin/real",
        ];
        assert_eq!(names, want.map(Path::new));
        assert!(root.read(Path::new("/up")).is_err());
        assert_eq!(root.text(Path::new("/bin/real")), "inside");
        assert_eq!(root.kind(Path::new("/bin")), Kind::Folder);
        assert_eq!(root.kind(Path::new("/up")), Kind::Nothing);
        assert!(root.read(Path::new("/bin")).is_err(), "a folder");
    }
}
