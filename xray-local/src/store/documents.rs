//! The documents of one trace, for those who read it.

use rusqlite::{Connection, OptionalExtension};
use xray_sdk::TraceId;

use super::traces::read_documents;
use crate::model::{Length, TraceKey};

/// A trace that is there, as `BatchGetTraces` needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its key.
    pub key: TraceKey,
    /// Its id.
    pub id: TraceId,
    /// From the earliest start to the latest end.
    pub duration: Length,
    /// True if documents were refused since the trace was too large.
    pub over_limit: bool,
}

/// Finds a trace by its id.
///
/// # Errors
/// SQLite's.
pub fn find(connection: &Connection, id: TraceId) -> rusqlite::Result<Option<Held>> {
    connection
        .prepare_cached("SELECT key, duration_us, over_limit FROM traces WHERE id = ?")?
        .query_row([u128::from(id).to_be_bytes()], |row| {
            Ok(Held {
                key: TraceKey(row.get(0)?),
                id,
                duration: Length(row.get(1)?),
                over_limit: row.get(2)?,
            })
        })
        .optional()
}

/// Ids of traces that begin with hexadecimal digits, `1-` and further dashes left out; at most `at_most`.
///
/// # Errors
/// SQLite's.
pub fn find_by_prefix(
    connection: &Connection,
    digits: &str,
    at_most: usize,
) -> rusqlite::Result<Vec<TraceId>> {
    if digits.is_empty() || digits.len() > 32 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(Vec::new());
    }
    let bound =
        |filler: &str| u128::from_str_radix(&format!("{digits}{}", filler.repeat(32 - digits.len())), 16);
    let (Ok(first), Ok(last)) = (bound("0"), bound("f")) else { return Ok(Vec::new()) };
    connection
        .prepare_cached("SELECT id FROM traces WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?")?
        .query_map(rusqlite::params![first.to_be_bytes(), last.to_be_bytes(), at_most], |row| {
            row.get::<_, [u8; 16]>(0).map(|id| TraceId::from(u128::from_be_bytes(id)))
        })?
        .collect()
}

/// The documents of a trace as they were received, in order of arrival.
///
/// # Errors
/// SQLite's, also when a block is damaged.
pub fn documents(connection: &Connection, key: TraceKey) -> rusqlite::Result<Vec<Vec<u8>>> {
    read_documents(connection, key)
}
