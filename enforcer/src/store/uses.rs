//! Statements on the history.

use std::collections::BTreeSet;

use enforcer_abi::{Access, Operation};
use rusqlite::{Row, named_params, params};

use super::{
    Store, StoreError,
    detections::{nanoseconds, timestamp},
    failed, restored, stored,
};
use crate::history::Use;

/// Most objects of a profile that are kept; those beyond that were not used for the longest
/// are forgotten. Each has a path of 4 KiB at most, so a profile's history has 130 MiB
/// whatever a confined process does; some 5 MiB with paths as they are.
pub const KEPT: usize = 1 << 15;

const INSERT: &str = "
INSERT INTO uses (
    profile, program, boot, lineage, path, operations, access, granted, build, first_ns, last_ns, told
) VALUES (
    :profile, :program, :boot, :lineage, :path, :operations, :access, :granted, :build, :first, :last, :told
)
ON CONFLICT DO UPDATE SET
    operations = operations | excluded.operations,
    access   = access | excluded.access,
    granted  = excluded.granted,
    build    = coalesce(excluded.build, build),
    first_ns = min(first_ns, excluded.first_ns),
    last_ns  = max(last_ns, excluded.last_ns),
    told     = told + excluded.told";

const FORGET: &str = "
DELETE FROM uses WHERE id IN (
    SELECT id FROM uses WHERE profile = ?1 ORDER BY last_ns DESC LIMIT -1 OFFSET ?2
)";

/// Of one profile or all, and of one in whatever mode if ?4 says so. No name of a profile has a
/// sign that `GLOB` knows.
const SELECT: &str = "
SELECT id, profile, program, lineage, path, operations, access, granted, build, first_ns, last_ns, told
FROM uses
WHERE id > ?1 AND (?2 IS NULL OR profile = ?2 OR (?4 AND profile GLOB ?2 || '+*'))
ORDER BY id LIMIT ?3";

impl Store {
    /// Adds to the history, in one transaction.
    pub fn add_uses(&mut self, uses: &[Use]) -> Result<(), StoreError> {
        self.insert_uses(uses).map_err(failed("keep what was used"))
    }

    fn insert_uses(&mut self, uses: &[Use]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        for one in uses {
            transaction.prepare_cached(INSERT)?.execute(named_params! {
                ":profile": one.profile,
                ":program": one.program,
                ":boot": self.boot,
                ":lineage": stored(one.lineage),
                ":path": one.path,
                ":operations": mask(&one.operations),
                ":access": one.access.0,
                ":granted": one.is_granted,
                ":build": one.build,
                ":first": nanoseconds(one.first),
                ":last": nanoseconds(one.last),
                ":told": stored(one.told),
            })?;
        }
        transaction.commit()
    }

    /// Forgets what is beyond `kept` of a profile's objects. Returns how many that were.
    pub fn forget_old_uses(&mut self, profile: &str, kept: usize) -> Result<usize, StoreError> {
        let forget = || {
            let kept = i64::try_from(kept).unwrap_or(i64::MAX);
            let mut statement = self.connection.prepare_cached(FORGET)?;
            statement.execute(params![profile, kept])
        };
        forget().map_err(failed("forget what was used long ago"))
    }

    /// Returns the history after a place in it, of one profile or of all, `count` objects
    /// at most, each with its place.
    pub fn uses(
        &self,
        after: i64,
        profile: Option<&str>,
        count: u32,
    ) -> Result<Vec<(i64, Use)>, StoreError> {
        self.select_uses(after, profile, count, false)
    }

    /// Returns the whole history of a profile, in whatever mode.
    pub fn all_uses(&self, profile: &str) -> Result<Vec<Use>, StoreError> {
        let all = self.select_uses(0, Some(profile), u32::MAX, true)?;
        Ok(all.into_iter().map(|(_, one)| one).collect())
    }

    fn select_uses(
        &self,
        after: i64,
        profile: Option<&str>,
        count: u32,
        in_any_mode: bool,
    ) -> Result<Vec<(i64, Use)>, StoreError> {
        let read = || {
            self.connection
                .prepare_cached(SELECT)?
                .query_map(params![after, profile, count, in_any_mode], one)?
                .collect::<rusqlite::Result<_>>()
        };
        read().map_err(failed("read what was used"))
    }
}

fn one(row: &Row<'_>) -> rusqlite::Result<(i64, Use)> {
    let at = row.get(0)?;
    let one = Use {
        profile: row.get(1)?,
        program: row.get(2)?,
        lineage: restored(row.get(3)?),
        path: row.get(4)?,
        operations: unmask(row.get(5)?),
        access: Access(row.get(6)?),
        is_granted: row.get(7)?,
        build: row.get(8)?,
        first: timestamp(row.get(9)?),
        last: timestamp(row.get(10)?),
        told: restored(row.get(11)?),
    };
    Ok((at, one))
}

/// Operations as a number, a bit for each by its own number.
fn mask(operations: &BTreeSet<Operation>) -> i64 {
    let bits = operations.iter().map(|&one| 1 << one as u32);
    bits.fold(0, |all, bit: i64| all | bit)
}

/// The inverse of [`mask`].
fn unmask(mask: i64) -> BTreeSet<Operation> {
    let all = Operation::ALL.iter().copied();
    all.filter(|&one| mask & 1 << one as u32 != 0).collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{Access, Operation, Store, Use};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn used(path: &str, access: Access, second: i64) -> Use {
        Use {
            profile: "p".to_owned(),
            program: b"/bin/a".to_vec(),
            build: Some("ab".to_owned()),
            lineage: 7,
            path: path.as_bytes().to_vec(),
            operations: [Operation::Open].into(),
            access,
            is_granted: true,
            first: at(second),
            last: at(second),
            told: 1,
        }
    }

    #[test]
    fn what_is_told_again_is_added_up() {
        let base = tempfile::tempdir().unwrap();
        let mut store = Store::open(base.path(), "boot").unwrap();
        let first = used("/a", Access::READ, 10);
        let later = Use {
            build: None,
            is_granted: false,
            operations: [Operation::Bind].into(),
            ..used("/a", Access::WRITE, 20)
        };
        let other = Use {
            lineage: 8,
            ..used("/a", Access::READ, 15)
        };
        let more = [later, other.clone()];
        store.add_uses(std::slice::from_ref(&first)).unwrap();
        store.add_uses(&more).unwrap();
        let sum = Use {
            operations: [Operation::Open, Operation::Bind].into(),
            access: Access::READ | Access::WRITE,
            is_granted: false,
            last: at(20),
            told: 2,
            ..first
        };
        let uses = |after, profile| -> Vec<Use> {
            let found = store.uses(after, profile, 10).unwrap();
            found.into_iter().map(|(_, one)| one).collect()
        };
        assert_eq!(uses(0, None), [sum.clone(), other.clone()]);
        assert_eq!(uses(0, Some("p")), [sum, other.clone()]);
        assert_eq!(uses(0, Some("q")), []);
        let (first, _) = store.uses(0, None, 1).unwrap().remove(0);
        assert_eq!(uses(first, None), [other]);
    }

    #[test]
    fn what_was_not_used_for_the_longest_is_forgotten() {
        let base = tempfile::tempdir().unwrap();
        let mut store = Store::open(base.path(), "boot").unwrap();
        let uses = [("/old", 1), ("/new", 3), ("/middle", 2)];
        let uses = uses.map(|(path, second)| used(path, Access::READ, second));
        let another = Use {
            profile: "q".to_owned(),
            ..used("/another", Access::READ, 0)
        };
        store.add_uses(&uses).unwrap();
        store.add_uses(&[another]).unwrap();
        assert_eq!(store.forget_old_uses("p", 3).unwrap(), 0);
        assert_eq!(store.forget_old_uses("p", 2).unwrap(), 1);
        let left = store.uses(0, None, 10).unwrap().into_iter();
        let left: Vec<_> = left.map(|(_, one)| one.path).collect();
        assert_eq!(left, [&b"/new"[..], b"/middle", b"/another"]);
    }
}
