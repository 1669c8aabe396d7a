//! Statements on the patterns of profiles.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rusqlite::params;

use super::{
    Store, StoreError,
    detections::{nanoseconds, timestamp},
    failed,
};

impl Store {
    /// Takes in which patterns a profile has now, and returns since when it has each.
    pub fn keep_patterns(
        &mut self,
        profile: &str,
        patterns: &[&str],
        now: Timestamp,
    ) -> Result<BTreeMap<String, Timestamp>, StoreError> {
        self.replace_patterns(profile, patterns, now)
            .map_err(failed("keep the patterns of a profile"))
    }

    fn replace_patterns(
        &mut self,
        profile: &str,
        patterns: &[&str],
        now: Timestamp,
    ) -> rusqlite::Result<BTreeMap<String, Timestamp>> {
        let transaction = self.connection.transaction()?;
        let before: BTreeMap<String, Timestamp> = transaction
            .prepare_cached("SELECT pattern, since_ns FROM patterns WHERE profile = ?1")?
            .query_map([profile], |row| Ok((row.get(0)?, timestamp(row.get(1)?))))?
            .collect::<rusqlite::Result<_>>()?;
        let now_there: BTreeSet<&str> = patterns.iter().copied().collect();
        for gone in before
            .keys()
            .filter(|one| !now_there.contains(one.as_str()))
        {
            transaction
                .prepare_cached("DELETE FROM patterns WHERE profile = ?1 AND pattern = ?2")?
                .execute([profile, gone])?;
        }
        let mut since = BTreeMap::new();
        for &pattern in patterns {
            let known = before.get(pattern).copied();
            if known.is_none() {
                transaction
                    .prepare_cached(
                        "INSERT OR IGNORE INTO patterns (profile, pattern, since_ns) VALUES (?1, ?2, ?3)",
                    )?
                    .execute(params![profile, pattern, nanoseconds(now)])?;
            }
            since.insert(pattern.to_owned(), known.unwrap_or(now));
        }
        transaction.commit()?;
        Ok(since)
    }
}

#[cfg(test)]
mod tests {
    use super::{Store, Timestamp};

    #[test]
    fn a_pattern_that_went_away_is_new_when_it_comes_back() {
        let base = tempfile::tempdir().unwrap();
        let mut store = Store::open(base.path(), "boot").unwrap();
        let at = |second| Timestamp::from_second(second).unwrap();
        #[rustfmt::skip]
        let cases: [(&str, &[&str], i64, i64); 5] = [
            ("first",      &["/a", "/b"], 1, 1),
            ("stays",      &["/a", "/b"], 2, 1),
            ("goes",       &["/b"],       3, 0),
            ("comes back", &["/a"],       4, 4),
            ("stays then", &["/a", "/a"], 5, 4),
        ];
        for (name, patterns, now, want) in cases {
            let since = store.keep_patterns("p", patterns, at(now)).unwrap();
            let got = since.get("/a").map_or(0, |since| since.as_second());
            assert_eq!(got, want, "{name}");
            store.keep_patterns("q", &[], at(now)).unwrap();
        }
    }
}
