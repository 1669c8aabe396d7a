//! Embeds the eBPF object that `$ENFORCER_BPF_OBJECT` names, or nothing.
//!
//! Without the variable the agent still builds, tests and lints, on a machine
//! with no BPF toolchain; it only cannot load (`LoadError::NoObject`).

use std::{env, fs, path::PathBuf};

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=ENFORCER_BPF_OBJECT");
    let object = match env::var_os("ENFORCER_BPF_OBJECT") {
        Some(path) => {
            println!("cargo::rerun-if-changed={}", path.display());
            fs::read(path)?
        }
        None => Vec::new(),
    };
    let out_dir = env::var_os("OUT_DIR").ok_or(std::io::ErrorKind::NotFound)?;
    fs::write(PathBuf::from(out_dir).join("enforcer.bpf.o"), object)
}
