//! How many detections are kept, and which go first.
//!
//! A confined process can be refused as many names as it can think of. So what is kept of
//! one lineage under a profile is bounded, and what is kept in all. A detection takes some 750
//! bytes of the file, and 26 KiB where a process makes all that is in it as long as it can be.
//! So refusals of one lineage take 12 MiB, or 420 MiB at worst; all detections 96 MiB, or
//! 3.3 GiB at worst.

use super::{Store, StoreError, failed, restored};
use crate::detection::DetectionId;

/// How many detections are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Of what was refused to one lineage under a profile, or would have been.
    pub refused: u64,
    /// Of what one lineage was let do under a profile that learns.
    pub learned: u64,
    /// In all.
    pub all: u64,
}

/// How many detections are kept in the file.
///
/// Of refusals, as many as the kernel counts one by one
/// ([`enforcer_abi::limits::VIOLATIONS`]): who runs a service settles them long before. A
/// program that is learned may honestly use as many objects as a large source tree has files.
/// In all there is room for two of those, or for eight lineages that are refused all they can be.
pub const ROOM: Room = Room {
    refused: 1 << 14,
    learned: 1 << 16,
    all: 1 << 17,
};

/// Detections that are pruned at one go. Not fewer than are recorded at one go, so that the
/// file does not grow however fast they come.
pub(super) const PRUNED: u32 = 1024;

/// What is settled goes first, what is resolved before what is acknowledged.
const SETTLED: &str = "
SELECT id FROM detections WHERE state <> 'open' ORDER BY state DESC, id LIMIT ?1";

/// Then what is oldest of the profile with the most, so that a flood under one profile takes
/// nothing from the others.
const OLDEST: &str = "
SELECT id FROM detections
WHERE profile = (SELECT profile FROM detections GROUP BY profile ORDER BY count(*) DESC LIMIT 1)
ORDER BY id LIMIT ?1";

const DELETE: &str = "DELETE FROM detections WHERE id = ?1";

impl Store {
    /// Takes away detections that are beyond what is kept in all, [`PRUNED`] at most, and
    /// returns them.
    pub fn prune_detections(&mut self) -> Result<Vec<DetectionId>, StoreError> {
        let beyond = self.kept.saturating_sub(self.room.all);
        let beyond = u32::try_from(beyond).map_or(PRUNED, |beyond| beyond.min(PRUNED));
        if beyond == 0 {
            return Ok(Vec::new());
        }
        self.delete_first(beyond)
            .map_err(failed("prune detections"))
    }

    fn delete_first(&mut self, count: u32) -> rusqlite::Result<Vec<DetectionId>> {
        let transaction = self.connection.transaction()?;
        let first = |statement: &str, limit: u32| -> rusqlite::Result<Vec<i64>> {
            transaction
                .prepare_cached(statement)?
                .query_map([limit], |row| row.get(0))?
                .collect()
        };
        let mut pruned = Vec::new();
        for statement in [SETTLED, OLDEST] {
            let left = count - u32::try_from(pruned.len()).unwrap_or(count);
            let ids = first(statement, left)?;
            for id in &ids {
                transaction.prepare_cached(DELETE)?.execute([id])?;
            }
            pruned.extend(ids);
        }
        transaction.commit()?;
        self.kept = self.kept.saturating_sub(pruned.len() as u64);
        Ok(pruned.into_iter().map(DetectionId).collect())
    }
}

/// Counts all detections there are.
pub(super) fn count(connection: &rusqlite::Connection) -> rusqlite::Result<u64> {
    connection.query_row("SELECT count(*) FROM detections", [], |row| {
        row.get(0).map(restored)
    })
}

#[cfg(test)]
mod tests;
