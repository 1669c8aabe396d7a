//! Opening files, by every way to them.

use super::{
    case::{Case, EINVAL, Make},
    topic::Topic,
};

pub(super) const TOPIC: Topic = Topic {
    name: "open",
    metadata: false,
    rules: &[],
    cases: CASES,
};

/// Reads a file.
const READ: Case = Case {
    setup: &[Make::File("file")],
    grants: &[("file", "read")],
    operation: Some("open"),
    path: "file",
    missing: &["read"],
    ..Case::ACCESS
};

/// Reads a file in a folder.
const INSIDE: Case = Case {
    setup: &[Make::File("in/file")],
    grants: &[("in/file", "read")],
    path: "in/file",
    ..READ
};

/// Writes to a file that may be read.
const WRITE: Case = Case {
    needs: &[("file", "read")],
    grants: &[("file", "write")],
    missing: &["write"],
    ..READ
};

/// Reads a file of which another process has something.
const OF_ANOTHER: Case = Case {
    setup: &[Make::File("file"), Make::Outsider("file")],
    privileges: &["ptrace"],
    ..READ
};

#[rustfmt::skip]
const CASES: &[Case] = &[
    Case { name: "openat", attempt: &["read", "{dir}/file"], ..READ },
    #[cfg(target_arch = "x86_64")]
    Case { name: "open", attempt: &["open-call", "{dir}/file"], ..READ },
    Case { name: "openat2", attempt: &["openat2", "{dir}/file"], ..READ },
    Case { name: "by a thread", attempt: &["read-thread", "{dir}/file"], ..READ },
    Case { name: "by a child", attempt: &["in-child", "read", "{dir}/file"], ..READ },
    Case { name: "by another user", attempt: &["as-user", "1000", "read", "{dir}/file"], privileges: &["setuid"], ..READ },
    Case { name: "for write", attempt: &["write", "{dir}/file"], ..WRITE },
    Case { name: "openat2 for write", attempt: &["openat2-write", "{dir}/file"], ..WRITE },
    Case { name: "for read and write", attempt: &["read-write", "{dir}/file"], ..WRITE },
    Case { name: "to append", attempt: &["append", "{dir}/file"], grants: &[("file", "append")], missing: &["append"], ..WRITE },
    Case { name: "to append, by the right to write", attempt: &["append", "{dir}/file"], missing: &["append"], ..WRITE },
    Case { name: "to write, but not only to append", attempt: &["write", "{dir}/file"], needs: &[("file", "append")], ..WRITE },
    Case { name: "and truncate", attempt: &["truncate", "{dir}/file"], changes: true, ..WRITE },
    Case { name: "to append, and truncate", attempt: &["append-truncate", "{dir}/file"], needs: &[("file", "append")], changes: true, ..WRITE },
    Case { name: "with O_CREAT, what is there", attempt: &["create", "{dir}/file"], ..WRITE },
    #[cfg(target_arch = "x86_64")]
    Case { name: "creat, what is there", attempt: &["creat", "{dir}/file"], changes: true, ..WRITE },
    Case { name: "a listing", attempt: &["list", "{dir}/in"], grants: &[("in", "read")], path: "in", ..INSIDE },
    Case { name: "relative", attempt: &["read-in", "{dir}/in", "file"], ..INSIDE },
    Case { name: "relative, by fchdir", attempt: &["read-in-descriptor", "{dir}/in", "file"], ..INSIDE },
    Case { name: "from a folder's descriptor", attempt: &["openat", "{dir}/in", "file"], ..INSIDE },
    Case { name: "openat2 beneath", attempt: &["openat2-beneath", "{dir}/in", "file"], ..INSIDE },
    Case { name: "openat2 in a root", attempt: &["openat2-in-root", "{dir}/in", "/file"], ..INSIDE },
    Case { name: "openat2 without links", attempt: &["openat2-no-links", "{dir}/file"], ..READ },
    Case { name: "openat2 cached", attempt: &["openat2-cached", "{dir}/file"], ..READ },
    Case { name: "through dots", attempt: &["read", "{dir}/in/../in/./file"], ..INSIDE },
    Case { name: "in a chroot", attempt: &["chroot-read", "{dir}/in", "/file"], privileges: &["sys_chroot"], ..INSIDE },
    Case { name: "by a symbolic link", attempt: &["read", "{dir}/link"], setup: &[Make::File("file"), Make::Link("{dir}/file", "link")], needs: &[("link", "read")], ..READ },
    Case { name: "by a link of its folder", attempt: &["read", "{dir}/link/file"], setup: &[Make::File("in/file"), Make::Link("in", "link")], needs: &[("link/file", "read")], ..INSIDE },
    Case { name: "by a hard link", attempt: &["read", "{dir}/other"], setup: &[Make::File("file"), Make::HardLink("file", "other")], needs: &[("file", "read")], grants: &[("other", "read")], path: "other", ..READ },
    Case { name: "by a bind mount", attempt: &["read", "{dir}/bound/file"], setup: &[Make::File("in/file"), Make::Bind("in", "bound")], needs: &[("in/file", "read")], grants: &[("bound/file", "read")], path: "bound/file", ..READ },
    Case { name: "on another file system", attempt: &["openat2", "{dir}/mnt"], setup: &[Make::Tmpfs("mnt")], grants: &[("mnt", "read")], path: "mnt", ..READ },
    Case { name: "by an identity", attempt: &["reopen", "{dir}/file"], ..READ },
    Case { name: "by an identity of the thread", attempt: &["reopen-by-thread", "{dir}/file"], ..READ },
    Case { name: "by an identity in dev", attempt: &["reopen-by-device", "{dir}/file"], ..READ },
    Case { name: "by an identity that came along", before: &["holding-name", "{dir}/file"], attempt: &["read", "/proc/self/fd/9"], ..READ },
    Case { name: "again, for more", attempt: &["reopen-to-write", "{dir}/file"], ..WRITE },
    Case { name: "again, without a name", attempt: &["reopen-unlinked", "{dir}/file"], needs: &[("file", "read, remove")], changes_before: true, ..WRITE },
    Case { name: "by what is mapped", attempt: &["reopen-by-map", "{dir}/file"], privileges: &["checkpoint_restore"], ..WRITE },
    Case { name: "through a folder's descriptor in proc", attempt: &["through-descriptor", "{dir}/in", "file"], ..INSIDE },
    Case { name: "by the process' root", attempt: &["read", "/proc/self/root{dir}/file"], ..READ },
    Case { name: "by the process' folder", attempt: &["in-folder", "{dir}", "read", "/proc/self/cwd/file"], ..READ },
    Case { name: "by another's root", attempt: &["read", "/proc/{pid}/root{dir}/file"], ..OF_ANOTHER },
    Case { name: "by another's folder", attempt: &["read", "/proc/{pid}/cwd/file"], ..OF_ANOTHER },
    Case { name: "by another's descriptor", attempt: &["read", "/proc/{pid}/fd/{fd}"], ..OF_ANOTHER },
    Case { name: "by another thread's descriptor", attempt: &["read", "/proc/{pid}/task/{pid}/fd/{fd}"], ..OF_ANOTHER },
    Case { name: "by a handle", attempt: &["by-handle", "{dir}/file"], privileges: &["dac_read_search"], ..READ },
    Case { name: "without a name, O_TMPFILE", attempt: &["tmpfile", "{dir}/in"], grants: &[("in/#*", "write")], path: "in/#*", missing: &["write"], ..INSIDE },
    Case { name: "a fifo", attempt: &["read-no-wait", "{dir}/fifo"], setup: &[Make::Fifo("fifo")], grants: &[("fifo", "read")], path: "fifo", ..READ },
    Case { name: "a device", attempt: &["read", "{dir}/device"], setup: &[Make::Device("device")], grants: &[("device", "read")], path: "device", ..READ },
    Case { name: "a terminal's other side", attempt: &["terminal-peer"], setup: &[], needs: &[("/dev/ptmx", "read, write"), ("/dev/pts/ptmx", "read, write")], grants: &[("/dev/pts/[0-9]*", "read, write")], path: "/dev/pts/*", missing: &["read", "write"], ..READ },
    Case { name: "to swap on it", attempt: &["swap-on", "{dir}/file"], privileges: &["sys_admin"], grants: &[("file", "read, write")], missing: &["read", "write"], passes: EINVAL, ..READ },
    Case { name: "to account on it", attempt: &["account", "{dir}/file"], privileges: &["sys_pacct"], grants: &[("file", "append")], missing: &["append"], changes: true, closed_since: Some((6, 18)), ..READ },
];
