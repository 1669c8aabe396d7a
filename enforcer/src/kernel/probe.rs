//! What the running kernel can do, and what to do where it cannot.

use std::{fs, io, path::Path};

use enforcer_abi::Offsets;

use super::{
    HOOKS,
    btf::{Damaged, Types},
};

const LSM_LIST: &str = "/sys/kernel/security/lsm";
const LOCKDOWN: &str = "/sys/kernel/security/lockdown";
const BTF: &str = "/sys/kernel/btf/vmlinux";
const SYMBOLS: &str = "/proc/kallsyms";

/// The oldest kernel on which the programs load: they use `bpf_loop`.
const OLDEST: (u32, u32) = (5, 17);

/// What this host is, and what is attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// `uname -r`.
    pub kernel_release: String,
    /// The active security modules, as in `/sys/kernel/security/lsm`.
    pub lsm: String,
    /// The hooks to which programs are attached.
    pub hooks: Vec<&'static str>,
}

/// Why this host cannot enforce, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unsupported {
    /// Without root nothing can be loaded.
    #[error("only root can load the kernel programs; run `enforcer run` as root")]
    NotRoot,
    /// The kernel is too old.
    #[error("Linux {release} is older than {}.{}; boot a newer kernel", OLDEST.0, OLDEST.1)]
    TooOld {
        /// `uname -r`.
        release: String,
    },
    /// A file that tells about the kernel cannot be read.
    #[error("cannot read {path}; {remedy}")]
    NoFile {
        /// The file.
        path: &'static str,
        /// What to do.
        remedy: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// BPF programs are not asked.
    #[error("bpf is not in {LSM_LIST}; add lsm={list},bpf to the kernel command line and reboot")]
    NoBpfLsm {
        /// The active modules.
        list: String,
    },
    /// The kernel forbids programs to read its memory.
    #[error(
        "the kernel is locked down for confidentiality, which forbids programs to read kernel \
         memory; boot with lockdown=integrity or without lockdown"
    )]
    LockedDown,
    /// The kernel's type information makes no sense.
    #[error("cannot use {BTF}; the kernel was built wrongly")]
    DamagedBtf {
        /// Where.
        source: Damaged,
    },
    /// The kernel keeps something elsewhere than any kernel we know.
    #[error(
        "{structure}.{member} is not where the programs expect it; this kernel is not supported"
    )]
    Layout {
        /// The structure.
        structure: &'static str,
        /// The member.
        member: &'static str,
    },
    /// The address of a kernel variable is hidden.
    #[error(
        "{SYMBOLS} does not tell where {symbol} is; give the agent CAP_SYSLOG, and set \
         kernel.kptr_restrict to 1 or less"
    )]
    NoSymbol {
        /// The variable.
        symbol: &'static str,
    },
}

/// Looks whether this host can enforce, and where its kernel keeps things.
///
/// # Errors
///
/// The first reason why it cannot.
pub(super) fn host() -> Result<(Facts, Offsets), Unsupported> {
    if !rustix::process::geteuid().is_root() {
        return Err(Unsupported::NotRoot);
    }
    let kernel_release = rustix::system::uname()
        .release()
        .to_string_lossy()
        .into_owned();
    if version(&kernel_release).is_some_and(|version| version < OLDEST) {
        return Err(Unsupported::TooOld {
            release: kernel_release,
        });
    }
    let lsm = read_text(LSM_LIST, "mount securityfs on /sys/kernel/security")?
        .trim()
        .to_owned();
    if !lsm.split(',').any(|module| module == "bpf") {
        return Err(Unsupported::NoBpfLsm { list: lsm });
    }
    // Absent without the lockdown module: then nothing is locked down.
    if fs::read_to_string(LOCKDOWN).is_ok_and(|text| text.contains("[confidentiality]")) {
        return Err(Unsupported::LockedDown);
    }
    let facts = Facts {
        kernel_release,
        lsm,
        hooks: HOOKS.to_vec(),
    };
    Ok((facts, offsets()?))
}

/// The first two numbers of a kernel release.
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn read_text(path: &'static str, remedy: &'static str) -> Result<String, Unsupported> {
    fs::read_to_string(path).map_err(|source| Unsupported::NoFile {
        path,
        remedy,
        source,
    })
}

fn offsets() -> Result<Offsets, Unsupported> {
    let data = fs::read(Path::new(BTF)).map_err(|source| Unsupported::NoFile {
        path: BTF,
        remedy: "boot a kernel that is built with CONFIG_DEBUG_INFO_BTF",
        source,
    })?;
    let damaged = |source| Unsupported::DamagedBtf { source };
    let types = Types::parse(&data).map_err(damaged)?;
    let mut offsets = Offsets::default();
    for &(structure, member, field) in Offsets::MEMBERS {
        let offset = types.offset(structure, member).map_err(damaged)?;
        *field(&mut offsets) = offset.ok_or(Unsupported::Layout { structure, member })?;
    }
    adjacent(&offsets)?;

    let symbols = read_text(SYMBOLS, "mount procfs on /proc")?;
    offsets.rename_lock = symbol(&symbols, "rename_lock")?;
    offsets.mount_lock = symbol(&symbols, "mount_lock")?;
    Ok(offsets)
}

/// Checks what the walk reads in one piece.
fn adjacent(offsets: &Offsets) -> Result<(), Unsupported> {
    let layout = |structure, member| Unsupported::Layout { structure, member };
    if offsets.dentry_name != offsets.dentry_parent + 8 {
        return Err(layout("dentry", "d_name"));
    }
    if offsets.mount_mountpoint != offsets.mount_parent + 8 {
        return Err(layout("mount", "mnt_mountpoint"));
    }
    if offsets.mount_mnt + offsets.vfsmount_root != offsets.mount_parent + 16 {
        return Err(layout("vfsmount", "mnt_root"));
    }
    Ok(())
}

/// The address of `symbol` in the text of `/proc/kallsyms`.
fn symbol(symbols: &str, symbol: &'static str) -> Result<u64, Unsupported> {
    symbols
        .lines()
        .find_map(|line| {
            let mut fields = line.split_ascii_whitespace();
            let (address, _kind, name) = (fields.next()?, fields.next()?, fields.next()?);
            (name == symbol).then_some(address)
        })
        .and_then(|address| u64::from_str_radix(address, 16).ok())
        // Hidden addresses read as 0.
        .filter(|&address| address != 0)
        .ok_or(Unsupported::NoSymbol { symbol })
}

#[cfg(test)]
mod tests {
    use super::{symbol, version};

    #[test]
    fn versions() {
        for (name, release, want) in [
            ("Debian", "6.12.117+deb13-cloud-amd64", Some((6, 12))),
            ("a release candidate", "7.0-rc1", Some((7, 0))),
            ("nothing", "", None),
            ("text", "linux", None),
        ] {
            assert_eq!(version(release), want, "{name}");
        }
    }

    #[test]
    fn symbols() {
        let text = "ffffffff81000000 T _text\n\
                    ffffffff82fd1200 D rename_lock\n\
                    ffffffff82fd1100 D rename_lock_other [module]\n\
                    0000000000000000 D mount_lock\n";
        assert_eq!(symbol(text, "rename_lock").unwrap(), 0xffff_ffff_82fd_1200);
        assert!(
            symbol(text, "mount_lock").is_err(),
            "a hidden address is none"
        );
        assert!(symbol(text, "missing").is_err());
    }
}
