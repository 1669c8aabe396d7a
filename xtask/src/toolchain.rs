//! Compilers: the one that runs us, and one that can compile for the kernel.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::Result;

use crate::util;

/// Variable that chooses the compiler for the kernel programs: `debian`, or
/// anything else for rustup's nightly.
const CHOICE: &str = "ENFORCER_TOOLCHAIN";

/// A set of compiler and cargo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Toolchain {
    /// The one that runs us.
    Ours,
    /// Rustup's nightly: compiles `core` for the kernel from its source.
    Nightly,
    /// Debian's, made for its browsers: comes with `core` for the kernel.
    Debian,
}

impl Toolchain {
    /// Returns the one for the kernel programs: nightly, unless Debian's was
    /// chosen by the user, or before for want of the other.
    pub(crate) fn for_kernel() -> Self {
        let debian = match env::var_os(CHOICE) {
            Some(choice) => choice == "debian",
            None => marker().exists(),
        };
        if debian { Self::Debian } else { Self::Nightly }
    }

    /// Makes Debian's the one for the kernel programs from now on.
    pub(crate) fn keep_debian() -> Result<()> {
        fs::create_dir_all(tools())?;
        Ok(fs::write(marker(), "")?)
    }

    /// Returns a cargo command that runs in the workspace.
    ///
    /// Variables that the outer cargo set for xtask are removed: with them, a
    /// `+nightly` does not take, and build scripts see another package's values.
    pub(crate) fn cargo(self) -> Command {
        let mut cargo = match self {
            Self::Ours | Self::Nightly => Command::new("cargo"),
            // By its path, since rustup's comes first in PATH.
            Self::Debian => Command::new("/usr/bin/cargo"),
        };
        cargo.current_dir(util::workspace_root());
        for (name, _) in env::vars_os() {
            let Some(name) = name.to_str() else { continue };
            let inherited = matches!(name, "CARGO" | "CARGO_TARGET_DIR" | "LD_LIBRARY_PATH")
                || ["CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_BIN_"]
                    .iter()
                    .any(|prefix| name.starts_with(prefix));
            let for_ours = matches!(
                name,
                "RUSTUP_TOOLCHAIN" | "RUSTC" | "RUSTDOC" | "RUSTFLAGS" | "CARGO_ENCODED_RUSTFLAGS"
            );
            if inherited || (for_ours && self != Self::Ours) {
                cargo.env_remove(name);
            }
        }
        match self {
            Self::Ours => {}
            Self::Nightly => {
                cargo.arg("+nightly");
            }
            Self::Debian => {
                cargo.env("RUSTC", "/usr/bin/rustc");
                // The kernel programs use what is not stable yet.
                cargo.env("RUSTC_BOOTSTRAP", "1");
                cargo.env("LLVM_PREFIX", "/usr/lib/llvm-22");
            }
        }
        cargo
    }

    /// Returns the arguments that make cargo compile the package of the kernel
    /// programs for the kernel.
    pub(crate) fn kernel_target(self) -> Vec<&'static str> {
        let mut args = vec![
            "--target",
            "bpfel-unknown-none",
            "--package",
            "enforcer-ebpf",
        ];
        if self == Self::Nightly {
            args.extend(["-Z", "build-std=core"]);
        }
        args
    }

    /// Returns where the linker for kernel programs is, or will be.
    pub(crate) fn bpf_linker(self) -> PathBuf {
        self.bpf_linker_root().join("bin/bpf-linker")
    }

    /// Returns the folder that `cargo install` puts the linker into: the
    /// project's own, with another one for a linker with another LLVM.
    pub(crate) fn bpf_linker_root(self) -> PathBuf {
        match self {
            Self::Ours | Self::Nightly => tools(),
            Self::Debian => tools().join("debian"),
        }
    }

    /// Returns the arguments of `cargo install` for the linker.
    ///
    /// It has to have the compiler's own LLVM. With nightly it borrows rustc's,
    /// which later versions cannot.
    pub(crate) const fn bpf_linker_package(self) -> &'static [&'static str] {
        match self {
            Self::Ours | Self::Nightly => &["bpf-linker", "--version", "0.10.0"],
            Self::Debian => &[
                "bpf-linker",
                "--version",
                "0.13.0",
                "--no-default-features",
                "--features",
                "llvm-22",
            ],
        }
    }
}

/// The project's own tool folder.
pub(crate) fn tools() -> PathBuf {
    util::target_dir().join("tools")
}

/// Says that Debian's compiler is to be used.
fn marker() -> PathBuf {
    tools().join("debian-toolchain")
}

/// Returns where rustup keeps the nightly toolchain, if it is where rustup puts
/// it by default. Asking rustc takes longer than all else before a build.
pub(crate) fn nightly_sysroot() -> Option<PathBuf> {
    let rustup = env::var_os("RUSTUP_HOME").map(PathBuf::from);
    let rustup = rustup.or_else(|| Some(env::home_dir()?.join(".rustup")))?;
    let name = format!("toolchains/nightly-{}-unknown-linux-gnu", env::consts::ARCH);
    let usual = rustup.join(name);
    if usual.exists() {
        return Some(usual);
    }
    let mut rustc = Command::new("rustc");
    rustc.args(["+nightly", "--print", "sysroot"]);
    // Set by rustup for us; it would win over `+nightly`.
    rustc.env_remove("RUSTUP_TOOLCHAIN");
    let sysroot = util::read(&mut rustc).ok()?;
    Some(Path::new(sysroot.trim_end()).to_owned())
}
