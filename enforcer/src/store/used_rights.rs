//! Statements on the rights that were used.

use enforcer_abi::{Access, Hit};
use rusqlite::params;

use super::{Store, StoreError, failed, restored, stored};
use crate::tighten::Usage;

/// No name of a profile has a sign that `GLOB` knows.
const SELECT: &str = "
SELECT pattern, access, count FROM used_rights WHERE profile = ?1 OR profile GLOB ?1 || '+*'";

impl Store {
    /// Keeps what was used of a profile, in place of what was kept before.
    pub fn keep_usage(&mut self, profile: &str, usage: &Usage) -> Result<(), StoreError> {
        self.replace_usage(profile, usage)
            .map_err(failed("keep which rights were used"))
    }

    fn replace_usage(&mut self, profile: &str, usage: &Usage) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        transaction.execute("DELETE FROM used_rights WHERE profile = ?1", [profile])?;
        let insert =
            "INSERT INTO used_rights (profile, pattern, access, count) VALUES (?1, ?2, ?3, ?4)";
        for (pattern, hit) in usage.iter() {
            transaction.prepare_cached(insert)?.execute(params![
                profile,
                pattern,
                hit.used.0,
                stored(hit.count)
            ])?;
        }
        transaction.commit()
    }

    /// Returns what is kept of a profile's use, in whatever mode.
    pub fn usage(&self, profile: &str) -> Result<Usage, StoreError> {
        let read = || {
            self.connection
                .prepare_cached(SELECT)?
                .query_map([profile], |row| {
                    let hit = Hit {
                        used: Access(row.get(1)?),
                        count: restored(row.get(2)?),
                        looks: 0,
                    };
                    Ok((row.get(0)?, hit))
                })?
                .collect::<rusqlite::Result<_>>()
        };
        read().map_err(failed("read which rights were used"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Access, Hit, Store, Usage};

    #[test]
    fn what_is_kept_comes_back() {
        let base = tempfile::tempdir().unwrap();
        let usage = |pattern: &str, used: Access| -> Usage {
            let hit = Hit {
                count: u64::MAX,
                used,
                looks: 0,
            };
            std::iter::once((pattern.to_owned(), hit)).collect()
        };
        let [first, second] = [usage("/a", Access::READ), usage("/b/**", Access::ALL)];
        let mut store = Store::open(base.path(), "boot").unwrap();
        assert_eq!(store.usage("p").unwrap(), Usage::default(), "nothing yet");
        for (name, kept) in [("the first", &first), ("in its place", &second)] {
            store.keep_usage("p", kept).unwrap();
            assert_eq!(&store.usage("p").unwrap(), kept, "{name}");
        }
        drop(store);
        let mut store = Store::open(base.path(), "boot").unwrap();
        assert_eq!(store.usage("p").unwrap(), second, "after a restart");
        assert_eq!(store.usage("q").unwrap(), Usage::default(), "another's");
        store.keep_usage("p+audit", &first).unwrap();
        store.keep_usage("pp", &usage("/c", Access::ALL)).unwrap();
        let mut all = first.clone();
        all.merge(&second);
        assert_eq!(store.usage("p").unwrap(), all, "in another mode");
    }
}
