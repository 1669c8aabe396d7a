//! Statements on what was observed of profiles: when, and which of their rights were used.

use std::{collections::BTreeSet, time::Duration};

use enforcer_abi::{Access, Hit};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension as _, params};

use super::{
    Store, StoreError,
    detections::{nanoseconds, timestamp},
    failed,
};
use crate::tighten::Usage;

/// A time in which a profile was observed, by its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period(i64);

/// The place of a use that was not looked at, among the rights: a right is a bit.
const UNSEEN: u32 = 0;

impl Store {
    /// Notes that a profile was observed in `period` and has been until now, or is observed
    /// from now on.
    pub fn observe(
        &mut self,
        profile: &str,
        period: Option<Period>,
        now: Timestamp,
    ) -> Result<Period, StoreError> {
        let longer = "UPDATE watched SET to_ns = ?2 WHERE id = ?1 AND from_ns <= ?2 RETURNING id";
        let fresh =
            "INSERT INTO watched (profile, from_ns, to_ns) VALUES (?1, ?2, ?2) RETURNING id";
        let now = nanoseconds(now);
        let write = || {
            let known = period.map_or(Ok(None), |Period(id)| {
                let mut longer = self.connection.prepare_cached(longer)?;
                longer.query_row([id, now], |row| row.get(0)).optional()
            })?;
            match known {
                Some(id) => Ok(id),
                None => self
                    .connection
                    .prepare_cached(fresh)?
                    .query_row(params![profile, now], |row| row.get(0)),
            }
        };
        write()
            .map(Period)
            .map_err(failed("keep how long a profile was observed"))
    }

    /// Returns the time since when a profile was observed for so long, all in all; `None` if
    /// it was not. What was before is forgotten, and so are the uses of its rights.
    pub fn observed_for(
        &mut self,
        profile: &str,
        time: Duration,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        self.since_when(profile, time, now)
            .map_err(failed("read how long a profile was observed"))
    }

    fn since_when(
        &mut self,
        profile: &str,
        time: Duration,
        now: Timestamp,
    ) -> rusqlite::Result<Option<Timestamp>> {
        // A clock that was ahead has left periods that are still to come.
        let select = "
SELECT from_ns, to_ns FROM watched WHERE profile = ?1 AND to_ns <= ?2 ORDER BY to_ns DESC";
        let mut left = SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX);
        let mut select = self.connection.prepare_cached(select)?;
        let mut periods = select.query(params![profile, nanoseconds(now)])?;
        while let Some(period) = periods.next()? {
            let [from, to] = [timestamp(period.get(0)?), timestamp(period.get(1)?)];
            let length = to.duration_since(from);
            if length >= left {
                let since = to.saturating_sub(left).unwrap_or(from);
                for delete in [
                    "DELETE FROM watched WHERE profile = ?1 AND to_ns < ?2",
                    "DELETE FROM rights_in_use WHERE profile = ?1 AND last_ns < ?2",
                ] {
                    self.connection
                        .prepare_cached(delete)?
                        .execute(params![profile, nanoseconds(since)])?;
                }
                return Ok(Some(since));
            }
            left -= length;
        }
        Ok(None)
    }

    /// Notes which rights of a profile were used up to now, and of which patterns some uses
    /// were not looked at for the history.
    pub fn note_used(
        &mut self,
        profile: &str,
        used: &Usage,
        unseen: &BTreeSet<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let insert = "
INSERT INTO rights_in_use (profile, pattern, access, last_ns) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT DO UPDATE SET last_ns = max(last_ns, excluded.last_ns)";
        let mut write = || {
            let transaction = self.connection.transaction()?;
            let now = nanoseconds(now);
            let rights = used
                .iter()
                .flat_map(|(pattern, hit)| hit.used.rights().map(move |right| (pattern, right.0)));
            let unseen = unseen.iter().map(|&pattern| (pattern, UNSEEN));
            for (pattern, right) in rights.chain(unseen) {
                transaction
                    .prepare_cached(insert)?
                    .execute(params![profile, pattern, right, now])?;
            }
            transaction.commit()
        };
        write().map_err(failed("keep when rights were used"))
    }

    /// Returns the rights of a profile that were used since then, by patterns.
    pub fn used_since(&self, profile: &str, since: Timestamp) -> Result<Usage, StoreError> {
        let select =
            "SELECT pattern, access FROM rights_in_use WHERE profile = ?1 AND last_ns >= ?2";
        let since = nanoseconds(since);
        let read = || {
            self.connection
                .prepare_cached(select)?
                .query_map(params![profile, since], |row| {
                    let hit = Hit {
                        used: Access(row.get(1)?),
                        ..Hit::default()
                    };
                    Ok((row.get(0)?, hit))
                })?
                .collect::<rusqlite::Result<_>>()
        };
        read().map_err(failed("read when rights were used"))
    }

    /// Returns the patterns of a profile some of whose uses since then were not looked at.
    pub fn unseen_since(
        &self,
        profile: &str,
        since: Timestamp,
    ) -> Result<BTreeSet<String>, StoreError> {
        let select = "
SELECT pattern FROM rights_in_use WHERE profile = ?1 AND access = ?2 AND last_ns >= ?3";
        let read = || {
            self.connection
                .prepare_cached(select)?
                .query_map(params![profile, UNSEEN, nanoseconds(since)], |row| {
                    row.get(0)
                })?
                .collect::<rusqlite::Result<_>>()
        };
        read().map_err(failed("read which uses were not looked at"))
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, time::Duration};

    use enforcer_abi::{Access, Hit};
    use jiff::Timestamp;

    use super::{Store, Usage};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn only_observed_time_counts() {
        let base = tempfile::tempdir().unwrap();
        let mut store = Store::open(base.path(), "boot").unwrap();
        let observe = |store: &mut Store, from: i64, to: i64| {
            let period = store.observe("p", None, at(from)).unwrap();
            assert_eq!(store.observe("p", Some(period), at(to)).unwrap(), period);
            period
        };
        observe(&mut store, 100, 110);
        let period = observe(&mut store, 200, 220);
        // By a clock that was ahead.
        observe(&mut store, 900, 950);
        store.observe("q", None, at(0)).unwrap();
        // Columns: for how long, at what time, since when.
        let cases = [
            (0, 220, Some(220)),
            (1, 220, Some(219)),
            (20, 220, Some(200)),
            (21, 220, Some(109)),
            (30, 220, Some(100)),
            (31, 220, None),
            (1, 99, None),
        ];
        for (time, now, want) in cases.into_iter().rev() {
            let since = store
                .observed_for("p", Duration::from_secs(time), at(now))
                .unwrap();
            assert_eq!(since, want.map(at), "{time} at {now}");
        }
        assert_eq!(
            store
                .observed_for("p", Duration::from_secs(25), at(220))
                .unwrap(),
            None,
            "what was before 219 is forgotten, but for its own period"
        );
        // A clock that was set back begins another period.
        assert_ne!(store.observe("p", Some(period), at(150)).unwrap(), period);
    }

    #[test]
    fn rights_in_use_are_told_by_their_last_use() {
        let base = tempfile::tempdir().unwrap();
        let mut store = Store::open(base.path(), "boot").unwrap();
        let usage = |pattern: &str, used: Access| -> Usage {
            let hit = Hit {
                used,
                ..Hit::default()
            };
            std::iter::once((pattern.to_owned(), hit)).collect()
        };
        let both = Access::READ | Access::WRITE;
        let none = BTreeSet::new();
        store
            .note_used(
                "p",
                &usage("/a/**", both),
                &BTreeSet::from(["/a/**"]),
                at(10),
            )
            .unwrap();
        store
            .note_used("p", &usage("/a/**", Access::READ), &none, at(20))
            .unwrap();
        store
            .note_used("p", &usage("/b", Access::READ), &none, at(15))
            .unwrap();
        store
            .note_used("q", &usage("/a/**", Access::EXECUTE), &none, at(90))
            .unwrap();
        // Columns: since when, of `/a/**`, of `/b`, whether some of `/a/**` was not seen.
        #[rustfmt::skip]
        let cases = [
            (10, both,         Access::READ, true),
            (11, Access::READ, Access::READ, false),
            (16, Access::READ, Access::NONE, false),
            (21, Access::NONE, Access::NONE, false),
        ];
        for (since, a, b, unseen) in cases {
            let seen = store.unseen_since("p", at(since)).unwrap();
            let used = store.used_since("p", at(since)).unwrap();
            assert_eq!([used.of("/a/**"), used.of("/b")], [a, b], "{since}");
            assert_eq!(seen.contains("/a/**"), unseen, "{since}");
        }
        store.observe("p", None, at(15)).unwrap();
        store.observed_for("p", Duration::ZERO, at(15)).unwrap();
        let kept = store.used_since("p", at(0)).unwrap();
        assert_eq!(
            [kept.of("/a/**"), kept.of("/b")],
            [Access::READ; 2],
            "forgotten"
        );
    }
}
