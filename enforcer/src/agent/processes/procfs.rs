//! What /proc tells of a process.
//!
//! Nothing here reads the memory of the process but [`Procfs::cmdline`], which
//! may wait for as long as that memory's owner likes: see [`crate::agent::aside`].

use std::{
    fs::{self, File},
    io::Read as _,
    os::unix::ffi::OsStringExt as _,
    path::{Path, PathBuf},
};

use crate::detection::who::split_arguments;

/// Most bytes of a command line that are read.
pub const CMDLINE_LEN: u64 = 4096;

/// A proc file system.
#[derive(Clone, Debug)]
pub struct Procfs {
    root: PathBuf,
}

/// What `/proc/PID/stat` tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// Process id of the parent.
    pub parent: u32,
    /// When the process was started, in clock ticks since boot.
    pub start: u64,
}

impl Procfs {
    /// The one that is mounted at `root`.
    pub fn at(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    fn file(&self, pid: u32, name: &str) -> PathBuf {
        self.root.join(pid.to_string()).join(name)
    }

    /// Returns the executable's path.
    pub fn exe(&self, pid: u32) -> Option<Vec<u8>> {
        let target = fs::read_link(self.file(pid, "exe")).ok()?;
        Some(target.into_os_string().into_vec())
    }

    /// Returns the parent and the start of a process, if it lives.
    pub fn stat(&self, pid: u32) -> Option<Stat> {
        let text = fs::read(self.file(pid, "stat")).ok()?;
        // The name is in parentheses and may hold any byte, more of them too.
        let end = text.iter().rposition(|&byte| byte == b')')?;
        let (_, fields) = text.split_at_checked(end + 1)?;
        let mut fields = std::str::from_utf8(fields).ok()?.split_ascii_whitespace();
        // Fields 4 and 22 in proc(5); the first one here is 3.
        Some(Stat {
            parent: fields.nth(1)?.parse().ok()?,
            start: fields.nth(17)?.parse().ok()?,
        })
    }

    /// Returns the id of the process that a thread belongs to, if it lives.
    pub fn process_of(&self, thread: u32) -> Option<u32> {
        self.status(thread, b"Tgid:")?.parse().ok()
    }

    /// Returns the signals that a process ignores: bit `n - 1` is that of signal `n`.
    pub fn ignored_signals(&self, pid: u32) -> Option<u64> {
        u64::from_str_radix(&self.status(pid, b"SigIgn:")?, 16).ok()
    }

    /// Returns a field of `/proc/PID/status`.
    fn status(&self, pid: u32, field: &[u8]) -> Option<String> {
        let text = fs::read(self.file(pid, "status")).ok()?;
        // The name, which may hold any byte, comes with its line ends escaped.
        let mut lines = text.split(|&byte| byte == b'\n');
        let value = lines.find_map(|line| line.strip_prefix(field))?;
        Some(std::str::from_utf8(value).ok()?.trim().to_owned())
    }

    /// Returns the path of its cgroup v2.
    pub fn cgroup(&self, pid: u32) -> Option<Vec<u8>> {
        let text = fs::read(self.file(pid, "cgroup")).ok()?;
        text.split(|&byte| byte == b'\n')
            .find_map(|line| line.strip_prefix(b"0::"))
            .map(<[u8]>::to_vec)
    }

    /// Returns the arguments, the program's name first, as far as they are in the
    /// first [`CMDLINE_LEN`] bytes. `None`: it is gone, or has none.
    ///
    /// Reads the memory of the process, which may keep the caller waiting.
    pub fn cmdline(&self, pid: u32) -> Option<Vec<Vec<u8>>> {
        let mut text = Vec::new();
        File::open(self.file(pid, "cmdline"))
            .and_then(|file| file.take(CMDLINE_LEN).read_to_end(&mut text))
            .ok()?;
        (!text.is_empty()).then(|| split_arguments(&text))
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink, path::Path};

    use super::{Procfs, Stat};

    #[test]
    fn stat_table() {
        let rest = "S 7 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4242 0 0";
        let base = tempfile::tempdir().unwrap();
        let procfs = Procfs::at(base.path());
        let want = Some(Stat {
            parent: 7,
            start: 4242,
        });
        #[rustfmt::skip]
        let cases = [
            ("plain",             format!("5 (nginx) {rest}"),       want),
            ("a name like a stat", format!("5 (a) S 1 (b)) {rest}"), want),
            ("cut",               "5 (nginx) S 7".to_owned(),        None),
            ("empty",             String::new(),                     None),
        ];
        fs::create_dir(base.path().join("5")).unwrap();
        for (name, text, want) in cases {
            fs::write(base.path().join("5/stat"), text).unwrap();
            assert_eq!(procfs.stat(5), want, "{name}");
        }
        assert_eq!(procfs.stat(6), None);
    }

    #[test]
    fn the_other_files() {
        let base = tempfile::tempdir().unwrap();
        let process = base.path().join("5");
        fs::create_dir(&process).unwrap();
        symlink("/usr/sbin/nginx", process.join("exe")).unwrap();
        fs::write(process.join("cmdline"), b"nginx\0-g\0\xff\0").unwrap();
        fs::write(
            process.join("cgroup"),
            "1:name=x:/y\n0::/system.slice/a b\n",
        )
        .unwrap();
        fs::write(
            process.join("status"),
            "Name:\tng\\nTgid:9\nTgid:\t5\nSigIgn:\t0000000000001001\n",
        )
        .unwrap();
        let procfs = Procfs::at(base.path());
        assert_eq!(procfs.process_of(5), Some(5));
        assert_eq!(procfs.ignored_signals(5), Some(0x1001));
        assert_eq!(procfs.exe(5).unwrap(), b"/usr/sbin/nginx");
        assert_eq!(procfs.cmdline(5).unwrap(), [&b"nginx"[..], b"-g", b"\xff"]);
        assert_eq!(procfs.cgroup(5).unwrap(), b"/system.slice/a b");
        assert_eq!(
            (procfs.exe(6), procfs.cmdline(6), procfs.cgroup(6)),
            (None, None, None)
        );
    }

    #[test]
    fn our_own_process() {
        let procfs = Procfs::at(Path::new("/proc"));
        let own = std::process::id();
        assert_eq!(
            procfs.stat(own).unwrap().parent,
            std::os::unix::process::parent_id()
        );
        assert!(procfs.cmdline(own).is_some());
    }
}
