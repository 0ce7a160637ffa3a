//! The file of the spool: one database of `redb`, a batch for each entry.
//!
//! A transaction is on disk when it returns, and a crash leaves the last one whole. Two processes can't have the same
//! file. After an error the database is closed and opened anew for the next job, since the disk may have room again.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable, TableDefinition};

use super::index::Stored;

/// The file, open unless it failed.
#[derive(Debug)]
pub struct Disk {
    path: PathBuf,
    database: Option<Database>,
}

/// The reason why the spool can't be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// The directory can't be made, or the file can't be read or written.
    Io(PathBuf, String),
    /// Another process has the file.
    InUse(PathBuf),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(path, why) => write!(f, "The spool {} can't be used: {why}", path.display()),
            Self::InUse(path) => write!(
                f,
                "The spool {} is used by another process. Give each daemon a directory of its own.",
                path.display()
            ),
        }
    }
}

impl std::error::Error for OpenError {}

impl Disk {
    /// Opens the spool in a directory, which is made if it is not there, and returns its entries.
    ///
    /// A file that is no database, or a damaged one, is set aside under another name.
    ///
    /// # Errors
    /// If the directory can't be made or written to, or another process has the file.
    pub fn open(directory: &Path) -> Result<(Self, Vec<Stored>), OpenError> {
        let path = directory.join(FILE);
        let io = |why: String| OpenError::Io(path.clone(), why);
        fs::create_dir_all(directory).map_err(|err| io(format!("its directory can't be made: {err}")))?;
        let database = match create(&path) {
            Err(DatabaseError::DatabaseAlreadyOpen) => return Err(OpenError::InUse(path)),
            Err(DatabaseError::Storage(redb::StorageError::Corrupted(why))) => {
                set_aside(&path, &why).map_err(io)?
            }
            Err(DatabaseError::Storage(redb::StorageError::Io(err)))
                if err.kind() == std::io::ErrorKind::InvalidData =>
            {
                set_aside(&path, &err.to_string()).map_err(io)?
            }
            other => other.map_err(|err| io(err.to_string()))?,
        };
        let found = entries(&database).map_err(|err| io(err.to_string()))?;
        Ok((Self { path, database: Some(database) }, found))
    }

    /// Deletes and writes entries as one transaction.
    ///
    /// # Errors
    /// The disk's error. Then nothing has changed.
    pub fn change(&mut self, delete: &[u64], write: &[(Stored, Vec<u8>)]) -> Result<(), String> {
        if delete.is_empty() && write.is_empty() {
            return Ok(());
        }
        let bytes: u64 = write.iter().map(|(_, batch)| batch.len() as u64).sum();
        if bytes > 0
            && let Some(free) = free(&self.path)
            && free < 2 * bytes + RESERVE
        {
            return Err(format!("{}: the disk has only {} KB left", self.path.display(), free >> 10));
        }
        let result = self.database().and_then(|database| change(database, delete, write));
        self.close_after(result)
    }

    /// Reads an entry. `None` if it is not there.
    ///
    /// # Errors
    /// The disk's error.
    pub fn read(&mut self, key: u64) -> Result<Option<Vec<u8>>, String> {
        let result = self.database().and_then(|database| read(database, key));
        self.close_after(result)
    }

    fn database(&mut self) -> Result<&Database, redb::Error> {
        let database = match self.database.take() {
            Some(database) => database,
            None => create(&self.path)?,
        };
        Ok(self.database.insert(database))
    }

    fn close_after<T>(&mut self, result: Result<T, redb::Error>) -> Result<T, String> {
        result.map_err(|err| {
            self.database = None;
            format!("{}: {err}", self.path.display())
        })
    }
}

/// Bytes that are free where the file is, if known.
#[cfg(unix)]
fn free(path: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(path.parent()?).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(not(unix))]
fn free(_: &Path) -> Option<u64> {
    None
}

fn create(path: &Path) -> Result<Database, DatabaseError> {
    Database::builder().set_cache_size(CACHE).create(path)
}

fn set_aside(path: &Path, why: &str) -> Result<Database, String> {
    let aside = path.with_extension("damaged");
    log::error!("The spool {} is damaged: {why}. It is now {}.", path.display(), aside.display());
    fs::rename(path, &aside).map_err(|err| err.to_string())?;
    create(path).map_err(|err| err.to_string())
}

fn entries(database: &Database) -> Result<Vec<Stored>, redb::Error> {
    // Both tables are there from now on.
    let transaction = database.begin_write()?;
    transaction.open_table(BATCHES)?;
    transaction.open_table(ENTRIES)?;
    transaction.commit()?;
    let table = database.begin_read()?.open_table(ENTRIES)?;
    let mut found = Vec::new();
    for entry in table.iter()? {
        let (key, value) = entry?;
        let (documents, bytes, unix) = value.value();
        found.push(Stored { key: key.value(), documents, bytes, unix });
    }
    Ok(found)
}

fn change(database: &Database, delete: &[u64], write: &[(Stored, Vec<u8>)]) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut batches = transaction.open_table(BATCHES)?;
        let mut entries = transaction.open_table(ENTRIES)?;
        for key in delete {
            batches.remove(key)?;
            entries.remove(key)?;
        }
        for (Stored { key, documents, bytes, unix }, batch) in write {
            batches.insert(key, batch.as_slice())?;
            entries.insert(key, (*documents, *bytes, *unix))?;
        }
    }
    transaction.commit()?;
    Ok(())
}

fn read(database: &Database, key: u64) -> Result<Option<Vec<u8>>, redb::Error> {
    let table = database.begin_read()?.open_table(BATCHES)?;
    Ok(table.get(key)?.map(|value| value.value().to_vec()))
}

const FILE: &str = "spool.redb";
/// A batch is written once and read once: there is nothing to keep in memory.
const CACHE: usize = 1 << 20;
/// The room left free on the disk.
///
/// A database that meets a full disk can be read again only when there is room, and a deletion writes before it frees.
const RESERVE: u64 = 1 << 20;
const BATCHES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("batches");
/// Documents, bytes and time of each batch, so that a start reads no documents.
const ENTRIES: TableDefinition<'_, u64, (u64, u64, u64)> = TableDefinition::new("entries");

#[cfg(test)]
mod tests {
    #[cfg(unix)]
    use super::super::index::room;
    use super::*;

    /// A directory of its own for each test.
    fn directory(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("xray-daemon-spool-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        path
    }

    fn stored(key: u64) -> Stored {
        Stored { key, documents: key * 10, bytes: key * 100, unix: 7 }
    }

    #[test]
    fn entries_are_there_after_a_restart_and_gone_when_deleted() {
        let path = directory("restart");
        let (mut disk, found) = Disk::open(&path.join("made/on/the/way")).unwrap();
        assert_eq!(found, []);
        disk.change(&[], &[(stored(1), b"one".to_vec()), (stored(2), b"two".to_vec())]).unwrap();
        drop(disk);
        let (mut disk, found) = Disk::open(&path.join("made/on/the/way")).unwrap();
        assert_eq!(found, [stored(1), stored(2)]);
        assert_eq!(disk.read(2).unwrap().as_deref(), Some(&b"two"[..]));
        disk.change(&[1, 9], &[(stored(3), b"three".to_vec())]).unwrap();
        assert_eq!((disk.read(1).unwrap(), disk.read(9).unwrap()), (None, None));
        drop(disk);
        assert_eq!(Disk::open(&path.join("made/on/the/way")).unwrap().1, [stored(2), stored(3)]);
    }

    /// The limit of the spool counts rooms, so no room may be smaller than what the disk gives.
    #[cfg(unix)]
    #[test]
    fn an_entry_takes_no_more_of_the_disk_than_its_room() {
        use std::os::unix::fs::MetadataExt;

        for (entries, size) in [(60, 16_300), (60, 35_000), (60, 52_000), (12, 1_040_000)] {
            let path = directory(&format!("room-{size}"));
            let (mut disk, _) = Disk::open(&path).unwrap();
            // The tables' own pages, and what a change of six frees only after the next one.
            let most = (entries + 12) * room(size) + (512 << 10);
            // Twice as much is written as is kept: what was deleted makes room for what follows.
            for first in (0..2 * entries).step_by(6) {
                let write: Vec<_> = (first..first + 6)
                    .map(|key| Stored { key, documents: 1, bytes: size, unix: 7 })
                    .map(|stored| (stored, vec![b'x'; size as usize]))
                    .collect();
                let delete: Vec<u64> =
                    (first..first + 6).filter_map(|key| key.checked_sub(entries)).collect();
                disk.change(&delete, &write).unwrap();
            }
            let taken = fs::metadata(path.join(FILE)).unwrap().blocks() * 512;
            assert!(taken <= most, "{taken} bytes for {entries} of {size}, not {most}");
            fs::remove_dir_all(path).unwrap();
        }
    }

    #[test]
    fn a_second_process_is_refused() {
        let path = directory("second");
        let _first = Disk::open(&path).unwrap();
        let Err(OpenError::InUse(file)) = Disk::open(&path) else { panic!("in use") };
        assert_eq!(file, path.join(FILE));
    }

    #[test]
    fn a_file_that_is_no_database_is_set_aside() {
        let path = directory("damaged");
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join(FILE), vec![b'x'; 100_000]).unwrap();
        let (_, found) = Disk::open(&path).unwrap();
        assert_eq!(found, []);
        assert_eq!(fs::read(path.join("spool.damaged")).unwrap().len(), 100_000);
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_an_error() {
        let path = directory("file");
        fs::write(&path, b"a file").unwrap();
        assert!(matches!(Disk::open(&path), Err(OpenError::Io(..))));
        fs::remove_file(&path).unwrap();
    }
}
