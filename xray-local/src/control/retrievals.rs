//! Retrievals of traces: here they are complete at once, since the traces lie in the same store.
//!
//! A token is kept for a while with the ids that were asked for. The documents are read when a page is.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::ControlError;
use crate::model::{Time, limits};

/// A retrieval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retrieval {
    /// The ids that were asked for.
    pub trace_ids: Vec<String>,
    /// `COMPLETE` or `CANCELLED`.
    pub status: String,
}

/// Keeps a retrieval under a token.
///
/// # Errors
/// The store's.
pub fn start(
    connection: &Connection,
    token: &str,
    trace_ids: &[String],
    now: Time,
) -> Result<(), ControlError> {
    connection.execute("DELETE FROM retrievals WHERE created_us < ?", [oldest(now)])?;
    let request = serde_json::Value::from(trace_ids.to_vec()).to_string();
    connection.execute(
        "INSERT INTO retrievals (token, request, status, created_us) VALUES (?, ?, 'COMPLETE', ?)",
        params![token, request, now.0],
    )?;
    Ok(())
}

/// # Errors
/// There is no such token.
pub fn find(connection: &Connection, token: &str, now: Time) -> Result<Retrieval, ControlError> {
    let found: Option<(String, String)> = connection
        .prepare_cached("SELECT request, status FROM retrievals WHERE token = ? AND created_us >= ?")?
        .query_row(params![token, oldest(now)], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (request, status) = found.ok_or_else(|| ControlError::not_found(token))?;
    Ok(Retrieval { trace_ids: serde_json::from_str(&request).unwrap_or_default(), status })
}

/// Cancels a retrieval.
///
/// # Errors
/// There is no such token.
pub fn cancel(connection: &Connection, token: &str, now: Time) -> Result<(), ControlError> {
    let count = connection.execute(
        "UPDATE retrievals SET status = 'CANCELLED' WHERE token = ? AND created_us >= ?",
        params![token, oldest(now)],
    )?;
    if count == 0 { Err(ControlError::not_found(token)) } else { Ok(()) }
}

/// The start of the oldest retrieval whose token is good, in microseconds since 1970.
fn oldest(now: Time) -> i64 {
    now.0 - limits::RETRIEVAL_SECONDS * 1_000_000
}
