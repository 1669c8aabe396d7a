//! Kernels to boot: Debian's for cloud machines, by series, or any file.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::apt::{Apt, BOOKWORM, BULLSEYE, Release, SID, TRIXIE};
use super::modules;
use crate::util;

/// The series that the product has to work on, oldest first.
pub(crate) const SERIES: [&str; 5] = ["5.10", "6.1", "6.12", "6.17", "7.2"];

/// A kernel on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kernel {
    /// The compressed image, as boot loaders take it.
    pub(crate) image: PathBuf,
    /// Security modules that it starts when not told otherwise, as its
    /// configuration lists them; `None` if its configuration is not at hand.
    pub(crate) lsm: Option<String>,
    /// Its overlayfs, for what is a series.
    pub(crate) overlay: Option<PathBuf>,
}

impl Kernel {
    /// Returns the kernel that `spec` names: a series such as "6.12", which is
    /// downloaded once, or the path of an image.
    pub(crate) fn find(spec: &str) -> Result<Self> {
        if is_series(spec) {
            return Self::of_series(spec);
        }
        let image = PathBuf::from(spec);
        if !image.is_file() {
            bail!(
                "kernel {spec} is neither a series nor a file; give one of {} or the path of a bzImage",
                SERIES.join(", ")
            );
        }
        let config = config_beside(&image);
        Ok(Self {
            lsm: config.and_then(|config| default_lsm(&config)),
            overlay: None,
            image,
        })
    }

    /// Returns the newest kernel of `series`, from the cache if it is there.
    fn of_series(series: &str) -> Result<Self> {
        let dir = util::target_dir().join("vm/kernels").join(series);
        // Written last, so it vouches for the rest.
        let marker = dir.join("package");
        if !marker.exists() {
            let package = download(series, &dir)?;
            fs::write(&marker, package)?;
        }
        let package = fs::read_to_string(&marker)?;
        let overlay = modules::overlay(&dir, &package, releases(series))?;
        let config = dir.join("config");
        let config = fs::read_to_string(&config)
            .with_context(|| format!("cannot read {}", config.display()))?;
        Ok(Self {
            image: dir.join("vmlinuz"),
            lsm: default_lsm(&config),
            overlay: Some(overlay),
        })
    }
}

/// Tells a series from a path.
fn is_series(spec: &str) -> bool {
    let number = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    spec.split_once('.')
        .is_some_and(|(major, minor)| number(major) && number(minor))
}

/// Returns where to look for `series`, best first.
const fn releases(series: &str) -> &'static [Release] {
    match series.as_bytes() {
        b"5.10" => &[BULLSEYE],
        b"6.1" => &[BOOKWORM],
        b"6.12" => &[TRIXIE, BOOKWORM],
        b"7.2" => &[SID, TRIXIE],
        _ => &[TRIXIE, SID],
    }
}

/// Downloads the newest kernel of `series` into `dir`; returns its package.
fn download(series: &str, dir: &Path) -> Result<String> {
    let mut offered = Vec::new();
    for &release in releases(series) {
        let apt = Apt::open(release)?;
        let names = names(&apt)?;
        let Some(package) = newest(&names, series) else {
            offered.extend(names);
            continue;
        };
        // What is there is of an earlier, interrupted try.
        if dir.exists() {
            fs::remove_dir_all(dir)?;
        }
        fs::create_dir_all(dir)?;
        let mut packages = vec![package.to_owned()];
        // From 7.1 on, the configuration is in a package of its own.
        let base = package.replacen("linux-binary-", "linux-base-", 1);
        if base != package && apt.names(&base)?.contains(&base) {
            packages.push(base);
        }
        apt.fetch(&packages, dir)?;
        unpack(dir).with_context(|| format!("cannot unpack package {package}"))?;
        return Ok(packages.swap_remove(0));
    }
    let mut offered: Vec<&str> = offered
        .iter()
        .filter_map(|name| self::series(name))
        .collect();
    offered.sort_unstable_by_key(|series| version(series));
    offered.dedup();
    bail!(
        "no kernel {series} is offered by this machine's mirror, but there are {}",
        offered.join(", ")
    );
}

/// Returns the packages with kernels for cloud machines.
fn names(apt: &Apt) -> Result<Vec<String>> {
    let mut names = apt.names("linux-image-")?;
    names.extend(apt.names("linux-binary-")?);
    names.retain(|name| series(name).is_some());
    Ok(names)
}

/// Returns the series of a kernel's package, or `None` for any other package.
///
/// Examples: `linux-image-6.1.0-56-cloud-amd64`, and the same with
/// `linux-binary-` where `linux-image-` has become an empty package. Those
/// whose name ends otherwise are debug symbols or unsigned.
fn series(package: &str) -> Option<&str> {
    let version = package
        .strip_prefix("linux-image-")
        .or_else(|| package.strip_prefix("linux-binary-"))?
        .strip_suffix("-cloud-amd64")?;
    let (major, rest) = version.split_once('.')?;
    let (minor, _) = rest.split_once('.')?;
    let series = version.get(..=major.len() + minor.len())?;
    is_series(series).then_some(series)
}

/// Returns the newest of `packages` that has a kernel of `wanted`.
fn newest<'a>(packages: &'a [String], wanted: &str) -> Option<&'a str> {
    let fitting = packages.iter().filter(|name| series(name) == Some(wanted));
    // With one version in both kinds, the kernel is in `linux-binary-`.
    fitting
        .max_by_key(|name| (version(name), name.starts_with("linux-binary-")))
        .map(String::as_str)
}

/// Returns the numbers in a package's name, which order its versions.
fn version(package: &str) -> Vec<u64> {
    let words = package.split(|symbol: char| !symbol.is_ascii_digit());
    words.filter_map(|word| word.parse().ok()).collect()
}

/// Unpacks the image and its configuration from the packages in `dir`.
///
/// The packages stay, for the modules in them.
fn unpack(dir: &Path) -> Result<()> {
    let tree = dir.join("tree");
    fs::create_dir_all(&tree)?;
    for entry in fs::read_dir(dir)? {
        let package = entry?.path();
        if package.extension() == Some(OsStr::new("deb")) {
            let mut tar = Command::new("tar");
            tar.args(["--extract", "--exclude=*.ko", "--exclude=*.ko.xz"]);
            tar.args(["--exclude=./usr/share", "--directory"])
                .arg(&tree);
            util::pipe(
                Command::new("dpkg-deb").arg("--fsys-tarfile").arg(&package),
                &mut tar,
            )?;
        }
    }
    for name in ["vmlinuz", "config"] {
        let found = find(&tree, name)?.with_context(|| format!("there is no {name} in it"))?;
        fs::rename(found, dir.join(name))?;
    }
    fs::remove_dir_all(tree)?;
    Ok(())
}

/// Finds a file called `name`, or `name` and a version, beneath `dir`.
fn find(dir: &Path, name: &str) -> Result<Option<PathBuf>> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            if let Some(found) = find(&entry.path(), name)? {
                return Ok(Some(found));
            }
        } else if let Some(rest) = entry.file_name().to_string_lossy().strip_prefix(name)
            && (rest.is_empty() || rest.starts_with('-'))
        {
            return Ok(Some(entry.path()));
        }
    }
    Ok(None)
}

/// Returns the configuration of an image that lies where distributions put
/// both: `config-VERSION` beside `vmlinuz-VERSION`.
fn config_beside(image: &Path) -> Option<String> {
    let name = image.file_name()?.to_str()?;
    let rest = name
        .strip_prefix("vmlinuz")
        .or_else(|| name.strip_prefix("bzImage"))?;
    fs::read_to_string(image.with_file_name(format!("config{rest}"))).ok()
}

/// Returns `CONFIG_LSM` of a kernel's configuration.
fn default_lsm(config: &str) -> Option<String> {
    let value = config
        .lines()
        .find_map(|line| line.strip_prefix("CONFIG_LSM="))?;
    Some(value.trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_signed_kernel_of_a_series_is_chosen() {
        let packages = [
            "linux-image-cloud-amd64",
            "linux-image-6.12-cloud-amd64",
            "linux-image-6.12.9+deb13-cloud-amd64",
            "linux-image-6.12.117+deb13-cloud-amd64",
            "linux-image-6.12.117+deb13-cloud-amd64-dbg",
            "linux-image-6.12.118+deb13-cloud-amd64-unsigned",
            "linux-image-6.1.0-9-cloud-amd64",
            "linux-image-6.1.0-56-cloud-amd64",
            "linux-image-6.1.0-57-amd64",
            "linux-binary-7.2.13+deb14-cloud-amd64",
            "linux-image-7.2.13+deb14-cloud-amd64",
            "linux-binary-unsigned-7.2.14+deb14-cloud-amd64",
        ];
        let packages = packages.map(str::to_owned);
        #[rustfmt::skip]
        let cases = [
            ("6.12", Some("linux-image-6.12.117+deb13-cloud-amd64")),
            ("6.1",  Some("linux-image-6.1.0-56-cloud-amd64")),
            ("7.2",  Some("linux-binary-7.2.13+deb14-cloud-amd64")),
            ("6",    None),
            ("5.10", None),
        ];
        for (series, want) in cases {
            assert_eq!(newest(&packages, series), want, "{series}");
        }
    }

    #[test]
    fn a_series_is_two_numbers() {
        #[rustfmt::skip]
        let cases = [
            ("6.12", true), ("5.10", true), ("6", false), ("6.", false),
            ("./6.1", false), ("6.12.1", false), ("bzImage", false),
        ];
        for (spec, want) in cases {
            assert_eq!(is_series(spec), want, "{spec}");
        }
    }

    #[test]
    fn lsm_is_read_from_the_configuration() {
        let config = "# CONFIG_X is not set\nCONFIG_LSM=\"yama,apparmor\"\nCONFIG_LSM_MMAP=1\n";
        assert_eq!(default_lsm(config).as_deref(), Some("yama,apparmor"));
        assert_eq!(default_lsm(""), None);
    }
}
