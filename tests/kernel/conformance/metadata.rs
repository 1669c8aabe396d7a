//! Looking at what is known about an object, and being told of what happens to
//! it, where the profile speaks of `metadata`.

use super::{
    case::{Case, ENOSYS, Make},
    topic::Topic,
};

pub(super) const TOPIC: Topic = Topic {
    name: "metadata",
    metadata: true,
    rules: &[],
    cases: CASES,
};

/// Looks at a file.
const LOOK: Case = Case {
    setup: &[Make::File("file"), Make::Attribute("file")],
    // Any right on a file implies this one.
    grants: &[("file", "metadata")],
    operation: Some("stat"),
    path: "file",
    missing: &["metadata"],
    ..Case::ACCESS
};

/// Looks at a symbolic link, and not at what it leads to.
const AT_A_LINK: Case = Case {
    setup: &[Make::File("file"), Make::Link("file", "link")],
    needs: &[("file", "metadata")],
    grants: &[("link", "metadata")],
    path: "link",
    ..LOOK
};

/// Attributes that begin so are the administrator's.
const ATTRIBUTE: Case = Case {
    privileges: &["sys_admin"],
    ..LOOK
};

/// Is told of what happens to a file.
const WATCH: Case = Case {
    setup: &[Make::File("file")],
    needs: &[("file", "metadata")],
    grants: &[("file", "read")],
    operation: Some("watch"),
    missing: &["read"],
    ..LOOK
};

#[rustfmt::skip]
const CASES: &[Case] = &[
    Case { name: "fstatat", attempt: &["stat", "{dir}/file"], ..LOOK },
    #[cfg(target_arch = "x86_64")]
    Case { name: "stat", attempt: &["stat-call", "{dir}/file"], ..LOOK },
    Case { name: "fstat of an identity", attempt: &["fstat", "{dir}/file"], ..LOOK },
    Case { name: "fstatat of an identity", attempt: &["stat-descriptor", "{dir}/file"], ..LOOK },
    Case { name: "statx", attempt: &["statx", "{dir}/file"], ..LOOK },
    Case { name: "statx by io_uring", attempt: &["uring-statx", "{dir}/file"], privileges: &["io_uring", "ipc_lock"], asked_since: Some((5, 12)), ..LOOK },
    Case { name: "fstatat of a link", attempt: &["lstat", "{dir}/link"], ..AT_A_LINK },
    #[cfg(target_arch = "x86_64")]
    Case { name: "lstat", attempt: &["lstat-call", "{dir}/link"], ..AT_A_LINK },
    Case { name: "readlinkat", attempt: &["readlink", "{dir}/link"], ..AT_A_LINK },
    #[cfg(target_arch = "x86_64")]
    Case { name: "readlink", attempt: &["readlink-call", "{dir}/link"], ..AT_A_LINK },
    Case { name: "readlinkat of an identity", attempt: &["readlink-descriptor", "{dir}/link"], ..AT_A_LINK },
    Case { name: "getxattr", attempt: &["getxattr", "{dir}/file"], ..ATTRIBUTE },
    Case { name: "lgetxattr", attempt: &["lgetxattr", "{dir}/file"], ..ATTRIBUTE },
    Case { name: "getxattrat", attempt: &["getxattrat", "{dir}/file"], since: Some(((6, 13), ENOSYS)), ..ATTRIBUTE },
    Case { name: "an access control list", attempt: &["get-acl", "{dir}/file"], setup: &[Make::File("file"), Make::Acl("file")], ..LOOK },
    Case { name: "listxattr", attempt: &["listxattr", "{dir}/file"], ..ATTRIBUTE },
    Case { name: "inotify", attempt: &["inotify", "{dir}/file"], ..WATCH },
    Case { name: "inotify of a folder", attempt: &["inotify", "{dir}/in"], setup: &[Make::Folder("in")], grants: &[("in", "read")], path: "in", ..WATCH },
    Case { name: "fanotify", attempt: &["fanotify", "{dir}/file"], privileges: &["sys_admin"], ..WATCH },
    Case { name: "fanotify of a mount", attempt: &["fanotify-mount", "{dir}/mnt"], setup: &[Make::Tmpfs("mnt")], grants: &[("mnt", "read")], path: "mnt", privileges: &["sys_admin"], ..WATCH },
];
