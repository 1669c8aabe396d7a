//! What is asked of `io_uring`.

use rustix::fs::OFlags;

use super::{
    case::{Case, EACCES, EINVAL, EXDEV, Make, Series},
    topic::Topic,
};

pub(super) const TOPIC: Topic = Topic {
    name: "uring",
    metadata: false,
    rules: &[],
    cases: CASES,
};

/// Before this series the kernel's workers are nobody's threads.
const OWN_WORKERS: Series = (5, 12);

/// From this series on the kernel asks about rings that act for somebody else.
const HOOKS: Series = (5, 16);

/// Older kernels ask for it whatever is done, and how much may be locked.
const PRIVILEGES: &[&str] = &["io_uring", "ipc_lock"];

/// Opens a file.
const OPEN: Case = Case {
    setup: &[Make::File("file")],
    grants: &[("file", "read")],
    privileges: PRIVILEGES,
    operation: Some("open"),
    path: "file",
    missing: &["read"],
    ..Case::ACCESS
};

/// Makes something.
const MAKE: Case = Case {
    setup: &[Make::Folder("in")],
    grants: &[("in/new", "create")],
    path: "in/new",
    missing: &["create"],
    changes: true,
    since: Some(((5, 15), EINVAL)),
    ..OPEN
};

/// Takes something away. (5.10 has it, too: its later releases have the `io_uring` of
/// 5.15.)
const REMOVE: Case = Case {
    grants: &[("file", "remove")],
    operation: Some("unlink"),
    missing: &["remove"],
    changes: true,
    ..OPEN
};

const CONNECT: Case = Case {
    setup: &[Make::Stream("socket")],
    grants: &[("socket", "connect")],
    operation: Some("connect"),
    path: "socket",
    missing: &["connect"],
    ..OPEN
};

#[rustfmt::skip]
const CASES: &[Case] = &[
    Case { name: "openat", attempt: &["uring-open", "{dir}/file"], ..OPEN },
    Case { name: "openat by a worker", attempt: &["uring-open-by-worker", "{dir}/file"], asked_since: Some(OWN_WORKERS), ..OPEN },
    Case { name: "openat by who polls", attempt: &["uring-open-polled", "{dir}/file"], privileges: &["io_uring", "ipc_lock", "uring_sqpoll", "sys_nice", "sys_admin"], asked_since: Some(OWN_WORKERS), ..OPEN },
    Case { name: "openat2", attempt: &["uring-openat2", "{dir}/file"], ..OPEN },
    Case { name: "openat of a new file", attempt: &["uring-create", "{dir}/in/new"], grants: &[("in/new", "create, write")], operation: Some("create"), since: None, ..MAKE },
    Case { name: "mkdirat", attempt: &["uring-mkdir", "{dir}/in/new"], operation: Some("mkdir"), ..MAKE },
    Case { name: "symlinkat", attempt: &["uring-symlink", "/etc/passwd", "{dir}/in/new"], operation: Some("symlink"), ..MAKE },
    Case { name: "linkat", attempt: &["uring-link", "{dir}/old", "{dir}/new"], setup: &[Make::File("old")], needs: &[("old", "create")], grants: &[("new", "create")], operation: Some("link"), path: "new", ..MAKE },
    Case { name: "unlinkat", attempt: &["uring-unlink", "{dir}/file"], ..REMOVE },
    Case { name: "unlinkat by a worker", attempt: &["uring-unlink-by-worker", "{dir}/file"], asked_since: Some(OWN_WORKERS), ..REMOVE },
    Case { name: "unlinkat of a folder", attempt: &["uring-rmdir", "{dir}/in"], setup: &[Make::Folder("in")], grants: &[("in", "remove")], operation: Some("rmdir"), path: "in", ..REMOVE },
    Case { name: "renameat", attempt: &["uring-rename", "{dir}/old", "{dir}/new"], setup: &[Make::File("old")], needs: &[("old", "create"), ("new", "create")], grants: &[("old", "remove")], operation: Some("rename"), path: "old", ..REMOVE },
    Case { name: "renameat to more to read", attempt: &["uring-rename", "{dir}/old", "{dir}/new"], setup: &[Make::File("old")], needs: &[("old", "remove, create"), ("new", "create, read")], grants: &[("old", "read")], operation: Some("rename"), path: "new", missing: &["read"], reason: "rights-grow", denied: EXDEV, ..REMOVE },
    Case { name: "setxattr", attempt: &["uring-setxattr", "{dir}/file"], grants: &[("file", "attributes")], privileges: &["io_uring", "ipc_lock", "sys_admin"], operation: Some("xattr"), missing: &["attributes"], changes: true, since: Some(((5, 19), EINVAL)), ..OPEN },
    Case { name: "ftruncate", attempt: &["uring-truncate", "{dir}/file"], needs: &[("file", "append")], grants: &[("file", "write")], operation: Some("truncate"), missing: &["write"], changes: true, since: Some(((6, 9), EINVAL)), ..OPEN },
    Case { name: "connect", attempt: &["uring-connect", "{dir}/socket"], ..CONNECT },
    Case { name: "sendmsg", attempt: &["uring-send-message", "{dir}/socket"], setup: &[Make::Datagrams("socket")], ..CONNECT },
    Case { name: "bind", attempt: &["uring-bind", "{dir}/in/new"], grants: &[("in/new", "create, write")], operation: Some("mknod"), missing: &["write", "create"], since: Some(((6, 11), EINVAL)), ..MAKE },
    Case { name: "recvmsg of a descriptor", attempt: &["uring-receive", "{dir}/socket"], setup: &[Make::File("file"), Make::Giver("socket", "file", OFlags::RDONLY)], needs: &[("socket", "connect")], operation: Some("receive"), denied: 9, ..OPEN },
    Case { name: "a ring, where it acts unseen", attempt: &["uring-setup"], privileges: &["ipc_lock"], privilege: Some("io_uring"), asked_until: Some(HOOKS), ..Case::PRIVILEGE },
    Case { name: "a kernel thread that polls", attempt: &["uring-polled"], privileges: &["io_uring", "ipc_lock", "sys_nice", "sys_admin"], privilege: Some("uring_sqpoll"), asked_since: Some(HOOKS), ..Case::PRIVILEGE },
    Case { name: "openat that is put off until there are other credentials", attempt: &["uring-open-put-off", "{dir}/file"], setup: &[Make::Private("file")], needs: &[("file", "read")], privileges: PRIVILEGES, privilege: Some("dac_read_search"), besides: &["dac_override"], denied: EACCES, ..Case::PRIVILEGE },
    Case { name: "registered credentials", attempt: &["uring-as-somebody"], privileges: PRIVILEGES, privilege: Some("uring_override_creds"), asked_since: Some(HOOKS), ..Case::PRIVILEGE },
];
