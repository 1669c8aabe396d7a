//! Changing what is known about an object, and a file's length.

use super::{
    case::{Case, ENOSYS, ENOTTY, Make},
    topic::Topic,
};

pub(super) const TOPIC: Topic = Topic {
    name: "attributes",
    metadata: false,
    rules: &[],
    cases: CASES,
};

/// Changes something about a file that may be read.
const CHANGE: Case = Case {
    setup: &[Make::File("file")],
    needs: &[("file", "read")],
    grants: &[("file", "attributes")],
    path: "file",
    missing: &["attributes"],
    changes: true,
    ..Case::ACCESS
};

/// Of a symbolic link, and not of what it leads to.
const OF_A_LINK: Case = Case {
    setup: &[Make::File("file"), Make::Link("file", "link")],
    needs: &[("file", "attributes")],
    grants: &[("link", "attributes")],
    path: "link",
    ..CHANGE
};

const CHMOD: Case = Case {
    operation: Some("chmod"),
    ..CHANGE
};
const CHOWN: Case = Case {
    operation: Some("chown"),
    privileges: &["chown"],
    ..CHANGE
};
const UTIMES: Case = Case {
    operation: Some("utimes"),
    ..CHANGE
};
const XATTR: Case = Case {
    operation: Some("xattr"),
    privileges: &["sys_admin"],
    ..CHANGE
};
const NO_XATTR: Case = Case {
    setup: &[Make::File("file"), Make::Attribute("file")],
    ..XATTR
};
const FLAGS: Case = Case {
    operation: Some("ioctl"),
    ..CHANGE
};
/// What the file system of the tests does not know.
const ELSEWHERE: Case = Case {
    passes: ENOTTY,
    changes: false,
    ..FLAGS
};
const TRUNCATE: Case = Case {
    operation: Some("truncate"),
    grants: &[("file", "write")],
    missing: &["write"],
    ..CHANGE
};

#[rustfmt::skip]
const CASES: &[Case] = &[
    Case { name: "chmod", attempt: &["chmod", "{dir}/file"], ..CHMOD },
    #[cfg(target_arch = "x86_64")]
    Case { name: "the old chmod", attempt: &["chmod-call", "{dir}/file"], ..CHMOD },
    Case { name: "fchmod", attempt: &["fchmod", "{dir}/file"], ..CHMOD },
    Case { name: "chmod by an identity", attempt: &["chmod-by-proc", "{dir}/file"], ..CHMOD },
    Case { name: "fchmodat2 by an identity", attempt: &["fchmodat2", "{dir}/file"], since: Some(((6, 6), ENOSYS)), ..CHMOD },
    Case { name: "chmod of a folder", attempt: &["chmod", "{dir}/in"], setup: &[Make::Folder("in")], grants: &[("in", "attributes")], path: "in", ..CHMOD },
    Case { name: "chmod by a bind mount", attempt: &["chmod", "{dir}/bound/file"], setup: &[Make::File("in/file"), Make::Bind("in", "bound")], needs: &[("in/file", "attributes")], grants: &[("bound/file", "attributes")], path: "bound/file", ..CHMOD },
    Case { name: "chown", attempt: &["chown", "{dir}/file"], ..CHOWN },
    Case { name: "chgrp", attempt: &["chgrp", "{dir}/file"], ..CHOWN },
    #[cfg(target_arch = "x86_64")]
    Case { name: "the old chown", attempt: &["chown-call", "{dir}/file"], ..CHOWN },
    Case { name: "fchown", attempt: &["fchown", "{dir}/file"], ..CHOWN },
    Case { name: "fchownat by an identity", attempt: &["chown-descriptor", "{dir}/file"], ..CHOWN },
    Case { name: "lchown", attempt: &["lchown", "{dir}/link"], operation: Some("chown"), privileges: &["chown"], ..OF_A_LINK },
    #[cfg(target_arch = "x86_64")]
    Case { name: "the old lchown", attempt: &["lchown-call", "{dir}/link"], operation: Some("chown"), privileges: &["chown"], ..OF_A_LINK },
    Case { name: "utimensat", attempt: &["utimensat", "{dir}/file"], ..UTIMES },
    Case { name: "futimens", attempt: &["futimens", "{dir}/file"], ..UTIMES },
    Case { name: "utimensat of a link", attempt: &["lutimens", "{dir}/link"], operation: Some("utimes"), ..OF_A_LINK },
    Case { name: "utimensat to now", attempt: &["touch", "{dir}/file"], ..UTIMES },
    #[cfg(target_arch = "x86_64")]
    Case { name: "utime", attempt: &["utime", "{dir}/file"], ..UTIMES },
    #[cfg(target_arch = "x86_64")]
    Case { name: "utimes", attempt: &["utimes", "{dir}/file"], ..UTIMES },
    Case { name: "setxattr", attempt: &["setxattr", "{dir}/file"], ..XATTR },
    Case { name: "fsetxattr", attempt: &["fsetxattr", "{dir}/file"], ..XATTR },
    Case { name: "lsetxattr", attempt: &["lsetxattr", "{dir}/link"], operation: Some("xattr"), privileges: &["sys_admin"], ..OF_A_LINK },
    Case { name: "setxattrat", attempt: &["setxattrat", "{dir}/file"], since: Some(((6, 13), ENOSYS)), ..XATTR },
    Case { name: "removexattr", attempt: &["removexattr", "{dir}/file"], ..NO_XATTR },
    Case { name: "lremovexattr", attempt: &["lremovexattr", "{dir}/file"], ..NO_XATTR },
    Case { name: "fremovexattr", attempt: &["fremovexattr", "{dir}/file"], ..NO_XATTR },
    Case { name: "removexattrat", attempt: &["removexattrat", "{dir}/file"], since: Some(((6, 13), ENOSYS)), ..NO_XATTR },
    Case { name: "an access control list", attempt: &["set-acl", "{dir}/file"], operation: Some("xattr"), ..CHANGE },
    Case { name: "a default access control list", attempt: &["set-default-acl", "{dir}/in"], setup: &[Make::Folder("in")], grants: &[("in", "attributes")], path: "in", operation: Some("xattr"), ..CHANGE },
    Case { name: "no access control list", attempt: &["remove-acl", "{dir}/file"], setup: &[Make::File("file"), Make::Acl("file")], operation: Some("xattr"), ..CHANGE },
    Case { name: "a file's capabilities", attempt: &["set-file-capability", "{dir}/file"], privileges: &["setfcap"], ..XATTR },
    Case { name: "FS_IOC_SETFLAGS", attempt: &["setflags", "{dir}/file"], since: Some(((6, 0), ENOTTY)), ..FLAGS },
    Case { name: "FS_IOC_FSSETXATTR", attempt: &["fssetxattr", "{dir}/file"], since: Some(((6, 0), ENOTTY)), ..FLAGS },
    Case { name: "BTRFS_IOC_SUBVOL_SETFLAGS", attempt: &["set-subvolume-flags", "{dir}/file"], ..ELSEWHERE },
    Case { name: "FAT_IOCTL_SET_ATTRIBUTES", attempt: &["set-fat-attributes", "{dir}/file"], ..ELSEWHERE },
    Case { name: "file_setattr", attempt: &["file-setattr", "{dir}/file"], since: Some(((6, 17), ENOSYS)), ..FLAGS },
    Case { name: "truncate", attempt: &["cut", "{dir}/file"], ..TRUNCATE },
    Case { name: "ftruncate of what is appended to", attempt: &["cut-open", "{dir}/file"], needs: &[("file", "append")], ..TRUNCATE },
    Case { name: "clearing O_APPEND", attempt: &["write-anywhere", "{dir}/file"], needs: &[("file", "append")], operation: Some("fcntl"), changes: false, ..TRUNCATE },
];
