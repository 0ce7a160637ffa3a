//! Facts for the pages about the server: the latest problems, totals, sizes.

use rusqlite::{Connection, Row};
use xray_sdk::TraceId;

use super::problems::{Harm, Trouble};
use crate::model::{Door, Time};

/// A problem as it is kept: equal ones within a minute are one.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Time of the last one.
    pub last: Time,
    /// Count.
    pub count: u64,
    /// The first of them.
    pub trouble: Trouble,
}

/// The latest problems: refused documents first, then what gets lost in part, then remarks; newest first.
///
/// # Errors
/// SQLite's.
pub fn latest_problems(connection: &Connection, limit: usize) -> rusqlite::Result<Vec<Recorded>> {
    connection
        .prepare_cached(
            "SELECT first_us, last_us, count, door, severity, code, path, message, service, trace, excerpt
             FROM problems ORDER BY severity, last_us DESC, id DESC LIMIT ?",
        )?
        .query_map([limit], read)?
        .collect()
}

fn read(row: &Row<'_>) -> rusqlite::Result<Recorded> {
    let door: String = row.get(3)?;
    let doors = [Door::Udp, Door::Daemon, Door::Api, Door::Console, Door::Import];
    let trouble = Trouble {
        at: Time(row.get(0)?),
        door: doors.into_iter().find(|known| known.name() == door).unwrap_or(Door::Udp),
        harm: match row.get::<_, i64>(4)? {
            0 => Harm::Refused,
            1 => Harm::Dropped,
            _ => Harm::Remark,
        },
        code: row.get(5)?,
        path: row.get(6)?,
        message: row.get(7)?,
        service: row.get(8)?,
        trace: row.get::<_, Option<[u8; 16]>>(9)?.map(|id| TraceId::from(u128::from_be_bytes(id))),
        excerpt: row.get(10)?,
    };
    Ok(Recorded { last: Time(row.get(1)?), count: row.get::<_, i64>(2)?.max(0).unsigned_abs(), trouble })
}

/// Sums since the file was made, by name.
///
/// # Errors
/// SQLite's.
pub fn totals(connection: &Connection) -> rusqlite::Result<Vec<(String, u64)>> {
    connection
        .prepare_cached("SELECT name, value FROM counters ORDER BY name")?
        .query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.max(0).unsigned_abs())))?
        .collect()
}

/// Counts the stored traces.
///
/// # Errors
/// SQLite's.
pub fn traces(connection: &Connection) -> rusqlite::Result<u64> {
    let count: i64 =
        connection.prepare_cached("SELECT count(*) FROM traces")?.query_row([], |row| row.get(0))?;
    Ok(count.max(0).unsigned_abs())
}

/// Bytes of the data.
///
/// # Errors
/// SQLite's.
pub fn size(connection: &Connection) -> rusqlite::Result<u64> {
    let pragma = |name: &str| connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0));
    Ok((pragma("page_count")? * pragma("page_size")?).max(0).unsigned_abs())
}
