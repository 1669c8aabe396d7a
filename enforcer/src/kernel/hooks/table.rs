//! The list of hooks. Their prototypes are in
//! `include/linux/lsm_hook_defs.h`, and at each program in `enforcer-ebpf`.

use enforcer_abi::{Operation as Op, Privilege as Pr};

use super::{
    Group, Hook, Instead,
    Instead::{Covered, Gap},
    Need, Signature as Sig,
    What::{self, Capabilities, Domain, Operation, Privilege},
};

const DIR: (usize, &[&str]) = (0, &["dir"]);
const DENTRY: (usize, &[&str]) = (1, &["dentry"]);
const PATH: &[(usize, &[&str])] = &[(0, &["path"])];
const FILE: &[(usize, &[&str])] = &[(0, &["file"])];
/// The task that something is done to.
const TASK: &[(usize, &[&str])] = &[(0, &["p"])];
/// How file systems map owners: by a user namespace, from 6.3 by a map of its own.
const MAP: (usize, &[&str]) = (0, &["mnt_userns", "idmap"]);

const SIGNAL: What = Privilege(Pr::SIGNAL);
const MOUNT: What = Privilege(Pr::MOUNT);
const XATTR: What = Operation(Op::Xattr);
const STAT: What = Operation(Op::Stat);
const NO_KEYS: Instead = Covered("the kernel has no key rings then");
const RING: Instead =
    Covered("mmap_file asks for the privilege io_uring before any ring can be used");

/// Every hook.
pub const GROUPS: &[Group] = &[
    Group {
        name: "files",
        hooks: FILES,
    },
    Group {
        name: "memory",
        hooks: MEMORY,
    },
    Group {
        name: "names",
        hooks: NAMES,
    },
    Group {
        name: "attributes",
        hooks: ATTRIBUTES,
    },
    Group {
        name: "metadata",
        hooks: METADATA,
    },
    Group {
        name: "sockets",
        hooks: SOCKETS,
    },
    Group {
        name: "networks",
        hooks: NETWORKS,
    },
    Group {
        name: "programs",
        hooks: PROGRAMS,
    },
    Group {
        name: "processes",
        hooks: PROCESSES,
    },
    Group {
        name: "privileges",
        hooks: PRIVILEGES,
    },
];

#[rustfmt::skip]
const FILES: &[Hook] = &[
    Hook::new("file_open", &[Sig("file_open", FILE)], &[
        (Operation(Op::Open), "in every form; a file that it made is judged by path_mknod first"),
    ]),
    Hook::new("file_receive", &[Sig("file_receive", FILE)], &[
        (Operation(Op::Receive), "in messages, by pidfd_getfd"),
    ]),
    Hook::new("file_truncate", &[Sig("file_truncate", FILE)], &[
        (Operation(Op::Truncate), "ftruncate, O_TRUNC"),
    ]).since(6, 2, Covered("path_truncate sees ftruncate and O_TRUNC, too")),
    Hook::new("path_truncate", &[Sig("path_truncate", PATH)], &[
        (Operation(Op::Truncate), "truncate"),
    ]),
    Hook::new("file_fcntl", &[
        Sig("file_fcntl", &[(0, &["file"]), (1, &["cmd"]), (2, &["arg"])]),
    ], &[(Operation(Op::Fcntl), "F_SETFL")]),
    Hook::new("file_ioctl", &[
        Sig("file_ioctl", &[(0, &["file"]), (1, &["cmd"]), (2, &["arg"])]),
    ], &[
        (Operation(Op::Ioctl), "the flags and attributes of a file"),
        (Privilege(Pr::SYS_ADMIN), "subvolumes and snapshots of btrfs, copies of OCFS2"),
        (Privilege(Pr::TERMINAL), "TIOCSTI, TIOCLINUX"),
    ]),
    Hook::new("file_ioctl_compat", &[
        Sig("file_ioctl_compat", &[(0, &["file"]), (1, &["cmd"]), (2, &["arg"])]),
    ], &[
        (Operation(Op::Ioctl), "by programs for 32 bits"),
        (Privilege(Pr::SYS_ADMIN), "subvolumes, by programs for 32 bits"),
        (Privilege(Pr::TERMINAL), "by programs for 32 bits"),
    ]).since(6, 8, Covered("file_ioctl sees programs for 32 bits, too"))
      .if_present(Covered("file_ioctl sees programs for 32 bits, too")),
    Hook::new("path_notify", &[Sig("path_notify", PATH)], &[
        (Operation(Op::Watch), "inotify, fanotify"),
    ]),
];

#[rustfmt::skip]
const MEMORY: &[Hook] = &[
    Hook::new("mmap_file", &[
        Sig("mmap_file", &[(0, &["file", "file__nullable"]), (2, &["prot"]), (3, &["flags"])]),
    ], &[
        (Operation(Op::Map), "mmap"),
        (Privilege(Pr::EXECMEM), "mmap"),
        (Privilege(Pr::IO_URING), "asked only before 5.16"),
    ]),
    Hook::new("file_mprotect", &[
        Sig("file_mprotect", &[(0, &["vma"]), (2, &["prot"])]),
    ], &[
        (Operation(Op::Map), "mprotect"),
        (Privilege(Pr::EXECMEM), "mprotect"),
    ]),
];

#[rustfmt::skip]
const NAMES: &[Hook] = &[
    Hook::new("path_mknod", &[Sig("path_mknod", &[DIR, DENTRY, (2, &["mode"])])], &[
        (Operation(Op::Create), "before the file is made"),
        (Operation(Op::Mknod), "fifos, sockets, devices"),
    ]),
    Hook::new("path_mkdir", &[Sig("path_mkdir", &[DIR, DENTRY])], &[(Operation(Op::Mkdir), "")]),
    Hook::new("path_symlink", &[Sig("path_symlink", &[DIR, DENTRY])], &[
        (Operation(Op::Symlink), ""),
    ]),
    Hook::new("path_unlink", &[Sig("path_unlink", &[DIR, DENTRY])], &[
        (Operation(Op::Unlink), ""),
    ]),
    Hook::new("path_rmdir", &[Sig("path_rmdir", &[DIR, DENTRY])], &[(Operation(Op::Rmdir), "")]),
    Hook::new("path_link", &[
        Sig("path_link", &[(0, &["old_dentry"]), (1, &["new_dir"]), (2, &["new_dentry"])]),
    ], &[(Operation(Op::Link), "")]),
    Hook::new("d_instantiate", &[Sig("d_instantiate", &[(0, &["dentry"])])], &[
        (What::Memory, "forgets what was at the same address"),
    ]).only_for(Need::Memory),
    Hook::new("path_rename", &[
        Sig("path_rename", &[
            (0, &["old_dir"]), (1, &["old_dentry"]), (2, &["new_dir"]), (3, &["new_dentry"]),
            (4, &["flags"]),
        ]),
        Sig("path_rename_plain", &[
            (0, &["old_dir"]), (1, &["old_dentry"]), (2, &["new_dir"]), (3, &["new_dentry"]),
            (4, &[]),
        ]),
    ], &[(Operation(Op::Rename), "")]),
];

#[rustfmt::skip]
const ATTRIBUTES: &[Hook] = &[
    Hook::new("path_chmod", &[Sig("path_chmod", PATH)], &[(Operation(Op::Chmod), "")]),
    Hook::new("path_chown", &[Sig("path_chown", PATH)], &[(Operation(Op::Chown), "")])
        .since(6, 1, Covered("inode_setattr sees it, without the mount"))
        .listed_early(),
    Hook::new("inode_setattr", &[
        Sig("inode_setattr", &[(0, &["dentry"]), (1, &["attr"])]),
        Sig("inode_setattr_idmap", &[MAP, DENTRY, (2, &["attr"])]),
    ], &[
        (Operation(Op::Utimes), ""),
        (Operation(Op::Chown), "asked here only before 6.1"),
    ]),
    Hook::new("inode_setxattr", &[
        Sig("inode_setxattr", &[MAP, DENTRY, (2, &["name"])]),
        Sig("inode_setxattr_plain", &[(0, &["dentry"]), (1, &["name"])]),
    ], &[(XATTR, "set; before 6.2 access control lists, too")]),
    Hook::new("inode_removexattr", &[
        Sig("inode_removexattr", &[MAP, DENTRY, (2, &["name"])]),
        Sig("inode_removexattr_plain", &[(0, &["dentry"]), (1, &["name"])]),
    ], &[(XATTR, "remove; before 6.2 access control lists, too")]),
    Hook::new("inode_set_acl", &[Sig("inode_set_acl", &[MAP, DENTRY])], &[
        (XATTR, "set an access control list"),
    ]).since(6, 2, Covered("inode_setxattr sees it")),
    Hook::new("inode_remove_acl", &[Sig("inode_remove_acl", &[MAP, DENTRY])], &[
        (XATTR, "remove an access control list"),
    ]).since(6, 2, Covered("inode_removexattr sees it")),
    Hook::new("inode_file_setattr", &[Sig("inode_file_setattr", &[(0, &["dentry"])])], &[
        (Operation(Op::Ioctl), "file_setattr"),
    ]).since(6, 17, Covered("there is no file_setattr then")),
];

#[rustfmt::skip]
const METADATA: &[Hook] = &[
    Hook::new("inode_getattr", &[Sig("inode_getattr", PATH)], &[(STAT, "the stat family")])
        .only_for(Need::Metadata),
    Hook::new("inode_readlink", &[Sig("inode_readlink", &[(0, &["dentry"])])], &[
        (STAT, "readlink"),
    ]).only_for(Need::Metadata),
    Hook::new("inode_getxattr", &[Sig("inode_getxattr", &[(0, &["dentry"])])], &[
        (STAT, "getxattr; before 6.2 access control lists, too"),
    ]).only_for(Need::Metadata),
    Hook::new("inode_listxattr", &[Sig("inode_listxattr", &[(0, &["dentry"])])], &[
        (STAT, "listxattr"),
    ]).only_for(Need::Metadata),
    Hook::new("inode_get_acl", &[Sig("inode_get_acl", &[MAP, DENTRY])], &[
        (STAT, "get an access control list"),
    ]).since(6, 2, Covered("inode_getxattr sees it")).only_for(Need::Metadata),
];

#[rustfmt::skip]
const SOCKETS: &[Hook] = &[
    Hook::new("unix_stream_connect", &[Sig("unix_stream_connect", &[(1, &["other"])])], &[
        (Operation(Op::Connect), "connect"),
        (Privilege(Pr::ABSTRACT_UNIX), "connect"),
    ]),
    Hook::new("unix_may_send", &[Sig("unix_may_send", &[(1, &["other"])])], &[
        (Operation(Op::Connect), "send without a connection"),
        (Privilege(Pr::ABSTRACT_UNIX), "send without a connection"),
    ]),
];

#[rustfmt::skip]
const NETWORKS: &[Hook] = &[
    Hook::new("socket_create", &[
        Sig("socket_create", &[(0, &["family"]), (1, &["type"]), (2, &["protocol"]), (3, &["kern"])]),
    ], &[(Operation(Op::Socket), "of every family but unix")]),
    Hook::new("socket_bind", &[
        Sig("socket_bind", &[(0, &["sock"]), (1, &["address"]), (2, &["addrlen"])]),
    ], &[(Operation(Op::Bind), "bind")]),
    Hook::new("socket_listen", &[Sig("socket_listen", &[(0, &["sock"])])], &[
        (Operation(Op::Bind), "listen without bind"),
    ]),
    Hook::new("socket_connect", &[
        Sig("socket_connect", &[(0, &["sock"]), (1, &["address"]), (2, &["addrlen"])]),
    ], &[(Operation(Op::Connect), "connect to an address")]),
    Hook::new("socket_sendmsg", &[Sig("socket_sendmsg", &[(0, &["sock"]), (1, &["msg"])])], &[
        (Operation(Op::Connect), "send to an address without a connection"),
    ]),
    Hook::new("sctp_bind_connect", &[
        Sig("sctp_bind_connect", &[
            (0, &["sk"]), (1, &["optname"]), (2, &["address"]), (3, &["addrlen"]),
        ]),
    ], &[
        (Operation(Op::Bind), "further addresses of SCTP"),
        (Operation(Op::Connect), "further addresses of SCTP"),
    ]),
];

#[rustfmt::skip]
const PROGRAMS: &[Hook] = &[
    Hook::new("bprm_check_security", &[Sig("bprm_check_security", &[(0, &["bprm"])])], &[
        (Operation(Op::Execute), "in every form; scripts and their interpreters"),
        (Domain, "decides it"),
    ]),
    Hook::new("bprm_creds_from_file", &[Sig("bprm_creds_from_file", &[])], &[
        (Operation(Op::Inherit), "descriptors, over an exec that changes the domain"),
    ]).since(5, 8, INHERIT),
    Hook::new("bprm_committed_creds", &[Sig("bprm_committed_creds", &[(0, &["bprm"])])], &[
        (Domain, "puts the program into it"),
    ]),
];

#[rustfmt::skip]
const PROCESSES: &[Hook] = &[
    Hook::new("task_alloc", &[Sig("task_alloc", &[(0, &["task"])])], &[
        (Domain, "inherits it"),
    ]),
    Hook::new("task_free", &[Sig("task_free", &[(0, &["task"])])], &[
        (Domain, "forgets it with the task"),
    ]),
    Hook::new("task_fix_setuid", &[Sig("task_fix_setuid", &[(0, &["new"])])], &[
        (Domain, "changes the user's layer"),
    ]).only_for(Need::Users),
    Hook::new("ptrace_access_check", &[
        Sig("ptrace_access_check", &[(0, &["child"]), (1, &["mode"])]),
    ], &[(Privilege(Pr::PTRACE), "of a process outside of the domain, or with other mounts")]),
    Hook::new("task_kill", &[Sig("task_kill", TASK)], &[(SIGNAL, "signals")]),
    Hook::new("task_setrlimit", &[Sig("task_setrlimit", TASK)], &[(SIGNAL, "limits")]),
    Hook::new("task_setnice", &[Sig("task_setnice", TASK)], &[(SIGNAL, "priority")]),
    Hook::new("task_setscheduler", &[Sig("task_setscheduler", TASK)], &[
        (SIGNAL, "scheduler, CPUs"),
    ]),
    Hook::new("task_setioprio", &[Sig("task_setioprio", TASK)], &[
        (SIGNAL, "priority for input and output"),
    ]),
    Hook::new("task_movememory", &[Sig("task_movememory", TASK)], &[
        (SIGNAL, "where its memory is"),
    ]),
];

#[rustfmt::skip]
const PRIVILEGES: &[Hook] = &[
    Hook::new("capable", &[Sig("capable", &[(2, &["cap"]), (3, &["opts"])])], &[
        (Capabilities, "wherever the kernel asks for one and would grant it"),
    ]),
    Hook::new("sb_mount", &[Sig("sb_mount", &[])], &[(MOUNT, "mount")]),
    Hook::new("sb_remount", &[Sig("sb_remount", &[])], &[(MOUNT, "new options")]),
    Hook::new("sb_umount", &[Sig("sb_umount", &[])], &[(MOUNT, "umount")]),
    Hook::new("sb_pivotroot", &[Sig("sb_pivotroot", &[])], &[(MOUNT, "pivot_root")]),
    Hook::new("move_mount", &[Sig("move_mount", &[])], &[(MOUNT, "move_mount")]),
    Hook::new("userns_create", &[Sig("userns_create", &[])], &[
        (Privilege(Pr::USERNS), "unshare, clone"),
    ]).since(6, 1, USERNS).if_present(USERNS),
    Hook::new("bpf", &[Sig("bpf", &[])], &[(Privilege(Pr::BPF), "bpf")]),
    Hook::new("perf_event_open", &[Sig("perf_event_open", &[])], &[
        (Privilege(Pr::PERFMON), "perf_event_open"),
    ]).if_present(Covered("the kernel has no performance events then")),
    Hook::new("syslog", &[Sig("syslog", &[])], &[(Privilege(Pr::SYSLOG), "syslog")]),
    Hook::new("kernel_module_request", &[Sig("kernel_module_request", &[])], &[
        (Privilege(Pr::SYS_MODULE), "modules that the kernel loads on demand"),
    ]),
    Hook::new("key_alloc", &[Sig("key_alloc", &[])], &[(Privilege(Pr::KEYS), "new keys")])
        .if_present(NO_KEYS),
    Hook::new("key_permission", &[Sig("key_permission", &[])], &[
        (Privilege(Pr::KEYS), "use of keys"),
    ]).if_present(NO_KEYS),
    Hook::new("ipc_permission", &[Sig("ipc_permission", &[])], &[
        (Privilege(Pr::SYSV_IPC), ""),
    ]),
    Hook::new("uring_sqpoll", &[Sig("uring_sqpoll", &[])], &[
        (Privilege(Pr::URING_SQPOLL), ""),
    ]).since(5, 16, RING).if_present(RING),
    Hook::new("uring_override_creds", &[Sig("uring_override_creds", &[])], &[
        (Privilege(Pr::URING_OVERRIDE_CREDS), ""),
    ]).since(5, 16, RING).if_present(RING),
];

const INHERIT: Instead = Gap(
    "a program that runs under another profile keeps open descriptors that the profile would not \
     let it open",
);
const USERNS: Instead = Gap(
    "a user namespace can be made without the privilege userns; what its owner may do in it still \
     takes the privileges that are capabilities",
);
