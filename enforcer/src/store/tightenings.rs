//! Statements on tightenings.

use jiff::Timestamp;
use rusqlite::params;

use super::{
    Store, StoreError,
    detections::{nanoseconds, timestamp},
    failed,
};
use crate::{
    detection::TighteningId,
    tighten::overlay::{Overlay, OverlayState},
};

/// One entry of the tightenings' log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// Which tightening.
    pub tightening: TighteningId,
    /// The profile that it tightens.
    pub profile: String,
    /// The state that it has since then.
    pub state: String,
    /// What brought it there.
    pub cause: String,
}

/// What mirroring an overlay changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mirrored {
    /// Its state, or everything: it is new.
    State,
    /// At most the detections it names.
    Nothing,
}

const UPSERT: &str = "
INSERT INTO tightenings (id, profile, state, created_ns, reason, removals)
VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (id) DO UPDATE SET
    profile = excluded.profile, state = excluded.state, created_ns = excluded.created_ns,
    reason = excluded.reason, removals = excluded.removals";

const LINK: &str =
    "INSERT OR IGNORE INTO tightening_detections (tightening, detection) VALUES (?1, ?2)";

const CHANGE: &str =
    "INSERT INTO tightening_changes (tightening, at_ns, state, cause) VALUES (?1, ?2, ?3, ?4)";

const LOG: &str = "
SELECT at_ns, tightening, profile, tightening_changes.state, cause
FROM tightening_changes JOIN tightenings ON tightenings.id = tightening
ORDER BY tightening_changes.id";

impl Store {
    /// Takes over what an overlay's file says. A change of its state is logged
    /// with its `cause`.
    pub fn mirror(
        &mut self,
        overlay: &Overlay,
        at: Timestamp,
        cause: &str,
    ) -> Result<Mirrored, StoreError> {
        let removals =
            serde_json::to_string(&overlay.removals).map_err(|source| StoreError::Value {
                what: "the removals of a tightening",
                source,
            })?;
        self.upsert(overlay, &removals, at, cause)
            .map_err(failed("record a tightening"))
    }

    fn upsert(
        &mut self,
        overlay: &Overlay,
        removals: &str,
        at: Timestamp,
        cause: &str,
    ) -> rusqlite::Result<Mirrored> {
        let id = overlay.id.0;
        let state = overlay.state.name();
        let transaction = self.connection.transaction()?;
        let before = state_of(&transaction, overlay.id)?;
        transaction.prepare_cached(UPSERT)?.execute(params![
            id,
            overlay.profile,
            state,
            nanoseconds(overlay.created),
            overlay.reason,
            removals
        ])?;
        for detection in &overlay.detections {
            transaction
                .prepare_cached(LINK)?
                .execute(params![id, detection.0])?;
        }
        let mirrored = if before.as_deref() == Some(state) {
            Mirrored::Nothing
        } else {
            transaction.prepare_cached(CHANGE)?.execute(params![
                id,
                nanoseconds(at),
                state,
                cause
            ])?;
            Mirrored::State
        };
        transaction.commit()?;
        Ok(mirrored)
    }

    /// Returns the last number that a tightening has had.
    pub fn last_tightening(&self) -> Result<TighteningId, StoreError> {
        self.connection
            .query_row("SELECT coalesce(max(id), 0) FROM tightenings", [], |row| {
                row.get(0).map(TighteningId)
            })
            .map_err(failed("read tightenings"))
    }

    /// Returns every change of every tightening, the oldest first.
    pub fn tightening_log(&self) -> Result<Vec<Change>, StoreError> {
        let read = || {
            self.connection
                .prepare_cached(LOG)?
                .query_map([], |row| {
                    Ok(Change {
                        at: timestamp(row.get(0)?),
                        tightening: TighteningId(row.get(1)?),
                        profile: row.get(2)?,
                        state: row.get(3)?,
                        cause: row.get(4)?,
                    })
                })?
                .collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(failed("read the log of tightenings"))
    }

    /// Marks the tightenings whose files are gone, since they no longer hold.
    pub fn forget_missing(
        &mut self,
        present: &[TighteningId],
        at: Timestamp,
    ) -> Result<Vec<TighteningId>, StoreError> {
        self.mark_missing(present, at)
            .map_err(failed("record a tightening"))
    }

    fn mark_missing(
        &mut self,
        present: &[TighteningId],
        at: Timestamp,
    ) -> rusqlite::Result<Vec<TighteningId>> {
        let gone = OverlayState::Reverted.name();
        let transaction = self.connection.transaction()?;
        let known: Vec<i64> = transaction
            .prepare_cached("SELECT id FROM tightenings WHERE state <> ?1 ORDER BY id")?
            .query_map([gone], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let missing: Vec<_> = known
            .into_iter()
            .map(TighteningId)
            .filter(|id| !present.contains(id))
            .collect();
        for id in &missing {
            transaction.execute(
                "UPDATE tightenings SET state = ?2 WHERE id = ?1",
                params![id.0, gone],
            )?;
            transaction.prepare_cached(CHANGE)?.execute(params![
                id.0,
                nanoseconds(at),
                gone,
                "its file was removed"
            ])?;
        }
        transaction.commit()?;
        Ok(missing)
    }
}

/// Returns the state in which the store has a tightening.
fn state_of(
    connection: &rusqlite::Connection,
    id: TighteningId,
) -> rusqlite::Result<Option<String>> {
    use rusqlite::OptionalExtension as _;
    connection
        .prepare_cached("SELECT state FROM tightenings WHERE id = ?1")?
        .query_row([id.0], |row| row.get(0))
        .optional()
}

#[cfg(test)]
mod tests {
    use enforcer_abi::Access;

    use super::{Mirrored, timestamp};
    use crate::{
        detection::{DetectionId, TighteningId},
        profile::Removal,
        store::Store,
        tighten::overlay::{Overlay, OverlayState},
    };

    fn overlay(state: OverlayState, detections: &[i64]) -> Overlay {
        Overlay {
            id: TighteningId(4),
            profile: "nginx".to_owned(),
            created: timestamp(1_000),
            state,
            trial: None,
            since: None,
            detections: detections.iter().copied().map(DetectionId).collect(),
            removals: vec![Removal {
                pattern: "/srv/legacy/**".to_owned(),
                access: Access::READ,
                except: Vec::new(),
            }],
            reason: "unused".to_owned(),
        }
    }

    #[test]
    fn changes_are_logged_once() {
        let base = tempfile::tempdir().unwrap();
        let mut store = Store::open(base.path(), "boot").unwrap();
        assert_eq!(store.last_tightening().unwrap(), TighteningId(0));
        #[rustfmt::skip]
        let steps = [
            (OverlayState::Proposed, &[1][..],    Mirrored::State),
            (OverlayState::Proposed, &[1, 2][..], Mirrored::Nothing),
            (OverlayState::Applied,  &[1, 2][..], Mirrored::State),
            (OverlayState::Reverted, &[1, 2][..], Mirrored::State),
        ];
        for (number, (state, detections, want)) in steps.into_iter().enumerate() {
            let at = timestamp(i64::try_from(number).unwrap());
            let got = store
                .mirror(&overlay(state, detections), at, "test")
                .unwrap();
            assert_eq!(got, want, "step {number}");
        }
        let log = store.tightening_log().unwrap();
        let states: Vec<_> = log.iter().map(|change| change.state.as_str()).collect();
        assert_eq!(states, ["proposed", "applied", "reverted"]);
        assert_eq!(log[1].at, timestamp(2));
        assert_eq!(store.last_tightening().unwrap(), TighteningId(4));
    }

    #[test]
    fn a_removed_file_is_noticed() {
        let base = tempfile::tempdir().unwrap();
        let mut store = Store::open(base.path(), "boot").unwrap();
        let applied = overlay(OverlayState::Applied, &[]);
        let _new = store.mirror(&applied, timestamp(1), "test").unwrap();
        #[rustfmt::skip]
        let rounds = [
            ("there",          vec![TighteningId(4)], vec![]),
            ("gone",           vec![],                vec![TighteningId(4)]),
            ("gone, as known", vec![],                vec![]),
        ];
        for (name, present, want) in rounds {
            assert_eq!(
                store.forget_missing(&present, timestamp(2)).unwrap(),
                want,
                "{name}"
            );
        }
    }
}
