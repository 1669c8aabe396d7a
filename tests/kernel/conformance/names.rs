//! Making and removing names.

use super::{
    case::{Case, Make},
    topic::Topic,
};

pub(super) const TOPIC: Topic = Topic {
    name: "names",
    metadata: false,
    rules: &[],
    cases: CASES,
};

/// Makes a file.
const CREATE: Case = Case {
    setup: &[Make::Folder("in")],
    grants: &[("in/new", "create, write")],
    operation: Some("create"),
    path: "in/new",
    missing: &["create"],
    changes: true,
    ..Case::ACCESS
};

/// Makes something else.
const MAKE: Case = Case {
    grants: &[("in/new", "create")],
    ..CREATE
};

/// Makes something that nothing judges further.
const NODE: Case = Case {
    operation: Some("mknod"),
    grants: &[("in/new", "create, write")],
    missing: &["write", "create"],
    ..CREATE
};

/// Takes a name away.
const REMOVE: Case = Case {
    setup: &[Make::File("in/file")],
    grants: &[("in/file", "remove")],
    operation: Some("unlink"),
    path: "in/file",
    missing: &["remove"],
    changes: true,
    ..Case::ACCESS
};

/// Takes a folder away.
const REMOVE_FOLDER: Case = Case {
    setup: &[Make::Folder("in/folder")],
    grants: &[("in/folder", "remove")],
    operation: Some("rmdir"),
    path: "in/folder",
    ..REMOVE
};

#[rustfmt::skip]
const CASES: &[Case] = &[
    Case { name: "a file", attempt: &["create", "{dir}/in/new"], ..CREATE },
    Case { name: "a file, and no other", attempt: &["create-new", "{dir}/in/new"], ..CREATE },
    Case { name: "a file by openat2", attempt: &["openat2-create", "{dir}/in/new"], ..CREATE },
    #[cfg(target_arch = "x86_64")]
    Case { name: "a file by creat", attempt: &["creat", "{dir}/in/new"], ..CREATE },
    Case { name: "a file from a descriptor", attempt: &["createat", "{dir}/in", "new"], ..CREATE },
    Case { name: "a file to read", attempt: &["create-read", "{dir}/in/new"], grants: &[("in/new", "create, read")], ..CREATE },
    Case { name: "a file to append to", attempt: &["create-append", "{dir}/in/new"], grants: &[("in/new", "create, append")], ..CREATE },
    Case { name: "a file, opened", attempt: &["create", "{dir}/in/new"], needs: &[("in/new", "create")], operation: Some("open"), missing: &["write"], changes_before: true, ..CREATE },
    Case { name: "a file by a link to nowhere", attempt: &["create", "{dir}/link"], setup: &[Make::Folder("in"), Make::Link("in/new", "link")], needs: &[("link", "create, write")], ..CREATE },
    Case { name: "a file by a bind mount", attempt: &["create", "{dir}/bound/new"], setup: &[Make::Folder("in"), Make::Bind("in", "bound")], needs: &[("in/new", "create, write")], grants: &[("bound/new", "create, write")], path: "bound/new", ..CREATE },
    Case { name: "a file in the process' folder", attempt: &["in-folder", "{dir}/in", "create", "/proc/self/cwd/new"], ..CREATE },
    Case { name: "a file by another user", attempt: &["as-user", "0", "create", "{dir}/in/new"], privileges: &["setuid"], ..CREATE },
    Case { name: "a file by mknod", attempt: &["file-node", "{dir}/in/new"], ..MAKE },
    #[cfg(target_arch = "x86_64")]
    Case { name: "a file by the old mknod", attempt: &["mknod-call", "{dir}/in/new"], ..MAKE },
    Case { name: "a folder", attempt: &["mkdir", "{dir}/in/new"], operation: Some("mkdir"), ..MAKE },
    Case { name: "a folder from a descriptor", attempt: &["mkdirat", "{dir}/in", "new"], operation: Some("mkdir"), ..MAKE },
    #[cfg(target_arch = "x86_64")]
    Case { name: "a folder by the old mkdir", attempt: &["mkdir-call", "{dir}/in/new"], operation: Some("mkdir"), ..MAKE },
    Case { name: "a symbolic link", attempt: &["symlink", "/etc/passwd", "{dir}/in/new"], operation: Some("symlink"), ..MAKE },
    Case { name: "a symbolic link from a descriptor", attempt: &["symlinkat", "/etc/passwd", "{dir}/in", "new"], operation: Some("symlink"), ..MAKE },
    #[cfg(target_arch = "x86_64")]
    Case { name: "a symbolic link by the old symlink", attempt: &["symlink-call", "/etc/passwd", "{dir}/in/new"], operation: Some("symlink"), ..MAKE },
    Case { name: "a fifo", attempt: &["fifo", "{dir}/in/new"], ..NODE },
    Case { name: "a fifo, with the right to write alone", attempt: &["fifo", "{dir}/in/new"], needs: &[("in/new", "write")], missing: &["create"], ..NODE },
    Case { name: "a socket", attempt: &["socket-node", "{dir}/in/new"], ..NODE },
    Case { name: "a socket by bind", attempt: &["bind", "{dir}/in/new"], ..NODE },
    Case { name: "a socket by bind, for datagrams", attempt: &["bind-datagram", "{dir}/in/new"], ..NODE },
    Case { name: "a character device", attempt: &["character-device", "{dir}/in/new"], privileges: &["mknod"], ..NODE },
    Case { name: "a block device", attempt: &["block-device", "{dir}/in/new"], privileges: &["mknod"], ..NODE },
    Case { name: "no file", attempt: &["unlink", "{dir}/in/file"], ..REMOVE },
    Case { name: "no file, from a descriptor", attempt: &["unlinkat", "{dir}/in", "file"], ..REMOVE },
    #[cfg(target_arch = "x86_64")]
    Case { name: "no file, by the old unlink", attempt: &["unlink-call", "{dir}/in/file"], ..REMOVE },
    Case { name: "no symbolic link", attempt: &["unlink", "{dir}/in/link"], setup: &[Make::File("in/file"), Make::Link("file", "in/link")], needs: &[("in/file", "remove")], grants: &[("in/link", "remove")], path: "in/link", ..REMOVE },
    Case { name: "no hard link", attempt: &["unlink", "{dir}/in/other"], setup: &[Make::File("in/file"), Make::HardLink("in/file", "in/other")], needs: &[("in/file", "remove")], grants: &[("in/other", "remove")], path: "in/other", ..REMOVE },
    Case { name: "no fifo", attempt: &["unlink", "{dir}/in/fifo"], setup: &[Make::Folder("in"), Make::Fifo("in/fifo")], grants: &[("in/fifo", "remove")], path: "in/fifo", ..REMOVE },
    Case { name: "no file, by a bind mount", attempt: &["unlink", "{dir}/bound/file"], setup: &[Make::File("in/file"), Make::Bind("in", "bound")], needs: &[("in/file", "remove")], grants: &[("bound/file", "remove")], path: "bound/file", ..REMOVE },
    Case { name: "no folder", attempt: &["rmdir", "{dir}/in/folder"], ..REMOVE_FOLDER },
    #[cfg(target_arch = "x86_64")]
    Case { name: "no folder, by the old rmdir", attempt: &["rmdir-call", "{dir}/in/folder"], ..REMOVE_FOLDER },
];
