//! Changing what is mounted, by the old calls and the new.

use super::{
    case::{Case, ENOSYS, Make},
    topic::Topic,
};

pub(super) const TOPIC: Topic = Topic {
    name: "mounts",
    metadata: false,
    rules: &[],
    cases: CASES,
};

/// The errno of a file system that the kernel does not know.
const ENODEV: i32 = 19;

/// Where a hook tells what is done. The kernel checks the capability as well,
/// sometimes before.
const MOUNT: Case = Case {
    setup: &[Make::Folder("mnt")],
    privileges: &["sys_admin"],
    privilege: Some("mount"),
    changes: true,
    ..Case::PRIVILEGE
};

/// Where only the capability is checked.
const ADMIN: Case = Case {
    setup: &[Make::Tmpfs("mnt")],
    privilege: Some("sys_admin"),
    ..Case::PRIVILEGE
};

const MOUNTED: Case = Case {
    setup: &[Make::Tmpfs("mnt")],
    ..MOUNT
};

#[rustfmt::skip]
const CASES: &[Case] = &[
    Case { name: "mount", attempt: &["mount", "{dir}/mnt"], ..MOUNT },
    Case { name: "mount of what is not built in", attempt: &["mount-on-demand", "{dir}/mnt"], privileges: &["sys_admin", "sys_module"], passes: ENODEV, changes: false, ..MOUNT },
    Case { name: "mount without the capability", attempt: &["mount", "{dir}/mnt"], privileges: &[], besides: &["sys_admin"], ..MOUNT },
    Case { name: "bind", attempt: &["mount-bind", "{dir}/in", "{dir}/mnt"], setup: &[Make::File("in/file"), Make::Folder("mnt")], ..MOUNT },
    Case { name: "remount", attempt: &["remount", "{dir}/mnt"], ..MOUNTED },
    Case { name: "remount of a bind mount", attempt: &["remount-bind", "{dir}/bound"], setup: &[Make::File("in/file"), Make::Bind("in", "bound")], ..MOUNT },
    Case { name: "propagation", attempt: &["mount-shared", "{dir}/mnt"], ..MOUNTED },
    Case { name: "move", attempt: &["mount-move", "{dir}/mnt", "{dir}/to"], setup: &[Make::Tmpfs("mnt"), Make::Folder("to")], ..MOUNT },
    Case { name: "unmount", attempt: &["unmount", "{dir}/mnt"], ..MOUNTED },
    Case { name: "unmount lazily", attempt: &["unmount-lazily", "{dir}/mnt"], ..MOUNTED },
    Case { name: "attach", attempt: &["attach", "{dir}/mnt"], ..MOUNT },
    Case { name: "attach a copy", attempt: &["attach-copy", "{dir}/mnt", "{dir}/to"], setup: &[Make::Tmpfs("mnt"), Make::Folder("to")], ..MOUNT },
    Case { name: "attach what came along", before: &["holding-tree", "{dir}/mnt"], attempt: &["attach-inherited", "9", "{dir}/to"], setup: &[Make::Tmpfs("mnt"), Make::Folder("to")], ..MOUNT },
    Case { name: "reconfigure", attempt: &["reconfigure", "{dir}/mnt"], changes: false, ..MOUNTED },
    Case { name: "pivot_root", before: &["in-mounts-of-its-own", "{dir}/mnt"], attempt: &["pivot-root", "{dir}/mnt"], privileges: &["sys_admin", "sys_chroot"], changes: false, ..MOUNT },
    Case { name: "fsopen", attempt: &["fsopen"], ..ADMIN },
    Case { name: "fsmount", before: &["holding-context"], attempt: &["fsmount", "9"], ..ADMIN },
    Case { name: "fspick", attempt: &["fspick", "{dir}/mnt"], ..ADMIN },
    Case { name: "open_tree of a copy", attempt: &["open-tree", "{dir}/mnt"], ..ADMIN },
    Case { name: "open_tree_attr", attempt: &["open-tree-attr", "{dir}/mnt"], since: Some(((6, 15), ENOSYS)), ..ADMIN },
    Case { name: "mount_setattr", attempt: &["mount-setattr", "{dir}/mnt"], since: Some(((5, 12), ENOSYS)), changes: true, ..ADMIN },
];
