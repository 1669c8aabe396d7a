//! Tables and their migrations.

use rusqlite::Connection;

/// The steps from an empty file to the present form, in order. A step that was
/// released is never changed: the file's `user_version` counts those it has had.
const STEPS: [&str; 7] = [
    FIRST, PRIVILEGES, HISTORY, RESPONSES, PATTERNS, OBSERVED, ROOM,
];

const FIRST: &str = "
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
";

/// What makes a detection one of its own cannot be changed in place: the table is
/// made anew.
const PRIVILEGES: &str = "
CREATE TABLE detections_anew (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    boot        TEXT    NOT NULL,
    lineage     INTEGER NOT NULL,
    profile     TEXT    NOT NULL,
    layer       TEXT    NOT NULL,
    operation   TEXT    NOT NULL,
    -- Empty for what takes rights on a path.
    privilege   TEXT    NOT NULL,
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
    UNIQUE (boot, lineage, profile, layer, operation, privilege, path, missing, reason, verdict)
) STRICT;
INSERT INTO detections_anew
SELECT id, boot, lineage, profile, layer, operation, '', path, missing, reason, verdict, requested,
    rule, pid, tid, parent, uid, gid, comm, exe, cmdline, cgroup, cgroup_path, first_ns, last_ns,
    count, state
FROM detections;
-- A name that was given is not given again, though its detection be gone.
UPDATE sqlite_sequence
SET seq = (SELECT seq FROM sqlite_sequence WHERE name = 'detections')
WHERE name = 'detections_anew';
DROP TABLE detections;
ALTER TABLE detections_anew RENAME TO detections;
CREATE INDEX detections_by_profile ON detections (profile, id);
";

const HISTORY: &str = "
CREATE TABLE uses (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    profile  TEXT    NOT NULL,
    -- Empty, if it is not known.
    program  BLOB    NOT NULL,
    boot     TEXT    NOT NULL,
    lineage  INTEGER NOT NULL,
    path     BLOB    NOT NULL,
    -- A bit for each operation.
    operations INTEGER NOT NULL,
    access   INTEGER NOT NULL,
    granted  INTEGER NOT NULL,
    build    TEXT,
    first_ns INTEGER NOT NULL,
    last_ns  INTEGER NOT NULL,
    told     INTEGER NOT NULL,
    UNIQUE (profile, program, path, boot, lineage)
) STRICT;
CREATE INDEX uses_by_age ON uses (profile, last_ns);
";

const RESPONSES: &str = "
ALTER TABLE detections ADD COLUMN response TEXT NOT NULL DEFAULT 'none';
";

const PATTERNS: &str = "
-- Since when a profile's own rules have a pattern.
CREATE TABLE patterns (
    profile  TEXT    NOT NULL,
    pattern  TEXT    NOT NULL,
    since_ns INTEGER NOT NULL,
    PRIMARY KEY (profile, pattern)
) STRICT, WITHOUT ROWID;
";

const OBSERVED: &str = "
-- When profiles were loaded, and what was done under them could be seen.
CREATE TABLE watched (
    id      INTEGER PRIMARY KEY,
    profile TEXT    NOT NULL,
    from_ns INTEGER NOT NULL,
    to_ns   INTEGER NOT NULL
) STRICT;
CREATE INDEX watched_by_end ON watched (profile, to_ns);

-- When each right was last used, by the pattern that granted it, as the kernel counts. The
-- access 0 is for uses that the history was not told of.
CREATE TABLE rights_in_use (
    profile TEXT    NOT NULL,
    pattern TEXT    NOT NULL,
    access  INTEGER NOT NULL,
    last_ns INTEGER NOT NULL,
    PRIMARY KEY (profile, pattern, access)
) STRICT, WITHOUT ROWID;
";

/// What is counted at each batch, and looked for to be pruned, is not to cost a scan.
const ROOM: &str = "
CREATE INDEX detections_by_lineage ON detections (profile, lineage, verdict, state);
CREATE INDEX settled_detections ON detections (state DESC, id) WHERE state <> 'open';
";

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
    // While tables are made anew, the rows that belong to theirs have to wait.
    connection.pragma_update(None, "foreign_keys", false)?;
    bring_up(connection)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(())
}

fn bring_up(connection: &mut Connection) -> Result<(), MigrateError> {
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

    take_steps(connection, had)?;
    Ok(())
}

/// Makes the present form in an empty database in memory.
pub(super) fn make(connection: &mut Connection) -> rusqlite::Result<()> {
    take_steps(connection, 0)?;
    connection.pragma_update(None, "foreign_keys", true)
}

fn take_steps(connection: &mut Connection, had: usize) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    for step in STEPS.iter().skip(had) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::{FIRST, VERSION, migrate};

    /// A store of the first version keeps its detections, and what belongs to them.
    #[test]
    fn from_the_first_version() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(FIRST).unwrap();
        connection.pragma_update(None, "user_version", 1).unwrap();
        let insert = "
            INSERT INTO detections (
                id, boot, lineage, profile, layer, operation, path, missing, reason, verdict,
                requested, pid, tid, parent, uid, gid, comm, cgroup, first_ns, last_ns, count, state
            ) VALUES (
                7, 'boot', 1, 'p', 'process', 'open', x'2f61', 1, 'not-granted', 'denied',
                1, 5, 5, 1, 0, 0, x'61', 9, 10, 20, 3, 'resolved'
            );
            INSERT INTO ancestors VALUES (7, 0, 1, NULL);
            INSERT INTO tightenings VALUES (2, 'p', 'applied', 5, 'unused', '[]');
            INSERT INTO tightening_detections VALUES (2, 7);
            UPDATE sqlite_sequence SET seq = 9 WHERE name = 'detections';";
        connection.execute_batch(insert).unwrap();

        migrate(&mut connection).unwrap();
        let number =
            |query: &str| -> i64 { connection.query_row(query, [], |row| row.get(0)).unwrap() };
        #[rustfmt::skip]
        let cases = [
            ("version",      "PRAGMA user_version", VERSION),
            ("foreign keys", "PRAGMA foreign_keys", 1),
            ("detection",    "SELECT count FROM detections WHERE id = 7 AND privilege = '' AND response = 'none' AND state = 'resolved'", 3),
            ("ancestors",    "SELECT count(*) FROM ancestors WHERE detection = 7", 1),
            ("tightenings",  "SELECT count(*) FROM tightening_detections WHERE detection = 7", 1),
            ("last name",    "SELECT seq FROM sqlite_sequence WHERE name = 'detections'", 9),
            ("other tables", "SELECT count(*) FROM sqlite_schema WHERE name LIKE '%anew%' OR sql LIKE '%anew%'", 0),
            ("index",        "SELECT count(*) FROM sqlite_schema WHERE name = 'detections_by_profile'", 1),
        ];
        for (name, query, want) in cases {
            assert_eq!(number(query), want, "{name}");
        }
        let broken = connection
            .prepare("PRAGMA foreign_key_check")
            .unwrap()
            .exists([]);
        assert!(!broken.unwrap());
        // What is deleted takes with it what belongs to it.
        connection.execute("DELETE FROM detections", []).unwrap();
        assert_eq!(number("SELECT count(*) FROM ancestors"), 0);
    }
}
