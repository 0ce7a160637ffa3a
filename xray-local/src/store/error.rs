//! Errors of the file, in sentences that name it.

use std::fmt;
use std::path::PathBuf;

/// The file can't be opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// The system has no place for such data.
    NoPlace,
    /// The folder can't be made, or the file can't be opened for writing.
    Io(PathBuf, std::io::Error),
    /// Another process has the file open.
    InUse(PathBuf),
    /// The file was written by a later version of this program.
    TooNew(PathBuf, i64),
    /// The file is a database, but not one of this program.
    Foreign(PathBuf),
    /// The file is damaged, or is no database.
    Damaged(PathBuf, String),
    /// SQLite reports something else.
    Sqlite(PathBuf, rusqlite::Error),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPlace => {
                f.write_str("no home directory to keep the data in; name a file with --data FILE")
            }
            Self::Io(path, err) => {
                write!(f, "{}: can't open the data file for writing: {err}", path.display())
            }
            Self::InUse(path) => write!(
                f,
                "{}: another xray-local has this data file open; stop it, or name another file with --data FILE",
                path.display()
            ),
            Self::TooNew(path, version) => write!(
                f,
                "{}: the data file has format {version}, this xray-local reads up to {}; use the newer program, or \
                 another file with --data FILE",
                path.display(),
                super::file::VERSION
            ),
            Self::Foreign(path) => {
                write!(
                    f,
                    "{}: this database was not made by xray-local; name another file with --data FILE",
                    path.display()
                )
            }
            Self::Damaged(path, what) => write!(
                f,
                "{}: the data file is damaged ({what}); move it away to begin with an empty one",
                path.display()
            ),
            Self::Sqlite(path, err) => write!(f, "{}: can't open the data file: {err}", path.display()),
        }
    }
}

impl std::error::Error for OpenError {}

/// A question or a change failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreError {
    /// The disk is full; what was to be written is not there.
    Full,
    /// SQLite reports something else: its message.
    Sqlite(String),
    /// The store was closed meanwhile.
    Closed,
    /// The stored data contradicts itself.
    Damaged(&'static str),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("the disk with the data file is full; nothing was stored"),
            Self::Sqlite(err) => write!(f, "the data file: {err}"),
            Self::Closed => f.write_str("the store is closed"),
            Self::Damaged(what) => write!(f, "the data file contradicts itself: {what}"),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<rusqlite::Error> for StoreError {
    fn from(err: rusqlite::Error) -> Self {
        Self::from_sqlite(&err)
    }
}

impl StoreError {
    pub(super) fn from_sqlite(err: &rusqlite::Error) -> Self {
        match err.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::Full,
            _ => Self::Sqlite(err.to_string()),
        }
    }
}
