//! What has to be on the machine, and how it gets there.
//!
//! Every command calls [`ensure`] with what it needs; where nothing is
//! missing, that costs a few file look-ups.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};

use anyhow::{Context, Result, bail};

use crate::util;

/// The version of `bpf-linker` that links with rustc's own LLVM; later ones
/// want another one installed.
const BPF_LINKER_VERSION: &str = "0.10.0";

/// For the kernel programs.
pub(crate) const KERNEL_PROGRAMS: &[Need] = &[GCC, LIBC, RUST_SOURCE, Need::BpfLinker];

/// For lints, of the kernel programs too.
pub(crate) const LINT: &[Need] = &[GCC, LIBC, RUST_SOURCE, CLIPPY, Need::BpfLinker];

/// For the agent, whose database is compiled from C.
pub(crate) const AGENT: &[Need] = &[GCC, LIBC];

/// For virtual machines.
pub(crate) const MACHINES: &[Need] = &[
    Need::Package("qemu-system-x86", "usr/bin/qemu-system-x86_64"),
    // Busybox without "-static" has the same path, but not this document.
    Need::Package("busybox-static", "usr/share/doc/busybox-static/copyright"),
    Need::Package(
        "debian-archive-keyring",
        "usr/share/keyrings/debian-archive-keyring.gpg",
    ),
    Need::Package("util-linux", "usr/bin/setpriv"),
    Need::Package("xz-utils", "usr/bin/xz"),
];

const GCC: Need = Need::Package("gcc", "usr/bin/gcc");
/// For `-Z build-std=core`.
const RUST_SOURCE: Need =
    Need::Component("rust-src", "lib/rustlib/src/rust/library/core/Cargo.toml");
const CLIPPY: Need = Need::Component("clippy", "bin/clippy-driver");
const LIBC: Need = Need::Package("libc6-dev", "usr/include/stdio.h");

/// Something that has to be on the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// A Debian package, and a file (without the leading `/`) that only it brings.
    Package(&'static str, &'static str),
    /// A component of the nightly toolchain, and a file of it.
    Component(&'static str, &'static str),
    /// The linker for kernel programs, in the project's own tool folder.
    BpfLinker,
}

/// What only a human can do here, as commands to type.
#[derive(Debug)]
pub(crate) struct ByHand {
    why: &'static str,
    commands: Vec<String>,
}

impl fmt::Display for ByHand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "something is missing that cannot be installed from here, since {}; run",
            self.why
        )?;
        for command in &self.commands {
            write!(f, "\n  {command}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ByHand {}

/// Brings everything, and says so.
pub(crate) fn run() -> Result<ExitCode> {
    // At once, so that what takes a human comes before what takes minutes.
    ensure(&[LINT, AGENT, MACHINES].concat())?;
    util::say("everything is installed");
    Ok(ExitCode::SUCCESS)
}

/// Brings what is missing of `needs`.
///
/// # Errors
///
/// [`ByHand`] where that takes another user or another system; else what
/// went wrong on the way.
pub(crate) fn ensure(needs: &[Need]) -> Result<()> {
    let missing = |need: &&Need| !need.is_met();
    let packages: Vec<&str> = needs
        .iter()
        .filter(missing)
        .filter_map(|need| match need {
            Need::Package(name, _) => Some(*name),
            Need::Component(..) | Need::BpfLinker => None,
        })
        .collect();
    if !packages.is_empty() {
        install_packages(&packages)?;
    }
    for need in needs.iter().filter(missing) {
        match need {
            Need::Package(name, file) => {
                bail!("package {name} was installed but /{file} is still missing")
            }
            Need::Component(name, _) => add_component(name)?,
            Need::BpfLinker => install_bpf_linker()?,
        }
    }
    Ok(())
}

/// Returns where the linker for kernel programs is, or will be.
pub(crate) fn bpf_linker() -> PathBuf {
    tools().join("bin/bpf-linker")
}

/// The project's own tool folder.
fn tools() -> PathBuf {
    util::target_dir().join("tools")
}

impl Need {
    /// Tells whether this is on the machine.
    fn is_met(&self) -> bool {
        match self {
            Self::Package(_, file) => Path::new("/").join(file).exists(),
            Self::Component(_, file) => has_component(file),
            Self::BpfLinker => has_bpf_linker(),
        }
    }
}

/// Installs Debian packages.
fn install_packages(packages: &[&str]) -> Result<()> {
    let install = format!(
        "apt-get install --yes --no-install-recommends {}",
        packages.join(" ")
    );
    let by_hand = |why| ByHand {
        why,
        commands: vec!["sudo apt-get update".to_owned(), format!("sudo {install}")],
    };
    if !Path::new("/usr/bin/apt-get").exists() {
        return Err(by_hand("this is not a Debian system").into());
    }
    if util::read(Command::new("id").arg("-u"))?.trim() != "0" {
        return Err(by_hand("this takes root").into());
    }
    util::say(format_args!("installing {}", packages.join(", ")));
    let install = || {
        let mut apt = Command::new("apt-get");
        apt.args(["install", "--yes", "--no-install-recommends"])
            .args(packages);
        apt.env("DEBIAN_FRONTEND", "noninteractive");
        util::step("apt-get install", || util::read(&mut apt))
    };
    if install().is_err() {
        // The usual reason is that apt knows no packages yet, or old ones.
        util::step("apt-get update", || {
            util::read(Command::new("apt-get").arg("update"))
        })?;
        install()?;
    }
    Ok(())
}

/// Tells whether the nightly toolchain has `file`.
fn has_component(file: &str) -> bool {
    // Where rustup puts it by default, since asking rustc takes longer than
    // everything else here.
    let rustup = env::var_os("RUSTUP_HOME").map(PathBuf::from);
    let rustup = rustup.or_else(|| Some(env::home_dir()?.join(".rustup")));
    let toolchain = format!("toolchains/nightly-{}-unknown-linux-gnu", env::consts::ARCH);
    rustup.is_some_and(|rustup| rustup.join(toolchain).join(file).exists())
        || nightly_sysroot().is_ok_and(|sysroot| sysroot.join(file).exists())
}

/// Asks rustc where the nightly toolchain is.
fn nightly_sysroot() -> Result<PathBuf> {
    let mut rustc = Command::new("rustc");
    rustc.args(["+nightly", "--print", "sysroot"]);
    // Set by rustup for us; it would win over `+nightly`.
    rustc.env_remove("RUSTUP_TOOLCHAIN");
    Ok(util::read(&mut rustc)?.trim_end().into())
}

/// Adds a component to the nightly toolchain.
fn add_component(name: &str) -> Result<()> {
    util::say(format_args!("adding {name} to the nightly toolchain"));
    let mut rustup = Command::new("rustup");
    rustup.args(["component", "add", name, "--toolchain", "nightly"]);
    util::step(&format!("rustup component add {name}"), || {
        util::read(&mut rustup)
    })
    .with_context(|| format!("cannot get {name}; install rustup with the toolchain nightly"))?;
    Ok(())
}

/// Tells whether the right `bpf-linker` is in the tool folder.
fn has_bpf_linker() -> bool {
    // The file is written by cargo last of all, so it vouches for the binary.
    let installed = fs::read_to_string(tools().join(".crates.toml"));
    bpf_linker().exists()
        && installed.is_ok_and(|list| list.contains(&format!("\"bpf-linker {BPF_LINKER_VERSION} ")))
}

/// Builds `bpf-linker` into the tool folder.
fn install_bpf_linker() -> Result<()> {
    util::say(format_args!("building bpf-linker {BPF_LINKER_VERSION}"));
    let mut cargo = util::cargo(Some("nightly"));
    cargo.args(["install", "bpf-linker", "--version", BPF_LINKER_VERSION]);
    // With the lock file that it was tested with; and over one of unknown origin.
    cargo.args(["--locked", "--force", "--root"]).arg(tools());
    util::step("building bpf-linker", || util::read(&mut cargo))?;
    Ok(())
}
