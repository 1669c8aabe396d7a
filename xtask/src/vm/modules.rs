//! What tests need of a kernel and Debian's kernels for cloud machines do not have
//! built in: overlayfs, as a module.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::apt::{Apt, Release};
use crate::util;

/// Where the module is in the folder of a kernel, and in a guest.
const OVERLAY: &str = "overlay.ko";
pub(crate) const IN_GUEST: &str = "/usr/lib/vm/overlay.ko";

/// Returns the module of the kernel in `package`, whose folder is `dir`; it is
/// unpacked once.
pub(crate) fn overlay(dir: &Path, package: &str, releases: &[Release]) -> Result<PathBuf> {
    let module = dir.join(OVERLAY);
    if module.exists() || unpack(dir)? {
        return Ok(module);
    }
    // From 7.1 on, they are in a package of their own.
    let modules = package.replacen("linux-binary-", "linux-modules-", 1);
    for &release in releases {
        let apt = Apt::open(release)?;
        if apt.names(&modules)?.contains(&modules) {
            apt.fetch(std::slice::from_ref(&modules), dir)?;
            break;
        }
    }
    let unpacked = unpack(dir)?.then_some(module);
    unpacked.with_context(|| {
        format!(
            "there is no {OVERLAY} for {package}; remove {} to get a newer kernel",
            dir.display()
        )
    })
}

/// Unpacks the module from the packages in `dir`. Returns whether one has it.
fn unpack(dir: &Path) -> Result<bool> {
    for entry in fs::read_dir(dir)? {
        let package = entry?.path();
        if package.extension() != Some(OsStr::new("deb")) {
            continue;
        }
        let list = util::read(Command::new("dpkg-deb").arg("--contents").arg(&package))?;
        let Some(member) = member(&list) else {
            continue;
        };
        let tree = dir.join("tree");
        fs::create_dir_all(&tree)?;
        let mut tar = Command::new("tar");
        tar.args(["--extract", "--directory"])
            .arg(&tree)
            .arg(member);
        util::pipe(
            Command::new("dpkg-deb").arg("--fsys-tarfile").arg(&package),
            &mut tar,
        )?;
        let mut found = tree.join(member);
        if found.extension() == Some(OsStr::new("xz")) {
            util::read(Command::new("xz").arg("--decompress").arg(&found))?;
            found.set_extension("");
        }
        fs::rename(found, dir.join(OVERLAY))?;
        fs::remove_dir_all(tree)?;
        return Ok(true);
    }
    Ok(false)
}

/// The module's path in a package, by the list of what is in that.
fn member(list: &str) -> Option<&str> {
    list.lines()
        .filter_map(|line| line.split(' ').next_back())
        .find(|path| path.ends_with("/overlay.ko") || path.ends_with("/overlay.ko.xz"))
}

#[cfg(test)]
mod tests {
    use super::member;

    #[test]
    fn the_module_is_found() {
        let list = "drwxr-xr-x root/root   0 2026-01-01 00:00 ./lib/kernel/fs/overlayfs/\n\
                    -rw-r--r-- root/root 123 2026-01-01 00:00 ./lib/kernel/fs/overlayfs/overlay.ko.xz\n\
                    -rw-r--r-- root/root 123 2026-01-01 00:00 ./lib/kernel/fs/pstore/pstore.ko.xz\n";
        assert_eq!(
            member(list),
            Some("./lib/kernel/fs/overlayfs/overlay.ko.xz")
        );
        assert_eq!(member(""), None);
    }
}
