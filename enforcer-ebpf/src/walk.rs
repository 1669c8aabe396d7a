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
//! changes, and is tried again, a few times, if they moved.

use enforcer_abi::{
    Reason,
    limits::{NAME_LEN, WALK_STEPS, WALK_TRIES},
};

use crate::{
    kernel::{self, Next, Step, Task, offset, read, read_into},
    scratch::{BUFFER, Scratch},
};

/// How a walk ended. The numbers are those of [`Scratch::end`], which is 0
/// while the walk goes on.
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
    /// A pipe, socket, pidfd or namespace: it has no path, and opening it again
    /// gives nothing that holding or finding it did not.
    Anonymous,
}

/// `mnt_ns` of a mount that the kernel made for itself: `ERR_PTR(-EINVAL)`.
const INTERNAL: u64 = -22_i64 as u64;

/// `s_magic` of file systems whose objects have no name.
const PIPEFS: u64 = 0x5049_5045;
const SOCKFS: u64 = 0x534f_434b;
const PIDFS: u64 = 0x5049_4446;
const NSFS: u64 = 0x6e73_6673;

/// `s_magic` of procfs.
const PROC: u64 = 0x9fa0;

/// `PIDTYPE_TGID`, as an offset into `signal_struct.pids`.
const PIDTYPE_TGID: u64 = 8;

/// Puts the path of `dentry` on the mount of `vfsmount` into `scratch`.
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
    scratch: &mut Scratch,
    vfsmount: u64,
    dentry: u64,
    namespace: u64,
) -> Result<Place, Reason> {
    for _ in 0..WALK_TRIES {
        let before = sequences()?;
        let place = once(scratch, vfsmount, dentry, namespace);
        // An odd count is a rename or a mount at work.
        if before == sequences()? && (before[0] | before[1]) & 1 == 0 {
            return place;
        }
    }
    Err(Reason::Raced)
}

#[inline(always)]
fn sequences() -> Result<[u32; 2], Reason> {
    Ok([read(offset!(rename_lock))?, read(offset!(mount_lock))?])
}

/// A walk under way.
struct Walk<'a> {
    scratch: &'a mut Scratch,
}

impl Step for Walk<'_> {
    fn step(&mut self, _index: u32) -> Next {
        match advance(self.scratch) {
            Ok(()) => Next::Continue,
            Err(end) => {
                self.scratch.end = end as u32;
                Next::Stop
            }
        }
    }
}

#[inline(never)]
fn once(
    scratch: &mut Scratch,
    vfsmount: u64,
    dentry: u64,
    namespace: u64,
) -> Result<Place, Reason> {
    scratch.dentry = dentry;
    scratch.mount = vfsmount.wrapping_sub(offset!(mount_mnt));
    scratch.start = BUFFER as u32;
    scratch.names = 0;
    scratch.end = 0;
    edges(scratch)?;

    kernel::repeat(WALK_STEPS, &mut Walk { scratch });

    match scratch.end {
        end if end == End::Top as u32 => top(scratch, namespace),
        end if end == End::Escaped as u32 => nameless(scratch, dentry),
        end if end == End::TooLong as u32 => Err(Reason::PathTooLong),
        end if end == End::Fault as u32 => Err(Reason::Fault),
        _ => Err(Reason::PathTooDeep),
    }
}

/// Reads `mnt_parent`, `mnt_mountpoint` and `mnt_root` of the scratch's mount.
/// They lie side by side, which the agent checks.
#[inline(always)]
fn edges(scratch: &mut Scratch) -> Result<(), Reason> {
    let address = scratch.mount.wrapping_add(offset!(mount_parent));
    read_into(&raw mut scratch.edges, 24, address)
}

/// Takes one name, or crosses one mount point.
#[inline(always)]
fn advance(scratch: &mut Scratch) -> Result<(), End> {
    let [parent_mount, mountpoint, root] = scratch.edges;
    let dentry = scratch.dentry;
    if dentry == root {
        if parent_mount == scratch.mount {
            return Err(End::Top);
        }
        scratch.mount = parent_mount;
        scratch.dentry = mountpoint;
        return edges(scratch).map_err(|_fault| End::Fault);
    }
    // `d_parent`, then `d_name`: hash and length, and the address of the text.
    let [parent, length, text]: [u64; 3] =
        read(dentry.wrapping_add(offset!(dentry_parent))).map_err(|_fault| End::Fault)?;
    if parent == dentry {
        return Err(End::Escaped);
    }
    let end = scratch.start;
    name(scratch, (length >> 32) as u32, text)?;
    if parent == root && is_number(scratch) && is_own_process(dentry).unwrap_or(false) {
        scratch.start = end;
        literal(scratch, b"/self")?;
    }
    scratch.dentry = parent;
    Ok(())
}

/// Puts `/` and a name of `len` bytes at `text` in front of the path.
#[inline(always)]
fn name(scratch: &mut Scratch, len: u32, text: u64) -> Result<(), End> {
    // Verifier: a mask, not a comparison, is what bounds the length for good.
    // No name is longer.
    let len = len & NAME_LEN as u32;
    let start = room(scratch, len + 1)?;
    scratch.buffer[start as usize] = b'/';
    let target = &raw mut scratch.buffer[start as usize + 1];
    read_into(target, len, text).map_err(|_fault| End::Fault)?;
    scratch.start = start;
    scratch.names = scratch.names.wrapping_add(1);
    Ok(())
}

/// Puts `text` in front of the path.
#[inline(always)]
fn literal<const LEN: usize>(scratch: &mut Scratch, text: &[u8; LEN]) -> Result<(), End> {
    let start = room(scratch, LEN as u32)?;
    for (at, &byte) in (start as usize..).zip(text) {
        scratch.buffer[at] = byte;
    }
    scratch.start = start;
    Ok(())
}

/// Where `len` more bytes in front of the path would start. The path may fill
/// the buffer but for its first byte.
#[inline(always)]
fn room(scratch: &Scratch, len: u32) -> Result<u32, End> {
    let start = scratch.start;
    if start > BUFFER as u32 || start <= len {
        return Err(End::TooLong);
    }
    Ok((start - len) & (BUFFER as u32 - 1))
}

/// Whether the first name of the path starts with a digit.
#[inline(always)]
fn is_number(scratch: &Scratch) -> bool {
    let first = (scratch.start & (BUFFER as u32 - 1)) as usize + 1;
    scratch.buffer[first].is_ascii_digit()
}

/// Whether `dentry` is the current process' folder in a procfs.
#[inline(always)]
fn is_own_process(dentry: u64) -> Result<bool, Reason> {
    if magic(dentry)? != PROC {
        return Ok(false);
    }
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

#[inline(always)]
fn magic(dentry: u64) -> Result<u64, Reason> {
    let super_block: u64 = read(dentry.wrapping_add(offset!(dentry_sb)))?;
    read(super_block.wrapping_add(offset!(super_magic)))
}

/// Decides what a path to the top of a mount tree means.
#[inline(always)]
fn top(scratch: &mut Scratch, namespace: u64) -> Result<Place, Reason> {
    let owner: u64 = read(scratch.mount.wrapping_add(offset!(mount_ns)))?;
    if scratch.names == 0 {
        // The root itself.
        scratch.start = BUFFER as u32 - 1;
        scratch.buffer[BUFFER - 1] = b'/';
    }
    match owner {
        owner if owner == namespace => Ok(Place::Own),
        0 => Err(Reason::DetachedMount),
        INTERNAL => Err(Reason::InternalMount),
        _ => Ok(Place::Foreign),
    }
}

/// Tells objects that never have a name from those that lost theirs.
#[inline(always)]
fn nameless(scratch: &Scratch, dentry: u64) -> Result<Place, Reason> {
    if scratch.names != 0 {
        return Err(Reason::Escaped);
    }
    match magic(dentry)? {
        PIPEFS | SOCKFS | PIDFS | NSFS => Ok(Place::Anonymous),
        _ => Err(Reason::Nameless),
    }
}
