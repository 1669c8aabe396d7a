//! What is done on an overlay.

/// The errno of a refused move, so that who moves things copies them.
const EXDEV: i32 = 18;

/// One thing to do, in a folder of its own that is in the lower layer.
///
/// `{dir}` stands for the folder. There are `file`, `folder/file`, `link` to the file,
/// and `program` where it is named.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) name: &'static str,
    /// The arguments of `attempt`.
    pub(super) attempt: &'static [&'static str],
    /// Whether an outsider has the file copied up before, as where it is opened to
    /// be written to on the way.
    pub(super) copied_up: bool,
    /// Whether it takes privileges as well. Copying up takes none.
    pub(super) privileged: bool,
    /// What it takes to get as far as the operation: names and rights.
    pub(super) needs: &'static [(&'static str, &'static str)],
    /// What it takes besides to succeed.
    pub(super) grants: &'static [(&'static str, &'static str)],
    /// What the detection names, and how.
    pub(super) path: &'static str,
    pub(super) operation: &'static str,
    pub(super) missing: &'static [&'static str],
    /// The errno where it is refused.
    pub(super) denied: i32,
}

const OPEN: Row = Row {
    name: "",
    attempt: &[],
    copied_up: false,
    privileged: false,
    needs: &[],
    grants: &[("file", "read")],
    path: "file",
    operation: "open",
    missing: &["read"],
    denied: enforcer_tests::EACCES,
};
const WRITE: Row = Row {
    needs: &[("file", "read, append")],
    grants: &[("file", "write")],
    missing: &["write"],
    ..OPEN
};
const CHANGE: Row = Row {
    needs: &[("file", "read")],
    grants: &[("file", "attributes")],
    missing: &["attributes"],
    ..OPEN
};
const REMOVE: Row = Row {
    grants: &[("file", "remove")],
    operation: "unlink",
    missing: &["remove"],
    ..OPEN
};
const MAKE: Row = Row {
    grants: &[("new", "create, write")],
    path: "new",
    missing: &["create"],
    ..OPEN
};
const RENAME: Row = Row {
    attempt: &["rename", "{dir}/file", "{dir}/new"],
    needs: &[("new", "create")],
    grants: &[("file", "remove, create")],
    operation: "rename",
    missing: &["remove"],
    ..OPEN
};
const MOVE_FOLDER: Row = Row {
    attempt: &["rename", "{dir}/folder", "{dir}/new"],
    grants: &[("folder", "remove, create"), ("new", "remove")],
    path: "folder",
    ..RENAME
};
const MAP: Row = Row {
    needs: &[("file", "read")],
    grants: &[("file", "map")],
    operation: "map",
    missing: &["map"],
    ..OPEN
};
const RUN: Row = Row {
    attempt: &["fork-exec", "{dir}/program", "read", "/dev/null"],
    needs: &[("program", "read, map")],
    grants: &[("program", "execute")],
    path: "program",
    operation: "execute",
    missing: &["execute"],
    ..OPEN
};

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row { name: "read", attempt: &["read", "{dir}/file"], ..OPEN },
    Row { name: "read of a copy", attempt: &["read", "{dir}/file"], copied_up: true, ..OPEN },
    Row { name: "a listing", attempt: &["list", "{dir}/folder"], grants: &[("folder", "read")], path: "folder", ..OPEN },
    Row { name: "by a link", attempt: &["read", "{dir}/link"], needs: &[("link", "read")], ..OPEN },
    Row { name: "by an identity", attempt: &["reopen", "{dir}/file"], ..OPEN },
    Row { name: "by a folder's descriptor", attempt: &["openat", "{dir}/folder", "file"], grants: &[("folder/file", "read")], path: "folder/file", ..OPEN },
    Row { name: "append", attempt: &["append", "{dir}/file"], needs: &[("file", "read")], grants: &[("file", "append")], missing: &["append"], ..WRITE },
    Row { name: "write", attempt: &["write", "{dir}/file"], ..WRITE },
    Row { name: "write to a copy", attempt: &["write", "{dir}/file"], copied_up: true, ..WRITE },
    Row { name: "again, to write", attempt: &["reopen-to-write", "{dir}/file"], ..WRITE },
    Row { name: "open and truncate", attempt: &["truncate", "{dir}/file"], ..WRITE },
    Row { name: "truncate", attempt: &["cut", "{dir}/file"], operation: "truncate", ..WRITE },
    Row { name: "ftruncate", attempt: &["cut-open", "{dir}/file"], copied_up: true, operation: "truncate", ..WRITE },
    Row { name: "clearing O_APPEND", attempt: &["write-anywhere", "{dir}/file"], copied_up: true, operation: "fcntl", ..WRITE },
    Row { name: "chmod", attempt: &["chmod", "{dir}/file"], operation: "chmod", ..CHANGE },
    Row { name: "fchmod", attempt: &["fchmod", "{dir}/file"], operation: "chmod", ..CHANGE },
    Row { name: "chmod of a copy", attempt: &["chmod", "{dir}/file"], copied_up: true, operation: "chmod", ..CHANGE },
    Row { name: "chown", attempt: &["chown", "{dir}/file"], privileged: true, operation: "chown", ..CHANGE },
    Row { name: "lchown", attempt: &["lchown", "{dir}/link"], privileged: true, operation: "chown", needs: &[("file", "attributes")], grants: &[("link", "attributes")], path: "link", ..CHANGE },
    Row { name: "times", attempt: &["utimensat", "{dir}/file"], operation: "utimes", ..CHANGE },
    Row { name: "times of a folder", attempt: &["utimensat", "{dir}/folder"], operation: "utimes", grants: &[("folder", "attributes")], path: "folder", ..CHANGE },
    Row { name: "an attribute", attempt: &["setxattr", "{dir}/file"], privileged: true, operation: "xattr", ..CHANGE },
    Row { name: "create", attempt: &["create", "{dir}/new"], operation: "create", ..MAKE },
    Row { name: "create in a folder", attempt: &["create", "{dir}/folder/new"], operation: "create", grants: &[("folder/new", "create, write")], path: "folder/new", ..MAKE },
    Row { name: "mkdir", attempt: &["mkdir", "{dir}/new"], operation: "mkdir", ..MAKE },
    Row { name: "symlink", attempt: &["symlink", "/etc/passwd", "{dir}/new"], operation: "symlink", ..MAKE },
    Row { name: "fifo", attempt: &["fifo", "{dir}/new"], operation: "mknod", missing: &["write", "create"], ..MAKE },
    Row { name: "link", attempt: &["link", "{dir}/file", "{dir}/new"], operation: "link", needs: &[("file", "create, read")], grants: &[("new", "create, read")], ..MAKE },
    Row { name: "link to more", attempt: &["link", "{dir}/file", "{dir}/new"], operation: "link", needs: &[("file", "create"), ("new", "create, read")], grants: &[("file", "read")], missing: &["read"], ..MAKE },
    Row { name: "unlink", attempt: &["unlink", "{dir}/file"], ..REMOVE },
    Row { name: "unlink of a copy", attempt: &["unlink", "{dir}/file"], copied_up: true, ..REMOVE },
    Row { name: "unlink of a link", attempt: &["unlink", "{dir}/link"], grants: &[("link", "remove")], path: "link", ..REMOVE },
    Row { name: "rmdir", attempt: &["rmdir", "{dir}/empty"], operation: "rmdir", grants: &[("empty", "remove")], path: "empty", ..REMOVE },
    Row { name: "rename", ..RENAME },
    Row { name: "rename of a copy", copied_up: true, ..RENAME },
    Row { name: "rename, to", needs: &[("file", "remove")], grants: &[("file", "create"), ("new", "create")], path: "new", missing: &["create"], ..RENAME },
    Row { name: "rename to more", needs: &[("file", "remove, create"), ("new", "create, read")], grants: &[("file", "read")], path: "new", missing: &["read"], denied: EXDEV, ..RENAME },
    Row { name: "rename of a folder", ..MOVE_FOLDER },
    Row { name: "rename of a folder, and more beneath", needs: &[("folder", "remove, create"), ("new", "create, remove"), ("new/**", "read")], grants: &[("folder/**", "read")], path: "new", missing: &[], denied: EXDEV, ..MOVE_FOLDER },
    Row { name: "mmap as code", attempt: &["map-code", "{dir}/file"], ..MAP },
    Row { name: "mmap as code, shared", attempt: &["map-code-shared", "{dir}/file"], ..MAP },
    Row { name: "mprotect to code", attempt: &["map-code-later", "{dir}/file"], ..MAP },
    Row { name: "mmap as code of a copy", attempt: &["map-code", "{dir}/file"], copied_up: true, ..MAP },
    Row { name: "mprotect to code of a copy", attempt: &["map-code-later", "{dir}/file"], copied_up: true, ..MAP },
    Row { name: "mmap to write to what is appended to", attempt: &["map-appended", "{dir}/file"], copied_up: true, operation: "map", ..WRITE },
    Row { name: "mprotect to write to what is appended to", attempt: &["map-appended-later", "{dir}/file"], copied_up: true, operation: "map", ..WRITE },
    Row { name: "exec", ..RUN },
    Row { name: "exec of an identity", attempt: &["exec-descriptor", "{dir}/program", "read", "/dev/null"], ..RUN },
];

impl Row {
    /// Its name as that of a folder.
    pub(super) fn folder(&self) -> String {
        enforcer_tests::folder_name(self.name)
    }
}
