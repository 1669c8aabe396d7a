//! Debian packages for guests: unpacked once, without running their scripts.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::apt::{Apt, BOOKWORM};
use super::cpio::{Owner, Writer};
use crate::util;

/// What every system has, so that no package depends on it: users and groups,
/// the usual folders, and a shell that runs the packages' programs rather than
/// applets of its own.
const ESSENTIAL: [&str; 3] = ["base-files", "base-passwd", "dash"];

/// Links that make `/bin` and `/usr/bin` one folder. They are made before
/// anything is unpacked, so that files end up where a real system has them.
const MERGED: [&str; 4] = ["bin", "lib", "lib64", "sbin"];

/// Folders that hold programs.
const PROGRAMS: [&str; 2] = ["usr/bin", "usr/sbin"];

/// A set of packages, unpacked.
#[derive(Debug)]
pub(crate) struct Packages {
    /// The files, as an archive for the kernel.
    pub(crate) archive: PathBuf,
    /// Names of the programs in them.
    pub(crate) programs: HashSet<String>,
}

impl Packages {
    /// Returns `names` and all that they depend on, from the cache if they are
    /// there; nothing if no names are given.
    pub(crate) fn get(names: &[String]) -> Result<Option<Self>> {
        if names.is_empty() {
            return Ok(None);
        }
        let mut names = names.to_vec();
        names.sort_unstable();
        names.dedup();
        let dir = util::target_dir().join("vm/packages").join(names.join("+"));
        let archive = dir.join("archive");
        // Written last, so it vouches for the archive.
        let list = dir.join("programs");
        if !list.exists() {
            let programs = make(&names, &dir, &archive)
                .with_context(|| format!("cannot make an image of {}", names.join(", ")))?;
            fs::write(&list, programs.join("\n"))?;
        }
        let programs = fs::read_to_string(&list)?
            .lines()
            .map(str::to_owned)
            .collect();
        Ok(Some(Self { archive, programs }))
    }
}

/// Waits until no other process changes the cache, and keeps them waiting.
pub(super) fn lock() -> Result<File> {
    let dir = util::target_dir().join("vm");
    fs::create_dir_all(&dir)?;
    // It goes with the file.
    let lock = File::create(dir.join("lock"))?;
    lock.lock()
        .context("cannot lock the cache of virtual machines")?;
    Ok(lock)
}

/// Downloads and unpacks the packages, packs them into `archive`, and returns
/// the names of their programs.
fn make(names: &[String], dir: &Path, archive: &Path) -> Result<Vec<String>> {
    if dir.exists() {
        fs::remove_dir_all(dir)?;
    }
    let tree = dir.join("tree");
    for name in MERGED {
        fs::create_dir_all(tree.join("usr").join(name))?;
        symlink(Path::new("usr").join(name), tree.join(name))?;
    }
    for package in download(names, dir)? {
        unpack(&package, &tree).with_context(|| format!("cannot unpack {}", package.display()))?;
    }
    finish(&tree)?;

    // As another user, `tar` could not keep owners.
    let owner = (fs::metadata(&tree)?.uid() != 0).then(Owner::default);
    let out = BufWriter::new(File::create(archive)?);
    let mut cpio = Writer::new(out);
    cpio.tree(Path::new(""), &tree, owner)?;
    cpio.finish()?.flush()?;

    let mut programs = Vec::new();
    for folder in PROGRAMS {
        for entry in fs::read_dir(tree.join(folder))? {
            let name = entry?.file_name().into_string();
            programs.extend(name);
        }
    }
    fs::remove_dir_all(tree)?;
    Ok(programs)
}

/// Downloads the packages and what they depend on; returns the files.
fn download(names: &[String], dir: &Path) -> Result<Vec<PathBuf>> {
    let apt = Apt::open(BOOKWORM)?;
    let folder = apt.fetch_closure(names)?;
    let mut files: Vec<_> = apt
        .closure(names)?
        .iter()
        .map(|name| folder.join(name))
        .collect();
    // Essential packages depend on the package manager, which no guest needs.
    let essential = dir.join("essential");
    fs::create_dir_all(&essential)?;
    apt.fetch(&ESSENTIAL.map(str::to_owned), &essential)?;
    for entry in fs::read_dir(essential)? {
        files.push(entry?.path());
    }
    Ok(files)
}

/// Unpacks a package into `tree`.
fn unpack(package: &Path, tree: &Path) -> Result<()> {
    let mut tar = Command::new("tar");
    tar.args(["--extract", "--keep-directory-symlink", "--directory"])
        .arg(tree);
    // Most of a small package, and no program reads it.
    tar.args([
        "--exclude=./usr/share/doc",
        "--exclude=./usr/share/man",
        "--exclude=./usr/share/locale",
    ]);
    util::pipe(
        Command::new("dpkg-deb").arg("--fsys-tarfile").arg(package),
        &mut tar,
    )
}

/// Does what the scripts of essential packages would do.
fn finish(tree: &Path) -> Result<()> {
    for name in ["passwd", "group"] {
        let master = tree
            .join("usr/share/base-passwd")
            .join(name)
            .with_extension("master");
        fs::copy(&master, tree.join("etc").join(name))
            .with_context(|| format!("cannot copy {}", master.display()))?;
    }
    let shell = tree.join("usr/bin/sh");
    if !shell.exists() {
        symlink(OsStr::new("dash"), shell)?;
    }
    Ok(())
}
