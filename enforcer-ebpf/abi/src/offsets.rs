//! Where the running kernel keeps what the programs read.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

macro_rules! offsets {
    ($($(#[$doc:meta])* $field:ident: $structure:literal $member:literal,)*) => {
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
            $($(#[$doc])* pub $field: u64,)*
        }

        impl Offsets {
            /// Every structure and member, with where its offset goes.
            pub const MEMBERS: &[(&str, &str, fn(&mut Offsets) -> &mut u64)] =
                &[$(($structure, $member, |offsets| &mut offsets.$field),)*];
        }
    };
}

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
    /// `struct dentry *dentry.d_parent`; `d_name` follows it
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
}
