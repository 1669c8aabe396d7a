//! The tables of each size class, by slot.

use aya::{
    Ebpf,
    maps::{Array, ArrayOfMaps, Map, MapData, MapError},
};
use enforcer_abi::{
    Slot,
    limits::{SLOTS, TABLE_WORDS},
};
use zerocopy::FromZeros as _;

use super::{AccessError, LoadError, failed, plain::Plain, workers};

/// Tables that are put in at once.
///
/// After each, the kernel waits until no program runs that may have met the one before
/// (`synchronize_rcu`): some 10 ms in which nothing is done. Who waits at the same time
/// waits for the same.
const AT_ONCE: usize = 64;

/// The maps, in this order.
const NAMES: [&str; 4] = ["CLASSES", "TABLES_SMALL", "TABLES_MEDIUM", "TABLES_LARGE"];

/// The maps by their ids, by which each thread opens them.
pub(super) struct TableMaps([u32; NAMES.len()]);

/// The maps, open.
struct Open {
    classes: Array<MapData, u32>,
    small: Tables<{ TABLE_WORDS[0] }>,
    medium: Tables<{ TABLE_WORDS[1] }>,
    large: Tables<{ TABLE_WORDS[2] }>,
}

type Tables<const WORDS: usize> = ArrayOfMaps<MapData, Array<MapData, Plain<[u32; WORDS]>>>;

impl TableMaps {
    /// Finds the maps among those that were loaded. They stay as long as the programs.
    pub(super) fn find(ebpf: &Ebpf) -> Result<Self, LoadError> {
        let mut ids = [0; NAMES.len()];
        for (id, name) in ids.iter_mut().zip(NAMES) {
            let missing = |source| LoadError::Map { map: name, source };
            let Some(Map::Array(data) | Map::ArrayOfMaps(data)) = ebpf.map(name) else {
                return Err(missing(None));
            };
            let info = data.info();
            *id = info.map_err(|source| missing(Some(Box::new(source))))?.id();
        }
        Ok(Self(ids))
    }

    /// Puts tables into their slots.
    pub(super) fn set(&self, tables: &[(Slot, &[u32])]) -> Result<(), AccessError> {
        workers::share(tables.len().min(AT_ONCE), tables.iter(), |mine| {
            let mut maps = self.open()?;
            for (slot, words) in mine {
                maps.set(*slot, words)?;
            }
            Ok(())
        })
    }

    fn open(&self) -> Result<Open, AccessError> {
        let [classes, small, medium, large] = self.0;
        let data = |id, name| MapData::from_id(id).map_err(failed("open", name));
        let of_maps = |id, name| data(id, name).map(Map::ArrayOfMaps);
        let [name, of_small, of_medium, of_large] = NAMES;
        Ok(Open {
            classes: Map::Array(data(classes, name)?)
                .try_into()
                .map_err(failed("open", name))?,
            small: of_maps(small, of_small)?
                .try_into()
                .map_err(failed("open", of_small))?,
            medium: of_maps(medium, of_medium)?
                .try_into()
                .map_err(failed("open", of_medium))?,
            large: of_maps(large, of_large)?
                .try_into()
                .map_err(failed("open", of_large))?,
        })
    }
}

impl Open {
    fn set(&mut self, slot: Slot, words: &[u32]) -> Result<(), AccessError> {
        if slot.0 as usize >= SLOTS {
            return Err(AccessError::NoSuchSlot { slot });
        }
        let class = TABLE_WORDS
            .into_iter()
            .position(|capacity| words.len() <= capacity)
            .ok_or(AccessError::TableTooLong { words: words.len() })?;
        let [classes, small, medium, large] = NAMES;
        match class {
            0 => insert(&mut self.small, small, slot, words)?,
            1 => insert(&mut self.medium, medium, slot, words)?,
            _ => insert(&mut self.large, large, slot, words)?,
        }
        // Only now: until here the slot's old class has the old table.
        #[expect(clippy::cast_possible_truncation, reason = "a class is below 3")]
        self.classes
            .set(slot.0, class as u32, 0)
            .map_err(failed("write", classes))
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
