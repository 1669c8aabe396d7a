//! Statements that record findings, and fold those that are too many.

use std::collections::{HashMap, hash_map::Entry};

use rusqlite::{Connection, named_params, params};

use super::{Store, StoreError, detections::nanoseconds, failed, pruning::Room, restored, stored};
use crate::detection::{Ancestor, DetectionId, Finding, finding::FindingKey};

/// What became of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The detection that it is, or belongs to.
    pub id: DetectionId,
    /// Whether it is the first of its kind.
    pub is_new: bool,
    /// Whether there was no room for it, so that it is in the detection of all those
    /// ([`Finding::folded`]).
    pub is_folded: bool,
}

const INSERT: &str = "
INSERT INTO detections (
    boot, lineage, profile, layer, operation, privilege, path, missing, reason, verdict, requested,
    response, rule, pid, tid, parent, uid, gid, comm, exe, cmdline, cgroup, cgroup_path, first_ns,
    last_ns, count
) VALUES (
    :boot, :lineage, :profile, :layer, :operation, :privilege, :path, :missing, :reason, :verdict, :requested,
    :response, :rule, :pid, :tid, :parent, :uid, :gid, :comm, :exe, :cmdline, :cgroup, :cgroup_path, :first,
    :last, :count
)
ON CONFLICT DO UPDATE SET
    first_ns = min(first_ns, excluded.first_ns),
    last_ns  = max(last_ns, excluded.last_ns),
    count    = count + excluded.count,
    response = iif(excluded.response = 'none', response, excluded.response)
RETURNING id, count";

const INSERT_ANCESTOR: &str =
    "INSERT INTO ancestors (detection, level, pid, exe) VALUES (?1, ?2, ?3, ?4)";

const COUNT: &str = "
SELECT count(*) FROM detections
WHERE profile = ?1 AND lineage = ?2 AND (verdict = 'learned') = ?3";

const IS_THERE: &str = "
SELECT 1 FROM detections
WHERE boot = ?1 AND lineage = ?2 AND profile = ?3 AND layer = ?4 AND operation = ?5
    AND privilege = ?6 AND path = ?7 AND missing = ?8 AND reason = ?9 AND verdict = ?10";

/// The rooms of those that have findings in a batch, by profile and lineage; those for what
/// was learned are apart. A value is how many detections there still is room for.
type Rooms = HashMap<(String, u64, bool), u64>;

impl Store {
    /// Records findings, all or none, and says which detections they are. Beyond what is kept
    /// of one lineage under a profile, those that are new become one detection.
    pub fn record(&mut self, findings: &[Finding]) -> Result<Vec<Recorded>, StoreError> {
        self.insert(findings).map_err(failed("record detections"))
    }

    fn insert(&mut self, findings: &[Finding]) -> rusqlite::Result<Vec<Recorded>> {
        let transaction = self.connection.transaction()?;
        let mut recorded = Vec::with_capacity(findings.len());
        let mut rooms = Rooms::new();
        for finding in findings {
            let room = match rooms.entry(owner(&finding.key)) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(place) => {
                    let left = room_left(&transaction, &finding.key, self.room)?;
                    place.insert(left)
                }
            };
            // What has no path cannot be made to differ without end.
            let is_folded = *room == 0
                && !finding.key.path.is_empty()
                && !is_there(&transaction, &self.boot, &finding.key)?;
            let (id, is_new) = if is_folded {
                insert_one(&transaction, &self.boot, &finding.folded())?
            } else {
                insert_one(&transaction, &self.boot, finding)?
            };
            *room = room.saturating_sub(u64::from(is_new));
            recorded.push(Recorded {
                id,
                is_new,
                is_folded,
            });
        }
        transaction.commit()?;
        let new = recorded.iter().filter(|one| one.is_new).count();
        self.kept = self.kept.saturating_add(new as u64);
        Ok(recorded)
    }
}

/// Whose room a finding takes.
fn owner(key: &FindingKey) -> (String, u64, bool) {
    (key.profile.clone(), key.lineage, key.is_learned())
}

/// How many more detections there is room for beside those of a finding's lineage.
fn room_left(connection: &Connection, key: &FindingKey, room: Room) -> rusqlite::Result<u64> {
    let (profile, lineage, is_learned) = owner(key);
    let taken: i64 = connection
        .prepare_cached(COUNT)?
        .query_row(params![profile, stored(lineage), is_learned], |row| {
            row.get(0)
        })?;
    let most = if is_learned {
        room.learned
    } else {
        room.refused
    };
    Ok(most.saturating_sub(restored(taken)))
}

/// Whether a finding is of a kind that there is a detection of.
fn is_there(connection: &Connection, boot: &str, key: &FindingKey) -> rusqlite::Result<bool> {
    connection.prepare_cached(IS_THERE)?.exists(params![
        boot,
        stored(key.lineage),
        key.profile,
        key.layer,
        key.operation,
        key.privilege.as_deref().unwrap_or_default(),
        key.path,
        key.missing.0,
        key.reason,
        key.verdict,
    ])
}

/// Records a finding, and says whether it is the first of its kind.
fn insert_one(
    connection: &Connection,
    boot: &str,
    finding: &Finding,
) -> rusqlite::Result<(DetectionId, bool)> {
    let Finding { key, who, .. } = finding;
    let (id, count): (i64, i64) = connection.prepare_cached(INSERT)?.query_row(
        named_params! {
            ":boot": boot,
            ":lineage": stored(key.lineage),
            ":profile": key.profile,
            ":layer": key.layer,
            ":operation": key.operation,
            // Unique together with the rest, which no NULL is.
            ":privilege": key.privilege.as_deref().unwrap_or_default(),
            ":path": key.path,
            ":missing": key.missing.0,
            ":reason": key.reason,
            ":verdict": key.verdict,
            ":requested": finding.requested.0,
            ":response": finding.response.name(),
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
        let mut insert_ancestor = connection.prepare_cached(INSERT_ANCESTOR)?;
        for (level, Ancestor { pid, exe }) in (0_u32..).zip(&who.ancestry) {
            insert_ancestor.execute(params![id, level, pid, exe])?;
        }
    }
    Ok((DetectionId(id), is_new))
}

#[cfg(test)]
mod tests;
