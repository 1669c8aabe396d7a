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

/// Slots for profiles, slot 0 included.
pub const SLOTS: usize = 1024;

/// Words in a table of each size class, from the smallest. A word has 4 bytes.
/// Powers of two, so that a mask keeps an index inside; the largest is what the
/// oldest kernels give a map value (`KMALLOC_MAX_SIZE`, 4 MiB).
pub const TABLE_WORDS: [usize; 3] = [1 << 14, 1 << 17, 1 << 20];

/// Size classes of tables.
pub const TABLE_CLASSES: usize = TABLE_WORDS.len();

/// Outcomes of all loaded tables together; each has a hit counter on each CPU,
/// of 16 bytes.
pub const OUTCOMES: usize = 1 << 14;

/// Distinct violations that are counted one by one. Past it, they are counted
/// in total ([`crate::Counter::ViolationsUnlisted`]).
pub const VIOLATIONS: usize = 1 << 14;

/// Bytes of the ring buffer from the kernel to the agent.
pub const EVENTS_BYTES: usize = 1 << 20;

/// Bytes for a path in the short form of an event. A path that does not leave one
/// of them free makes a long event.
pub const SHORT_PATH_LEN: usize = 256;

/// How often a walk that raced with a rename or a mount is tried in all.
pub const WALK_TRIES: u32 = 4;

const _: () = {
    assert!(TABLE_WORDS[0].is_power_of_two());
    assert!(TABLE_WORDS[1].is_power_of_two());
    assert!(TABLE_WORDS[2].is_power_of_two());
    assert!(TABLE_WORDS[TABLE_CLASSES - 1] * 4 <= 4 << 20);
};
