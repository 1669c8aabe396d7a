//! What the kernel grants to root by a capability.

use super::{
    case::{Case, EACCES, ENOTTY, Make, Rule},
    topic::Topic,
};

pub(super) const TOPIC: Topic = Topic {
    name: "capabilities",
    metadata: false,
    rules: &[],
    cases: CASES,
};

/// Everything on a file.
const ALL: &[Rule] = &[("file", "read, write, append, attributes")];

/// Takes a capability of the process itself.
const OWN: Case = Case::PRIVILEGE;

/// Takes a capability over another user's file.
const OTHERS: Case = Case {
    setup: &[Make::Private("file")],
    needs: ALL,
    ..Case::PRIVILEGE
};

#[rustfmt::skip]
const CASES: &[Case] = &[
    Case { name: "chown", attempt: &["chown-to", "{dir}/file", "7", "7"], setup: &[Make::File("file")], privilege: Some("chown"), changes: true, ..OTHERS },
    Case { name: "dac_override", attempt: &["write", "{dir}/file"], privilege: Some("dac_override"), denied: EACCES, ..OTHERS },
    Case { name: "dac_read_search", attempt: &["read", "{dir}/file"], privilege: Some("dac_read_search"), besides: &["dac_override"], denied: EACCES, ..OTHERS },
    Case { name: "dac_read_search, by a handle", attempt: &["by-handle", "{dir}/file"], setup: &[Make::File("file")], privilege: Some("dac_read_search"), ..OTHERS },
    Case { name: "fowner", attempt: &["chmod", "{dir}/file"], privileges: &["dac_override", "fsetid"], privilege: Some("fowner"), changes: true, ..OTHERS },
    Case { name: "kill", attempt: &["signal-other-user"], privileges: &["setuid"], privilege: Some("kill"), ..OWN },
    Case { name: "setgid", attempt: &["set-group"], privilege: Some("setgid"), ..OWN },
    Case { name: "setgid, for groups", attempt: &["set-groups"], privilege: Some("setgid"), ..OWN },
    Case { name: "setuid", attempt: &["set-user"], privilege: Some("setuid"), ..OWN },
    Case { name: "setpcap", attempt: &["drop-bound"], privilege: Some("setpcap"), ..OWN },
    Case { name: "linux_immutable", attempt: &["make-immutable", "{dir}/file"], setup: &[Make::File("file")], privilege: Some("linux_immutable"), since: Some(((6, 0), ENOTTY)), ..OTHERS },
    Case { name: "net_bind_service", attempt: &["low-port"], privilege: Some("net_bind_service"), denied: EACCES, ..OWN },
    Case { name: "net_admin", attempt: &["force-buffer"], privilege: Some("net_admin"), ..OWN },
    Case { name: "net_raw", attempt: &["raw-socket"], privilege: Some("net_raw"), ..OWN },
    Case { name: "net_raw, for packets", attempt: &["packet-socket"], privilege: Some("net_raw"), ..OWN },
    Case { name: "ipc_lock", attempt: &["lock-memory"], privilege: Some("ipc_lock"), ..OWN },
    #[cfg(target_arch = "x86_64")]
    Case { name: "sys_rawio", attempt: &["all-ports"], privilege: Some("sys_rawio"), ..OWN },
    #[cfg(target_arch = "x86_64")]
    Case { name: "sys_rawio, for some ports", attempt: &["ports"], privilege: Some("sys_rawio"), ..OWN },
    Case { name: "sys_chroot", attempt: &["chroot", "{dir}"], privilege: Some("sys_chroot"), ..OWN },
    Case { name: "sys_ptrace, for page faults", attempt: &["page-faults"], privilege: Some("sys_ptrace"), asked_since: Some((5, 11)), ..OWN },
    Case { name: "sys_pacct", attempt: &["account", "{dir}/file"], setup: &[Make::File("file")], privilege: Some("sys_pacct"), changes: true, closed_since: Some((6, 18)), ..OTHERS },
    Case { name: "sys_nice", attempt: &["be-nicer"], privilege: Some("sys_nice"), denied: EACCES, ..OWN },
    Case { name: "sys_nice, for real time", attempt: &["be-real-time"], privilege: Some("sys_nice"), ..OWN },
    Case { name: "sys_resource", attempt: &["raise-limit"], privilege: Some("sys_resource"), ..OWN },
    Case { name: "sys_tty_config", attempt: &["hang-up"], privilege: Some("sys_tty_config"), ..OWN },
    Case { name: "mknod", attempt: &["character-device", "{dir}/new"], setup: &[Make::Folder("in")], needs: &[("new", "create, write")], privilege: Some("mknod"), changes: true, ..OTHERS },
    Case { name: "mknod, of a block device", attempt: &["block-device", "{dir}/new"], setup: &[Make::Folder("in")], needs: &[("new", "create, write")], privilege: Some("mknod"), changes: true, ..OTHERS },
    Case { name: "lease", attempt: &["lease", "{dir}/file"], privileges: &["dac_read_search"], privilege: Some("lease"), denied: EACCES, ..OTHERS },
    Case { name: "setfcap", attempt: &["set-file-capability", "{dir}/file"], setup: &[Make::File("file")], privilege: Some("setfcap"), changes: true, ..OTHERS },
    Case { name: "sys_admin, for trusted attributes", attempt: &["setxattr", "{dir}/file"], setup: &[Make::File("file")], privilege: Some("sys_admin"), changes: true, ..OTHERS },
    Case { name: "wake_alarm", attempt: &["alarm"], privilege: Some("wake_alarm"), ..OWN },
    Case { name: "checkpoint_restore", attempt: &["reopen-by-map", "{dir}/file"], setup: &[Make::File("file")], privilege: Some("checkpoint_restore"), besides: &["sys_admin"], ..OTHERS },
];
