//! Every capacity and length, with its unit and reason.
//!
//! Beyond a limit a confined task is refused, with a reason of its own, and the
//! agent refuses a profile.

/// Layers of a domain: user, application, process.
pub const LAYERS: usize = 3;

/// Longest path that can be judged, in bytes without a final NUL: one less than
/// the kernel's `PATH_MAX`, which counts the NUL.
pub const PATH_LEN: usize = 4095;

/// Most names and mount points on the way from an object to the top of its
/// mount tree. A path of [`PATH_LEN`] bytes has at most 2,048 names, and 64
/// mounts on the way are to be expected in containers.
pub const WALK_STEPS: u32 = 2048 + 128;

/// Longest file name, in bytes: the kernel's `NAME_MAX`.
pub const NAME_LEN: usize = 255;

/// Slots for tables: those of profiles, and the two of [`crate::Slot`] that hold
/// none.
pub const SLOTS: usize = 1024;

/// Words in a table of each size class, from the smallest. A word has 4 bytes.
/// Powers of two, so that a mask keeps an index inside; the largest is what the
/// oldest kernels give a map value (`KMALLOC_MAX_SIZE`, 4 MiB).
pub const TABLE_WORDS: [usize; 3] = [1 << 14, 1 << 17, 1 << 20];

/// Size classes of tables.
pub const TABLE_CLASSES: usize = TABLE_WORDS.len();

/// Users that profiles name.
pub const USERS: usize = 1024;

/// Running processes that were put under a profile, at once.
pub const ADOPTED: usize = 4096;

/// Most mounts of one file system in one mount namespace among which a name is
/// looked for, where the kernel tells an object without the mount by which it was
/// reached.
pub const MOUNTS: u32 = 128;

/// How many mounts of other namespaces are passed over for each of them.
pub const MOUNTS_BETWEEN: u32 = 64;

/// Most descriptors that stay open over an exec that changes the domain. A gap of
/// 1,024 closed ones counts as one.
pub const DESCRIPTORS: u32 = 1024;

/// Most levels of cgroups.
pub const CGROUP_LEVELS: u32 = 64;

/// Outcomes of all loaded tables together; each has a hit counter on each CPU,
/// of 16 bytes. A profile that is changed has those of three tables for a moment: the
/// new one, the one that it replaces, and the one before.
pub const OUTCOMES: usize = 1 << 15;

/// Distinct violations that are counted one by one. Past it, they are counted
/// in total ([`crate::Counter::ViolationsUnlisted`]).
pub const VIOLATIONS: usize = 1 << 14;

/// Distinct uses of profiles that are known as told, [`crate::UseKey`]: of those that were
/// not asked for the longest, the agent is told again.
pub const USES: usize = 1 << 15;

/// Grants of one outcome that are looked at for the history, on one CPU, until the agent
/// allows as many again. What comes beyond is not told: it costs no more than a grant does.
pub const LOOKS: u32 = 256;

/// Deadlines that can pass one after another on one path.
pub const EXPIRIES: u32 = 8;

/// Bytes of the ring buffer from the kernel to the agent.
pub const EVENTS_BYTES: usize = 1 << 20;

/// Records in the queue that stands for the ring buffer before Linux 5.12.
pub const QUEUED_EVENTS: usize = 1024;

/// Objects that the kernel programs remember, of 64 bytes each. What finds its place
/// taken takes it over.
pub const KNOWN: usize = 1 << 16;

/// Counters that tell whether a `struct dentry` was made anew since.
pub const BIRTHS: usize = 1 << 16;

/// Domains that have a number at once. One that was pushed out gets a new number.
pub const DOMAINS: usize = 4096;

/// Places for labels of tasks, confined or not, of 168 bytes each.
pub const SEATS: usize = 1 << 16;

/// Places for labels of tasks whose own is taken.
pub const SPARE_SEATS: usize = 1 << 14;

/// How many of these are tried. While half of them are taken, all tries fail once in
/// 2^32 times.
pub const SEAT_TRIES: u32 = 32;

/// Processes that are contained at once, so that their threads know. What the process
/// itself is does not depend on it, nor what it starts: past this number, less 128 places that
/// each processor may hold, threads that did nothing since the oldest was contained no
/// longer learn of it.
pub const CONTAINED: usize = 4096;

/// Violations after which whom they contained was released. Who did nothing since, past
/// this number of others, has to be released again.
pub const RELEASED: usize = 4096;

/// Bytes for a path in the short form of an event. A path that does not leave one
/// of them free makes a long event.
pub const SHORT_PATH_LEN: usize = 256;

/// Scratches that each processor has: as many programs can be under way there, all but
/// one preempted.
pub const SCRATCHES_A_CPU: u32 = 4;

/// Scratches for programs that find those of their processor held.
pub const SCRATCHES_FOR_ALL: usize = 256;

/// How many of these are tried. While half of them are held, all tries fail once in
/// 2^32 times.
pub const SCRATCH_TRIES: u32 = 32;

/// How often a program asks for memory. From Linux 7.0 it may get none for a moment,
/// while another processor has the allocator's lock (`kmalloc_nolock`).
pub const MEMORY_TRIES: u32 = 64;

/// How often a walk is tried in all whose own way was changed under it.
pub const WALK_TRIES: u32 = 1024;

/// Nor is it tried anew after this time, in nanoseconds.
pub const WALK_PATIENCE_NS: u64 = 20_000_000;

/// As [`WALK_PATIENCE_NS`], where a name on the way is unreadable all that time: its
/// rename was stopped in the middle, with the processor, as a hypervisor does. The
/// kernel itself waits for it without an end.
pub const WALK_STOPPED_NS: u64 = 500_000_000;

const _: () = {
    assert!(TABLE_WORDS[0].is_power_of_two());
    assert!(TABLE_WORDS[1].is_power_of_two());
    assert!(TABLE_WORDS[2].is_power_of_two());
    assert!(TABLE_WORDS[TABLE_CLASSES - 1] * 4 <= 4 << 20);
};
