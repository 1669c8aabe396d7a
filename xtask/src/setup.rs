//! What has to be on the machine, and how it gets there.
//!
//! Every command calls [`ensure`] with what it needs; where nothing is
//! missing, that costs a few file look-ups.

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::toolchain::{self, Toolchain};
use crate::util;

/// For the kernel programs, with rustup's compiler.
const NIGHTLY: &[Need] = &[GCC, LIBC, RUST_SOURCE, Need::BpfLinker(Toolchain::Nightly)];

/// For the kernel programs, with Debian's compiler.
const DEBIAN: &[Need] = &[
    GCC,
    LIBC,
    Need::Package("rustc-web", "usr/bin/rustc"),
    Need::Package("cargo-web", "usr/bin/cargo"),
    Need::Package(
        "libstd-rust-web-dev-bpf",
        "usr/lib/rustlib/bpfel-unknown-none/lib",
    ),
    Need::Package("llvm-22-dev", "usr/lib/llvm-22/bin/llvm-config"),
    Need::BpfLinker(Toolchain::Debian),
];

/// For lints of the kernel programs, with rustup's compiler.
pub(crate) const KERNEL_LINTS: &[Need] = &[GCC, LIBC, RUST_SOURCE, CLIPPY];

/// For the agent, whose database is compiled from C.
pub(crate) const AGENT: &[Need] = &[GCC, LIBC];

/// For `cargo xtask fuzz`.
pub(crate) const FUZZING: &[Need] = &[
    GCC,
    LIBC,
    Need::Package("g++", "usr/bin/g++"),
    Need::Component("rustc", "bin/rustc"),
    Need::Tool("cargo-fuzz", "0.13.2"),
];

/// For an agent for [`ARM_TARGET`], on another machine.
pub(crate) const ARM: &[Need] = &[
    Need::Package("gcc-aarch64-linux-gnu", "usr/bin/aarch64-linux-gnu-gcc"),
    Need::Package(
        "libc6-dev-arm64-cross",
        "usr/aarch64-linux-gnu/include/stdio.h",
    ),
    Need::Target(ARM_TARGET),
];

/// The target of the other supported architecture.
pub(crate) const ARM_TARGET: &str = "aarch64-unknown-linux-gnu";

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
    /// The standard library for a target, for the compiler that runs us.
    Target(&'static str),
    /// A component of the nightly toolchain, and a file of it.
    Component(&'static str, &'static str),
    /// The linker for kernel programs that goes with a toolchain.
    BpfLinker(Toolchain),
    /// A version of a program for cargo.
    Tool(&'static str, &'static str),
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
    let packages = [AGENT, MACHINES, ARM].concat();
    ensure(&packages)?;
    kernel_programs()?;
    util::say("everything is installed");
    Ok(ExitCode::SUCCESS)
}

/// Brings what is missing for the kernel programs, and returns the compiler.
///
/// Where rustup cannot get the source of `core`, that is Debian's.
pub(crate) fn kernel_programs() -> Result<Toolchain> {
    let toolchain = Toolchain::for_kernel();
    if toolchain == Toolchain::Debian {
        ensure(DEBIAN)?;
        return Ok(toolchain);
    }
    let done = ensure(NIGHTLY);
    if let Err(err) = &done
        && !err.is::<ByHand>()
        && !RUST_SOURCE.is_met()
    {
        util::say(format_args!("{err:#}\ntaking Debian's compiler instead"));
        ensure(DEBIAN)?;
        Toolchain::keep_debian()?;
        return Ok(Toolchain::Debian);
    }
    done.map(|()| toolchain)
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
            Need::Target(_) | Need::Component(..) | Need::BpfLinker(_) | Need::Tool(..) => None,
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
            Need::Target(name) => add_target(name)?,
            Need::Component(name, _) => add_component(name)?,
            Need::BpfLinker(toolchain) => install_bpf_linker(*toolchain)?,
            Need::Tool(name, version) => install_tool(name, version)?,
        }
    }
    Ok(())
}

impl Need {
    /// Tells whether this is on the machine.
    fn is_met(&self) -> bool {
        match self {
            Self::Package(_, file) => Path::new("/").join(file).exists(),
            Self::Target(name) => has_target(name),
            Self::Component(_, file) => has_component(file),
            Self::BpfLinker(toolchain) => has_bpf_linker(*toolchain),
            Self::Tool(name, version) => has_tool(&toolchain::tools(), name, version),
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

/// Tells whether our compiler has the standard library for a target.
fn has_target(name: &str) -> bool {
    let mut rustc = Command::new("rustc");
    util::read(rustc.args(["--print", "target-libdir", "--target", name]))
        .is_ok_and(|folder| Path::new(folder.trim_end()).exists())
}

/// Adds the standard library for a target to our compiler.
fn add_target(name: &str) -> Result<()> {
    let mut rustup = Command::new("rustup");
    util::step(&format!("rustup target add {name}"), || {
        util::read(rustup.args(["target", "add", name]))
    })
    .with_context(|| format!("cannot get the standard library for {name}; install rustup"))?;
    Ok(())
}

/// Tells whether the nightly toolchain has `file`.
fn has_component(file: &str) -> bool {
    toolchain::nightly_sysroot().is_some_and(|sysroot| sysroot.join(file).exists())
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
fn has_bpf_linker(toolchain: Toolchain) -> bool {
    let Some([name, _, version]) = toolchain.bpf_linker_package().first_chunk() else {
        return false;
    };
    has_tool(&toolchain.bpf_linker_root(), name, version)
}

/// Tells whether a version of a program was installed into `root`.
fn has_tool(root: &Path, name: &str, version: &str) -> bool {
    // The list is written by cargo last of all, so it vouches for the binary.
    let list = fs::read_to_string(root.join(".crates.toml"));
    root.join("bin").join(name).exists()
        && list.is_ok_and(|list| list.contains(&format!("\"{name} {version} ")))
}

/// Builds a program for cargo into the tool folder.
fn install_tool(name: &str, version: &str) -> Result<()> {
    let mut cargo = Toolchain::Ours.cargo();
    cargo.args(["install", name, "--version", version]);
    cargo.args(["--locked", "--force", "--root"]);
    cargo.arg(toolchain::tools());
    util::step(&format!("building {name}"), || util::read(&mut cargo))?;
    Ok(())
}

/// Builds `bpf-linker` into the tool folder.
fn install_bpf_linker(toolchain: Toolchain) -> Result<()> {
    let mut cargo = toolchain.cargo();
    cargo.arg("install").args(toolchain.bpf_linker_package());
    // With the lock file that it was tested with; and over one of unknown origin.
    cargo.args(["--locked", "--force", "--root"]);
    cargo.arg(toolchain.bpf_linker_root());
    util::step("building bpf-linker", || util::read(&mut cargo))?;
    Ok(())
}
