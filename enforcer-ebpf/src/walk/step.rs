//! The steps of a walk: over one name, or one mount point.

use enforcer_abi::{Reason, limits::WALK_STEPS};

use super::{
    build,
    link::{Link, crossing, edges_of, is_in_procfs, link},
};
use crate::{
    kernel::{self, Task, global, offset, read, read_into},
    maps,
    scratch::Scratch,
};

/// How a walk ended; 0 while it goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum End {
    /// At the root of a mount that is mounted on nothing.
    Top = 1,
    /// At a dentry that has no parent and is not the root of its mount.
    Escaped = 2,
    /// The path did not fit.
    TooLong = 3,
    /// A read of kernel memory failed.
    Fault = 4,
}

/// `PIDTYPE_TGID`, as an offset into `signal_struct.pids`.
const PIDTYPE_TGID: u64 = 8;

/// Steps that one call of [`walk_names`] takes.
const STEPS: u32 = 8;

/// What [`walk_path`] is for: to put names into the scratch, or to see whether the
/// way is still the same, which the scratch's mark then tells.
pub(super) const TAKE_NAMES: u32 = 1;
pub(super) const LOOK_ONLY: u32 = 0;

global! {
    /// Walks on from where the scratch is. Returns the [`End`], or 0 if there is
    /// none within [`WALK_STEPS`].
    fn walk_path(at: u32, names: u32) -> u32 {
        for _ in 0..WALK_STEPS / STEPS {
            let end = walk_names(at, names);
            if end != 0 {
                return end;
            }
        }
        0
    }
}

global! {
    /// Takes up to [`STEPS`] steps of the walk in the scratch. Returns the
    /// [`End`], or 0 if there is none yet.
    fn walk_names(at: u32, names: u32) -> u32 {
        let Ok(scratch) = maps::scratch(at) else {
            return End::Fault as u32;
        };
        for _ in 0..STEPS {
            if let Err(end) = advance(scratch, names == TAKE_NAMES) {
                return end as u32;
            }
        }
        0
    }
}

/// Reads `mnt_parent`, `mnt_mountpoint` and `mnt_root` of the scratch's mount.
#[inline(always)]
pub(super) fn edges(scratch: &mut Scratch) -> Result<(), Reason> {
    if !kernel::can_load() {
        // Verifier: there is no stack left for them.
        let address = scratch.mount.wrapping_add(offset!(mount_parent));
        return read_into(&raw mut scratch.edges, 24, address);
    }
    scratch.edges = edges_of(scratch.mount)?;
    Ok(())
}

/// Crosses a mount point if the walk is at one. Returns whether it was.
#[inline(always)]
fn cross(scratch: &mut Scratch) -> Result<bool, End> {
    let [parent_mount, mountpoint, root] = scratch.edges;
    if scratch.dentry != root {
        return Ok(false);
    }
    if parent_mount == scratch.mount {
        return Err(End::Top);
    }
    scratch.mark = scratch
        .mark
        .wrapping_add(crossing(scratch.mount, parent_mount, mountpoint));
    scratch.crossings = scratch.crossings.wrapping_add(1);
    scratch.mount = parent_mount;
    scratch.dentry = mountpoint;
    edges(scratch).map_err(|_fault| End::Fault)?;
    Ok(true)
}

/// Goes over one name, and takes it if `names` says so; or crosses one mount point.
#[inline(always)]
fn advance(scratch: &mut Scratch, names: bool) -> Result<(), End> {
    if cross(scratch)? {
        return Ok(());
    }
    let dentry = scratch.dentry;
    let link = link(dentry).map_err(|_fault| End::Fault)?;
    if link.sequence & 1 != 0 {
        scratch.unstable = dentry;
    }
    let mark = link.mark(dentry);
    scratch.mark = scratch.mark.wrapping_add(mark);
    if link.parent == dentry {
        return Err(End::Escaped);
    }
    if names {
        if scratch.names == 0 && scratch.mount == scratch.origin {
            scratch.leaf_mark = mark;
            scratch.folder = link.parent;
        }
        take(scratch, dentry, &link)?;
        if scratch.names == 1 && scratch.mount == scratch.origin {
            scratch.leaf = scratch.path_len();
        }
    }
    scratch.dentry = link.parent;
    Ok(())
}

/// Puts the name of `dentry` in front of the path.
#[inline(always)]
fn take(scratch: &mut Scratch, dentry: u64, link: &Link) -> Result<(), End> {
    let end = scratch.start;
    build::name(scratch, link.len, link.text)?;
    let [_parent_mount, _mountpoint, root] = scratch.edges;
    if link.parent == root
        && build::is_number(scratch)
        && is_own_process(scratch, dentry).unwrap_or(false)
    {
        scratch.start = end;
        build::literal(scratch, b"/self")?;
    }
    Ok(())
}

/// Whether `dentry` is the current process' folder in a procfs. Notes that the path
/// depends on who asks, if it is any process'.
#[inline(always)]
fn is_own_process(scratch: &mut Scratch, dentry: u64) -> Result<bool, Reason> {
    if !is_in_procfs(dentry)? {
        return Ok(false);
    }
    scratch.personal = 1;
    let inode: u64 = read(dentry.wrapping_add(offset!(dentry_inode)))?;
    let process = inode
        .wrapping_sub(offset!(proc_inode_vfs))
        .wrapping_add(offset!(proc_inode_pid));
    let named: u64 = read(process)?;
    let signal: u64 = read(Task::current().address().wrapping_add(offset!(task_signal)))?;
    let own: u64 = read(
        signal
            .wrapping_add(offset!(signal_pids))
            .wrapping_add(PIDTYPE_TGID),
    )?;
    Ok(named == own)
}
