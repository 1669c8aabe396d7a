//! What the running kernel can do, and what to do where it cannot.

use std::{fs, io, path::Path};

use enforcer_abi::{Offsets, limits::SCRATCHES_A_CPU, offsets::Features};

use super::{
    btf::{Damaged, Types},
    hooks::Plan,
    legacy, preemption,
    series::Series,
};

const LSM_LIST: &str = "/sys/kernel/security/lsm";
const LOCKDOWN: &str = "/sys/kernel/security/lockdown";
const BTF: &str = "/sys/kernel/btf/vmlinux";
const SYMBOLS: &str = "/proc/kallsyms";
const COMMAND_LINE: &str = "/proc/cmdline";
const POSSIBLE_CPUS: &str = "/sys/devices/system/cpu/possible";

/// The oldest kernel on which the programs load: the first with LSM programs, for
/// this architecture.
const OLDEST: Series = if cfg!(target_arch = "aarch64") {
    Series(6, 4)
} else {
    Series(5, 7)
};

/// What this host is, and what is attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// `uname -r`.
    pub kernel_release: String,
    /// The active security modules, as in `/sys/kernel/security/lsm`.
    pub lsm: String,
    /// The hooks to which programs are attached.
    pub hooks: Vec<&'static str>,
    /// What this kernel cannot mediate, for people.
    pub gaps: Vec<String>,
}

/// What is known of a host before anything is loaded.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) kernel_release: String,
    pub(super) lsm: String,
    /// Whether the programs are those for old kernels.
    pub(super) is_legacy: bool,
    pub(super) plan: Plan,
    pub(super) offsets: Offsets,
    /// The BTF id of `bpf_rdonly_cast`, if the kernel has it.
    pub(super) cast: Option<u32>,
}

/// Why this host cannot enforce, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unsupported {
    /// Without root nothing can be loaded.
    #[error("only root can load the kernel programs; run `enforcer run` as root")]
    NotRoot,
    /// The kernel is too old.
    #[error("Linux {release} is older than {OLDEST}; boot a newer kernel")]
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
    /// The kernel lacks a hook that its version has.
    #[error(
        "the kernel has no hook {hook}; boot one that is built with CONFIG_SECURITY_PATH and \
         CONFIG_SECURITY_NETWORK, or accept the gap with --allow-degraded {hook}"
    )]
    NoHook {
        /// The hook.
        hook: &'static str,
    },
    /// A hook is other than on any kernel we know.
    #[error(
        "the hook {hook} has the arguments {arguments}, which no known kernel has; use a later \
         enforcer, or accept the gap with --allow-degraded {hook}"
    )]
    OddHook {
        /// The hook.
        hook: &'static str,
        /// The names of its arguments.
        arguments: String,
    },
    /// The kernel may leave programs out.
    #[error(
        "{gap}; boot with preempt=voluntary, or a newer kernel, or accept it with \
         --allow-degraded {name} (if this kernel is not fully preemptible, mount debugfs on \
         /sys/kernel/debug: only {mode} tells)",
        gap = preemption::GAP, name = preemption::NAME, mode = preemption::MODE
    )]
    Preempted,
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

/// Looks whether this host can enforce, what can be attached, and where its
/// kernel keeps things. Hooks that `allowed` names may be missing.
///
/// # Errors
///
/// The first reason why it cannot.
pub(super) fn host(allowed: &[String]) -> Result<Host, Unsupported> {
    if !rustix::process::geteuid().is_root() {
        return Err(Unsupported::NotRoot);
    }
    let kernel_release = rustix::system::uname()
        .release()
        .to_string_lossy()
        .into_owned();
    // A version that cannot be read is taken for a new one: what its kernel lacks
    // is then missed.
    let series = Series::of_release(&kernel_release).unwrap_or(Series(u32::MAX, 0));
    if series < OLDEST {
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
    let data = fs::read(Path::new(BTF)).map_err(|source| Unsupported::NoFile {
        path: BTF,
        remedy: "boot a kernel that is built with CONFIG_DEBUG_INFO_BTF",
        source,
    })?;
    let types = Types::parse(&data).map_err(|source| Unsupported::DamagedBtf { source })?;
    let mut plan = Plan::new(series, |hook| types.hook(hook), allowed)?;
    if is_preempted(series)? {
        if !allowed.iter().any(|name| name == preemption::NAME) {
            return Err(Unsupported::Preempted);
        }
        plan.gaps.push(preemption::GAP.to_owned());
    }
    let mut offsets = offsets(&types)?;
    offsets.features = features(&types, &plan)?;
    offsets.scratches = processors()? as u64 * u64::from(SCRATCHES_A_CPU);
    let words = types
        .function("bpf_rdonly_cast")
        .zip(types.structure("pt_regs"));
    if let Some((_, structure)) = words {
        offsets.words_type = structure.into();
    }
    Ok(Host {
        kernel_release,
        lsm,
        is_legacy: series < legacy::END,
        plan,
        cast: words.map(|(function, _)| function),
        offsets,
    })
}

/// Whether programs may be left out, since tasks are preempted inside this kernel.
fn is_preempted(series: Series) -> Result<bool, Unsupported> {
    let version = rustix::system::uname();
    let version = version.version().to_string_lossy();
    let mode = fs::read_to_string(preemption::MODE).ok();
    let command_line = read_text(COMMAND_LINE, "mount procfs on /proc")?;
    Ok(preemption::matters(
        series,
        &version,
        mode.as_deref(),
        &command_line,
    ))
}

/// How many processors this machine can have, by the greatest number that one can have.
pub(super) fn processors() -> Result<usize, Unsupported> {
    let text = fs::read_to_string(POSSIBLE_CPUS).and_then(|text| {
        last_number(&text).ok_or_else(|| io::Error::other(format!("it says {text:?}")))
    });
    text.map_err(|source| Unsupported::NoFile {
        path: POSSIBLE_CPUS,
        remedy: "mount sysfs on /sys",
        source,
    })
    .map(|last| last + 1)
}

/// The last number of a list like `0-3,8-11`.
fn last_number(list: &str) -> Option<usize> {
    list.trim().rsplit([',', '-']).next()?.parse().ok()
}

/// What the programs have to know of the kernel besides offsets.
fn features(types: &Types<'_>, plan: &Plan) -> Result<u64, Unsupported> {
    let linked = types
        .offset("mount", "mnt_next_for_sb")
        .map_err(|source| Unsupported::DamagedBtf { source })?
        .is_some();
    let bits = [
        (Features::MOUNTS_LINKED, linked),
        (Features::CHOWN_BY_INODE, !plan.has("path_chown")),
        (Features::URING_UNSEEN, !plan.has("uring_override_creds")),
        (Features::REMEMBERS, plan.has("d_instantiate")),
    ];
    Ok(bits
        .into_iter()
        .filter(|&(_, is_so)| is_so)
        .fold(0, |all, (bit, _)| all | bit))
}

fn read_text(path: &'static str, remedy: &'static str) -> Result<String, Unsupported> {
    fs::read_to_string(path).map_err(|source| Unsupported::NoFile {
        path,
        remedy,
        source,
    })
}

/// Where the kernel keeps what the programs read.
fn offsets(types: &Types<'_>) -> Result<Offsets, Unsupported> {
    let mut offsets = Offsets::default();
    for &(structure, names, field) in Offsets::MEMBERS {
        *field(&mut offsets) = member(types, structure, names)?;
    }
    adjacent(&offsets)?;
    offsets.backing_user_path = optional(types, "backing_file", "user_path")?;
    offsets.task_uring = optional(types, "task_struct", "io_uring")?;

    offsets.namespace_anonymous = optional(types, "mnt_namespace", "is_anon")?;
    offsets.namespace_id = match optional(types, "mnt_namespace", "seq")? {
        0 => match optional(types, "ns_common", "ns_id")? {
            0 => 0,
            id => optional(types, "mnt_namespace", "ns")? + id,
        },
        sequence => sequence,
    };

    let symbols = read_text(SYMBOLS, "mount procfs on /proc")?;
    offsets.rename_lock = symbol(&symbols, "rename_lock")?;
    offsets.mount_lock = symbol(&symbols, "mount_lock")?;
    for (member, variable) in [
        ("mnt_idmap", "nop_mnt_idmap"),
        ("mnt_userns", "init_user_ns"),
    ] {
        let offset = types
            .offset("vfsmount", member)
            .map_err(|source| Unsupported::DamagedBtf { source })?;
        if let Some(offset) = offset {
            offsets.vfsmount_map = offset;
            offsets.no_map = symbol(&symbols, variable)?;
            break;
        }
    }
    Ok(offsets)
}

/// The offset of a member that has one of `names`: the first that there is.
fn member(
    types: &Types<'_>,
    structure: &'static str,
    names: &[&'static str],
) -> Result<u64, Unsupported> {
    for &name in names {
        let offset = types
            .offset(structure, name)
            .map_err(|source| Unsupported::DamagedBtf { source })?;
        if let Some(offset) = offset {
            return Ok(offset);
        }
    }
    Err(Unsupported::Layout {
        structure,
        member: names.first().copied().unwrap_or_default(),
    })
}

/// The offset of a member that some kernels do not have; 0 if there is none.
fn optional(types: &Types<'_>, structure: &str, member: &str) -> Result<u64, Unsupported> {
    types
        .offset(structure, member)
        .map_err(|source| Unsupported::DamagedBtf { source })
        .map(Option::unwrap_or_default)
}

/// Checks what the walk reads in one piece.
fn adjacent(offsets: &Offsets) -> Result<(), Unsupported> {
    let layout = |structure, member| Unsupported::Layout { structure, member };
    // `d_seq` has 4 bytes and `d_hash` 16; the first has more in debugging kernels.
    if offsets.dentry_parent != offsets.dentry_seq + 20 {
        return Err(layout("dentry", "d_parent"));
    }
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
    use super::{last_number, symbol};

    #[test]
    fn processors() {
        assert_eq!(last_number("0\n"), Some(0));
        assert_eq!(last_number("0-127\n"), Some(127));
        assert_eq!(last_number("0-3,8-11\n"), Some(11));
        assert_eq!(last_number("\n"), None);
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
