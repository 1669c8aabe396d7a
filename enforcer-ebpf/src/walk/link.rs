//! What is read of a dentry and of a mount, and the mark that it leaves.

use enforcer_abi::Reason;

use crate::kernel::{self, Words, global, offset, read, read_into, word};

/// `s_magic` of procfs.
const PROC: u64 = 0x9fa0;

/// Those of a mount. They lie side by side, which the agent checks.
#[inline(always)]
pub(super) fn edges_of(mount: u64) -> Result<[u64; 3], Reason> {
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
    pub(super) sequence: u32,
    pub(crate) parent: u64,
    pub(crate) len: u32,
    pub(super) text: u64,
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
pub(super) const fn crossing(mount: u64, parent: u64, mountpoint: u64) -> u64 {
    mix(mount ^ parent.rotate_left(32)).wrapping_add(mix(mountpoint))
}

/// Whether `dentry` is of a procfs.
#[inline(always)]
pub(crate) fn is_in_procfs(dentry: u64) -> Result<bool, Reason> {
    let super_block: u64 = read(dentry.wrapping_add(offset!(dentry_sb)))?;
    let magic: u64 = read(super_block.wrapping_add(offset!(super_magic)))?;
    Ok(magic == PROC)
}

/// The `struct dentry *` of the folder in which `dentry` is, by itself; 0 if it cannot be
/// read.
#[inline(always)]
pub(crate) fn parent(dentry: u64) -> u64 {
    word(dentry.wrapping_add(offset!(dentry_parent)))
}

/// The mount namespace of a `struct vfsmount`: [`INTERNAL`], 0 for one that was
/// unmounted lazily.
///
/// # Errors
///
/// [`Reason::Fault`].
#[inline(always)]
pub(super) fn owner_of(vfsmount: u64) -> Result<u64, Reason> {
    let mount = vfsmount.wrapping_sub(offset!(mount_mnt));
    read(mount.wrapping_add(offset!(mount_ns)))
}

global! {
    /// Whether what is at `dentry` is an `io_uring`: 0 or 1. If that cannot be told, it is
    /// one.
    fn is_ring(dentry: u64) -> u32 {
        u32::from(is_called_ring(dentry).unwrap_or(true))
    }
}

#[inline(always)]
fn is_called_ring(dentry: u64) -> Result<bool, Reason> {
    const NAME: &[u8; 10] = b"[io_uring]";
    let [length, text]: [u64; 2] = read(dentry.wrapping_add(offset!(dentry_name)))?;
    if length >> 32 != NAME.len() as u64 {
        return Ok(false);
    }
    let mut name = [0_u8; NAME.len()];
    read_into(&raw mut name, NAME.len() as u32, text)?;
    Ok(name == *NAME)
}
