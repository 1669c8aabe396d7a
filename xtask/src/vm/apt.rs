//! Debian packages of other releases, through an apt that is all our own.
//!
//! Only three things are taken from the machine: where its mirror is, how to
//! reach it (proxies and certificates in apt's configuration), and Debian's
//! keys. Signatures are always checked.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::util;

/// A release of Debian, by the names of its suites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Release {
    /// Name of its folder in our cache.
    pub(crate) name: &'static str,
    /// Suites on the main mirror.
    main: &'static [&'static str],
    /// Suites on the mirror of security updates.
    security: &'static [&'static str],
}

pub(crate) const BULLSEYE: Release = Release {
    name: "bullseye",
    main: &["bullseye"],
    security: &["bullseye-security"],
};
pub(crate) const BOOKWORM: Release = Release {
    name: "bookworm",
    main: &["bookworm"],
    security: &["bookworm-security"],
};
pub(crate) const TRIXIE: Release = Release {
    name: "trixie",
    main: &["trixie", "trixie-backports"],
    security: &["trixie-security"],
};
pub(crate) const SID: Release = Release {
    name: "sid",
    main: &["sid"],
    security: &[],
};

/// Suites by which a mirror of Debian is told from other archives.
const KNOWN: [&str; 8] = [
    "bullseye",
    "bookworm",
    "trixie",
    "forky",
    "sid",
    "oldstable",
    "stable",
    "testing",
];

/// Where this machine gets Debian from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Mirrors {
    main: Option<String>,
    security: Option<String>,
}

/// An apt for one release.
#[derive(Debug)]
pub(crate) struct Apt {
    dir: PathBuf,
}

impl Apt {
    /// Returns an apt for `release` that knows its packages.
    pub(crate) fn open(release: Release) -> Result<Self> {
        let dir = util::target_dir().join("vm/apt").join(release.name);
        let apt = Self { dir };
        if !apt.dir.join("updated").exists() {
            apt.configure(release)?;
            apt.update()?;
        }
        Ok(apt)
    }

    /// Fetches the lists of packages anew.
    pub(crate) fn update(&self) -> Result<()> {
        util::step("fetching package lists", || {
            util::read(self.get().arg("update"))
        })?;
        fs::write(self.dir.join("updated"), "")?;
        Ok(())
    }

    /// Returns the names of all packages that start with `prefix`.
    pub(crate) fn names(&self, prefix: &str) -> Result<Vec<String>> {
        let names = util::read(self.command("apt-cache").arg("pkgnames").arg(prefix))?;
        Ok(names.lines().map(str::to_owned).collect())
    }

    /// Returns the file names of `packages` and of all that they depend on.
    pub(crate) fn closure(&self, packages: &[String]) -> Result<Vec<String>> {
        let mut apt = self.get();
        apt.args(["install", "--quiet=2", "--print-uris"])
            .args(packages);
        // What is in the cache already would not be printed.
        let empty = self.dir.join("empty");
        fs::create_dir_all(empty.join("partial"))?;
        apt.arg(format!("--option=Dir::Cache::archives={}", empty.display()));
        Ok(file_names(&util::read(&mut apt)?))
    }

    /// Downloads `packages` and all that they depend on into the cache, and
    /// returns its folder.
    pub(crate) fn fetch_closure(&self, packages: &[String]) -> Result<PathBuf> {
        self.download(packages, || {
            let mut apt = self.get();
            apt.args(["install", "--yes", "--download-only"])
                .args(packages);
            apt
        })?;
        Ok(self.dir.join("cache/archives"))
    }

    /// Downloads `packages`, and nothing that they depend on, into `dir`.
    pub(crate) fn fetch(&self, packages: &[String], dir: &Path) -> Result<()> {
        self.download(packages, || {
            let mut apt = self.get();
            apt.arg("download").args(packages).current_dir(dir);
            apt
        })
    }

    /// Runs a command that downloads, and once more with new lists if it fails:
    /// the lists are as old as the cache, and mirrors drop old packages.
    fn download(&self, packages: &[String], command: impl Fn() -> Command) -> Result<()> {
        let step = format!("downloading {}", packages.join(", "));
        let download = || util::step(&step, || util::read(&mut command()));
        if download().is_err() {
            self.update()?;
            download()?;
        }
        Ok(())
    }

    /// Returns an `apt-get` of this release.
    fn get(&self) -> Command {
        self.command("apt-get")
    }

    /// Returns a command of apt's for this release.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.arg("--config-file").arg(self.dir.join("apt.conf"));
        // Messages are for us to read, and must not depend on the user.
        command
            .env("LC_ALL", "C.UTF-8")
            .env("DEBIAN_FRONTEND", "noninteractive");
        command
    }

    /// Writes the configuration.
    fn configure(&self, release: Release) -> Result<()> {
        let sources = sources(release, &mirrors()?)?;
        for dir in ["lists/partial", "cache/archives/partial", "log"] {
            fs::create_dir_all(self.dir.join(dir))?;
        }
        fs::write(self.dir.join("sources.list"), sources)?;
        // No package is installed, so that all dependencies are downloaded.
        fs::write(self.dir.join("status"), "")?;
        let dir = self
            .dir
            .to_str()
            .context("path of the project is not UTF-8")?;
        fs::write(
            self.dir.join("apt.conf"),
            CONFIGURATION.replace("@DIR@", dir),
        )?;
        Ok(())
    }
}

/// Our apt's configuration, read after the machine's own.
///
/// The hooks of the machine are cleared: they clean up after its own apt.
const CONFIGURATION: &str = r#"
Dir::State "@DIR@";
Dir::State::lists "@DIR@/lists";
Dir::State::status "@DIR@/status";
Dir::State::extended_states "@DIR@/extended_states";
Dir::Cache "@DIR@/cache";
Dir::Cache::archives "@DIR@/cache/archives";
Dir::Log "@DIR@/log";
Dir::Etc::sourcelist "@DIR@/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Architecture "amd64";
APT::Architectures { "amd64"; };
APT::Install-Recommends "false";
APT::Sandbox::User "";
APT::Keep-Downloaded-Packages "true";
Acquire::Languages "none";
// Old releases get no new signature, but keep their old one.
Acquire::Check-Valid-Until "false";
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
#clear DPkg::Pre-Install-Pkgs;
"#;

/// Returns apt's list of sources for `release`.
fn sources(release: Release, mirrors: &Mirrors) -> Result<String> {
    let keyring = keyring()?;
    let Some(main) = &mirrors.main else {
        bail!("apt on this machine has no source of Debian; add one to /etc/apt/sources.list.d");
    };
    let suites = |mirror: &str, suites: &[&str]| -> String {
        let line = |suite| {
            format!(
                "deb [targets=Packages signed-by={}] {mirror} {suite} main\n",
                keyring.display()
            )
        };
        suites.iter().map(line).collect()
    };
    let mut list = suites(main, release.main);
    if let Some(security) = &mirrors.security {
        list += &suites(security, release.security);
    }
    Ok(list)
}

/// Returns the file with Debian's keys.
fn keyring() -> Result<PathBuf> {
    let candidates = ["gpg", "pgp"]
        .map(|kind| PathBuf::from(format!("/usr/share/keyrings/debian-archive-keyring.{kind}")));
    let found = candidates.into_iter().find(|path| path.exists());
    found.context("cannot find Debian's keys; install the package debian-archive-keyring")
}

/// Asks the machine's apt for its mirrors.
fn mirrors() -> Result<Mirrors> {
    let mut apt = Command::new("apt-get");
    apt.args(["indextargets", "--format"]);
    apt.args([
        "$(RELEASE) $(COMPONENT) $(REPO_URI)",
        "Created-By: Packages",
    ]);
    Ok(parse_mirrors(&util::read(&mut apt)?))
}

/// Finds Debian among apt's sources, a line each: suite, component, address.
fn parse_mirrors(targets: &str) -> Mirrors {
    let mut mirrors = Mirrors::default();
    for target in targets.lines() {
        let mut words = target.split(' ');
        let (Some(suite), Some("main"), Some(uri)) = (words.next(), words.next(), words.next())
        else {
            continue;
        };
        let (name, kind) = suite.split_once('-').unwrap_or((suite, ""));
        if !KNOWN.contains(&name) {
            continue;
        }
        let mirror = match kind {
            "security" => &mut mirrors.security,
            _ => &mut mirrors.main,
        };
        // The first is the preferred one, for apt too.
        mirror.get_or_insert_with(|| uri.to_owned());
    }
    mirrors
}

/// Returns the file names in what `--print-uris` prints, a line each:
/// `'address' name size hash`.
fn file_names(uris: &str) -> Vec<String> {
    let lines = uris.lines().filter(|line| line.starts_with('\''));
    lines
        .filter_map(|line| line.split(' ').nth(1))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrors_are_told_from_other_archives() {
        let targets = "\
nodistro main http://node.example/
bookworm stable http://docker.example/linux/debian/
bookworm contrib http://contrib.example/debian/
bookworm main http://mirror.example/debian/
bookworm-updates main http://other.example/debian/
bookworm-security main http://mirror.example/debian-security/
";
        let want = Mirrors {
            main: Some("http://mirror.example/debian/".to_owned()),
            security: Some("http://mirror.example/debian-security/".to_owned()),
        };
        assert_eq!(parse_mirrors(targets), want);
        assert_eq!(parse_mirrors(""), Mirrors::default());
    }

    #[test]
    fn file_names_are_the_second_word() {
        let uris = "\
Reading package lists...
'http://mirror.example/debian/pool/z.deb' zlib1g_1%3a1.2_amd64.deb 86684 SHA256:00
'http://mirror.example/debian/pool/n.deb' nginx_1.22_amd64.deb 532468 SHA256:00
";
        assert_eq!(
            file_names(uris),
            ["zlib1g_1%3a1.2_amd64.deb", "nginx_1.22_amd64.deb"]
        );
    }
}
