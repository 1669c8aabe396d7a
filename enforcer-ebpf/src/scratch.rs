//! The memory that one decision needs.
//!
//! It lives in task storage and not on a CPU: from 5.11 on a program can be
//! preempted, and another task's program would write over it. The state of a
//! walk is here and not in registers, since the verifier would otherwise follow
//! every combination of its values, and since functions that are verified on
//! their own share nothing else.

use enforcer_abi::{
    Access, Operation, Reach, Slot,
    limits::{LAYERS, NAME_LEN},
};

use crate::report::Refusal;

/// Bytes in which a path is built, from the end towards the front.
pub(crate) const BUFFER: usize = 4096;

/// Where a walk is, and what it found. Zero bytes are a value of it.
#[repr(C)]
pub(crate) struct Scratch {
    /// The path ends at [`BUFFER`]. What lies behind is room for the verifier,
    /// to which a name may start anywhere and have any length.
    pub(crate) buffer: [u8; BUFFER + NAME_LEN + 1],
    /// A name whose length the kernel does not tell.
    pub(crate) name: [u8; NAME_LEN + 1],
    /// `struct dentry *` of the name that comes next.
    pub(crate) dentry: u64,
    /// `struct mount *` that holds it.
    pub(crate) mount: u64,
    /// `mnt_parent`, `mnt_mountpoint` and `mnt_root` of that mount.
    pub(crate) edges: [u64; 3],
    /// The mount at which a search goes on.
    pub(crate) cursor: u64,
    /// The path's hash as far as it is known.
    pub(crate) hash: u64,
    /// The mount by which a search for a name may yet refuse; 0: none so far.
    pub(crate) candidate: u64,
    /// What the walk came by, so that a second one can tell whether it changed.
    pub(crate) mark: u64,
    /// The mark of the first of two walks.
    pub(crate) first_mark: u64,
    /// The sequence counts before it.
    pub(crate) sequences: [u32; 2],
    /// `struct dentry *` of what was being changed at that time; 0: nothing.
    pub(crate) unstable: u64,
    /// When a walk was first found disturbed; 0: not yet.
    pub(crate) since: u64,
    /// Where the path starts in the buffer.
    pub(crate) start: u32,
    /// Names taken so far.
    pub(crate) names: u32,
    /// The state of the table under way.
    pub(crate) state: u32,
    /// 1 once a search came by a mount of the domain's own.
    pub(crate) shown: u32,
    /// The descriptor from which an exec is looked at further.
    pub(crate) descriptor: u32,
    /// 1 once a descriptor was refused to an exec.
    pub(crate) refused: u32,
    /// What is asked.
    pub(crate) request: Request,
    /// What is being reported.
    pub(crate) refusal: Refusal,
    /// What the layer's table said.
    pub(crate) found: Found,
    /// What each layer said of the object under its old name.
    pub(crate) kept: [Reach; LAYERS],
}

/// What a confined task asks for.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Request {
    /// The object.
    pub(crate) object: Object,
    /// The rights that it needs.
    pub(crate) requested: Access,
    /// How the answer is found: bits of [`crate::judge::How`].
    pub(crate) how: u32,
    /// What it does; `None` before anything was asked.
    pub(crate) operation: Option<Operation>,
    /// Why the object has no path to judge by, or [`crate::walk::NAMED`].
    pub(crate) unnamed: u32,
}

/// An object, as the kernel has it.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Object {
    /// `struct vfsmount *`; 0 where the kernel does not tell it.
    pub(crate) vfsmount: u64,
    /// `struct dentry *`.
    pub(crate) dentry: u64,
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
    /// 1 if that exec must not trust its environment.
    pub(crate) scrub: u32,
    /// The class of the path.
    pub(crate) class: u32,
    /// The rights that the profile grants on every path.
    pub(crate) everywhere: Access,
}

impl Found {
    /// Nothing: no layer has been asked.
    pub(crate) const NOTHING: Self = Self {
        mode: 0,
        generation: 0,
        outcome: 0,
        hits: 0,
        allow: Access::NONE,
        target: Slot::NONE,
        scrub: 0,
        class: 0,
        everywhere: Access::NONE,
    };

    /// What a move of the object needs to know.
    #[inline(always)]
    pub(crate) fn reach(&self) -> Reach {
        Reach {
            class: self.class,
            allow: self.allow,
            target: self.target,
            reserved: 0,
        }
    }
}

impl Scratch {
    /// Bytes of path in the buffer.
    #[inline(always)]
    pub(crate) fn path_len(&self) -> u32 {
        (BUFFER as u32).wrapping_sub(self.start)
    }

    /// Says that there is no path.
    #[inline(always)]
    pub(crate) fn clear_path(&mut self) {
        self.start = BUFFER as u32;
        self.names = 0;
    }
}
