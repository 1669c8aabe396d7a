//! The kernel side, as the agent sees it: load, attach, tables, counters, events.
//!
//! - [`probe`]: what the running kernel can do, and what to do where it cannot
//! - [`btf`]: where the running kernel keeps what the programs read
//! - [`events`]: records of the ring buffer
//! - `plain`: what lets a type of [`enforcer_abi`] be a map's key or value
//!
//! Nothing here knows a profile, and nothing parses or prints.

use std::os::fd::{AsRawFd as _, BorrowedFd};

use aya::{
    Btf, Ebpf, EbpfLoader,
    maps::{
        Array, ArrayOfMaps, HashMap, Map, MapData, MapError, PerCpuArray, PerCpuValues, RingBuf,
    },
    programs::Lsm,
};
use enforcer_abi::{
    Counter, Hit, Slot, ViolationCount, ViolationKey,
    limits::{SLOTS, TABLE_WORDS},
};
use zerocopy::{FromZeros as _, IntoBytes as _, TryFromBytes as _};

pub mod btf;
mod error;
pub mod events;
mod plain;
pub mod probe;

use self::plain::Plain;
pub use self::{
    error::{AccessError, LoadError},
    events::{Events, ReadError, Record},
    probe::{Facts, Unsupported},
};

/// The kernel programs, if `cargo xtask build` made this binary; else nothing.
static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/enforcer.bpf.o"));

/// The hooks that are attached. A program has its hook's name.
pub const HOOKS: [&str; 5] = [
    "file_open",
    "path_mknod",
    "bprm_check_security",
    "bprm_committed_creds",
    "task_alloc",
];

type Tables<const WORDS: usize> = ArrayOfMaps<MapData, Array<MapData, Plain<[u32; WORDS]>>>;

/// The loaded kernel side. Dropping it detaches every program.
pub struct Kernel {
    // Owns the programs and their links.
    _ebpf: Ebpf,
    epoch: Array<MapData, u32>,
    classes: Array<MapData, u32>,
    small: Tables<{ TABLE_WORDS[0] }>,
    medium: Tables<{ TABLE_WORDS[1] }>,
    large: Tables<{ TABLE_WORDS[2] }>,
    hits: PerCpuArray<MapData, Plain<Hit>>,
    counters: PerCpuArray<MapData, u64>,
    violations: HashMap<MapData, [u8; size_of::<ViolationKey>()], Plain<ViolationCount>>,
    enrolments: HashMap<MapData, i32, Plain<Slot>>,
    events: Option<RingBuf<MapData>>,
    facts: Facts,
}

impl std::fmt::Debug for Kernel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kernel")
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}

impl Kernel {
    /// Loads the programs and attaches them. They do nothing before
    /// [`Kernel::advance_epoch`].
    ///
    /// # Errors
    ///
    /// [`LoadError::Unsupported`] where this host cannot enforce, with the remedy.
    pub fn load() -> Result<Self, LoadError> {
        if OBJECT.is_empty() {
            return Err(LoadError::NoObject);
        }
        let (facts, offsets) = probe::host()?;
        let btf = Btf::from_sys_fs().map_err(|source| LoadError::Btf { source })?;
        let offsets = Plain(offsets);
        let mut ebpf = EbpfLoader::new()
            .btf(Some(&btf))
            .allow_unsupported_maps()
            .override_global("OFFSETS", &offsets, true)
            .load(OBJECT)
            .map_err(|source| LoadError::Object {
                source: Box::new(source),
            })?;
        for hook in HOOKS {
            attach(&mut ebpf, hook, &btf)?;
        }
        Ok(Self {
            epoch: map(&mut ebpf, "EPOCH")?,
            classes: map(&mut ebpf, "CLASSES")?,
            small: map(&mut ebpf, "TABLES_SMALL")?,
            medium: map(&mut ebpf, "TABLES_MEDIUM")?,
            large: map(&mut ebpf, "TABLES_LARGE")?,
            hits: map(&mut ebpf, "HITS")?,
            counters: map(&mut ebpf, "COUNTERS")?,
            violations: map(&mut ebpf, "VIOLATIONS_SEEN")?,
            enrolments: enrolments(&mut ebpf)?,
            events: Some(map(&mut ebpf, "EVENTS")?),
            facts,
            _ebpf: ebpf,
        })
    }

    /// What this host is, and what is attached.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The events, once.
    ///
    /// # Errors
    ///
    /// If the runtime cannot wait for the ring buffer, or it was taken before.
    pub fn events(&mut self) -> Result<Events, ReadError> {
        let ring = self.events.take().ok_or(ReadError::Taken)?;
        Events::new(ring)
    }

    /// Puts a table into `slot`, in place of the one that is there. A task sees
    /// the one or the other, never a mixture.
    ///
    /// # Errors
    ///
    /// If the slot or the table is past its limit, or the kernel has no memory;
    /// the old table then stays.
    pub fn set_table(&mut self, slot: Slot, words: &[u32]) -> Result<(), AccessError> {
        if slot.0 as usize >= SLOTS {
            return Err(AccessError::NoSuchSlot { slot });
        }
        let class = TABLE_WORDS
            .into_iter()
            .position(|capacity| words.len() <= capacity)
            .ok_or(AccessError::TableTooLong { words: words.len() })?;
        match class {
            0 => insert(&mut self.small, "TABLES_SMALL", slot, words)?,
            1 => insert(&mut self.medium, "TABLES_MEDIUM", slot, words)?,
            _ => insert(&mut self.large, "TABLES_LARGE", slot, words)?,
        }
        // Only now: until here the slot's old class has the old table.
        #[expect(clippy::cast_possible_truncation, reason = "a class is below 3")]
        self.classes
            .set(slot.0, class as u32, 0)
            .map_err(failed("write", "CLASSES"))
    }

    /// Makes every task be evaluated again at its next mediated operation.
    ///
    /// # Errors
    ///
    /// If the kernel refuses.
    pub fn advance_epoch(&mut self) -> Result<(), AccessError> {
        let epoch = self.epoch.get(&0, 0).map_err(failed("read", "EPOCH"))?;
        // 0 means that nothing is loaded.
        let next = epoch.wrapping_add(1).max(1);
        self.epoch.set(0, next, 0).map_err(failed("write", "EPOCH"))
    }

    /// The hit counters from `first` on, summed over CPUs.
    ///
    /// # Errors
    ///
    /// If the kernel refuses, as it does past [`enforcer_abi::limits::OUTCOMES`].
    pub fn hits(&self, first: u32, count: u32) -> Result<Vec<Hit>, AccessError> {
        (first..first.saturating_add(count))
            .map(|index| {
                let on_cpus = self.hits.get(&index, 0).map_err(failed("read", "HITS"))?;
                Ok(on_cpus.iter().fold(Hit::default(), |mut sum, Plain(hit)| {
                    sum.count = sum.count.saturating_add(hit.count);
                    sum.used |= hit.used;
                    sum
                }))
            })
            .collect()
    }

    /// Sets the hit counters from `first` on to zero.
    ///
    /// # Errors
    ///
    /// As [`Kernel::hits`].
    pub fn clear_hits(&mut self, first: u32, count: u32) -> Result<(), AccessError> {
        let cpus = aya::util::nr_cpus().map_err(|(_path, source)| AccessError::Map {
            action: "count the CPUs of",
            map: "HITS",
            source: Box::new(MapError::IoError(source)),
        })?;
        for index in first..first.saturating_add(count) {
            let zeros = PerCpuValues::try_from(vec![Plain(Hit::default()); cpus])
                .map_err(|source| failed("clear", "HITS")(MapError::IoError(source)))?;
            self.hits
                .set(index, zeros, 0)
                .map_err(failed("clear", "HITS"))?;
        }
        Ok(())
    }

    /// The distinct violations so far, with how often each happened.
    ///
    /// # Errors
    ///
    /// If the kernel refuses.
    pub fn violations(&self) -> Result<Vec<(ViolationKey, ViolationCount)>, AccessError> {
        self.violations
            .iter()
            .filter_map(|entry| match entry {
                // The programs write only valid keys.
                Ok((key, Plain(count))) => ViolationKey::try_read_from_bytes(&key)
                    .ok()
                    .map(|key| Ok((key, count))),
                Err(source) => Some(Err(failed("read", "VIOLATIONS_SEEN")(source))),
            })
            .collect()
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

    /// Lets the next exec of a process put it under `slot`, in the process layer.
    ///
    /// # Errors
    ///
    /// If the process is gone, or the kernel has no memory.
    pub fn enrol(&mut self, process: BorrowedFd<'_>, slot: Slot) -> Result<(), AccessError> {
        self.enrolments
            .insert(process.as_raw_fd(), Plain(slot), 0)
            .map_err(failed("write", "ENROLMENTS"))
    }
}

fn attach(ebpf: &mut Ebpf, hook: &'static str, btf: &Btf) -> Result<(), LoadError> {
    let program: &mut Lsm = ebpf
        .program_mut(hook)
        .and_then(|program| program.try_into().ok())
        .ok_or(LoadError::NoProgram { hook })?;
    program
        .load(hook, btf)
        .and_then(|()| program.attach())
        .map(drop)
        .map_err(|source| LoadError::Attach {
            hook,
            source: Box::new(source),
        })
}

/// Takes a map out of the object.
fn map<M: TryFrom<Map, Error = MapError>>(
    ebpf: &mut Ebpf,
    name: &'static str,
) -> Result<M, LoadError> {
    let map = ebpf.take_map(name).ok_or(LoadError::Map {
        map: name,
        source: None,
    })?;
    M::try_from(map).map_err(|source| LoadError::Map {
        map: name,
        source: Some(Box::new(source)),
    })
}

/// Takes the task storage of enrolments. The loader has no type for it; from
/// user space it is used as a hash by process descriptor.
fn enrolments(ebpf: &mut Ebpf) -> Result<HashMap<MapData, i32, Plain<Slot>>, LoadError> {
    let name = "ENROLMENTS";
    match ebpf.take_map(name) {
        Some(Map::Unsupported(data)) => {
            HashMap::try_from(Map::HashMap(data)).map_err(|source| LoadError::Map {
                map: name,
                source: Some(Box::new(source)),
            })
        }
        _ => Err(LoadError::Map {
            map: name,
            source: None,
        }),
    }
}

fn insert<const WORDS: usize>(
    tables: &mut Tables<WORDS>,
    name: &'static str,
    slot: Slot,
    words: &[u32],
) -> Result<(), AccessError> {
    let mut inner = Array::create(1, 0).map_err(failed("create a table for", name))?;
    // On the heap: the largest has 4 MiB.
    let mut value = Plain::<[u32; WORDS]>::new_box_zeroed().map_err(|_no_memory| {
        failed("make a table for", name)(MapError::IoError(std::io::ErrorKind::OutOfMemory.into()))
    })?;
    if let Some(start) = value.0.get_mut(..words.len()) {
        start.copy_from_slice(words);
    }
    inner
        .set(0, value.as_ref(), 0)
        .map_err(failed("fill a table for", name))?;
    tables.set(slot.0, &inner, 0).map_err(failed("write", name))
}

fn failed(action: &'static str, map: &'static str) -> impl Fn(MapError) -> AccessError {
    move |source| AccessError::Map {
        action,
        map,
        source: Box::new(source),
    }
}
