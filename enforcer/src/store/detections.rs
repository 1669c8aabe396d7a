//! Statements on detections.

use enforcer_abi::Access;
use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row, named_params, params};

use super::{Store, StoreError, failed, restored, stored};
use crate::detection::{
    Ancestor, Detection, DetectionId, Finding, State, TighteningId, Who, who::split_arguments,
};

/// What became of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The detection that it is, or belongs to.
    pub id: DetectionId,
    /// Whether it is the first of its kind.
    pub is_new: bool,
}

/// Violations that happened since the store last heard of a detection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountUpdate {
    /// The detection.
    pub id: DetectionId,
    /// How many more.
    pub more: u64,
    /// When last.
    pub last: Timestamp,
}

/// How many detections there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// All of them.
    pub total: u64,
    /// Those in [`State::Open`].
    pub open: u64,
}

const INSERT: &str = "
INSERT INTO detections (
    boot, lineage, profile, layer, operation, path, missing, reason, verdict, requested, rule,
    pid, tid, parent, uid, gid, comm, exe, cmdline, cgroup, cgroup_path, first_ns, last_ns, count
) VALUES (
    :boot, :lineage, :profile, :layer, :operation, :path, :missing, :reason, :verdict, :requested, :rule,
    :pid, :tid, :parent, :uid, :gid, :comm, :exe, :cmdline, :cgroup, :cgroup_path, :first, :last, :count
)
ON CONFLICT DO UPDATE SET
    first_ns = min(first_ns, excluded.first_ns),
    last_ns  = max(last_ns, excluded.last_ns),
    count    = count + excluded.count
RETURNING id, count";

const INSERT_ANCESTOR: &str =
    "INSERT INTO ancestors (detection, level, pid, exe) VALUES (?1, ?2, ?3, ?4)";

const UPDATE_COUNT: &str =
    "UPDATE detections SET count = count + ?2, last_ns = max(last_ns, ?3) WHERE id = ?1";

const SELECT: &str = "
SELECT id, profile, layer, operation, requested, missing, path, reason, verdict, rule,
    pid, tid, parent, uid, gid, comm, exe, cmdline, cgroup, cgroup_path, first_ns, last_ns, count, state
FROM detections
WHERE id > ?1 AND (?2 IS NULL OR profile = ?2)
ORDER BY id LIMIT ?3";

const SELECT_ANCESTORS: &str =
    "SELECT pid, exe FROM ancestors WHERE detection = ?1 ORDER BY level";

const SELECT_TIGHTENINGS: &str =
    "SELECT tightening FROM tightening_detections WHERE detection = ?1 ORDER BY tightening";

const TOTALS: &str = "SELECT count(*), count(*) FILTER (WHERE state = 'open') FROM detections";

impl Store {
    /// Records findings, all or none, and says which detections they are.
    pub fn record(&mut self, findings: &[Finding]) -> Result<Vec<Recorded>, StoreError> {
        self.insert(findings).map_err(failed("record detections"))
    }

    fn insert(&mut self, findings: &[Finding]) -> rusqlite::Result<Vec<Recorded>> {
        let transaction = self.connection.transaction()?;
        let mut recorded = Vec::with_capacity(findings.len());
        {
            let mut insert = transaction.prepare_cached(INSERT)?;
            let mut insert_ancestor = transaction.prepare_cached(INSERT_ANCESTOR)?;
            for finding in findings {
                let Finding { key, who, .. } = finding;
                let (id, count): (i64, i64) = insert.query_row(
                    named_params! {
                        ":boot": self.boot,
                        ":lineage": stored(key.lineage),
                        ":profile": key.profile,
                        ":layer": key.layer,
                        ":operation": key.operation,
                        ":path": key.path,
                        ":missing": key.missing.0,
                        ":reason": key.reason,
                        ":verdict": key.verdict,
                        ":requested": finding.requested.0,
                        ":rule": finding.rule,
                        ":pid": who.pid,
                        ":tid": who.tid,
                        ":parent": who.parent,
                        ":uid": who.uid,
                        ":gid": who.gid,
                        ":comm": who.comm,
                        ":exe": who.exe,
                        ":cmdline": who.cmdline.as_ref().map(|arguments| {
                            arguments.iter().fold(Vec::new(), |mut joined, argument| {
                                joined.extend_from_slice(argument);
                                joined.push(0);
                                joined
                            })
                        }),
                        ":cgroup": stored(who.cgroup),
                        ":cgroup_path": who.cgroup_path,
                        ":first": nanoseconds(finding.first),
                        ":last": nanoseconds(finding.last),
                        ":count": stored(finding.count),
                    },
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )?;
                let is_new = restored(count) == finding.count;
                if is_new {
                    for (level, Ancestor { pid, exe }) in (0_u32..).zip(&who.ancestry) {
                        insert_ancestor.execute(params![id, level, pid, exe])?;
                    }
                }
                recorded.push(Recorded {
                    id: DetectionId(id),
                    is_new,
                });
            }
        }
        transaction.commit()?;
        Ok(recorded)
    }

    /// Adds to the counts of detections, to all or to none.
    pub fn add_counts(&mut self, updates: &[CountUpdate]) -> Result<(), StoreError> {
        let action = "count violations";
        let transaction = self.connection.transaction().map_err(failed(action))?;
        {
            let mut update = transaction
                .prepare_cached(UPDATE_COUNT)
                .map_err(failed(action))?;
            for CountUpdate { id, more, last } in updates {
                update
                    .execute(params![id.0, stored(*more), nanoseconds(*last)])
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
        self.select(after, profile, limit)
            .map_err(failed("read detections"))
    }

    fn select(
        &self,
        after: DetectionId,
        profile: Option<&str>,
        limit: u32,
    ) -> rusqlite::Result<Vec<Detection>> {
        let mut select = self.connection.prepare_cached(SELECT)?;
        let mut ancestors = self.connection.prepare_cached(SELECT_ANCESTORS)?;
        let mut tightenings = self.connection.prepare_cached(SELECT_TIGHTENINGS)?;
        let mut page = select
            .query_map(params![after.0, profile, limit], detection)?
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

    /// Counts the detections.
    pub fn totals(&self) -> Result<Totals, StoreError> {
        self.connection
            .query_row(TOTALS, [], |row| {
                Ok(Totals {
                    total: restored(row.get(0)?),
                    open: restored(row.get(1)?),
                })
            })
            .map_err(failed("count detections"))
    }
}

/// Reads a row of [`SELECT`], without what other tables hold.
fn detection(row: &Row<'_>) -> rusqlite::Result<Detection> {
    let cmdline: Option<Vec<u8>> = row.get("cmdline")?;
    let state: String = row.get("state")?;
    Ok(Detection {
        id: DetectionId(row.get("id")?),
        profile: row.get("profile")?,
        layer: row.get("layer")?,
        operation: row.get("operation")?,
        requested: Access(row.get("requested")?),
        missing: Access(row.get("missing")?),
        path: row.get("path")?,
        reason: row.get("reason")?,
        verdict: row.get("verdict")?,
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
mod tests {
    use enforcer_abi::Access;

    use super::{CountUpdate, Recorded, Totals, timestamp};
    use crate::{
        detection::{
            Ancestor, DetectionId, Finding, State, Who,
            finding::FindingKey,
        },
        store::Store,
    };

    fn finding(path: &[u8], lineage: u64, at: i64, count: u64) -> Finding {
        Finding {
            key: FindingKey {
                lineage,
                profile: "nginx".to_owned(),
                layer: "application",
                operation: "open",
                path: path.to_owned(),
                missing: Access::READ,
                reason: "not-granted",
                verdict: "denied",
            },
            requested: Access::READ,
            rule: Some("nginx.yaml:3:5".to_owned()),
            who: Who {
                pid: 8,
                tid: 8,
                parent: 1,
                uid: u32::MAX,
                gid: 33,
                comm: b"nginx\xff".to_vec(),
                exe: Some(b"/usr/sbin/nginx".to_vec()),
                cmdline: Some(vec![b"nginx".to_vec(), Vec::new()]),
                ancestry: vec![
                    Ancestor { pid: 5, exe: Some(b"/bin/sh".to_vec()) },
                    Ancestor { pid: 1, exe: None },
                ],
                cgroup: u64::MAX,
                cgroup_path: Some(b"/x".to_vec()),
            },
            first: timestamp(at),
            last: timestamp(at),
            count,
        }
    }

    #[test]
    fn findings_come_back_as_detections() {
        let base = tempfile::tempdir().unwrap();
        let mut store = Store::open(base.path(), "boot").unwrap();
        let wanted = finding(b"/etc/\xffshadow", u64::MAX, 1_000, 2);
        let recorded = store.record(std::slice::from_ref(&wanted)).unwrap();
        assert_eq!(recorded, [Recorded { id: DetectionId(1), is_new: true }]);

        // From the file, not from anything that the first connection remembers.
        drop(store);
        let store = Store::open(base.path(), "boot").unwrap();
        let got = store.detection(DetectionId(1)).unwrap().unwrap();
        assert_eq!(got.who, wanted.who);
        assert_eq!(got.path, wanted.key.path);
        assert_eq!(got.rule, wanted.rule);
        assert_eq!((got.requested, got.missing), (Access::READ, Access::READ));
        assert_eq!((got.first_seen, got.count, got.state), (wanted.first, 2, State::Open));
        assert_eq!(store.detection(DetectionId(2)).unwrap(), None);
    }

    #[test]
    fn the_same_again_is_counted() {
        let base = tempfile::tempdir().unwrap();
        let mut store = Store::open(base.path(), "boot").unwrap();
        let batch = [
            finding(b"/a", 1, 1_000, 1),
            finding(b"/a", 1, 3_000, 1),
            finding(b"/b", 1, 2_000, 1),
            finding(b"/a", 2, 2_000, 1),
        ];
        let recorded = store.record(&batch).unwrap();
        assert_eq!(recorded.iter().map(|recorded| recorded.is_new).collect::<Vec<_>>(), [true, false, true, true]);
        let a = recorded[0].id;
        assert_eq!(recorded[1].id, a);
        store
            .add_counts(&[CountUpdate { id: a, more: 5, last: timestamp(2_000) }])
            .unwrap();
        let got = store.detection(a).unwrap().unwrap();
        assert_eq!(got.count, 7);
        assert_eq!((got.first_seen, got.last_seen), (timestamp(1_000), timestamp(3_000)));
        assert_eq!(got.who.ancestry.len(), 2);
        assert_eq!(store.totals().unwrap(), Totals { total: 3, open: 3 });
    }

    #[test]
    fn another_boot_is_another_detection() {
        let base = tempfile::tempdir().unwrap();
        let same = [finding(b"/a", 1, 1_000, 1)];
        for boot in ["one", "two"] {
            let mut store = Store::open(base.path(), boot).unwrap();
            assert!(store.record(&same).unwrap()[0].is_new, "{boot}");
        }
    }

    #[test]
    fn pages() {
        let base = tempfile::tempdir().unwrap();
        let mut store = Store::open(base.path(), "boot").unwrap();
        let batch: Vec<_> = (0..5).map(|n| finding(&[b'/', b'a' + n], 1, 1, 1)).collect();
        let ids: Vec<_> = store.record(&batch).unwrap().into_iter().map(|one| one.id).collect();
        let page = |after, profile, limit| -> Vec<DetectionId> {
            let page = store.detections(after, profile, limit).unwrap();
            page.into_iter().map(|one| one.id).collect()
        };
        assert_eq!(page(DetectionId(0), None, 2), ids[..2]);
        assert_eq!(page(ids[1], Some("nginx"), 9), ids[2..]);
        assert_eq!(page(ids[4], None, 9), []);
        assert_eq!(page(DetectionId(0), Some("redis"), 9), []);
        assert_eq!(store.last_detection().unwrap(), ids[4]);
    }
}
