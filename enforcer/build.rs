//! Embeds the eBPF objects in the folder that `$ENFORCER_BPF_OBJECTS` names, or
//! nothing.
//!
//! Without the variable the agent still builds, tests and lints, on a machine
//! with no BPF toolchain; it only cannot load (`LoadError::NoObject`).

use std::{env, fs, path::PathBuf};

/// The programs for kernels from 5.12 on, and those for older ones.
const OBJECTS: [&str; 2] = ["enforcer.bpf.o", "legacy.bpf.o"];

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=ENFORCER_BPF_OBJECTS");
    let folder = env::var_os("ENFORCER_BPF_OBJECTS").map(PathBuf::from);
    let out_dir = env::var_os("OUT_DIR").ok_or(std::io::ErrorKind::NotFound)?;
    let out_dir = PathBuf::from(out_dir);
    for name in OBJECTS {
        let object = match &folder {
            Some(folder) => {
                let path = folder.join(name);
                println!("cargo::rerun-if-changed={}", path.display());
                fs::read(path)?
            }
            None => Vec::new(),
        };
        fs::write(out_dir.join(name), object)?;
    }
    Ok(())
}
