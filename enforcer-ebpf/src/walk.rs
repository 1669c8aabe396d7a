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
//! - [`build`]: a path from its end towards its front
//! - [`way`]: whether it is still the same way
//! - [`mounts`]: names of an object that comes without a mount
//! - [`cgroup`]: the path of a cgroup

pub(crate) mod build;
pub(crate) mod cgroup;
pub(crate) mod mounts;
mod way;

pub(crate) use self::way::{ANY_NAMESPACE, mark_of};

use enforcer_abi::{
    Reason,
    limits::{WALK_PATIENCE_NS, WALK_STEPS, WALK_STOPPED_NS, WALK_TRIES},
};

use crate::{
    kernel::{self, Task, Words, global, offset, read, read_into},
    maps,
    scratch::{BUFFER, Scratch},
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

/// `s_magic` of procfs.
const PROC: u64 = 0x9fa0;

/// `PIDTYPE_TGID`, as an offset into `signal_struct.pids`.
const PIDTYPE_TGID: u64 = 8;

/// Tries that one call of [`try_walk`] makes.
const TRIES: u32 = 8;

/// Looks that one call of [`look`] takes, and calls of that in one of [`wait`].
const LOOKS: u32 = 32;

/// Steps that one call of [`walk_names`] takes.
const STEPS: u32 = 8;

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

/// What [`walk_path`] is for: to put names into the scratch, or to see whether the
/// way is still the same, which the scratch's mark then tells.
const TAKE_NAMES: u32 = 1;
const LOOK_ONLY: u32 = 0;

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

/// Reads `mnt_parent`, `mnt_mountpoint` and `mnt_root` of the scratch's mount.
#[inline(always)]
fn edges(scratch: &mut Scratch) -> Result<(), Reason> {
    if !kernel::can_load() {
        // Verifier: there is no stack left for them.
        let address = scratch.mount.wrapping_add(offset!(mount_parent));
        return read_into(&raw mut scratch.edges, 24, address);
    }
    scratch.edges = edges_of(scratch.mount)?;
    Ok(())
}

/// Those of a mount. They lie side by side, which the agent checks.
#[inline(always)]
fn edges_of(mount: u64) -> Result<[u64; 3], Reason> {
    let address = mount.wrapping_add(offset!(mount_parent));
    if !kernel::can_load() {
        return read(address);
    }
    let words = Words::at(address);
    Ok([words.word(0), words.word(8), words.word(16)])
}

/// What is read of a dentry.
#[derive(Clone, Copy)]
pub(crate) struct Link {
    sequence: u32,
    pub(crate) parent: u64,
    pub(crate) len: u32,
    text: u64,
}

/// Reads a dentry.
///
/// `d_seq` changes with the dentry's name and parent, and never comes back to what
/// it was.
#[inline(always)]
pub(crate) fn link(dentry: u64) -> Result<Link, Reason> {
    if kernel::can_load() {
        let words = Words::at(dentry);
        return Ok(Link {
            sequence: words.half(offset!(dentry_seq)),
            parent: words.word(offset!(dentry_parent)),
            // A hash comes first.
            len: words.half(offset!(dentry_name).wrapping_add(4)),
            text: words.word(offset!(dentry_name).wrapping_add(8)),
        });
    }
    // `d_seq`, `d_hash` (four words), `d_parent`, and `d_name`: hash, length and
    // the address of the text.
    let [
        sequence,
        _,
        _,
        _,
        _,
        parent,
        parent_high,
        _hash,
        len,
        text,
        text_high,
    ]: [u32; 11] = read(dentry.wrapping_add(offset!(dentry_seq)))?;
    Ok(Link {
        sequence,
        parent: u64::from(parent_high) << 32 | u64::from(parent),
        len,
        text: u64::from(text_high) << 32 | u64::from(text),
    })
}

impl Link {
    /// What a dentry adds to the mark of a way. As long as its sequence count does not
    /// come round, which takes 2^31 renames of it, it never adds the same again.
    #[inline(always)]
    pub(crate) fn mark(&self, dentry: u64) -> u64 {
        // Of one dentry, each count gives another: no step loses anything.
        mix(dentry ^ u64::from(self.sequence).wrapping_mul(SPREAD))
    }
}

const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Spreads what a walk comes by over all bits, so that a sum over a way is that of
/// another only by an accident of one in 2^64.
#[inline(always)]
const fn mix(value: u64) -> u64 {
    let value = (value ^ value >> 32).wrapping_mul(SPREAD);
    (value ^ value >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

/// What a mount point adds to the mark of a way.
#[inline(always)]
const fn crossing(mount: u64, parent: u64, mountpoint: u64) -> u64 {
    mix(mount ^ parent.rotate_left(32)).wrapping_add(mix(mountpoint))
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

/// Whether `dentry` is of a procfs.
#[inline(always)]
pub(crate) fn is_in_procfs(dentry: u64) -> Result<bool, Reason> {
    let super_block: u64 = read(dentry.wrapping_add(offset!(dentry_sb)))?;
    let magic: u64 = read(super_block.wrapping_add(offset!(super_magic)))?;
    Ok(magic == PROC)
}

/// The `struct dentry *` of the folder in which `dentry` is.
#[inline(always)]
pub(crate) fn parent(dentry: u64) -> Result<u64, Reason> {
    Ok(link(dentry)?.parent)
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

/// The mount namespace of a `struct vfsmount`: [`INTERNAL`], 0 for one that was
/// unmounted lazily.
///
/// # Errors
///
/// [`Reason::Fault`].
#[inline(always)]
fn owner_of(vfsmount: u64) -> Result<u64, Reason> {
    let mount = vfsmount.wrapping_sub(offset!(mount_mnt));
    read(mount.wrapping_add(offset!(mount_ns)))
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
        owner if owner == namespace => Ok(Place::Own),
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
