//! What concerns the whole system, namespaces and other ways out of a domain.

use super::{
    case::{Case, EACCES, EINVAL, ENOTTY, Make},
    topic::Topic,
};

pub(super) const TOPIC: Topic = Topic {
    name: "system",
    metadata: false,
    rules: &[
        ("/dev/ptmx", "read, write"),
        ("/dev/pts/*", "read, write"),
        ("/proc/self/ns/*", "read"),
    ],
    cases: CASES,
};

const ENOENT: i32 = 2;
const ENOEXEC: i32 = 8;
const EBADF: i32 = 9;
const EAFNOSUPPORT: i32 = 97;
const ENOKEY: i32 = 126;

const ADMIN: Case = Case {
    privilege: Some("sys_admin"),
    ..Case::PRIVILEGE
};
/// What the file system of the tests does not know.
const SUBVOLUME: Case = Case {
    setup: &[Make::Folder("in")],
    needs: &[("in", "read")],
    passes: ENOTTY,
    ..ADMIN
};
const MODULE: Case = Case {
    privilege: Some("sys_module"),
    ..Case::PRIVILEGE
};
const BOOT: Case = Case {
    privilege: Some("sys_boot"),
    ..Case::PRIVILEGE
};
const KEYS: Case = Case {
    privilege: Some("keys"),
    ..Case::PRIVILEGE
};
const IPC: Case = Case {
    privilege: Some("sysv_ipc"),
    denied: EACCES,
    ..Case::PRIVILEGE
};
const TERMINAL: Case = Case {
    privileges: &["sys_admin"],
    privilege: Some("terminal"),
    ..Case::PRIVILEGE
};

#[rustfmt::skip]
const CASES: &[Case] = &[
    Case { name: "bpf", attempt: &["bpf"], privileges: &["perfmon"], privilege: Some("bpf"), besides: &["sys_admin"], ..Case::PRIVILEGE },
    Case { name: "perf_event_open", attempt: &["perf"], privileges: &["sys_admin"], privilege: Some("perfmon"), ..Case::PRIVILEGE },
    Case { name: "init_module", attempt: &["load-module"], passes: ENOEXEC, ..MODULE },
    Case { name: "finit_module", attempt: &["load-module-file", "{dir}/file"], setup: &[Make::File("file")], needs: &[("file", "read")], passes: ENOEXEC, ..MODULE },
    Case { name: "delete_module", attempt: &["unload-module"], passes: ENOENT, ..MODULE },
    // The kernel does not tell who asked that it did not load it.
    Case { name: "a module on demand", attempt: &["load-on-demand"], denied: EAFNOSUPPORT, passes: EAFNOSUPPORT, ..MODULE },
    Case { name: "kexec_load", attempt: &["load-kernel"], ..BOOT },
    Case { name: "kexec_file_load", attempt: &["load-kernel-file"], passes: EBADF, ..BOOT },
    Case { name: "reboot", attempt: &["reboot-keys"], ..BOOT },
    Case { name: "sethostname", attempt: &["host-name"], ..ADMIN },
    Case { name: "setdomainname", attempt: &["domain-name"], ..ADMIN },
    Case { name: "swapon", attempt: &["swap-on", "{dir}/file"], setup: &[Make::File("file")], needs: &[("file", "read, write")], passes: EINVAL, ..ADMIN },
    Case { name: "swapoff", attempt: &["swap-off", "{dir}/file"], passes: ENOENT, ..ADMIN },
    Case { name: "BTRFS_IOC_SNAP_CREATE", attempt: &["make-snapshot", "{dir}/in"], ..SUBVOLUME },
    Case { name: "BTRFS_IOC_SNAP_CREATE_V2", attempt: &["make-snapshot-v2", "{dir}/in"], ..SUBVOLUME },
    Case { name: "BTRFS_IOC_SUBVOL_CREATE", attempt: &["make-subvolume", "{dir}/in"], ..SUBVOLUME },
    Case { name: "BTRFS_IOC_SUBVOL_CREATE_V2", attempt: &["make-subvolume-v2", "{dir}/in"], ..SUBVOLUME },
    Case { name: "BTRFS_IOC_SNAP_DESTROY", attempt: &["remove-subvolume", "{dir}/in"], ..SUBVOLUME },
    Case { name: "BTRFS_IOC_SNAP_DESTROY_V2", attempt: &["remove-subvolume-v2", "{dir}/in"], ..SUBVOLUME },
    Case { name: "OCFS2_IOC_REFLINK", attempt: &["reflink", "{dir}/in"], ..SUBVOLUME },
    Case { name: "syslog", attempt: &["kernel-log"], privilege: Some("syslog"), besides: &["sys_admin"], ..Case::PRIVILEGE },
    Case { name: "settimeofday", attempt: &["set-time"], privilege: Some("sys_time"), ..Case::PRIVILEGE },
    Case { name: "adjtimex", attempt: &["adjust-time"], privilege: Some("sys_time"), ..Case::PRIVILEGE },
    Case { name: "unshare of mounts", attempt: &["unshare-mounts"], ..ADMIN },
    Case { name: "unshare of names", attempt: &["unshare-names"], ..ADMIN },
    Case { name: "unshare of System V objects", attempt: &["unshare-ipc"], ..ADMIN },
    Case { name: "unshare of networks", attempt: &["unshare-network"], ..ADMIN },
    Case { name: "unshare of processes", attempt: &["unshare-processes"], ..ADMIN },
    Case { name: "unshare of cgroups", attempt: &["unshare-cgroups"], ..ADMIN },
    Case { name: "setns", attempt: &["enter", "/proc/self/ns/uts"], ..ADMIN },
    Case { name: "setns to mounts", attempt: &["enter", "/proc/self/ns/mnt"], privileges: &["sys_chroot"], ..ADMIN },
    Case { name: "setns to mounts without chroot", attempt: &["enter", "/proc/self/ns/mnt"], privileges: &["sys_admin"], privilege: Some("sys_chroot"), ..Case::PRIVILEGE },
    Case { name: "unshare of users", attempt: &["unshare-users"], privilege: Some("userns"), asked_since: Some((6, 1)), ..Case::PRIVILEGE },
    Case { name: "clone with users of its own", attempt: &["clone-users"], privilege: Some("userns"), asked_since: Some((6, 1)), ..Case::PRIVILEGE },
    Case { name: "add_key", attempt: &["add-key"], ..KEYS },
    Case { name: "keyctl, to read", attempt: &["read-key"], denied: ENOKEY, ..KEYS },
    Case { name: "keyctl, to join a session", attempt: &["session-keys"], ..KEYS },
    Case { name: "request_key", attempt: &["request-key"], denied: ENOKEY, passes: ENOKEY, ..KEYS },
    Case { name: "shmat", attempt: &["shared-memory"], ..IPC },
    Case { name: "shmget of what is there", attempt: &["shared-memory-by-key"], ..IPC },
    Case { name: "semop", attempt: &["semaphore"], ..IPC },
    Case { name: "msgsnd", attempt: &["message-queue"], ..IPC },
    Case { name: "TIOCSTI", attempt: &["terminal-input"], ..TERMINAL },
    Case { name: "TIOCLINUX", attempt: &["terminal-selection"], passes: ENOTTY, ..TERMINAL },
];
