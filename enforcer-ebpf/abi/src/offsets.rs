//! Where the running kernel keeps what the programs read.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

macro_rules! offsets {
    ($($(#[$doc:meta])* $field:ident: $structure:literal $($member:literal)|+,)*) => {
        /// Byte offsets of kernel structure members, found in
        /// `/sys/kernel/btf/vmlinux` by the agent before it loads the programs,
        /// and addresses of kernel variables from `/proc/kallsyms`.
        ///
        /// The programs see it as a frozen read-only global, so that the
        /// verifier takes each as a constant.
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
        )]
        #[repr(C)]
        pub struct Offsets {
            /// Address of the sequence count that every rename changes.
            pub rename_lock: u64,
            /// Address of the sequence count that every mount and unmount changes.
            pub mount_lock: u64,
            /// What differs between kernels beside offsets: [`Features`].
            pub features: u64,
            /// `struct path backing_file.user_path`; 0 before Linux 6.5, which has
            /// no such file.
            pub backing_user_path: u64,
            /// The BTF id of a structure that starts with many plain words, as which
            /// any memory may be read; 0 before Linux 6.2, which does not allow it.
            pub words_type: u64,
            /// `vfsmount.mnt_idmap`, before Linux 6.2 `mnt_userns`; 0 before 5.12.
            pub vfsmount_map: u64,
            /// What that is on a mount that maps no owners: the address of a variable.
            pub no_map: u64,
            /// `struct io_uring_task *task_struct.io_uring`; 0 before Linux 5.10, and
            /// without `CONFIG_IO_URING`.
            pub task_uring: u64,
            /// What of a `struct mnt_namespace` is 0 if nobody can be in it: `seq`, from
            /// Linux 6.18 `ns.ns_id`; 0 where it has something else.
            pub namespace_id: u64,
            /// `bool mnt_namespace.is_anon`, which says the same; 0 where there is none.
            pub namespace_anonymous: u64,
            /// Scratches of all processors together: where those for all begin.
            pub scratches: u64,
            $($(#[$doc])* pub $field: u64,)*
        }

        impl Offsets {
            /// Every structure and member, with where its offset goes. Where a member
            /// was renamed it has several names, of which a kernel knows one.
            pub const MEMBERS: &[(&str, &[&str], fn(&mut Offsets) -> &mut u64)] =
                &[$(($structure, &[$($member),+], |offsets| &mut offsets.$field),)*];
        }
    };
}

/// What differs between kernels beside offsets: bits of [`Offsets::features`].
#[derive(Debug)]
pub struct Features;

impl Features {
    /// The mounts of a file system are linked from one to the next
    /// (`mount.mnt_next_for_sb`), and not in a list. Linux 6.18.
    pub const MOUNTS_LINKED: u64 = 1;
    /// There is no hook on `chown` with a path, so that [`Operation::Chown`] is
    /// judged where attributes are set. Before Linux 6.1.
    ///
    /// [`Operation::Chown`]: crate::Operation::Chown
    pub const CHOWN_BY_INODE: u64 = 1 << 1;
    /// `io_uring` can take other credentials without a hook, so that its use is a
    /// privilege. Before Linux 5.16.
    pub const URING_UNSEEN: u64 = 1 << 2;
    /// What was found of an object is remembered.
    pub const REMEMBERS: u64 = 1 << 3;
}

/// The number of a helper that there is not, by which the programs call the kernel
/// function `bpf_rdonly_cast`. The agent puts that one's BTF id in its place.
pub const CAST: u32 = 0x7fec_0001;

offsets! {
    /// `struct path file.f_path`
    file_path: "file" "f_path",
    /// `fmode_t file.f_mode`
    file_mode: "file" "f_mode",
    /// `unsigned int file.f_flags`
    file_flags: "file" "f_flags",
    /// `struct vfsmount *path.mnt`
    path_mnt: "path" "mnt",
    /// `struct dentry *path.dentry`
    path_dentry: "path" "dentry",
    /// `seqcount_spinlock_t dentry.d_seq`; `d_hash`, `d_parent` and `d_name` follow it
    dentry_seq: "dentry" "d_seq",
    /// `struct dentry *dentry.d_parent`
    dentry_parent: "dentry" "d_parent",
    /// `struct qstr dentry.d_name`
    dentry_name: "dentry" "d_name",
    /// `struct inode *dentry.d_inode`
    dentry_inode: "dentry" "d_inode",
    /// `struct super_block *dentry.d_sb`
    dentry_sb: "dentry" "d_sb",
    /// `struct vfsmount mount.mnt`
    mount_mnt: "mount" "mnt",
    /// `struct mount *mount.mnt_parent`; `mnt_mountpoint` and `mnt.mnt_root` follow it
    mount_parent: "mount" "mnt_parent",
    /// `struct dentry *mount.mnt_mountpoint`
    mount_mountpoint: "mount" "mnt_mountpoint",
    /// `struct mnt_namespace *mount.mnt_ns`
    mount_ns: "mount" "mnt_ns",
    /// `struct dentry *vfsmount.mnt_root`
    vfsmount_root: "vfsmount" "mnt_root",
    /// `unsigned long super_block.s_magic`
    super_magic: "super_block" "s_magic",
    /// `unsigned int task_struct.flags`
    task_flags: "task_struct" "flags",
    /// `struct nsproxy *task_struct.nsproxy`
    task_nsproxy: "task_struct" "nsproxy",
    /// `struct mm_struct *task_struct.mm`
    task_mm: "task_struct" "mm",
    /// `struct task_struct *task_struct.real_parent`
    task_real_parent: "task_struct" "real_parent",
    /// `pid_t task_struct.tgid`
    task_tgid: "task_struct" "tgid",
    /// `struct signal_struct *task_struct.signal`
    task_signal: "task_struct" "signal",
    /// `struct pid *signal_struct.pids[]`
    signal_pids: "signal_struct" "pids",
    /// `struct mnt_namespace *nsproxy.mnt_ns`
    nsproxy_mnt_ns: "nsproxy" "mnt_ns",
    /// `struct file *mm_struct.exe_file`
    mm_exe_file: "mm_struct" "exe_file",
    /// `struct file *linux_binprm.file`
    bprm_file: "linux_binprm" "file",
    /// `const char *linux_binprm.filename`
    bprm_filename: "linux_binprm" "filename",
    /// `const char *linux_binprm.interp`
    bprm_interp: "linux_binprm" "interp",
    /// `struct pid *proc_inode.pid`
    proc_inode_pid: "proc_inode" "pid",
    /// `struct inode proc_inode.vfs_inode`
    proc_inode_vfs: "proc_inode" "vfs_inode",
    /// `umode_t inode.i_mode`
    inode_mode: "inode" "i_mode",
    /// `kuid_t inode.i_uid`
    inode_uid: "inode" "i_uid",
    /// `list_head super_block.s_mounts`, or the first `struct mount *`
    super_mounts: "super_block" "s_mounts",
    /// `list_head mount.mnt_instance`, or the next `struct mount *`
    mount_instance: "mount" "mnt_instance" | "mnt_next_for_sb",
    /// `unsigned int task_struct.ptrace`
    task_ptrace: "task_struct" "ptrace",
    /// `struct task_struct *task_struct.group_leader`
    task_group_leader: "task_struct" "group_leader",
    /// `u64 task_struct.start_boottime`
    task_start: "task_struct" "start_boottime",
    /// `struct cred *task_struct.cred`
    task_cred: "task_struct" "cred",
    /// `struct cred *task_struct.real_cred`
    task_real_cred: "task_struct" "real_cred",
    /// `kuid_t cred.uid`
    cred_uid: "cred" "uid",
    /// `kuid_t cred.fsuid`
    cred_fsuid: "cred" "fsuid",
    /// `struct files_struct *task_struct.files`
    task_files: "task_struct" "files",
    /// `struct fdtable *files_struct.fdt`
    files_table: "files_struct" "fdt",
    /// `unsigned int fdtable.max_fds`
    fdtable_max: "fdtable" "max_fds",
    /// `struct file **fdtable.fd`
    fdtable_files: "fdtable" "fd",
    /// `unsigned long *fdtable.close_on_exec`
    fdtable_close_on_exec: "fdtable" "close_on_exec",
    /// `unsigned long *fdtable.open_fds`
    fdtable_open: "fdtable" "open_fds",
    /// `struct css_set *task_struct.cgroups`
    task_cgroups: "task_struct" "cgroups",
    /// `struct cgroup *css_set.dfl_cgrp`
    css_set_default: "css_set" "dfl_cgrp",
    /// `struct kernfs_node *cgroup.kn`
    cgroup_node: "cgroup" "kn",
    /// `const char *kernfs_node.name`
    kernfs_name: "kernfs_node" "name",
    /// `struct kernfs_node *kernfs_node.parent`
    kernfs_parent: "kernfs_node" "parent" | "__parent",
    /// `struct file *vm_area_struct.vm_file`
    vma_file: "vm_area_struct" "vm_file",
    /// `struct anon_vma *vm_area_struct.anon_vma`
    vma_anonymous: "vm_area_struct" "anon_vma",
    /// `unsigned long vm_area_struct.vm_flags`
    vma_flags: "vm_area_struct" "vm_flags",
    /// `unsigned int iattr.ia_valid`
    iattr_valid: "iattr" "ia_valid",
    /// `struct sock *socket.sk`
    socket_sock: "socket" "sk",
    /// `unsigned short sock_common.skc_family`; `struct sock` begins with it
    sock_family: "sock_common" "skc_family",
    /// `u16 sock_common.skc_num`: the port that it is bound to
    sock_port: "sock_common" "skc_num",
    /// `__be32 sock_common.skc_rcv_saddr`: the address that it is bound to; if that is one
    /// of IPv6, some other than 0
    sock_address: "sock_common" "skc_rcv_saddr",
    /// `int sock_common.skc_bound_dev_if`
    sock_device: "sock_common" "skc_bound_dev_if",
    /// `int inet_sock.uc_index`: the device by which it sends; it begins with `struct sock`
    inet_device: "inet_sock" "uc_index",
    /// `u16 sock.sk_protocol`
    sock_protocol: "sock" "sk_protocol",
    /// `u16 sock.sk_type`
    sock_type: "sock" "sk_type",
    /// `void *msghdr.msg_name`
    message_name: "msghdr" "msg_name",
    /// `int msghdr.msg_namelen`
    message_name_len: "msghdr" "msg_namelen",
    /// `size_t msghdr.msg_controllen`
    message_control_len: "msghdr" "msg_controllen",
    /// `unsigned int msghdr.msg_flags`
    message_flags: "msghdr" "msg_flags",
    /// `struct path unix_sock.path`
    unix_path: "unix_sock" "path",
    /// `struct unix_address *unix_sock.addr`
    unix_address: "unix_sock" "addr",
}
