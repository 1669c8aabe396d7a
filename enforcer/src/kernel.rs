//! The kernel side, as the agent sees it: load, attach, tables, counters, events.
//!
//! - [`probe`]: what the running kernel can do, and what to do where it cannot
//! - [`btf`]: where the running kernel keeps what the programs read; [`series`]: its
//!   version
//! - [`hooks`]: which programs mediate what; [`preemption`]: whether they may be left
//!   out
//! - `load`: the programs into the kernel, and to their hooks; `patch`: calls of the kernel's functions;
//!   `legacy`: what is other on old kernels
//! - `subjects`: who is confined by what; `tables`: what a profile says
//! - [`events`]: records of the ring buffer; `hits`: what was granted
//! - `workers`: threads that share what is to be done
//! - `plain`: what lets a type of [`enforcer_abi`] be a map's key or value
//!
//! Nothing here knows a profile, and nothing parses or prints.

use aya::{
    Ebpf,
    maps::{Array, HashMap, MapData, MapError, PerCpuArray},
};
use enforcer_abi::{
    Access, Adopted, Counter, Hit, Slot, Subjects, UseKey, ViolationCount, ViolationKey,
};
use rustix::time::ClockId;
use zerocopy::{IntoBytes as _, TryFromBytes as _};

pub mod btf;
mod contained;
mod error;
pub mod events;
mod hits;
pub mod hooks;
mod legacy;
mod load;
mod patch;
mod plain;
pub mod preemption;
pub mod probe;
pub mod series;
mod subjects;
mod tables;
mod workers;

pub use self::{
    error::{AccessError, LoadError},
    events::{Events, ReadError, Record},
    probe::{Facts, Unsupported},
    series::Series,
};
use self::{
    events::EventsMap,
    hits::Hits,
    hooks::{Feature, Pick},
    plain::Plain,
    tables::TableMaps,
};

/// The loaded kernel side. Dropping it detaches every program.
pub struct Kernel {
    // Owns the programs and their links.
    ebpf: Ebpf,
    subjects: Array<MapData, Plain<Subjects>>,
    users: HashMap<MapData, u32, Plain<Slot>>,
    adopted: HashMap<MapData, Plain<Adopted>, Plain<Slot>>,
    released: HashMap<MapData, u64, u64>,
    tables: TableMaps,
    hits: Hits,
    counters: PerCpuArray<MapData, u64>,
    violations: HashMap<MapData, [u8; size_of::<ViolationKey>()], Plain<ViolationCount>>,
    uses: HashMap<MapData, [u8; size_of::<UseKey>()], u32>,
    enrolments: HashMap<MapData, Plain<Adopted>, Plain<Slot>>,
    events: Option<EventsMap>,
    /// Whether the programs have the clock that stops in sleep.
    is_legacy: bool,
    facts: Facts,
    lacks: Vec<Feature>,
    /// Programs that are loaded and not attached: nothing needs them yet.
    idle: Vec<Pick>,
    /// Hooks for metadata which the kernel lacks.
    metadata_missing: Vec<&'static str>,
}

impl std::fmt::Debug for Kernel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kernel")
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}

impl Kernel {
    /// What this host is, and what is attached.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The clock that the programs have.
    pub fn clock(&self) -> ClockId {
        if self.is_legacy {
            ClockId::Monotonic
        } else {
            ClockId::Boottime
        }
    }

    /// The hooks that are not attached, since nothing needs them yet.
    pub fn idle_hooks(&self) -> impl Iterator<Item = &'static str> {
        self.idle.iter().map(|pick| pick.hook.name)
    }

    /// What this kernel cannot do.
    pub fn lacks(&self) -> &[Feature] {
        &self.lacks
    }

    /// The events, once.
    ///
    /// # Errors
    ///
    /// If the runtime cannot wait for the ring buffer, or it was taken before.
    pub fn events(&mut self) -> Result<Events, ReadError> {
        let map = self.events.take().ok_or(ReadError::Taken)?;
        Events::new(map)
    }

    /// Puts a table into `slot`, in place of the one that is there. A task sees
    /// the one or the other, never a mixture.
    ///
    /// # Errors
    ///
    /// If the slot or the table is past its limit, or the kernel has no memory;
    /// the old table then stays.
    pub fn set_table(&mut self, slot: Slot, words: &[u32]) -> Result<(), AccessError> {
        self.set_tables(&[(slot, words)])
    }

    /// As [`Kernel::set_table`] for several slots, in no order: for who has many, since
    /// it waits for all of them at once.
    ///
    /// # Errors
    ///
    /// As [`Kernel::set_table`]. Some of the tables may be in then.
    pub fn set_tables(&mut self, tables: &[(Slot, &[u32])]) -> Result<(), AccessError> {
        self.tables.set(tables)?;
        self.forget()
    }

    /// The hit counters from `first` on, summed over CPUs.
    ///
    /// # Errors
    ///
    /// If one is past [`enforcer_abi::limits::OUTCOMES`].
    pub fn hits(&self, first: u32, count: u32) -> Result<Vec<Hit>, AccessError> {
        (first..first.saturating_add(count))
            .map(|outcome| self.hits.get(outcome))
            .collect()
    }

    /// Sets the hit counters from `first` on to zero.
    ///
    /// # Errors
    ///
    /// As [`Kernel::hits`].
    pub fn clear_hits(&mut self, first: u32, count: u32) -> Result<(), AccessError> {
        (first..first.saturating_add(count)).try_for_each(|outcome| self.hits.clear(outcome))
    }

    /// The rights that each outcome from `first` on granted since this was asked last.
    ///
    /// # Errors
    ///
    /// As [`Kernel::hits`].
    pub fn take_used(&mut self, first: u32, count: u32) -> Result<Vec<Access>, AccessError> {
        (first..first.saturating_add(count))
            .map(|outcome| self.hits.take_used(outcome))
            .collect()
    }

    /// Allows the outcomes from `first` on their looks for the history again. Returns of each
    /// whether it had taken all: what came beyond was not told.
    ///
    /// # Errors
    ///
    /// As [`Kernel::hits`].
    pub fn allow_looks(&mut self, first: u32, count: u32) -> Result<Vec<bool>, AccessError> {
        (first..first.saturating_add(count))
            .map(|outcome| self.hits.allow_looks(outcome))
            .collect()
    }

    /// Forgets of which uses of profiles the agent was told: it is told of each anew.
    ///
    /// # Errors
    ///
    /// If the kernel refuses.
    pub fn forget_uses(&mut self) -> Result<(), AccessError> {
        let told: Vec<_> = self
            .uses
            .keys()
            .collect::<Result<_, _>>()
            .map_err(failed("read", "USES_TOLD"))?;
        for key in told {
            match self.uses.remove(&key) {
                // The kernel drops some by itself.
                Ok(()) | Err(MapError::KeyNotFound) => {}
                Err(source) => return Err(failed("write", "USES_TOLD")(source)),
            }
        }
        // What is remembered as granted is not looked at.
        self.forget()
    }

    /// The distinct violations so far, with how often each happened.
    ///
    /// # Errors
    ///
    /// If the kernel refuses.
    pub fn violations(&self) -> Result<Vec<(ViolationKey, ViolationCount)>, AccessError> {
        let ahead = self.behind_ns();
        let shifted = |count: ViolationCount| ViolationCount {
            first_ns: count.first_ns.saturating_add(ahead),
            last_ns: count.last_ns.saturating_add(ahead),
            ..count
        };
        self.violations
            .iter()
            .filter_map(|entry| match entry {
                // The programs write only valid keys.
                Ok((key, Plain(count))) => ViolationKey::try_read_from_bytes(&key)
                    .ok()
                    .map(|key| Ok((key, shifted(count)))),
                Err(source) => Some(Err(failed("read", "VIOLATIONS_SEEN")(source))),
            })
            .collect()
    }

    /// By how much the programs' clock is behind `CLOCK_BOOTTIME`, in nanoseconds.
    fn behind_ns(&self) -> u64 {
        if self.is_legacy {
            legacy::slept_ns()
        } else {
            0
        }
    }

    /// Counts a violation no longer. Should it happen again, it counts from 1 and
    /// is told anew.
    ///
    /// # Errors
    ///
    /// If the kernel refuses.
    pub fn forget_violation(&mut self, key: &ViolationKey) -> Result<(), AccessError> {
        let mut bytes = [0; size_of::<ViolationKey>()];
        bytes.copy_from_slice(key.as_bytes());
        match self.violations.remove(&bytes) {
            Ok(()) | Err(MapError::KeyNotFound) => Ok(()),
            Err(source) => Err(failed("write", "VIOLATIONS_SEEN")(source)),
        }
    }

    /// The counters, summed over CPUs, by their numbers.
    ///
    /// # Errors
    ///
    /// If the kernel refuses.
    pub fn counters(&self) -> Result<Vec<u64>, AccessError> {
        #[expect(clippy::cast_possible_truncation, reason = "a few dozen")]
        let count = Counter::COUNT as u32;
        (0..count)
            .map(|index| {
                let on_cpus = self
                    .counters
                    .get(&index, 0)
                    .map_err(failed("read", "COUNTERS"))?;
                Ok(on_cpus
                    .iter()
                    .fold(0_u64, |sum, value| sum.saturating_add(*value)))
            })
            .collect()
    }
}

fn failed(action: &'static str, map: &'static str) -> impl Fn(MapError) -> AccessError {
    move |source| AccessError::Map {
        action,
        map,
        source: Box::new(source),
    }
}
