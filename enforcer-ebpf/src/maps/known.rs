//! What is remembered of objects.
//!
//! An entry has no lock. It proves itself by a checksum over all of its words and the
//! number of the domain: what two processors wrote at once is no entry. So it holds
//! whatever the order in which a processor shows its writes.

#![expect(unsafe_code, reason = "maps hand out raw pointers")]

use core::{
    cell::UnsafeCell,
    ptr::{read_volatile, write_volatile},
};

use aya_ebpf::{bindings::BPF_NOEXIST, btf_maps::LruHashMap, macros::btf_map};
use enforcer_abi::{
    Access, Domain,
    limits::{BIRTHS, DOMAINS as NUMBERED, KNOWN as ENTRIES, PATH_LEN, WALK_STEPS},
    offsets::Features,
};

use super::Shared;
use crate::kernel::{self, offset, spread};

/// What is known of an object, as it lies in the map: the checksum, `vfsmount`,
/// `dentry`, and what [`Key`] and [`Known`] say.
type Entry = [u64; 8];

/// Objects of domains, by [`entry`]. Written here alone.
///
/// This and the next are maps of one value each, by their sections: what is at a place is
/// read without a look-up. A value has 4 MiB at most, `KMALLOC_MAX_SIZE`.
#[unsafe(link_section = ".bss.known")]
static KNOWN: Shared<[Entry; ENTRIES]> = Shared(UnsafeCell::new([[0; 8]; ENTRIES]));

/// How often a `struct dentry` was given an inode, by [`births`]: those at one place share
/// a count, which then tells too much and never too little.
#[unsafe(link_section = ".bss.born")]
static BORN: Shared<[u64; BIRTHS]> = Shared(UnsafeCell::new([0; BIRTHS]));

const _: () = assert!(size_of::<[Entry; ENTRIES]>() <= 4 << 20);

/// Numbers of domains. Written here alone.
#[btf_map]
static DOMAINS: LruHashMap<Domain, u64, NUMBERED> = LruHashMap::new();

/// What an entry is of, and when it holds.
#[derive(Clone, Copy)]
pub(crate) struct Key {
    /// The domain's number, or [`Key::OF_NO_DOMAIN`].
    pub(crate) domain: u64,
    /// The object: `struct vfsmount *` (0: by whatever mount) and `struct dentry *`.
    pub(crate) object: [u64; 2],
    /// The version of the profiles, [`enforcer_abi::Subjects::version`].
    pub(crate) version: u32,
}

/// What is known of an object.
#[derive(Clone, Copy)]
pub(crate) struct Known {
    /// The sequence counts of renames and of mounts for which it is so.
    pub(crate) sequences: u64,
    /// The mark of the object's way.
    pub(crate) mark: u64,
    /// The state of each layer's table, side by side.
    pub(crate) states: u64,
    /// The rights that every layer grants and that are noted as used; and [`STAYS`].
    pub(crate) granted: Access,
    /// Whether the states are those of all that lies beneath, too.
    pub(crate) is_uniform: bool,
    /// Bytes of the object's path.
    pub(crate) len: u32,
    /// Names and mount points on its way.
    pub(crate) steps: u32,
}

/// Stands among the rights: who runs the object stays under its profile, since no rule
/// leads to another.
pub(crate) const STAYS: Access = Access(1 << 31);

const _: () = assert!(Access::ALL.0 & STAYS.0 == 0);

/// What stands beside [`Known::granted`].
const UNIFORM: u64 = 1 << 32;
const LEN_SHIFT: u32 = 33;
const STEPS_SHIFT: u32 = 45;
/// The most that there is room for.
const LIMIT: u32 = (1 << 12) - 1;

const _: () = assert!(PATH_LEN <= LIMIT as usize && WALK_STEPS <= LIMIT);

impl Known {
    /// Nothing but that it was there.
    pub(crate) const NOTHING: Self = Self {
        sequences: 0,
        mark: 0,
        states: 0,
        granted: Access::NONE,
        is_uniform: false,
        len: 0,
        steps: 0,
    };

    #[inline(always)]
    fn last_word(&self) -> u64 {
        u64::from(self.granted.0)
            | if self.is_uniform { UNIFORM } else { 0 }
            | u64::from(self.len) << LEN_SHIFT
            | u64::from(self.steps) << STEPS_SHIFT
    }
}

/// Whether anything is remembered: nothing is where nobody would tell that it is stale, or
/// where the agent was asked for it.
#[inline(always)]
pub(crate) fn remembers() -> bool {
    offset!(features) & Features::REMEMBERS != 0
}

impl Key {
    /// The domain of what is the same for all: which profile claims a program.
    pub(crate) const OF_NO_DOMAIN: u64 = 0;

    /// What is remembered under this key, at whatever sequence counts.
    #[inline(always)]
    pub(crate) fn recall(&self) -> Option<Known> {
        let [vfsmount, dentry] = self.object;
        let spread = spread(dentry);
        let times = self.times(spread);
        let mixed = self.mix(spread);
        let entry = entry(mixed);
        let word = |at| {
            // SAFETY: inside the entry.
            let word = unsafe { entry.add(at) };
            // SAFETY: as before. Others may write to it meanwhile: each word is read once,
            // and the checksum tells whether they belong together.
            unsafe { read_volatile(word) }
        };
        if word(2) != dentry || word(1) != vfsmount || word(4) != times {
            return None;
        }
        let [sequences, mark, states, last] = [word(3), word(5), word(6), word(7)];
        if word(0) != checksum(mixed, vfsmount, [times, sequences, mark, states, last]) {
            return None;
        }
        Some(Known {
            sequences,
            mark,
            states,
            granted: Access(last as u32),
            is_uniform: last & UNIFORM != 0,
            len: (last >> LEN_SHIFT) as u32 & LIMIT,
            steps: (last >> STEPS_SHIFT) as u32 & LIMIT,
        })
    }

    /// Remembers.
    #[inline(always)]
    pub(crate) fn remember(&self, known: &Known) {
        let [vfsmount, dentry] = self.object;
        let spread = spread(dentry);
        let times = self.times(spread);
        let mixed = self.mix(spread);
        let entry = entry(mixed);
        let last = known.last_word();
        let proved = [times, known.sequences, known.mark, known.states, last];
        let words = [
            checksum(mixed, vfsmount, proved),
            vfsmount,
            dentry,
            known.sequences,
            times,
            known.mark,
            known.states,
            last,
        ];
        for (at, word) in words.into_iter().enumerate() {
            // SAFETY: inside the entry.
            let place = unsafe { entry.add(at) };
            // SAFETY: as before; see `recall`.
            unsafe { write_volatile(place, word) };
        }
    }

    /// What tells the key from others, but for the upper half of the mount's address.
    #[inline(always)]
    fn mix(&self, spread: u64) -> u64 {
        // One dentry is known by several mounts.
        let [vfsmount, _dentry] = self.object;
        spread
            .wrapping_add(self.domain)
            .wrapping_add(vfsmount << 32)
    }

    #[inline(always)]
    fn times(&self, spread: u64) -> u64 {
        // SAFETY: a word of the map, which others count in.
        let born = unsafe { read_volatile(births(spread)) };
        born << 32 | u64::from(self.version)
    }
}

/// The entry of a key.
#[inline(always)]
fn entry(mixed: u64) -> *mut u64 {
    const { assert!(ENTRIES.is_power_of_two()) };
    let place = (mixed >> 40) as usize & (ENTRIES - 1);
    let entries: *mut Entry = KNOWN.0.get().cast();
    // SAFETY: there are so many.
    unsafe { entries.add(place) }.cast()
}

/// What proves that words belong together, and to a key.
#[inline(always)]
fn checksum(mixed: u64, vfsmount: u64, words: [u64; 5]) -> u64 {
    let mut sum = mixed ^ vfsmount;
    for word in words {
        // No step loses anything of what was there.
        sum = spread(sum ^ word);
    }
    sum
}

/// The count of a dentry.
#[inline(always)]
fn births(spread: u64) -> *mut u64 {
    const { assert!(BIRTHS.is_power_of_two()) };
    let place = (spread >> 32) as usize & (BIRTHS - 1);
    let counts: *mut u64 = BORN.0.get().cast();
    // SAFETY: there are so many.
    unsafe { counts.add(place) }
}

/// Notes that the `struct dentry` at an address is given an inode: whatever is
/// remembered of it is of another.
#[inline(always)]
pub(crate) fn born(dentry: u64) {
    kernel::atomic_add(births(spread(dentry)), 1);
}

/// The number of a domain; 0 if there is no room for one.
#[inline(always)]
pub(crate) fn number(domain: &Domain) -> u64 {
    if let Some(number) = find(domain) {
        return number;
    }
    let drawn = kernel::random();
    // Another may have been first; then its number counts.
    let _result = DOMAINS.insert(domain, drawn, BPF_NOEXIST.into());
    find(domain).unwrap_or(0)
}

#[inline(always)]
fn find(domain: &Domain) -> Option<u64> {
    // SAFETY: a value is written once.
    unsafe { DOMAINS.get(domain) }.copied()
}
