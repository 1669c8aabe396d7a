//! Statements on detections.

use std::collections::BTreeMap;

use enforcer_abi::{Access, Response};
use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row, params};

use super::{Store, StoreError, failed, restored, stored};
use crate::detection::{
    Ancestor, Detection, DetectionId, State, TighteningId, Who, who::split_arguments,
};

/// Violations that happened since the store last heard of a detection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountUpdate {
    /// The detection.
    pub id: DetectionId,
    /// How many more.
    pub more: u64,
    /// When last.
    pub last: Timestamp,
    /// What the kernel did about them besides refusing.
    pub response: Response,
}

/// How many detections there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// All but those that were only learnt.
    pub total: u64,
    /// Those of them in [`State::Open`].
    pub open: u64,
    /// Those that were only learnt.
    pub learned: u64,
}

const UPDATE_COUNT: &str = "
UPDATE detections SET
    count    = count + ?2,
    last_ns  = max(last_ns, ?3),
    response = iif(?4 = 'none', response, ?4)
WHERE id = ?1";

const SELECT: &str = "
SELECT id, lineage, profile, layer, operation, privilege, requested, missing, path, reason, verdict, response,
    rule, pid, tid, parent, uid, gid, comm, exe, cmdline, cgroup, cgroup_path, first_ns, last_ns, count, state
FROM detections
WHERE id > ?1 AND (?2 IS NULL OR profile = ?2) AND (?4 IS NULL OR last_ns >= ?4)
ORDER BY id LIMIT ?3";

const SELECT_ANCESTORS: &str = "SELECT pid, exe FROM ancestors WHERE detection = ?1 ORDER BY level";

const SELECT_TIGHTENINGS: &str =
    "SELECT tightening FROM tightening_detections WHERE detection = ?1 ORDER BY tightening";

const SUSPECTS: &str = "
SELECT lineage, min(first_ns) FROM detections
WHERE verdict IN ('denied', 'audited') AND state <> 'resolved' AND reason <> 'permitted'
GROUP BY lineage";

const REFUSED: &str = "
SELECT id FROM detections
WHERE lineage = ?1 AND boot = ?2 AND verdict IN ('denied', 'audited') AND state <> 'resolved'
ORDER BY id LIMIT ?3";

/// Detections of one lineage that are looked at.
const REFUSALS: u32 = 256;

const TOTALS: &str = "
SELECT
    count(*) FILTER (WHERE verdict <> 'learned'),
    count(*) FILTER (WHERE verdict <> 'learned' AND state = 'open'),
    count(*) FILTER (WHERE verdict = 'learned')
FROM detections";

impl Store {
    /// Adds to the counts of detections, to all or to none.
    pub fn add_counts(&mut self, updates: &[CountUpdate]) -> Result<(), StoreError> {
        let action = "count violations";
        let transaction = self.connection.transaction().map_err(failed(action))?;
        {
            let mut update = transaction
                .prepare_cached(UPDATE_COUNT)
                .map_err(failed(action))?;
            for update_of in updates {
                let CountUpdate {
                    id,
                    more,
                    last,
                    response,
                } = update_of;
                let last = nanoseconds(*last);
                update
                    .execute(params![id.0, stored(*more), last, response.name()])
                    .map_err(failed(action))?;
            }
        }
        transaction.commit().map_err(failed(action))
    }

    /// Returns the detection with this name.
    pub fn detection(&self, id: DetectionId) -> Result<Option<Detection>, StoreError> {
        let page = self.detections(DetectionId(id.0 - 1), None, 1)?;
        Ok(page.into_iter().find(|detection| detection.id == id))
    }

    /// Returns up to `limit` detections that come after `after`, by their names;
    /// only those of `profile` if one is given.
    pub fn detections(
        &self,
        after: DetectionId,
        profile: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Detection>, StoreError> {
        self.select(after, profile, limit, None)
            .map_err(failed("read detections"))
    }

    /// Returns up to `limit` detections of `profile` that were last seen at `since`
    /// or later.
    pub fn recent_detections(
        &self,
        profile: &str,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<Detection>, StoreError> {
        self.select(DetectionId(0), Some(profile), limit, Some(since))
            .map_err(failed("read detections"))
    }

    fn select(
        &self,
        after: DetectionId,
        profile: Option<&str>,
        limit: u32,
        since: Option<Timestamp>,
    ) -> rusqlite::Result<Vec<Detection>> {
        let mut select = self.connection.prepare_cached(SELECT)?;
        let mut ancestors = self.connection.prepare_cached(SELECT_ANCESTORS)?;
        let mut tightenings = self.connection.prepare_cached(SELECT_TIGHTENINGS)?;
        let mut page = select
            .query_map(
                params![after.0, profile, limit, since.map(nanoseconds)],
                detection,
            )?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        for detection in &mut page {
            let id = detection.id.0;
            detection.who.ancestry = ancestors
                .query_map([id], |row| {
                    Ok(Ancestor {
                        pid: row.get(0)?,
                        exe: row.get(1)?,
                    })
                })?
                .collect::<rusqlite::Result<_>>()?;
            detection.tightenings = tightenings
                .query_map([id], |row| row.get(0).map(TighteningId))?
                .collect::<rusqlite::Result<_>>()?;
        }
        Ok(page)
    }

    /// Returns the name of the last detection there is.
    pub fn last_detection(&self) -> Result<DetectionId, StoreError> {
        self.connection
            .query_row("SELECT max(id) FROM detections", [], |row| row.get(0))
            .optional()
            .map(|id| DetectionId(id.flatten().unwrap_or(0)))
            .map_err(failed("read detections"))
    }

    /// Returns the lineages that something was refused to, or would have been, and nobody
    /// has settled yet, with the time of the first. What a permit let through is no refusal.
    pub fn suspects(&self) -> Result<BTreeMap<u64, Timestamp>, StoreError> {
        let read = || {
            self.connection
                .prepare_cached(SUSPECTS)?
                .query_map([], |row| {
                    Ok((restored(row.get(0)?), timestamp(row.get(1)?)))
                })?
                .collect::<rusqlite::Result<_>>()
        };
        read().map_err(failed("read detections"))
    }

    /// Returns what was refused to a lineage since the machine was started, or would have
    /// been, and nobody has settled yet: the first 256.
    pub fn refused_to(&self, lineage: u64) -> Result<Vec<Detection>, StoreError> {
        let ids = || {
            self.connection
                .prepare_cached(REFUSED)?
                .query_map(params![stored(lineage), self.boot, REFUSALS], |row| {
                    row.get(0).map(DetectionId)
                })?
                .collect::<rusqlite::Result<Vec<_>>>()
        };
        let ids = ids().map_err(failed("read detections"))?;
        let found = ids.into_iter().map(|id| self.detection(id));
        Ok(found
            .collect::<Result<Vec<_>, _>>()?
            .into_iter()
            .flatten()
            .collect())
    }

    /// Counts the detections.
    pub fn totals(&self) -> Result<Totals, StoreError> {
        self.connection
            .query_row(TOTALS, [], |row| {
                Ok(Totals {
                    total: restored(row.get(0)?),
                    open: restored(row.get(1)?),
                    learned: restored(row.get(2)?),
                })
            })
            .map_err(failed("count detections"))
    }
}

/// Reads a row of [`SELECT`], without what other tables hold.
fn detection(row: &Row<'_>) -> rusqlite::Result<Detection> {
    let cmdline: Option<Vec<u8>> = row.get("cmdline")?;
    let state: String = row.get("state")?;
    let privilege: String = row.get("privilege")?;
    Ok(Detection {
        id: DetectionId(row.get("id")?),
        lineage: restored(row.get("lineage")?),
        profile: row.get("profile")?,
        layer: row.get("layer")?,
        operation: row.get("operation")?,
        privilege: (!privilege.is_empty()).then_some(privilege),
        requested: Access(row.get("requested")?),
        missing: Access(row.get("missing")?),
        path: row.get("path")?,
        reason: row.get("reason")?,
        verdict: row.get("verdict")?,
        response: row.get("response")?,
        rule: row.get("rule")?,
        who: Who {
            pid: row.get("pid")?,
            tid: row.get("tid")?,
            parent: row.get("parent")?,
            uid: row.get("uid")?,
            gid: row.get("gid")?,
            comm: row.get("comm")?,
            exe: row.get("exe")?,
            cmdline: cmdline.as_deref().map(split_arguments),
            ancestry: Vec::new(),
            cgroup: restored(row.get("cgroup")?),
            cgroup_path: row.get("cgroup_path")?,
        },
        first_seen: timestamp(row.get("first_ns")?),
        last_seen: timestamp(row.get("last_ns")?),
        count: restored(row.get("count")?),
        // A state that a later version invents still has to be looked at.
        state: State::from_name(&state).unwrap_or(State::Open),
        tightenings: Vec::new(),
    })
}

/// Returns `time` in nanoseconds since 1970, which fit until the year 2262.
pub(super) fn nanoseconds(time: Timestamp) -> i64 {
    i64::try_from(time.as_nanosecond()).unwrap_or(i64::MAX)
}

/// The inverse of [`nanoseconds`].
pub(super) fn timestamp(nanoseconds: i64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(nanoseconds)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
pub(super) mod tests;
