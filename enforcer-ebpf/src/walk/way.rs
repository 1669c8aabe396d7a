//! Whether the way of an object to the top is still the same.
//!
//! It needs no scratch, so that a known object costs little after a rename or a mount
//! elsewhere.

use enforcer_abi::Reason;

use super::link::{crossing, edges_of, link, owner_of};
use crate::kernel::{global, offset};

/// Most names and mount points of such a way. That of a deeper one is walked anew.
///
/// Verifier: a loop with its state in registers is looked at as often as it can run.
const STEPS: u32 = 24;

/// In place of one: it makes no difference.
pub(crate) const ANY_NAMESPACE: u64 = u64::MAX;

global! {
    /// The mark of the way from what is at `dentry`, on the mount of `vfsmount`, to the
    /// top of the mount tree, as a walk in this namespace finds it. 0: it leads elsewhere,
    /// is deep, or is being changed.
    fn mark_of(vfsmount: u64, dentry: u64, namespace: u64) -> u64 {
        find_mark(vfsmount, dentry, namespace).unwrap_or(0)
    }
}

#[inline(always)]
fn find_mark(vfsmount: u64, dentry: u64, namespace: u64) -> Result<u64, Reason> {
    let mut mount = vfsmount.wrapping_sub(offset!(mount_mnt));
    let mut dentry = dentry;
    let mut mark = 0_u64;
    let [mut parent_mount, mut mountpoint, mut root] = edges_of(mount)?;
    for _ in 0..STEPS {
        if dentry == root {
            if parent_mount == mount {
                let is_own = namespace == ANY_NAMESPACE
                    || owner_of(mount.wrapping_add(offset!(mount_mnt)))? == namespace;
                return Ok(if is_own { mark } else { 0 });
            }
            mark = mark.wrapping_add(crossing(mount, parent_mount, mountpoint));
            mount = parent_mount;
            dentry = mountpoint;
            [parent_mount, mountpoint, root] = edges_of(mount)?;
            continue;
        }
        let link = link(dentry)?;
        if link.sequence & 1 != 0 || link.parent == dentry {
            return Ok(0);
        }
        mark = mark.wrapping_add(link.mark(dentry));
        dentry = link.parent;
    }
    Ok(0)
}
