//! A small change beside a running server: identities are added while it serves.
//!
//! SQLite lets a second process write between two transactions of the server's writer, and the server reads identities
//! anew for each request. Nothing but the tables of access may be changed this way: traces have state in memory.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::schema::VERSION;
use crate::store::StoreError;

/// Runs a change in a transaction of its own, on a file that another process may have open.
///
/// # Errors
/// The file does not exist, has another version, stays busy; or the change's own.
pub fn beside<T, E: From<StoreError>>(
    path: &Path,
    change: impl FnOnce(&Connection) -> Result<T, E>,
) -> Result<T, E> {
    let mut connection = open(path)?;
    let transaction = connection
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .map_err(StoreError::from)?;
    let result = change(&transaction)?;
    transaction.commit().map_err(StoreError::from)?;
    Ok(result)
}

fn open(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(Duration::from_secs(10))?;
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version != VERSION {
        return Err(StoreError::Damaged("its version is not this program's"));
    }
    Ok(connection)
}
