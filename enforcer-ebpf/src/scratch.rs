//! The memory that one walk needs.
//!
//! It lives in task storage and not on a CPU: from 5.11 on a program can be
//! preempted, and another task's program would write over it. The state of the
//! walk is here and not in registers, since the verifier would otherwise follow
//! every combination of its values.

use enforcer_abi::{Access, Slot, limits::NAME_LEN};

/// Bytes in which a path is built, from the end towards the front.
pub(crate) const BUFFER: usize = 4096;

/// Where a walk is, and what it found.
#[repr(C)]
pub(crate) struct Scratch {
    /// The path ends at [`BUFFER`]. What lies behind is room for the verifier,
    /// to which a name may start anywhere and have any length.
    pub(crate) buffer: [u8; BUFFER + NAME_LEN + 1],
    /// `struct dentry *` of the name that comes next.
    pub(crate) dentry: u64,
    /// `struct mount *` that holds it.
    pub(crate) mount: u64,
    /// `mnt_parent`, `mnt_mountpoint` and `mnt_root` of that mount.
    pub(crate) edges: [u64; 3],
    /// Where the path starts in the buffer.
    pub(crate) start: u32,
    /// Names taken so far.
    pub(crate) names: u32,
    /// [`crate::walk::End`] as a number; 0 while the walk goes on.
    pub(crate) end: u32,
    /// What the layer's table said: see [`crate::automaton::Found`].
    pub(crate) found: Found,
}

/// What a layer's table says of the path in the scratch.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Found {
    /// The profile's mode.
    pub(crate) mode: u32,
    /// Which version of the profile.
    pub(crate) generation: u32,
    /// The outcome's index.
    pub(crate) outcome: u32,
    /// The outcome's hit counter.
    pub(crate) hits: u32,
    /// The rights that the profile grants.
    pub(crate) allow: Access,
    /// Where an exec leads.
    pub(crate) target: Slot,
}

impl Scratch {
    /// Bytes of path in the buffer.
    #[inline(always)]
    pub(crate) fn path_len(&self) -> u32 {
        (BUFFER as u32).wrapping_sub(self.start)
    }
}
