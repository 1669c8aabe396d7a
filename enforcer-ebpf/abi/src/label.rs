//! What a confined task carries: its domain.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, TryFromBytes};

use crate::{containment::Containment, limits::LAYERS};

/// One of the profiles that confine a task together. Every layer must grant.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, TryFromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(u8)]
pub enum Layer {
    /// By the user it runs as.
    User = 0,
    /// By the program it runs, or by the rule that started that program.
    Application = 1,
    /// By the unit, cgroup or `enforcer exec` that it belongs to.
    Process = 2,
}

impl Layer {
    /// The layer with this number; the last for any other.
    #[inline(always)]
    pub const fn from_index(index: u32) -> Self {
        match index {
            0 => Self::User,
            1 => Self::Application,
            _ => Self::Process,
        }
    }
}

/// The place of a profile's table in the table maps.
///
/// Slot 0 never holds a profile: in a [`Label`] it means that the layer is
/// empty, and in the table maps it holds the attachments, the table from
/// executables to the profiles that confine them. Slot 1 holds the table from
/// cgroups to profiles.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    FromBytes,
    IntoBytes,
    Immutable,
    KnownLayout,
)]
#[repr(transparent)]
pub struct Slot(pub u32);

impl Slot {
    /// No profile.
    pub const NONE: Self = Self(0);
    /// The table that says which executable belongs to which profile.
    pub const ATTACHMENTS: Self = Self(0);
    /// The table that says which cgroup, by its path from the root of cgroup v2,
    /// belongs to which profile.
    pub const CGROUPS: Self = Self(1);
    /// The first slot that can hold a profile.
    pub const FIRST: Self = Self(2);

    /// Whether this is [`Slot::NONE`].
    #[inline(always)]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }
}

/// Whether any of these layers confines.
#[inline(always)]
pub const fn is_any(layers: &[Slot; LAYERS]) -> bool {
    let [user, application, process] = *layers;
    user.0 | application.0 | process.0 != 0
}

/// Whether two domains are the same. Not `==`, which in the kernel is a call.
#[inline(always)]
pub const fn are_same(one: &[Slot; LAYERS], other: &[Slot; LAYERS]) -> bool {
    let [user, application, process] = *one;
    let [other_user, other_application, other_process] = *other;
    user.0 == other_user.0 && application.0 == other_application.0 && process.0 == other_process.0
}

/// What there is to look at when a task's domain is decided.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct Subjects {
    /// The subject epoch: counts the changes of what is attached to what; 0
    /// while nothing is loaded.
    pub epoch: u32,
    /// Which kinds of subjects any profile names: [`Subjects::USERS`] and its
    /// kin.
    pub kinds: u32,
    /// Counts the tables that were put in. What is remembered of another version
    /// counts no longer.
    pub version: u32,
    /// Counts the containments that the agent ended.
    pub releases: u32,
    /// When the clock of the programs was 0: seconds since 1970, UTC.
    pub booted: u32,
}

impl Subjects {
    /// Nothing is loaded.
    pub const NONE: Self = Self {
        epoch: 0,
        kinds: 0,
        version: 0,
        releases: 0,
        booted: 0,
    };

    /// There are profiles of users.
    pub const USERS: u32 = 1;
    /// There are profiles of units or cgroups.
    pub const CGROUPS: u32 = 1 << 1;
    /// There are running processes that somebody put under a profile.
    pub const ADOPTED: u32 = 1 << 2;
    /// There are processes that the next exec puts under a profile.
    pub const ENROLLED: u32 = 1 << 3;
    /// There are profiles of executables.
    pub const EXECUTABLES: u32 = 1 << 4;
}

/// A running process that somebody put under a profile.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct Adopted {
    /// When its first thread started: `CLOCK_BOOTTIME` in clock ticks of
    /// [`Adopted::TICK_NS`], as `/proc/PID/stat` tells it. Process ids come again,
    /// and then with another time.
    pub start: u64,
    /// Its process id in the initial pid namespace.
    pub tgid: u32,
    /// Always 0.
    pub reserved: u32,
}

impl Adopted {
    /// Nanoseconds of a clock tick: the kernel's `USER_HZ` is 100 wherever BPF is.
    pub const TICK_NS: u64 = 10_000_000;
}

/// A task's domain.
///
/// Written by the kernel programs alone.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct Label {
    /// The profiles that confine the task, by [`Layer`].
    pub layers: [Slot; LAYERS],
    /// The subject epoch in which the layers were decided; 0: not yet.
    pub epoch: u32,
    /// The layers that the task will have once the exec under way succeeds.
    pub next: [Slot; LAYERS],
    /// Whether `next` counts: [`Label::NO_NEXT`] and its kin.
    pub next_state: u32,
    /// When the first task of this lineage was confined: nanoseconds of
    /// `CLOCK_BOOTTIME`; 0 in a task that is not confined. Descendants inherit
    /// it.
    pub lineage: u64,
    /// The address of the mount namespace in which the domain's paths have
    /// their meaning; 0 in a task that is not confined.
    pub mount_namespace: u64,
    /// The number of the domain, drawn at random: tasks with the same number have the
    /// same layers and the same mount namespace. 0: it has none yet.
    pub number: u64,
    /// The `struct vfsmount *` and `struct dentry *` of the object in question; of the
    /// folder from which it is moved. The former stays, for the next object of which only
    /// a dentry is known.
    pub object: [u64; 2],
    /// Those of the folder to which it is moved; the latter also of the one it is in.
    pub target: [u64; 2],
    /// The privileges that every layer grants.
    pub privileges: u64,
    /// The version of the profiles by which they do, [`Subjects::version`]; of no
    /// version but that do they count.
    pub privileges_version: u32,
    /// 1 once the agent was told which program the task runs.
    pub told: u32,
    /// Whether and why the task is contained.
    pub containment: Containment,
    /// How many processes had been contained or released when the task last looked whether
    /// it is.
    pub looked: u64,
    /// When each of the layers became what it is: seconds of the programs' clock.
    pub since: [u32; LAYERS],
    /// Always 0.
    pub reserved: u32,
}

const _: () = assert!(size_of::<Label>() == 152);

/// What makes two domains the same.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct Domain {
    /// [`Label::mount_namespace`].
    pub mount_namespace: u64,
    /// [`Label::layers`].
    pub layers: [Slot; LAYERS],
    /// [`Containment::layers`].
    pub contained: u32,
}

impl Label {
    /// No exec is under way.
    pub const NO_NEXT: u32 = 0;
    /// [`Label::next`] is what the task will be in.
    pub const NEXT_DECIDED: u32 = 1;
    /// As before, but whether a profile claims the program could not be told.
    pub const NEXT_UNDECIDED: u32 = 2;

    /// Forgets what followed from the domain, since it is another now.
    #[inline(always)]
    pub const fn enter(&mut self) {
        self.number = 0;
        self.privileges = 0;
    }

    /// When a layer became what it is.
    #[inline(always)]
    pub const fn since(&mut self, layer: Layer) -> &mut u32 {
        let [user, application, process] = &mut self.since;
        match layer {
            Layer::User => user,
            Layer::Application => application,
            Layer::Process => process,
        }
    }

    /// Whether any layer confines the task. Nothing else has a number.
    #[inline(always)]
    pub const fn is_confined(&self) -> bool {
        self.number != 0 || is_any(&self.layers)
    }
}
