//! Names an object by its path.
//!
//! The walk goes from a dentry up through its parents and over mount points to
//! the top of the mount tree. It does not stop at the task's root: a chroot
//! renames nothing. Where the top is decides whether the path means anything
//! ([`End`]). `bpf_d_path` does neither, and can be made to give the path of one
//! file for another (a lazily unmounted mount, a detached tree, a chroot).
//!
//! A rename or a mount on the way could give a path that never was. So the walk
//! is bracketed by the two sequence counts that every rename and every mount
//! changes. If they moved, which may have been anywhere, the way itself is looked
//! at once more; and only if that changed is the walk tried again, a few times.
//!
//! A change under way is waited for, as the kernel does, but not without an end.
//!
//! Each dentry has a count of its own: if all on the way are what they were, each
//! held from the one look to the other, and all at once in between. A mount has
//! none. Its edges are compared themselves; they could have been changed and changed
//! back, which takes somebody who may mount, and gives a name that the object had
//! just before or after.
//!
//! - [`step`]: over one name, or one mount point; [`link`]: what is read for that
//! - [`build`]: a path from its end towards its front
//! - [`way`]: whether it is still the same way
//! - [`mounts`]: names of an object that comes without a mount
//! - [`cgroup`]: the path of a cgroup

pub(crate) mod build;
pub(crate) mod cgroup;
mod link;
pub(crate) mod mounts;
mod step;
mod way;

use self::step::{LOOK_ONLY, TAKE_NAMES, edges, walk_path};
pub(crate) use self::{
    link::{is_in_procfs, is_ring, link, parent},
    step::End,
    way::{ANY_NAMESPACE, mark_of},
};

use enforcer_abi::{
    Reason,
    limits::{WALK_PATIENCE_NS, WALK_STOPPED_NS, WALK_TRIES},
};

use crate::{
    kernel::{self, global, offset, read},
    maps,
    scratch::{BUFFER, Scratch},
};

/// What the walk found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// A path in the namespace asked for; the path is in the scratch.
    Own,
    /// A path in another mount namespace; the path is in the scratch.
    Foreign,
    /// An object that the kernel made for itself, with no name: a pipe, socket,
    /// memfd, pidfd or namespace.
    Anonymous,
}

/// What [`name_object`] returns besides [`ERROR`] and a reason.
const OWN: u32 = 0;
const FOREIGN: u32 = 1;
const ANONYMOUS: u32 = 2;
const ERROR: u32 = 0x100;
/// [`try_walk`]: the way was changed, each time.
const AGAIN: u32 = 0x80;

/// [`Request::unnamed`](crate::scratch::Request::unnamed) of an object with a
/// path.
pub(crate) const NAMED: u32 = 0;

/// `mnt_ns` of a mount that the kernel made for itself: `ERR_PTR(-EINVAL)`.
const INTERNAL: u64 = -22_i64 as u64;

/// Tries that one call of [`try_walk`] makes.
const TRIES: u32 = 8;

/// Looks that one call of [`look`] takes, and calls of that in one of [`wait`].
const LOOKS: u32 = 32;

/// Puts the path of `dentry` on the mount of `vfsmount` into the scratch.
///
/// `namespace` is the address of the mount namespace in which paths have the
/// meaning that the caller wants.
///
/// # Errors
///
/// The reason why the object has no path that means anything. The scratch then
/// holds as much of a path as was found.
#[inline(always)]
pub(crate) fn path(
    scratch: &Scratch,
    vfsmount: u64,
    dentry: u64,
    namespace: u64,
) -> Result<Place, Reason> {
    match name_object(scratch.at, vfsmount, dentry, namespace) {
        OWN => Ok(Place::Own),
        FOREIGN => Ok(Place::Foreign),
        ANONYMOUS => Ok(Place::Anonymous),
        code => Err(kernel::reason(code.wrapping_sub(ERROR))),
    }
}

global! {
    /// [`path`] as numbers.
    fn name_object(at: u32, vfsmount: u64, dentry: u64, namespace: u64) -> u32 {
        if let Ok(scratch) = maps::scratch(at) {
            scratch.since = 0;
        }
        for _ in 0..WALK_TRIES / TRIES {
            let code = try_walk(at, vfsmount, dentry, namespace);
            if code != AGAIN {
                return code;
            }
            if has_patience(at) == 0 {
                break;
            }
        }
        ERROR + Reason::Raced as u32
    }
}

global! {
    /// Tries [`TRIES`] times. Returns what [`name_object`] does, or [`AGAIN`].
    fn try_walk(at: u32, vfsmount: u64, dentry: u64, namespace: u64) -> u32 {
        for _ in 0..TRIES {
            match once(at, vfsmount, dentry, namespace) {
                Ok(None) => {
                    wait(at);
                }
                Ok(Some(Place::Own)) => return OWN,
                Ok(Some(Place::Foreign)) => return FOREIGN,
                Ok(Some(Place::Anonymous)) => return ANONYMOUS,
                Err(reason) => return ERROR + reason as u32,
            }
        }
        AGAIN
    }
}

global! {
    /// Whether another try is in time: 0 or 1.
    fn has_patience(at: u32) -> u32 {
        let Ok(scratch) = maps::scratch(at) else {
            return 0;
        };
        let now = kernel::time_ns();
        if scratch.since == 0 {
            scratch.since = now;
        }
        let patience = if scratch.unstable == 0 { WALK_PATIENCE_NS } else { WALK_STOPPED_NS };
        u32::from(now.wrapping_sub(scratch.since) < patience)
    }
}

global! {
    /// Waits for what was being changed on the way. Returns 0 if it still is.
    fn wait(at: u32) -> u32 {
        for _ in 0..LOOKS {
            if look(at) != 0 {
                return 1;
            }
        }
        0
    }
}

global! {
    /// As [`wait`], and looks [`LOOKS`] times.
    fn look(at: u32) -> u32 {
        let Ok(scratch) = maps::scratch(at) else {
            return 1;
        };
        if scratch.unstable == 0 {
            return 1;
        }
        let count = scratch.unstable.wrapping_add(offset!(dentry_seq));
        for _ in 0..LOOKS {
            if read(count).unwrap_or(0_u32) & 1 == 0 {
                scratch.unstable = 0;
                return 1;
            }
        }
        0
    }
}

/// Walks once; `None` if the way was changed meanwhile.
#[inline(always)]
fn once(at: u32, vfsmount: u64, dentry: u64, namespace: u64) -> Result<Option<Place>, Reason> {
    let scratch = maps::scratch(at)?;
    // Verifier: on the stack, what is kept of the first walk would be too much.
    scratch.sequences = sequences()?;
    begin(scratch, vfsmount, dentry)?;
    scratch.clear_path();
    let end = walk_path(at, TAKE_NAMES);
    let before = scratch.sequences;
    scratch.settled = u32::from(sequences()? == before && is_quiet(before));
    if scratch.settled == 1 {
        return ended(scratch, end, namespace).map(Some);
    }
    scratch.first_mark = scratch.mark;
    begin(scratch, vfsmount, dentry)?;
    if walk_path(at, LOOK_ONLY) == end
        && scratch.mark == scratch.first_mark
        && scratch.unstable == 0
    {
        return ended(scratch, end, namespace).map(Some);
    }
    Ok(None)
}

/// Puts the walk at its start.
#[inline(always)]
fn begin(scratch: &mut Scratch, vfsmount: u64, dentry: u64) -> Result<(), Reason> {
    scratch.dentry = dentry;
    scratch.mount = vfsmount.wrapping_sub(offset!(mount_mnt));
    scratch.origin = scratch.mount;
    scratch.mark = 0;
    scratch.unstable = 0;
    edges(scratch)
}

/// The sequence counts of renames and, above it, of mounts.
#[inline(always)]
pub(crate) fn sequences() -> Result<u64, Reason> {
    let [renames, mounts] = kernel::halves([offset!(rename_lock), offset!(mount_lock)])?;
    Ok(u64::from(mounts) << 32 | u64::from(renames))
}

/// The sequence count of mounts alone.
#[inline(always)]
pub(crate) const fn mounts_of(sequences: u64) -> u32 {
    (sequences >> 32) as u32
}

/// Whether no rename and no mount is at work: its count would be odd.
#[inline(always)]
pub(crate) const fn is_quiet(sequences: u64) -> bool {
    sequences & (1 << 32 | 1) == 0
}

#[inline(always)]
fn ended(scratch: &mut Scratch, end: u32, namespace: u64) -> Result<Place, Reason> {
    match end {
        end if end == End::Top as u32 => top(scratch, namespace),
        end if end == End::Escaped as u32 => nameless(scratch),
        end if end == End::TooLong as u32 => Err(Reason::PathTooLong),
        end if end == End::Fault as u32 => Err(Reason::Fault),
        _ => Err(Reason::PathTooDeep),
    }
}

/// Puts the name of an object in `folder`, with a `/` before it, into the scratch in
/// place of a path, with what it adds to the folder's mark. Returns whether it stayed the
/// same, and there, meanwhile.
#[inline(always)]
pub(crate) fn last_name(scratch: &mut Scratch, dentry: u64, folder: u64) -> Result<bool, Reason> {
    let before = link(dentry)?;
    scratch.clear_path();
    scratch.leaf_mark = before.mark(dentry);
    if build::name(scratch, before.len, before.text).is_err() {
        return Ok(false);
    }
    Ok(before.parent == folder && link(dentry)?.mark(dentry) == scratch.leaf_mark)
}

/// The mount namespace of the scratch's mount.
#[inline(always)]
fn owner(scratch: &Scratch) -> Result<u64, Reason> {
    read(scratch.mount.wrapping_add(offset!(mount_ns)))
}

/// Whether a mount namespace is one that the kernel made for a tree of mounts alone, in
/// which nobody can be. It may have the address of a real one that is gone.
#[inline(always)]
fn is_anonymous(namespace: u64) -> bool {
    if offset!(namespace_anonymous) != 0 {
        kernel::half(namespace.wrapping_add(offset!(namespace_anonymous))) & 0xff != 0
    } else {
        offset!(namespace_id) != 0
            && kernel::word(namespace.wrapping_add(offset!(namespace_id))) == 0
    }
}

/// Decides what a path to the top of a mount tree means.
#[inline(always)]
fn top(scratch: &mut Scratch, namespace: u64) -> Result<Place, Reason> {
    if scratch.names == 0 {
        // The root itself.
        scratch.start = BUFFER as u32 - 1;
        scratch.buffer[BUFFER - 1] = b'/';
    }
    match owner(scratch)? {
        owner if owner == namespace && !is_anonymous(owner) => Ok(Place::Own),
        0 => Err(Reason::DetachedMount),
        INTERNAL => Err(Reason::InternalMount),
        _ => Ok(Place::Foreign),
    }
}

/// Tells objects that never have a name from those that lost theirs.
///
/// What the kernel makes without a name lies on a mount that it made for itself;
/// no task can have anything else there that has no parent.
#[inline(always)]
fn nameless(scratch: &Scratch) -> Result<Place, Reason> {
    if scratch.names != 0 {
        return Err(Reason::Escaped);
    }
    match owner(scratch)? {
        INTERNAL => Ok(Place::Anonymous),
        _ => Err(Reason::Nameless),
    }
}
