//! The memory that one decision needs.
//!
//! The state of a
//! walk is here and not in registers, since the verifier would otherwise follow
//! every combination of its values, and since functions that are verified on
//! their own share nothing else.

use enforcer_abi::{
    Access, Endpoint, Operation, Reach, Respond, Slot,
    limits::{LAYERS, NAME_LEN},
};

use zerocopy::FromZeros;

use crate::{kernel::Lock, maps::known::Known, report::Refusal};

/// Bytes in which a path is built, from the end towards the front.
pub(crate) const BUFFER: usize = 4096;

/// Room for a state for each layer, and one to make it a power of two.
pub(crate) const STATES: usize = 4;

/// Where a walk is, and what it found. Zero bytes are a value of it.
#[repr(C)]
pub(crate) struct Scratch {
    /// Whether it is in use.
    pub(crate) held: Lock,
    /// Its place among all.
    pub(crate) at: u32,
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
    /// The mount at which the walk began.
    pub(crate) origin: u64,
    /// What the walk came by, so that another can tell whether it changed.
    pub(crate) mark: u64,
    /// The part of the object itself in that.
    pub(crate) leaf_mark: u64,
    /// `struct dentry *` of the folder that holds the object, on the same mount; 0:
    /// none is.
    pub(crate) folder: u64,
    /// The mark of the first of two walks.
    pub(crate) first_mark: u64,
    /// The sequence counts before it, of renames and of mounts.
    pub(crate) sequences: u64,
    /// What is known of the object in question, as far as it was found.
    pub(crate) known: Known,
    /// `struct dentry *` of what was being changed at that time; 0: nothing.
    pub(crate) unstable: u64,
    /// When a walk was first found disturbed; 0: not yet.
    pub(crate) since: u64,
    /// Mount points crossed so far.
    pub(crate) crossings: u32,
    /// Where the path starts in the buffer.
    pub(crate) start: u32,
    /// Names taken so far.
    pub(crate) names: u32,
    /// Bytes of the path's last name, with the `/` before it; 0: not on the mount at
    /// which the walk began.
    pub(crate) leaf: u32,
    /// 1 if the path means another object to another process.
    pub(crate) personal: u32,
    /// 1 if nothing was renamed or mounted during the walk.
    pub(crate) settled: u32,
    /// The version of the profiles by which the request is judged.
    pub(crate) version: u32,
    /// 1 if every layer's table has one outcome for all beneath the object.
    pub(crate) is_uniform: u32,
    /// And for all beneath the folder that holds it.
    pub(crate) is_folder_uniform: u32,
    /// 1 if a layer's answer is no grant that may be remembered: it is to be told, or
    /// depends on who owns the object.
    pub(crate) is_passing: u32,
    /// The layers, by their bits, whose grant is looked at for the history.
    pub(crate) looks: u32,
    /// The strictest verdict of all layers.
    pub(crate) verdict: u32,
    /// 1 once a search came by a mount of the domain's own.
    pub(crate) shown: u32,
    /// The descriptor from which an exec is looked at further.
    pub(crate) descriptor: u32,
    /// 1 once a descriptor was refused to an exec.
    pub(crate) refused: u32,
    /// Of whom.
    pub(crate) subject: Subject,
    /// What is asked.
    pub(crate) request: Request,
    /// What of a network is asked for.
    pub(crate) endpoint: Endpoint,
    /// What is being reported.
    pub(crate) refusal: Refusal,
    /// What the layer's table said.
    pub(crate) found: Found,
    /// What each layer said of the object under its old name.
    pub(crate) kept: [Reach; LAYERS],
    /// The state of each layer's table for the object.
    pub(crate) states: [u32; STATES],
    /// And for the folder that holds it.
    pub(crate) folder_states: [u32; STATES],
}

/// The domain that is asked, from its label.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Subject {
    /// The `struct mnt_namespace *` in which paths have their meaning.
    pub(crate) mount_namespace: u64,
    /// The domain's number; 0: nothing is remembered for it.
    pub(crate) number: u64,
    /// The profile of each layer.
    pub(crate) layers: [Slot; LAYERS],
    /// The layers that are contained: [`enforcer_abi::Containment::layers`].
    pub(crate) contained: u32,
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

/// What a layer's table says of the path in the scratch; zero, if none has been asked.
/// Whole words, as which it is copied.
#[derive(Clone, Copy, FromZeros)]
#[repr(C, align(8))]
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
    /// And those besides on what belongs to the task's user.
    pub(crate) owned: Access,
    /// The rights of which a use is told.
    pub(crate) audit: Access,
    /// The rights of which a refusal is not told.
    pub(crate) quiet: Access,
    /// The rights that a tightening on trial would take away.
    pub(crate) trial: Access,
    /// Where an exec leads.
    pub(crate) target: Slot,
    /// 1 if that exec must not trust its environment.
    pub(crate) scrub: u32,
    /// The class of the path.
    pub(crate) class: u32,
    /// The rights that the profile grants on every path.
    pub(crate) everywhere: Access,
    /// How a violation is answered.
    pub(crate) respond: Respond,
    /// Until when everything is let through.
    pub(crate) permitted: u32,
}

impl Found {
    /// What a move of the object needs to know.
    #[inline(always)]
    pub(crate) fn reach(&self) -> Reach {
        Reach {
            class: self.class,
            allow: self.allow,
            target: self.target,
            owned: self.owned,
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
        self.crossings = 0;
        self.leaf = 0;
        self.folder = 0;
        self.personal = 0;
    }
}
