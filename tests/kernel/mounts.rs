//! What a test mounts.

use std::{ffi::CString, fs};

use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind, mount_change,
    mount_remount, unmount,
};

/// A mount that goes away with the test.
pub(crate) struct Mount(String);

impl Mount {
    /// A file system in memory.
    pub(crate) fn of_memory(at: String) -> Self {
        fs::create_dir_all(&at).unwrap();
        mount("test", &*at, "tmpfs", MountFlags::empty(), None).unwrap();
        Self::private(at)
    }

    /// A folder once more.
    pub(crate) fn bind(from: &str, at: String) -> Self {
        fs::create_dir_all(&at).unwrap();
        Self::bind_file(from, at)
    }

    /// The same for what there is at `at` already, folder or file.
    pub(crate) fn bind_file(from: &str, at: String) -> Self {
        mount_bind(from, &*at).unwrap();
        Self::private(at)
    }

    /// A folder once more, in which nothing can be changed.
    pub(crate) fn bind_read_only(from: &str, at: String) -> Self {
        let mount = Self::bind(from, at);
        mount_remount(&*mount.0, MountFlags::BIND | MountFlags::RDONLY, c"").unwrap();
        mount
    }

    /// What is in `upper` over what is in `lower`, both beneath `base`.
    pub(crate) fn overlay(base: &str, options: &str, at: String) -> Self {
        fs::create_dir_all(&at).unwrap();
        let layers =
            format!("lowerdir={base}/lower,upperdir={base}/upper,workdir={base}/work,{options}");
        let layers = CString::new(layers).unwrap();
        mount("test", &*at, "overlay", MountFlags::empty(), &*layers).unwrap();
        Self::private(at)
    }

    /// A procfs.
    pub(crate) fn processes(at: String) -> Self {
        fs::create_dir_all(&at).unwrap();
        mount("test", &*at, "proc", MountFlags::empty(), None).unwrap();
        Self::private(at)
    }

    fn private(at: String) -> Self {
        mount_change(&*at, MountPropagationFlags::PRIVATE).unwrap();
        Self(at)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _gone = unmount(&*self.0, UnmountFlags::DETACH);
    }
}
