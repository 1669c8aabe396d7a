//! What the guest's kernel unpacks as its root.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::cpio::{Owner, Writer};
use super::packages::Packages;
use crate::util;

/// Name of the folder of busybox on the host and in the guest.
const BUSYBOX: &str = "bin/busybox";

/// Folders of every guest. `/bin` and the like are links, as in Debian, so
/// that a program has one path.
#[rustfmt::skip]
const DIRS: [(&str, u32); 30] = [
    ("dev", 0o755), ("etc", 0o755), ("etc/enforcer", 0o755), ("home", 0o755), ("media", 0o755),
    ("mnt", 0o755), ("opt", 0o755), ("proc", 0o555), ("root", 0o700), ("run", 0o755),
    ("srv", 0o755), ("sys", 0o555), ("tmp", 0o1777), ("usr", 0o755), ("usr/bin", 0o755),
    ("usr/lib", 0o755), ("usr/lib64", 0o755), ("usr/lib/enforcer", 0o755),
    ("usr/lib/vm", 0o755), ("usr/local", 0o755), ("usr/local/bin", 0o755),
    ("usr/local/sbin", 0o755), ("usr/sbin", 0o755), ("usr/share", 0o755), ("var", 0o755),
    ("var/cache", 0o755), ("var/lib", 0o755), ("var/lib/enforcer", 0o700), ("var/log", 0o755),
    ("var/tmp", 0o1777),
];

/// Links of every guest, and where they lead.
const LINKS: [(&str, &str); 6] = [
    ("bin", "usr/bin"),
    ("sbin", "usr/sbin"),
    ("lib", "usr/lib"),
    ("lib64", "usr/lib64"),
    ("var/run", "/run"),
    ("var/lock", "/run/lock"),
];

/// Files and folders of the host, and their paths in a guest.
pub(crate) type Files = [(PathBuf, PathBuf)];

/// Text files of every guest; those of packages win.
#[rustfmt::skip]
const FILES: [(&str, &str); 6] = [
    ("etc/hostname", "guest\n"),
    ("etc/hosts", "127.0.0.1 localhost guest\n::1 localhost\n"),
    ("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"),
    ("etc/shells", "/bin/sh\n"),
    ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n\
                    daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n\
                    www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n\
                    nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"),
    ("etc/group", "root:x:0:\ndaemon:x:1:\nadm:x:4:\ntty:x:5:\nshadow:x:42:\n\
                   www-data:x:33:\nnogroup:x:65534:\n"),
];

/// What goes into a guest besides what every guest has.
#[derive(Debug)]
pub(crate) struct Contents<'a> {
    /// Debian packages.
    pub(crate) packages: Option<&'a Packages>,
    /// Files and folders of the host, and their absolute paths in the guest.
    pub(crate) files: &'a Files,
    /// The script that runs the command.
    pub(crate) script: &'a [u8],
}

/// Writes the image to `path` and returns its size in bytes.
pub(crate) fn write(path: &Path, contents: &Contents<'_>) -> Result<u64> {
    let context = || format!("cannot write image {}", path.display());
    let mut out = BufWriter::new(File::create(path).with_context(context)?);
    base(&mut out, contents.packages)?;
    if let Some(packages) = contents.packages {
        let mut archive = File::open(&packages.archive)
            .with_context(|| format!("cannot open {}", packages.archive.display()))?;
        io::copy(&mut archive, &mut out).with_context(context)?;
    }
    top(&mut out, contents)?;
    out.flush().with_context(context)?;
    out.stream_position().with_context(context)
}

/// Writes what every guest has, beneath the packages.
fn base(out: &mut impl Write, packages: Option<&Packages>) -> Result<()> {
    let mut cpio = Writer::new(out);
    // Else anybody could write to the root.
    cpio.dir(".", 0o755)?;
    for (path, mode) in DIRS {
        cpio.dir(path, mode)?;
    }
    for (path, target) in LINKS {
        cpio.symlink(path, target)?;
    }
    for (path, text) in FILES {
        cpio.file(path, 0o644, text.as_bytes())?;
    }
    cpio.file("etc/shadow", 0o640, b"root:*:19000:0:99999:7:::\n")?;
    // The kernel opens it for the first process, before there is a devtmpfs.
    cpio.device("dev/console", 0o600, (5, 1))?;
    cpio.file("init", 0o755, include_bytes!("init.sh"))?;

    let busybox = Path::new("/").join(BUSYBOX);
    let program = fs::read(&busybox).context("cannot read busybox")?;
    cpio.file("usr/bin/busybox", 0o755, &program)?;
    let shadowing = HashSet::new();
    let programs = packages.map_or(&shadowing, |packages| &packages.programs);
    for applet in util::read(Command::new(busybox).arg("--list-full"))?.lines() {
        let applet = Path::new(applet);
        let Some(name) = applet.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        // The list has busybox too. A package's program can be in another
        // folder, later in PATH.
        if name == "busybox" || programs.contains(name) {
            continue;
        }
        let dir = match applet.parent() {
            Some(dir) if dir.ends_with("sbin") => "usr/sbin",
            _ => "usr/bin",
        };
        cpio.symlink(&format!("{dir}/{name}"), "/usr/bin/busybox")?;
    }
    cpio.finish()?;
    Ok(())
}

/// Writes what is this guest's own, on top of the packages.
fn top(out: &mut impl Write, contents: &Contents<'_>) -> Result<()> {
    let mut cpio = Writer::new(out);
    for (source, path) in contents.files {
        let Ok(inside) = path.strip_prefix("/") else {
            bail!(
                "cannot put a file at {}; give an absolute path",
                path.display()
            );
        };
        let mut parents: Vec<_> = inside.ancestors().skip(1).collect();
        parents.reverse();
        for parent in parents.into_iter().filter_map(Path::to_str) {
            // The links would become folders.
            if !parent.is_empty() && !is_known(parent) {
                cpio.dir(parent, 0o755)?;
            }
        }
        cpio.tree(inside, source, Some(Owner::default()))?;
    }
    cpio.file("usr/lib/vm/command", 0o644, contents.script)?;
    cpio.finish()?;
    Ok(())
}

/// Tells whether every guest has `path` already.
fn is_known(path: &str) -> bool {
    DIRS.iter().any(|(dir, _)| *dir == path) || LINKS.iter().any(|(link, _)| *link == path)
}
