//! Why an access was refused, and what is counted.

use zerocopy::{Immutable, IntoBytes, KnownLayout, TryFromBytes};

/// Why an access was not granted, or why it is told.
///
/// All but [`Reason::NotGranted`], [`Reason::Watched`], [`Reason::Contained`] and
/// [`Reason::OnTrial`] mean that the programs could not decide from the profile. For a
/// confined task that is a refusal. Each is counted under its own [`Counter`].
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, TryFromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(u8)]
pub enum Reason {
    /// No rule of the profile grants it.
    NotGranted = 0,
    /// The path is longer than [`crate::limits::PATH_LEN`].
    PathTooLong = 1,
    /// The object is deeper than [`crate::limits::WALK_STEPS`].
    PathTooDeep = 2,
    /// The object is in a mount tree of another mount namespace.
    ForeignMount = 3,
    /// The object's mount tree belongs to no namespace: it was unmounted lazily.
    DetachedMount = 4,
    /// The object is on a mount that the kernel made for itself.
    InternalMount = 5,
    /// The object is not beneath the root of its mount.
    Escaped = 6,
    /// Renames or mounts raced with every try to name the object.
    Raced = 7,
    /// A read of kernel memory failed.
    Fault = 8,
    /// A layer's profile has no table.
    NoTable = 9,
    /// There was no memory to name the object in.
    NoScratch = 10,
    /// There was no memory for the label of a task that is to be confined.
    NoLabel = 11,
    /// The object has no name: a memfd, an `io_uring` that comes from elsewhere, or a
    /// file of a pseudo file system that is not passed.
    Nameless = 12,
    /// The task asked to be put under a second process profile.
    SecondProfile = 13,
    /// The object would have more rights under its new name.
    RightsGrow = 14,
    /// The program would run in another domain while the old one traces it.
    Traced = 15,
    /// The object lies on no mount of the domain's mount namespace.
    NoMount = 16,
    /// The object's file system is mounted more often than
    /// [`crate::limits::MOUNTS`].
    TooManyMounts = 17,
    /// More descriptors than [`crate::limits::DESCRIPTORS`] would be inherited.
    TooManyDescriptors = 18,
    /// It was granted, by a rule that wants that told.
    Watched = 19,
    /// An address of a network is none that the kernel takes, or there are several at
    /// once.
    OddAddress = 20,
    /// The profile grants it, and the process is contained.
    Contained = 21,
    /// It was granted, and a tightening on trial would take that away.
    OnTrial = 22,
}

impl Reason {
    /// Every reason, in order of its number.
    pub const ALL: [Self; 23] = [
        Self::NotGranted,
        Self::PathTooLong,
        Self::PathTooDeep,
        Self::ForeignMount,
        Self::DetachedMount,
        Self::InternalMount,
        Self::Escaped,
        Self::Raced,
        Self::Fault,
        Self::NoTable,
        Self::NoScratch,
        Self::NoLabel,
        Self::Nameless,
        Self::SecondProfile,
        Self::RightsGrow,
        Self::Traced,
        Self::NoMount,
        Self::TooManyMounts,
        Self::TooManyDescriptors,
        Self::Watched,
        Self::OddAddress,
        Self::Contained,
        Self::OnTrial,
    ];

    /// Whether the subject asked for what it has no right to. The others say that nothing
    /// could be decided, or that a limit is reached, which may befall anybody.
    #[inline(always)]
    pub const fn is_attempt(self) -> bool {
        matches!(
            self,
            Self::NotGranted
                | Self::ForeignMount
                | Self::DetachedMount
                | Self::InternalMount
                | Self::Escaped
                | Self::Nameless
                | Self::RightsGrow
                | Self::OddAddress
        )
    }

    /// The name, as the command line and the store spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotGranted => "not-granted",
            Self::PathTooLong => "path-too-long",
            Self::PathTooDeep => "path-too-deep",
            Self::ForeignMount => "foreign-mount",
            Self::DetachedMount => "detached-mount",
            Self::InternalMount => "internal-mount",
            Self::Escaped => "escaped",
            Self::Raced => "raced",
            Self::Fault => "fault",
            Self::NoTable => "no-table",
            Self::NoScratch => "no-scratch",
            Self::NoLabel => "no-label",
            Self::Nameless => "nameless",
            Self::SecondProfile => "second-profile",
            Self::RightsGrow => "rights-grow",
            Self::Traced => "traced",
            Self::NoMount => "no-mount",
            Self::TooManyMounts => "too-many-mounts",
            Self::TooManyDescriptors => "too-many-descriptors",
            Self::Watched => "watched",
            Self::OddAddress => "odd-address",
            Self::Contained => "contained",
            Self::OnTrial => "on-trial",
        }
    }
}

/// What is counted, on each CPU. The numbers are the indices of the map.
///
/// The first [`Counter::REASONS`] count refusals and would-be refusals by
/// [`Reason`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Counter {
    /// Accesses refused.
    Denied = Self::REASONS,
    /// Accesses let through that enforcement would have refused.
    Audited = Self::REASONS + 1,
    /// Events that the ring buffer had no room for. The verdicts stood, and the
    /// violations are counted in their map.
    EventsLost = Self::REASONS + 2,
    /// Violations that the map of distinct violations had no room for.
    ViolationsUnlisted = Self::REASONS + 3,
    /// Accesses of confined tasks judged by their paths, and privileges by the profiles:
    /// what was not granted from memory.
    Judged = Self::REASONS + 4,
    /// Accesses let through under a profile that is learning.
    Learned = Self::REASONS + 5,
    /// Accesses not granted, of which a rule wants nothing told.
    Untold = Self::REASONS + 6,
    /// Processes that were contained.
    Contained = Self::REASONS + 7,
}

impl Counter {
    /// How many counters belong to [`Reason`]s.
    pub const REASONS: u32 = 24;
    /// How many counters there are.
    pub const COUNT: usize = Self::REASONS as usize + 8;

    /// The counters that do not belong to a reason, with their names.
    pub const NAMED: [(Self, &'static str); 8] = [
        (Self::Denied, "denied"),
        (Self::Audited, "audited"),
        (Self::EventsLost, "events-lost"),
        (Self::ViolationsUnlisted, "violations-unlisted"),
        (Self::Judged, "judged"),
        (Self::Learned, "learned"),
        (Self::Untold, "untold"),
        (Self::Contained, "contained"),
    ];
}

const _: () = assert!(Reason::ALL.len() <= Counter::REASONS as usize);

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{Counter, Reason};

    #[test]
    fn reasons_are_numbered_and_named_once() {
        let mut names = HashSet::new();
        for (number, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, number);
            assert!(names.insert(reason.name()), "{} twice", reason.name());
        }
    }

    #[test]
    fn counters_are_numbered_after_the_reasons() {
        for (number, (counter, _)) in Counter::NAMED.into_iter().enumerate() {
            assert_eq!(counter as usize, Counter::REASONS as usize + number);
        }
        assert_eq!(
            Counter::NAMED.len() + Counter::REASONS as usize,
            Counter::COUNT
        );
    }
}
