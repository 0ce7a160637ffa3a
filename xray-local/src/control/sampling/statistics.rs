//! Reports of clients, summed over all of them in windows of ten seconds.
//!
//! `GetSamplingStatisticSummaries` returns these rows. A day of them is kept.

use rusqlite::{Connection, params};

use crate::control::ControlError;
use crate::model::{Time, limits};

/// Ten seconds of one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// The rule's name.
    pub rule: String,
    /// Start of the window, in seconds since 1970.
    pub at: i64,
    /// Requests that matched the rule.
    pub requests: i64,
    /// Those that were sampled beyond the quota.
    pub borrowed: i64,
    /// Those that were sampled.
    pub sampled: i64,
}

/// Adds a client's counts to the window of `now`.
pub(super) fn add(
    connection: &Connection,
    rule: &str,
    counts: [i64; 3],
    now: Time,
) -> Result<(), ControlError> {
    let at = now.epoch_second() / limits::STATISTICS_WINDOW_SECONDS * limits::STATISTICS_WINDOW_SECONDS;
    let [requests, borrowed, sampled] = counts;
    connection.execute(
        "INSERT INTO sampling_windows (rule, at, requests, borrowed, sampled) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (rule, at) DO UPDATE SET requests = requests + ?3, borrowed = borrowed + ?4, sampled = sampled + ?5",
        params![rule, at, requests, borrowed, sampled],
    )?;
    connection.execute("DELETE FROM sampling_windows WHERE at < ?", [at - limits::STATISTICS_SECONDS])?;
    Ok(())
}

/// Windows in order of time, after the first `skip`.
///
/// # Errors
/// The store's.
pub fn windows(connection: &Connection, skip: usize, limit: usize) -> Result<Vec<Window>, ControlError> {
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(
        "SELECT rule, at, requests, borrowed, sampled FROM sampling_windows ORDER BY at, rule LIMIT ? OFFSET ?",
    )?;
    let rows = statement.query_map([number(limit), number(skip)], |row| {
        Ok(Window {
            rule: row.get(0)?,
            at: row.get(1)?,
            requests: row.get(2)?,
            borrowed: row.get(3)?,
            sampled: row.get(4)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
