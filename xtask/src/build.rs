//! The programs first, then the agent that carries them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::toolchain::Toolchain;
use crate::{setup, util};

/// Options of `cargo xtask build`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Build the agent without optimizations; the kernel programs always have them
    #[arg(long)]
    debug: bool,
    /// Build an agent that needs no shared library, as the virtual machines run it
    #[arg(long = "static")]
    linked: bool,
    /// Build for this architecture, if not for this machine's
    #[arg(long, value_enum, conflicts_with = "linked")]
    arch: Option<Arch>,
}

/// An architecture that is built for on another.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Arch {
    /// 64-bit ARM
    #[value(name = "aarch64")]
    Arm,
}

/// Where the agent is to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// On this machine.
    Host,
    /// In a guest, which need not have a C library.
    Guest,
    /// On a 64-bit ARM machine.
    Arm,
}

/// How the agent is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Quickly.
    Debug,
    /// For use.
    Release,
}

/// What cargo may print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Noise {
    /// Everything.
    Full,
    /// Warnings and errors, so that a guest's output stands alone.
    Quiet,
}

/// A program of the package `enforcer-tests`.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// Name of its target in the manifest.
    pub(crate) name: String,
    /// Whether it is a libtest harness.
    pub(crate) is_test: bool,
    /// The binary.
    pub(crate) path: PathBuf,
}

/// Builds, and prints where the agent is.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let place = match args.arch {
        Some(Arch::Arm) => Place::Arm,
        None if args.linked => Place::Guest,
        None => Place::Host,
    };
    let mode = if args.debug {
        Mode::Debug
    } else {
        Mode::Release
    };
    let objects = objects(Noise::Full)?;
    let agent = agent(place, mode, Noise::Full, &objects)?;
    util::say(format_args!("built {}", agent.display()));
    Ok(ExitCode::SUCCESS)
}

/// The objects: the programs for kernels from 5.12 on, and those for older ones.
const OBJECTS: [(&str, &[&str]); 2] = [
    ("enforcer.bpf.o", &[]),
    (LEGACY_OBJECT, &["--features", "legacy"]),
];

/// The object for kernels before 5.12.
pub(crate) const LEGACY_OBJECT: &str = "legacy.bpf.o";

/// Builds the kernel programs and returns the folder of the object files.
pub(crate) fn objects(noise: Noise) -> Result<PathBuf> {
    let toolchain = setup::kernel_programs()?;
    let target_dir = util::target_dir().join("bpf");
    let folder = target_dir.join("objects");
    fs::create_dir_all(&folder)?;
    for (name, features) in OBJECTS {
        let mut cargo = kernel_cargo(toolchain);
        cargo.arg("build").args(toolchain.kernel_target());
        cargo.arg("--release").arg("--target-dir").arg(&target_dir);
        cargo.args(features);
        build(
            &format!("building the kernel programs, {name}"),
            cargo,
            noise,
        )?;
        let built = target_dir.join("bpfel-unknown-none/release/enforcer-ebpf");
        copy_if_changed(&built, &folder.join(name))?;
    }
    Ok(folder)
}

/// Copies a file. One that is the same stays as it is, so that the agent is not
/// built again for it.
fn copy_if_changed(from: &Path, to: &Path) -> Result<()> {
    let new = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    if fs::read(to).is_ok_and(|old| old == new) {
        return Ok(());
    }
    fs::write(to, new).with_context(|| format!("cannot write {}", to.display()))
}

/// Returns a cargo that can compile for the kernel.
pub(crate) fn kernel_cargo(toolchain: Toolchain) -> Command {
    let mut cargo = toolchain.cargo();
    let flags = [
        // With 32-bit operations, which every supported kernel has.
        "-Ctarget-cpu=v3".to_owned(),
        // The programs share memory through maps in ways that a `&mut` does not allow.
        "-Zmutable-noalias=no".to_owned(),
        // BTF is made from it.
        "-Cdebuginfo=2".to_owned(),
        "-Clink-arg=--btf".to_owned(),
        format!("-Clinker={}", toolchain.bpf_linker().display()),
    ];
    // Separated by the unit separator: the linker's path may hold spaces.
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
    cargo
}

/// Builds the agent with the objects of a folder in it and returns the binary.
pub(crate) fn agent(place: Place, mode: Mode, noise: Noise, objects: &Path) -> Result<PathBuf> {
    setup::ensure(setup::AGENT)?;
    let (mut cargo, mut dir) = agent_cargo("build", place, objects)?;
    cargo.args(["--package", "enforcer", "--bin", "enforcer"]);
    dir.push(match mode {
        Mode::Debug => "debug",
        Mode::Release => "release",
    });
    if mode == Mode::Release {
        cargo.arg("--release");
    }
    build("building the agent", cargo, noise)?;
    Ok(dir.join("enforcer"))
}

/// Builds the guest programs: tiny ones and test harnesses.
pub(crate) fn tests(objects: &Path) -> Result<Vec<Program>> {
    setup::ensure(setup::AGENT)?;
    let (mut cargo, _) = agent_cargo("test", Place::Guest, objects)?;
    cargo.args(["--no-run", "--release", "--package", "enforcer-tests"]);
    cargo.args(["--test", "kernel"]);
    cargo.args(["--message-format", "json-render-diagnostics"]);
    let messages = build("building the guest tests", cargo, Noise::Quiet)?;
    messages.lines().filter_map(program).collect()
}

/// Builds what measures and what is measured: the agent and the program of package
/// `enforcer-tests` with this name, for a guest.
pub(crate) fn measuring(name: &str) -> Result<(PathBuf, Program)> {
    let objects = objects(Noise::Quiet)?;
    let agent = agent(Place::Guest, Mode::Release, Noise::Quiet, &objects)?;
    let mut programs = tests(&objects)?.into_iter();
    let program = programs
        .find(|program| program.name == name)
        .with_context(|| format!("package enforcer-tests has no program {name}"))?;
    Ok((agent, program))
}

/// Returns the program that a line of cargo's is about, if it is about one.
fn program(message: &str) -> Option<Result<Program>> {
    let message: Value = match serde_json::from_str(message) {
        Ok(message) => message,
        Err(err) => return Some(Err(err).context("cannot read cargo's messages")),
    };
    if message.get("reason")? != "compiler-artifact" {
        return None;
    }
    Some(Ok(Program {
        path: message.get("executable")?.as_str()?.into(),
        name: message.pointer("/target/name")?.as_str()?.to_owned(),
        is_test: message.pointer("/profile/test")?.as_bool()?,
    }))
}

/// Returns a cargo for the agent's side, and where its profiles' folders are.
fn agent_cargo(command: &str, place: Place, objects: &Path) -> Result<(Command, PathBuf)> {
    let mut cargo = Toolchain::Ours.cargo();
    cargo.arg(command).env("ENFORCER_BPF_OBJECTS", objects);
    let mut dir = util::target_dir();
    if place == Place::Arm {
        setup::ensure(setup::ARM)?;
        cargo.args(["--target", setup::ARM_TARGET]);
        let linker = "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER";
        cargo.env(linker, "aarch64-linux-gnu-gcc");
    }
    if place == Place::Guest {
        if std::env::consts::ARCH != "x86_64" {
            bail!("cannot build for the guests here; they are x86_64 machines");
        }
        // A folder of its own: other flags would compile everything again.
        dir.push("guest");
        cargo.args(["--target", GUEST_TARGET]);
        // Symbols stay for stack traces; line tables would triple the image.
        let flags = ["-Ctarget-feature=+crt-static", "-Cstrip=debuginfo"];
        cargo.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
    }
    cargo.arg("--target-dir").arg(&dir);
    match place {
        Place::Host => {}
        Place::Guest => dir.push(GUEST_TARGET),
        Place::Arm => dir.push(setup::ARM_TARGET),
    }
    Ok((cargo, dir))
}

/// The guests' target; with it, flags do not reach build scripts.
const GUEST_TARGET: &str = "x86_64-unknown-linux-gnu";

/// Runs a cargo that builds, and returns what it wrote to stdout.
fn build(step: &str, mut cargo: Command, noise: Noise) -> Result<String> {
    if util::in_ci() {
        cargo.arg("--locked");
    }
    // Where it is told to be quiet, it still warns.
    cargo.stderr(Stdio::inherit());
    match noise {
        Noise::Full => util::read(&mut cargo),
        Noise::Quiet => util::step(step, || util::read(cargo.arg("--quiet"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_artifacts_with_a_binary_are_programs() {
        let demo = r#"{"reason":"compiler-artifact","target":{"name":"demo"},
                       "profile":{"test":false},"executable":"/t/demo"}"#;
        let demo = program(demo).unwrap().unwrap();
        assert_eq!((demo.name.as_str(), demo.is_test), ("demo", false));

        let library = r#"{"reason":"compiler-artifact","target":{"name":"libc"},
                          "profile":{"test":false},"executable":null}"#;
        assert!(program(library).is_none());
        assert!(program(r#"{"reason":"build-finished","success":true}"#).is_none());
        assert!(program("cargo").unwrap().is_err());
    }
}
