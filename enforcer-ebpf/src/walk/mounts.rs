//! Names of an object that comes without a mount.
//!
//! Some hooks tell a dentry and not by which mount it was reached. Such an object
//! has a name for each mount of its file system that shows it. What is done to it
//! could be done by any of these names, so one that grants it is enough.

use enforcer_abi::{
    Reason,
    limits::{MOUNTS, MOUNTS_BETWEEN},
    offsets::Features,
};

use crate::{
    kernel::{self, Task, global, offset, read},
    maps,
    scratch::Scratch,
    walk::INTERNAL,
};

/// There is a mount; it is in the scratch.
pub(crate) const FOUND: u32 = 1;
/// Not among those that were looked at; the search can go on.
pub(crate) const MORE: u32 = 2;
/// There are no more mounts.
pub(crate) const END: u32 = 3;
/// A read failed.
pub(crate) const FAULT: u32 = 4;
/// This one is not it.
const NEXT: u32 = 0;

/// Puts the search at the first mount of the file system of `dentry`. Returns its
/// `struct super_block *`.
#[inline(always)]
pub(crate) fn start(scratch: &mut Scratch, dentry: u64) -> Result<u64, Reason> {
    let super_block: u64 = read(dentry.wrapping_add(offset!(dentry_sb)))?;
    scratch.cursor = read(super_block.wrapping_add(offset!(super_mounts)))?;
    Ok(super_block)
}

global! {
    /// Looks for the next mount in `namespace`, among [`MOUNTS_BETWEEN`] at most
    /// from the scratch's cursor on. Leaves the cursor behind it, and the mount in
    /// the scratch. `super_block` is where the list starts.
    fn seek_mount(at: u32, super_block: u64, namespace: u64) -> u32 {
        let Ok(scratch) = maps::scratch(at) else {
            return FAULT;
        };
        for _ in 0..MOUNTS_BETWEEN {
            match next(scratch, super_block, namespace) {
                Ok(NEXT) => {}
                Ok(found) => return found,
                Err(_reason) => return FAULT,
            }
        }
        MORE
    }
}

/// The `struct mount *` of a link in the list of a file system's mounts; 0 at its
/// end.
#[inline(always)]
pub(crate) fn mount_of(link: u64, super_block: u64) -> u64 {
    let head = super_block.wrapping_add(offset!(super_mounts));
    if link == 0 || link == head {
        0
    } else if offset!(features) & Features::MOUNTS_LINKED != 0 {
        link
    } else {
        // In a list, what is linked are the links and not the mounts.
        link.wrapping_sub(offset!(mount_instance))
    }
}

/// Looks at the mount at the cursor, and puts the cursor behind it.
#[inline(always)]
fn next(scratch: &mut Scratch, super_block: u64, namespace: u64) -> Result<u32, Reason> {
    let mount = mount_of(scratch.cursor, super_block);
    if mount == 0 {
        return Ok(END);
    }
    scratch.cursor = read(mount.wrapping_add(offset!(mount_instance)))?;
    let owner: u64 = read(mount.wrapping_add(offset!(mount_ns)))?;
    if owner != namespace {
        return Ok(NEXT);
    }
    scratch.mount = mount;
    Ok(FOUND)
}

/// The mount by which the current task would name the object that somebody else
/// opened by `vfsmount`: that one, if it is of the task's own namespace or the
/// kernel's; else the first of the task's own; else that one again.
///
/// # Errors
///
/// [`Reason::Fault`].
#[inline(always)]
pub(crate) fn nearest(vfsmount: u64, dentry: u64) -> Result<u64, Reason> {
    let namespace = kernel::mount_namespace(Task::current())?;
    let owner = super::link::owner_of(vfsmount)?;
    if owner == namespace || owner == INTERNAL {
        return Ok(vfsmount);
    }
    let scratch = maps::take()?;
    let found = first_of(scratch, namespace, dentry);
    maps::give(scratch);
    Ok(found?.unwrap_or(vfsmount))
}

/// The first mount in `namespace` of the file system of `dentry`, if there is one.
#[inline(always)]
fn first_of(scratch: &mut Scratch, namespace: u64, dentry: u64) -> Result<Option<u64>, Reason> {
    let super_block = start(scratch, dentry)?;
    for _ in 0..MOUNTS {
        match seek_mount(scratch.at, super_block, namespace) {
            FOUND => return Ok(Some(scratch.mount.wrapping_add(offset!(mount_mnt)))),
            MORE => {}
            END => break,
            _ => return Err(Reason::Fault),
        }
    }
    Ok(None)
}
