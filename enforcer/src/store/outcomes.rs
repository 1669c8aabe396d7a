//! Statements on what became of detections.

use rusqlite::params;

use super::{Store, StoreError, failed};
use crate::detection::{DetectionId, State};

const RELEASE: &str = "UPDATE detections SET response = 'released' WHERE id = ?1";

const SETTLE: &str = "UPDATE detections SET state = ?2 WHERE id = ?1";

/// Who was contained under an earlier agent is so no longer.
const END_CONTAINMENTS: &str =
    "UPDATE detections SET response = 'ended' WHERE response = 'contained'";

impl Store {
    /// Notes how far people are with detections. Returns the first that there is not; nothing
    /// is noted then.
    pub fn settle(
        &mut self,
        ids: &[DetectionId],
        state: State,
    ) -> Result<Option<DetectionId>, StoreError> {
        let mut settle = || {
            let transaction = self.connection.transaction()?;
            for id in ids {
                let mut update = transaction.prepare_cached(SETTLE)?;
                if update.execute(params![id.0, state.name()])? == 0 {
                    return Ok(Some(*id));
                }
            }
            transaction.commit()?;
            Ok(None)
        };
        settle().map_err(failed("settle detections"))
    }

    /// Notes that whom a detection contained is released.
    pub fn release(&self, id: DetectionId) -> Result<(), StoreError> {
        self.connection
            .execute(RELEASE, [id.0])
            .map(|_rows| ())
            .map_err(failed("record a release"))
    }

    /// Notes that nobody is contained: the kernel programs were loaded anew.
    pub fn end_containments(&self) -> Result<(), StoreError> {
        self.connection
            .execute(END_CONTAINMENTS, [])
            .map(|_rows| ())
            .map_err(failed("record who is contained"))
    }
}
