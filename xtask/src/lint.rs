//! Checks that need no test to run: format, lints, and the project's own rules.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};

use crate::build;
use crate::toolchain::Toolchain;
use crate::{setup, util};

/// Exit status for "a check failed".
const EXIT_FAILED: u8 = 1;

/// Lines of a source file above which a warning is due.
const LONG: usize = 400;

/// Lines of a source file that are too many.
const TOO_LONG: usize = 600;

/// A check and its name.
type Check = (&'static str, fn() -> Result<()>);

/// Runs all checks, and fails if one does.
pub(crate) fn run() -> Result<ExitCode> {
    setup::ensure(setup::AGENT)?;
    let checks: [Check; 5] = [
        ("format", format),
        ("lints", lints),
        ("lints of the kernel programs", kernel_lints),
        ("length of files", || lengths(util::workspace_root())),
        ("dependencies", dependencies),
    ];
    let mut failed = Vec::new();
    for (name, check) in checks {
        if let Err(err) = check() {
            util::say(format_args!("{name}: {err:#}"));
            failed.push(name);
        }
    }
    if failed.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    util::say(format_args!("failed: {}", failed.join(", ")));
    Ok(ExitCode::from(EXIT_FAILED))
}

fn format() -> Result<()> {
    util::run(Toolchain::Ours.cargo().args(["fmt", "--all", "--check"]))
}

fn lints() -> Result<()> {
    let mut cargo = Toolchain::Ours.cargo();
    cargo.args([
        "clippy",
        "--workspace",
        "--exclude",
        "enforcer-ebpf",
        "--all-targets",
    ]);
    cargo.arg("--target-dir").arg(util::target_dir());
    util::run(cargo.args(["--", "--deny", "warnings"]))
}

fn kernel_lints() -> Result<()> {
    let toolchain = Toolchain::for_kernel();
    if toolchain != Toolchain::Nightly {
        util::say("there is no clippy for Debian's compiler; the kernel programs are not linted");
        return Ok(());
    }
    setup::ensure(setup::KERNEL_LINTS)?;
    for features in [&[][..], &["--features", "legacy"]] {
        let mut cargo = build::kernel_cargo(toolchain);
        // What it depends on is linted for the host.
        cargo.args(["clippy", "--no-deps", "--release"]);
        cargo.args(toolchain.kernel_target()).args(features);
        cargo
            .arg("--target-dir")
            .arg(util::target_dir().join("bpf"));
        util::run(cargo.args(["--", "--deny", "warnings"]))?;
    }
    Ok(())
}

/// Checks the licences and known faults of dependencies, where that is possible.
fn dependencies() -> Result<()> {
    let mut probe = Command::new("cargo-deny");
    probe.arg("--version").stdout(Stdio::null());
    if !probe.status().is_ok_and(|status| status.success()) {
        util::say("cargo-deny is not installed; dependencies are not checked");
        return Ok(());
    }
    util::run(Toolchain::Ours.cargo().args(["deny", "check"]))
}

/// Checks the length of every source file beneath `dir`.
fn lengths(dir: &Path) -> Result<()> {
    let mut too_long = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        let entries =
            fs::read_dir(&dir).with_context(|| format!("cannot list {}", dir.display()))?;
        for entry in entries {
            let entry = entry?;
            let path = entry.path();
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if entry.file_type()?.is_dir() {
                if name != "target" && !name.starts_with('.') {
                    dirs.push(path);
                }
            } else if name.ends_with(".rs") {
                let text = fs::read_to_string(&path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                let lines = text.lines().count();
                if lines > TOO_LONG {
                    too_long.push(format!("{} has {lines} lines", path.display()));
                } else if lines > LONG {
                    util::say(format_args!(
                        "{} has {lines} lines, more than {LONG}",
                        path.display()
                    ));
                }
            }
        }
    }
    if !too_long.is_empty() {
        bail!(
            "no file may have more than {TOO_LONG} lines; {}",
            too_long.join("; ")
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sources_count_and_only_outside_target() {
        let dir = tempfile::tempdir().unwrap();
        let long = "\n".repeat(TOO_LONG + 1);
        let write = |path: &str| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, &long).unwrap();
        };
        write("data.txt");
        write("target/made.rs");
        assert!(lengths(dir.path()).is_ok());
        write("src/main.rs");
        let err = lengths(dir.path()).unwrap_err().to_string();
        assert!(err.contains("main.rs has 601 lines"), "{err}");
    }
}
