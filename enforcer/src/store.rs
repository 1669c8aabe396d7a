//! What the agent remembers: detections, and the tightenings they led to.
//!
//! One `SQLite` file in the state directory, which an administrator can open too.
//! Overlay files ([`crate::tighten::overlay`]) decide which tightenings hold;
//! the store only mirrors them, with a log of their changes.
//!
//! - `schema`: tables and their migrations
//! - `recording`, `pruning`: how detections come in and go; `detections`, `outcomes`: them
//! - `tightenings`, `used_rights`, `uses`, `patterns`, `observed`: the other statements

mod detections;
mod observed;
mod outcomes;
mod patterns;
mod pruning;
mod recording;
mod schema;
mod tightenings;
mod used_rights;
mod uses;

use std::{
    fs::{self, DirBuilder, Permissions},
    io,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use rusqlite::{Connection, ErrorCode};

pub use detections::{CountUpdate, Totals};
pub use observed::Period;
pub use pruning::{ROOM, Room};
pub use recording::Recorded;
pub use tightenings::{Change, Mirrored};
pub use uses::KEPT;

/// The file's name in the state directory.
pub const FILE: &str = "enforcer.db";
/// Most pages of 4 KiB of a store in memory: 64 MiB, beyond which nothing is stored.
const MEMORY_PAGES: u32 = 1 << 14;
/// The names of detections in memory come after this one, so that none of a file has them.
const MEMORY_FIRST: i64 = 1_000_000_000;

/// The store.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    /// Tells this boot's lineages from those of others.
    boot: String,
    /// How many detections are to be kept.
    room: Room,
    /// How many there are.
    kept: u64,
}

/// A store that cannot be opened or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The state directory cannot be made or closed to others.
    #[error("cannot prepare the state directory {}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file cannot be opened.
    #[error("cannot open the store {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// The file is no database, or a damaged one.
    #[error("the store {} is damaged; move it away, and the agent that is started next makes a new one", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why, where `SQLite` says it.
        source: Option<rusqlite::Error>,
    },
    /// A later version wrote the file.
    #[error(
        "the store {} has version {version}, and this agent knows up to {known}; use the agent that wrote it, or move it away",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The file's version.
        version: i64,
        /// The last version that is known.
        known: i64,
    },
    /// A statement failed.
    #[error("cannot {action} in the store")]
    Statement {
        /// What was to be done.
        action: &'static str,
        /// Why it was not.
        source: rusqlite::Error,
    },
    /// A value that no version writes.
    #[error("cannot read {what} from the store")]
    Value {
        /// Which.
        what: &'static str,
        /// Why.
        source: serde_json::Error,
    },
}

impl Store {
    /// Opens the store in `directory`, which is made where it is missing.
    ///
    /// `boot` names this boot of the machine.
    ///
    /// # Errors
    ///
    /// Every error names the file or the directory.
    pub fn open(directory: &Path, boot: &str) -> Result<Self, StoreError> {
        prepare(directory).map_err(|source| StoreError::Directory {
            path: directory.to_owned(),
            source,
        })?;
        let path = directory.join(FILE);
        let failed = |source| StoreError::Open {
            path: path.clone(),
            source,
        };
        let mut connection = Connection::open(&path).map_err(failed)?;
        schema::migrate(&mut connection).map_err(|error| match error {
            schema::MigrateError::Newer { version } => StoreError::Newer {
                path: path.clone(),
                version,
                known: schema::VERSION,
            },
            schema::MigrateError::Inconsistent => StoreError::Damaged {
                path: path.clone(),
                source: None,
            },
            schema::MigrateError::Sqlite { source } if is_damage(&source) => StoreError::Damaged {
                path: path.clone(),
                source: Some(source),
            },
            schema::MigrateError::Sqlite { source } => failed(source),
        })?;
        Ok(Self {
            kept: pruning::count(&connection).map_err(failed)?,
            connection,
            boot: boot.to_owned(),
            room: ROOM,
        })
    }

    /// Makes an empty store that goes with the agent.
    ///
    /// # Errors
    ///
    /// If there is no memory for it.
    pub fn in_memory(boot: &str) -> Result<Self, StoreError> {
        let make = || {
            let mut connection = Connection::open_in_memory()?;
            connection.pragma_update(None, "max_page_count", MEMORY_PAGES)?;
            schema::make(&mut connection)?;
            connection.execute(
                "UPDATE sqlite_sequence SET seq = ?1 WHERE name = 'detections'",
                [MEMORY_FIRST],
            )?;
            Ok(connection)
        };
        Ok(Self {
            connection: make().map_err(failed("make tables"))?,
            boot: boot.to_owned(),
            room: ROOM,
            kept: 0,
        })
    }

    /// Whether it goes with the agent.
    pub fn is_in_memory(&self) -> bool {
        self.connection.path().is_none_or(str::is_empty)
    }
}

#[cfg(test)]
impl Store {
    /// Has nothing be written, as on a full disk, or ends that.
    pub(crate) fn fill(&self, is_full: bool) {
        self.connection
            .pragma_update(None, "query_only", is_full)
            .unwrap();
    }
}

/// Makes the state directory and closes it to all but root: what a process was
/// refused tells where an attacker should look.
fn prepare(directory: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)?;
    fs::set_permissions(directory, Permissions::from_mode(0o700))
}

/// Whether `error` says that the file is no sound database.
fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

/// Says which statement failed.
fn failed(action: &'static str) -> impl FnOnce(rusqlite::Error) -> StoreError {
    move |source| StoreError::Statement { action, source }
}

/// The integers of `SQLite` are signed. What is stored here, nanoseconds and ids of 64
/// bits among it, keeps its bits.
fn stored(value: u64) -> i64 {
    value.cast_signed()
}

/// The inverse of [`stored`].
fn restored(value: i64) -> u64 {
    value.cast_unsigned()
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::{
        FILE, MEMORY_FIRST, MEMORY_PAGES, Store, StoreError, detections::tests::finding, schema,
    };

    #[test]
    fn directory_is_made_and_closed() {
        let base = tempfile::tempdir().unwrap();
        let state = base.path().join("var/state");
        let _store = Store::open(&state, "boot").unwrap();
        let mode = fs::metadata(&state).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn damage_is_told_with_a_remedy() {
        let base = tempfile::tempdir().unwrap();
        fs::write(base.path().join(FILE), [b'x'; 8192]).unwrap();
        let error = Store::open(base.path(), "boot").unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
        assert!(error.to_string().contains("move it away"), "{error}");
    }

    #[test]
    fn damage_inside_is_told() {
        let base = tempfile::tempdir().unwrap();
        drop(Store::open(base.path(), "boot").unwrap());
        let path = base.path().join(FILE);
        let mut bytes = fs::read(&path).unwrap();
        // Past the first page, which holds the schema.
        for byte in bytes.iter_mut().skip(4096) {
            *byte = 0xa5;
        }
        fs::write(&path, bytes).unwrap();
        let error = Store::open(base.path(), "boot").unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    }

    #[test]
    fn a_store_in_memory_is_bounded_and_names_what_no_file_does() {
        let mut store = Store::in_memory("boot").unwrap();
        assert!(store.is_in_memory());
        let mut one = finding(b"/a", 1, 1_000, 1);
        let recorded = store.record(&[one.clone()]).unwrap();
        assert_eq!(recorded[0].id.0, MEMORY_FIRST + 1);
        let pages = |store: &Store| -> u32 {
            let count = |row: &rusqlite::Row<'_>| row.get(0);
            let pages = store.connection.query_row("PRAGMA page_count", [], count);
            pages.unwrap()
        };
        // Many times as much as there is room for.
        for number in 0..100 {
            one.key.path = format!("/{number}").into_bytes();
            one.who.exe = Some(vec![b'x'; 1 << 21]);
            if store.record(&[one.clone()]).is_err() {
                break;
            }
        }
        assert!(store.record(&[one.clone()]).is_err(), "it is full");
        let full = pages(&store);
        assert!(full > MEMORY_PAGES / 2 && full <= MEMORY_PAGES, "{full}");
        one.key.path = b"/a".to_vec();
        one.who.exe = None;
        assert!(store.record(&[one]).is_ok(), "what is there is counted on");
    }

    #[test]
    fn later_version_is_refused() {
        let base = tempfile::tempdir().unwrap();
        let store = Store::open(base.path(), "boot").unwrap();
        store
            .connection
            .pragma_update(None, "user_version", schema::VERSION + 1)
            .unwrap();
        drop(store);
        let error = Store::open(base.path(), "boot").unwrap_err();
        assert!(matches!(error, StoreError::Newer { .. }), "{error}");
    }
}
