//! AppArmor's profiles as Debian's packages have them, for the tests of
//! `enforcer import`. Most are under the GPL, so they are fetched and not ours to ship.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::apt::{Apt, BOOKWORM};
use super::packages;
use crate::util;

/// Packages with profiles: small ones, with rules of every kind.
const PACKAGES: [&str; 21] = [
    "apparmor",
    "apparmor-profiles",
    "apparmor-profiles-extra",
    "bind9",
    "chrony",
    "clamav-daemon",
    "clamav-freshclam",
    "cups-browsed",
    "cups-daemon",
    "haveged",
    "isc-dhcp-client",
    "isc-dhcp-server",
    "libvirt-daemon-system",
    "man-db",
    "msmtp",
    "ntpsec",
    "privoxy",
    "redshift",
    "tcpdump",
    "tor",
    "unbound",
];

/// Where packages have their profiles.
const FOLDER: &str = "./etc/apparmor.d";

/// Where the administrator's additions are, which each profile includes.
const LOCAL: &str = "local/";

/// Returns the folder of the profiles, from the cache if it is there.
pub(crate) fn apparmor() -> Result<PathBuf> {
    let _lock = packages::lock()?;
    let dir = util::target_dir().join("vm/apparmor");
    // Written last, so it vouches for the rest.
    let list = dir.join("packages");
    let names = PACKAGES.map(str::to_owned);
    let profiles = dir.join("apparmor.d");
    if fs::read_to_string(&list).is_ok_and(|list| list == names.join("\n")) {
        return Ok(profiles);
    }
    if dir.exists() {
        fs::remove_dir_all(&dir)?;
    }
    let downloads = dir.join("downloads");
    fs::create_dir_all(&downloads)?;
    fs::create_dir_all(&profiles)?;
    Apt::open(BOOKWORM)?.fetch(&names, &downloads)?;
    for entry in fs::read_dir(&downloads)? {
        let package = entry?.path();
        unpack(&package, &profiles)
            .with_context(|| format!("cannot unpack {}", package.display()))?;
    }
    add_local(&profiles)?;
    fs::remove_dir_all(downloads)?;
    fs::write(list, names.join("\n"))?;
    Ok(profiles)
}

/// Unpacks the profiles of a package into `profiles`.
fn unpack(package: &Path, profiles: &Path) -> Result<()> {
    let mut tar = Command::new("tar");
    tar.args(["--extract", "--strip-components=3", "--directory"])
        .arg(profiles)
        .arg(FOLDER);
    util::pipe(
        Command::new("dpkg-deb").arg("--fsys-tarfile").arg(package),
        &mut tar,
    )
}

/// Makes the files for additions that are not there, empty, as the packages' scripts would.
fn add_local(profiles: &Path) -> Result<()> {
    let mut names = Vec::new();
    let mut folders = vec![profiles.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = fs::read_to_string(&path).unwrap_or_default();
                names.extend(included(&text).map(str::to_owned));
            }
        }
    }
    for name in names {
        let file = profiles.join(LOCAL).join(name);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        if !file.exists() {
            File::create(&file)?;
        }
    }
    Ok(())
}

/// Returns the names of the additions that a profile includes.
fn included(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().filter(|line| line.contains("include"));
    lines.filter_map(|line| {
        let (_, rest) = line.split_once('<')?;
        let (name, _) = rest.split_once('>')?;
        name.strip_prefix(LOCAL)
    })
}

#[cfg(test)]
mod tests {
    use super::included;

    #[test]
    fn additions_are_found() {
        let text = "\
include <abstractions/base>
  #include <local/usr.sbin.x>
  include if exists <local/y>
";
        assert_eq!(included(text).collect::<Vec<_>>(), ["usr.sbin.x", "y"]);
    }
}
