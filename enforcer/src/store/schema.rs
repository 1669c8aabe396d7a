//! Tables and their migrations.

use rusqlite::Connection;

/// The steps from an empty file to the present form, in order. A step that was
/// released is never changed: the file's `user_version` counts those it has had.
const STEPS: [&str; 1] = ["
CREATE TABLE detections (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    boot        TEXT    NOT NULL,
    lineage     INTEGER NOT NULL,
    profile     TEXT    NOT NULL,
    layer       TEXT    NOT NULL,
    operation   TEXT    NOT NULL,
    path        BLOB    NOT NULL,
    missing     INTEGER NOT NULL,
    reason      TEXT    NOT NULL,
    verdict     TEXT    NOT NULL,
    requested   INTEGER NOT NULL,
    rule        TEXT,
    pid         INTEGER NOT NULL,
    tid         INTEGER NOT NULL,
    parent      INTEGER NOT NULL,
    uid         INTEGER NOT NULL,
    gid         INTEGER NOT NULL,
    comm        BLOB    NOT NULL,
    exe         BLOB,
    cmdline     BLOB,
    cgroup      INTEGER NOT NULL,
    cgroup_path BLOB,
    first_ns    INTEGER NOT NULL,
    last_ns     INTEGER NOT NULL,
    count       INTEGER NOT NULL,
    state       TEXT    NOT NULL DEFAULT 'open',
    UNIQUE (boot, lineage, profile, layer, operation, path, missing, reason, verdict)
) STRICT;
CREATE INDEX detections_by_profile ON detections (profile, id);

-- The processes that a detection's process descends from, the parent at 0.
CREATE TABLE ancestors (
    detection INTEGER NOT NULL REFERENCES detections (id) ON DELETE CASCADE,
    level     INTEGER NOT NULL,
    pid       INTEGER NOT NULL,
    exe       BLOB,
    PRIMARY KEY (detection, level)
) STRICT, WITHOUT ROWID;

CREATE TABLE tightenings (
    id         INTEGER PRIMARY KEY,
    profile    TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    created_ns INTEGER NOT NULL,
    reason     TEXT    NOT NULL,
    removals   TEXT    NOT NULL
) STRICT;

CREATE TABLE tightening_detections (
    tightening INTEGER NOT NULL REFERENCES tightenings (id) ON DELETE CASCADE,
    detection  INTEGER NOT NULL,
    PRIMARY KEY (tightening, detection)
) STRICT, WITHOUT ROWID;
CREATE INDEX tightenings_by_detection ON tightening_detections (detection);

CREATE TABLE tightening_changes (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    tightening INTEGER NOT NULL REFERENCES tightenings (id) ON DELETE CASCADE,
    at_ns      INTEGER NOT NULL,
    state      TEXT    NOT NULL,
    cause      TEXT    NOT NULL
) STRICT;

-- The rights that were used, by the patterns that granted them.
CREATE TABLE used_rights (
    profile TEXT    NOT NULL,
    pattern TEXT    NOT NULL,
    access  INTEGER NOT NULL,
    count   INTEGER NOT NULL,
    PRIMARY KEY (profile, pattern)
) STRICT, WITHOUT ROWID;
"];

/// The version of the present form.
pub(super) const VERSION: i64 = STEPS.len().cast_signed() as i64;

/// A file that cannot be brought to the present form.
#[derive(Debug)]
pub(super) enum MigrateError {
    /// A later version wrote it.
    Newer {
        /// The file's version.
        version: i64,
    },
    /// Its pages contradict each other.
    Inconsistent,
    /// `SQLite` refuses.
    Sqlite {
        /// Why.
        source: rusqlite::Error,
    },
}

impl From<rusqlite::Error> for MigrateError {
    fn from(source: rusqlite::Error) -> Self {
        Self::Sqlite { source }
    }
}

/// Checks the file and brings it to the present form, wholly or not at all.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), MigrateError> {
    // A transaction survives a crash of the agent; one that the machine's power
    // takes down may lose the last second, and no more.
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.pragma_update(None, "foreign_keys", true)?;

    let soundness: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if soundness != "ok" {
        return Err(MigrateError::Inconsistent);
    }
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let had = usize::try_from(version)
        .ok()
        .filter(|&had| had <= STEPS.len())
        .ok_or(MigrateError::Newer { version })?;
    if had == STEPS.len() {
        return Ok(());
    }

    let transaction = connection.transaction()?;
    for step in STEPS.iter().skip(had) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    Ok(())
}
