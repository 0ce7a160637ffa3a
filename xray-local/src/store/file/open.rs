//! Opens the file: its folder and mode, its version, and the settings of each connection.
//!
//! A second process is kept out by a lock file beside the data, since SQLite itself would let two share it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::{Connection, OpenFlags};

use super::Place;
use super::migrate::{Fill, migrate};
use super::schema::{APPLICATION, SCHEMA, VERSION};
use crate::store::OpenError;

/// An address that each connection of one store opens, and the lock that keeps other processes out.
#[derive(Debug)]
pub(in super::super) struct Source {
    address: String,
    pub(in super::super) path: PathBuf,
    pub(in super::super) in_memory: bool,
    _lock: Option<File>,
}

impl Source {
    /// Prepares the place and brings its tables to [`VERSION`]. `fill` completes tables of earlier versions.
    pub(in super::super) fn prepare(place: &Place, fill: Fill) -> Result<(Self, Connection), OpenError> {
        let source = match place {
            Place::File(path) => Self::file(path)?,
            Place::Memory => Self::memory(),
        };
        let connection = source.connect(OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        // Looked at first: a file that is not ours stays as it is.
        let version = source.version(&connection)?;
        source.set_up(&connection)?;
        source.bring_up(&connection, version, fill)?;
        Ok((source, connection))
    }

    fn file(path: &Path) -> Result<Self, OpenError> {
        let io = |err| OpenError::Io(path.to_owned(), err);
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(io)?;
        }
        let mut lock_path = path.as_os_str().to_owned();
        lock_path.push(".lock");
        let lock = private(&PathBuf::from(lock_path)).map_err(io)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::InUse(path.to_owned())),
            Err(TryLockError::Error(err)) => return Err(io(err)),
        }
        drop(private(path).map_err(io)?);
        let address = path.to_string_lossy().into_owned();
        Ok(Self { address, path: path.to_owned(), in_memory: false, _lock: Some(lock) })
    }

    /// SQLite's `memdb`: one database of this process, seen by all connections that open its name.
    fn memory() -> Self {
        static STORES: AtomicU64 = AtomicU64::new(0);
        let address = format!("file:/xray-local-{}?vfs=memdb", STORES.fetch_add(1, Ordering::Relaxed));
        Self { address, path: PathBuf::from(":memory:"), in_memory: true, _lock: None }
    }

    /// Sets the connection that writes up.
    fn set_up(&self, connection: &Connection) -> Result<(), OpenError> {
        let journal = if self.in_memory { "MEMORY" } else { "WAL" };
        connection
            .execute_batch(&format!(
                "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = {journal}; PRAGMA synchronous = FULL;
                 PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 16000; PRAGMA journal_size_limit = 67108864;"
            ))
            .map_err(|err| self.explain(err))?;
        connection.set_prepared_statement_cache_capacity(256);
        Ok(())
    }

    /// A connection that only reads.
    pub(in super::super) fn reader(&self) -> Result<Connection, OpenError> {
        let connection = self.connect(OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection
            .execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -16384; PRAGMA mmap_size = 0;")
            .map_err(|err| self.explain(err))?;
        connection.set_prepared_statement_cache_capacity(128);
        Ok(connection)
    }

    fn connect(&self, flags: OpenFlags) -> Result<Connection, OpenError> {
        let mut flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        if self.in_memory {
            flags |= OpenFlags::SQLITE_OPEN_URI;
        }
        let connection =
            Connection::open_with_flags(&self.address, flags).map_err(|err| self.explain(err))?;
        connection.busy_timeout(std::time::Duration::from_secs(10)).map_err(|err| self.explain(err))?;
        Ok(connection)
    }

    /// The version of the tables that are there; `None` without any.
    fn version(&self, connection: &Connection) -> Result<Option<i64>, OpenError> {
        let number = |sql: &str| {
            connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(|err| self.explain(err))
        };
        if number("SELECT count(*) FROM sqlite_schema")? == 0 {
            return Ok(None);
        }
        if number("PRAGMA application_id")? != APPLICATION {
            return Err(OpenError::Foreign(self.path.clone()));
        }
        let version = number("PRAGMA user_version")?;
        if (1..=VERSION).contains(&version) {
            Ok(Some(version))
        } else {
            Err(OpenError::TooNew(self.path.clone(), version))
        }
    }

    /// Brings tables to [`VERSION`], or makes them.
    fn bring_up(&self, connection: &Connection, version: Option<i64>, fill: Fill) -> Result<(), OpenError> {
        let outcome = match version {
            Some(VERSION) => Ok(()),
            Some(earlier) => migrate(connection, earlier, fill),
            None => connection.execute_batch(&format!(
                "BEGIN; {SCHEMA}; PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}; COMMIT;"
            )),
        };
        outcome.map_err(|err| self.explain(err))
    }

    fn explain(&self, err: rusqlite::Error) -> OpenError {
        use rusqlite::ErrorCode::{DatabaseBusy, DatabaseCorrupt, DatabaseLocked, NotADatabase};
        match err.sqlite_error_code() {
            Some(DatabaseCorrupt | NotADatabase) => OpenError::Damaged(self.path.clone(), err.to_string()),
            Some(DatabaseBusy | DatabaseLocked) => OpenError::InUse(self.path.clone()),
            _ => OpenError::Sqlite(self.path.clone(), err),
        }
    }
}

/// Opens or makes a file that only its owner may read: the data holds keys.
fn private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
