//! Deletes the oldest traces, in steps so small that the intake never waits for long.

use std::time::Duration;

use rusqlite::Connection;

use super::traces::Traces;
use crate::model::{Length, Time, TraceKey};

/// Traces of one step.
const STEP: i64 = 100;

/// Pages that one step gives back to the file system.
const PAGES: i64 = 512;

/// Rows that are kept of decisions, of problems and of telemetry.
const ROWS: i64 = 50_000;

/// Bounds of what is kept.
#[derive(Debug)]
pub(super) struct Retention {
    keep: Duration,
    max_size: u64,
}

impl Retention {
    pub(super) fn new(keep: Duration, max_size: u64) -> Self {
        Self { keep, max_size }
    }

    /// Does one step in the transaction that is open. Returns whether there is more to do.
    pub(super) fn step(
        &mut self,
        connection: &Connection,
        traces: &mut Traces,
        now: Time,
    ) -> rusqlite::Result<bool> {
        let keep = Length(i64::try_from(self.keep.as_micros()).unwrap_or(i64::MAX));
        let oldest = Time(now.0.saturating_sub(keep.0));
        let mut due = keys(connection, oldest, u64::MAX)?;
        let excess = if due.is_empty() { used_bytes(connection)?.saturating_sub(self.max_size) } else { 0 };
        if excess > 0 {
            due = keys(connection, Time(i64::MAX), excess)?;
        }
        for &key in &due {
            traces.remove(connection, key)?;
        }
        traces.finish(connection)?;
        if due.is_empty() {
            sweep(connection, oldest)?;
            traces.sweep(connection)?;
        }
        Ok(!due.is_empty())
    }
}

/// Deletes old rows of the other tables.
fn sweep(connection: &Connection, oldest: Time) -> rusqlite::Result<()> {
    for (table, column) in [("decisions", "at_us"), ("problems", "last_us"), ("telemetry", "received_us")] {
        connection
            .prepare_cached(&format!(
                "DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table} WHERE {column} < ? LIMIT 1000)"
            ))?
            .execute([oldest.0])?;
        connection
            .prepare_cached(&format!(
                "DELETE FROM {table} WHERE rowid <= (SELECT max(rowid) FROM {table}) - {ROWS}"
            ))?
            .execute([])?;
    }
    connection
        .prepare_cached("DELETE FROM sampling_windows WHERE at < ?")?
        .execute([oldest.epoch_second()])?;
    connection.prepare_cached("DELETE FROM retrievals WHERE created_us < ?")?.execute([oldest.0])?;
    Ok(())
}

/// Gives pages that became free back to the file system. Runs outside of transactions.
pub(super) fn shrink(connection: &Connection) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    Ok(())
}

/// The oldest traces from before a time, as many as a step takes, and no more than it takes to free `bytes`.
fn keys(connection: &Connection, before: Time, bytes: u64) -> rusqlite::Result<Vec<TraceKey>> {
    let mut statement = connection
        .prepare_cached("SELECT key, bytes FROM traces WHERE received_us < ? ORDER BY received_us LIMIT ?")?;
    let mut rows = statement.query([before.0, STEP])?;
    let (mut keys, mut freed) = (Vec::new(), 0_u64);
    while freed < bytes
        && let Some(row) = rows.next()?
    {
        keys.push(TraceKey(row.get(0)?));
        freed = freed.saturating_add(row.get::<_, i64>(1)?.max(0).unsigned_abs());
    }
    Ok(keys)
}

/// Bytes of the pages that are in use.
fn used_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let number = |pragma: &str| {
        connection
            .query_row(&format!("PRAGMA {pragma}"), [], |row| row.get::<_, i64>(0))
            .map(|n| n.max(0) as u64)
    };
    Ok((number("page_count")?.saturating_sub(number("freelist_count")?)) * number("page_size")?)
}
