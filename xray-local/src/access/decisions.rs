//! The record of decisions: who asked for what, and which statement decided.
//!
//! Equal decisions within `WINDOW` are one row with a count, so that a daemon that sends all day does not fill the table.
//! Recording never delays an answer: decisions gather in memory and are written [`DELAY`] later, in one transaction.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, params};
use tokio::runtime::Handle;

use super::mode::Mode;
use crate::model::{Door, Length, Time, limits};
use crate::store::{Store, StoreError};

/// Longest time that decisions gather before they are written.
pub const DELAY: Duration = Duration::from_millis(100);

/// Equal decisions this close together are one row.
const WINDOW: Length = Length(60_000_000);

/// One decision.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decision {
    /// The door that the request came through.
    pub door: &'static str,
    /// The mode, which says whether a denial was also a refusal.
    pub mode: &'static str,
    /// The caller's ARN, or the access key that was not accepted.
    pub principal: String,
    /// `xray:GetGroup`
    pub action: String,
    /// The resource, `*` without.
    pub resource: String,
    /// True if signature and policies allow it.
    pub allowed: bool,
    /// The policy whose statement decided.
    pub policy: Option<String>,
    /// Statement that decided: its number, and its name if it has one.
    pub statement: Option<String>,
    /// The decision in a sentence.
    pub reason: String,
}

impl Decision {
    pub(super) fn new(door: Door, mode: Mode) -> Self {
        Self {
            door: door.name(),
            mode: mode.name(),
            principal: String::new(),
            action: String::new(),
            resource: "*".to_owned(),
            allowed: false,
            policy: None,
            statement: None,
            reason: String::new(),
        }
    }
}

/// Collects decisions and writes them.
#[derive(Clone, Debug)]
pub struct Recorder {
    store: Store,
    waiting: Arc<Mutex<Waiting>>,
    runtime: Option<Handle>,
}

/// Decisions that wait to be written, each with its last time and its count.
#[derive(Debug, Default)]
struct Waiting {
    decisions: BTreeMap<Decision, (Time, u64)>,
    /// True if a task is on its way that will write them.
    is_scheduled: bool,
}

impl Recorder {
    /// A recorder that writes into this store, by tasks of the runtime that it is made in.
    ///
    /// Without a runtime, decisions wait for [`flush`](Self::flush).
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store, waiting: Arc::default(), runtime: Handle::try_current().ok() }
    }

    /// Takes a decision.
    pub fn record(&self, decision: Decision, now: Time) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, count) = waiting.decisions.entry(decision).or_insert((now, 0));
        *at = now;
        *count += 1;
        if let Some(runtime) = self.runtime.as_ref().filter(|_| !waiting.is_scheduled) {
            waiting.is_scheduled = true;
            let this = self.clone();
            runtime.spawn(async move {
                tokio::time::sleep(DELAY).await;
                let _ = this.flush().await;
            });
        }
    }

    /// Writes what waits, from code that is not async.
    ///
    /// # Errors
    /// The store's; what could not be written is lost.
    pub fn flush_blocking(&self) -> Result<(), StoreError> {
        let waiting = self.take();
        if waiting.is_empty() {
            return Ok(());
        }
        self.store.write_blocking(move |connection| write(connection, &waiting).map_err(StoreError::from))
    }

    /// Writes what waits.
    ///
    /// # Errors
    /// The store's; what could not be written is lost.
    pub async fn flush(&self) -> Result<(), StoreError> {
        let waiting = self.take();
        if waiting.is_empty() {
            return Ok(());
        }
        self.store.write(move |connection| write(connection, &waiting).map_err(StoreError::from)).await
    }

    fn take(&self) -> BTreeMap<Decision, (Time, u64)> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner)).decisions
    }
}

/// A row of the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Time of the last one.
    pub at: Time,
    /// Count.
    pub count: u64,
    /// The decision.
    pub decision: Decision,
}

/// The latest decisions, newest first; only denials if `denied_only`.
///
/// # Errors
/// SQLite's.
pub fn latest(connection: &Connection, denied_only: bool, limit: usize) -> Result<Vec<Recorded>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT door, mode, principal, action, resource, allowed, policy, statement, reason, at_us, count
         FROM decisions WHERE NOT (?1 AND allowed) ORDER BY at_us DESC, id DESC LIMIT ?2",
    )?;
    let rows =
        statement.query_map(params![denied_only, i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
            let (door, mode): (String, String) = (row.get(0)?, row.get(1)?);
            let decision = Decision {
                door: [Door::Api, Door::Daemon, Door::Console, Door::Udp, Door::Import]
                    .map(Door::name)
                    .into_iter()
                    .find(|name| *name == door)
                    .unwrap_or_default(),
                mode: [Mode::Off, Mode::Warn, Mode::Enforce]
                    .map(Mode::name)
                    .into_iter()
                    .find(|name| *name == mode)
                    .unwrap_or_default(),
                principal: row.get(2)?,
                action: row.get(3)?,
                resource: row.get(4)?,
                allowed: row.get(5)?,
                policy: row.get(6)?,
                statement: row.get(7)?,
                reason: row.get(8)?,
            };
            Ok(Recorded { at: Time(row.get(9)?), count: row.get::<_, i64>(10)?.unsigned_abs(), decision })
        })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Finds the row of an equal decision, by `decisions_equal`.
pub(super) const EQUAL: &str = "SELECT id FROM decisions WHERE at_us > ?1 AND door = ?2 AND mode = ?3 AND principal = ?4
    AND action = ?5 AND resource = ?6 AND allowed = ?7 AND policy IS ?8 AND statement IS ?9 AND reason = ?10 LIMIT 1";

fn write(connection: &Connection, waiting: &BTreeMap<Decision, (Time, u64)>) -> Result<(), rusqlite::Error> {
    for (decision, (at, count)) in waiting {
        let Decision { door, mode, principal, action, resource, allowed, policy, statement, reason } =
            decision;
        let count = i64::try_from(*count).unwrap_or(i64::MAX);
        let known: Option<i64> = connection
            .prepare_cached(EQUAL)?
            .query_row(
                params![
                    at.0 - WINDOW.0,
                    door,
                    mode,
                    principal,
                    action,
                    resource,
                    allowed,
                    policy,
                    statement,
                    reason
                ],
                |row| row.get(0),
            )
            .optional()?;
        match known {
            Some(id) => connection
                .prepare_cached("UPDATE decisions SET at_us = ?2, count = count + ?3 WHERE id = ?1")?
                .execute(params![id, at.0, count])?,
            None => connection
                .prepare_cached(
                    "INSERT INTO decisions (at_us, door, mode, principal, action, resource, allowed, policy, statement,
                     reason, count) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                )?
                .execute(params![
                    at.0, door, mode, principal, action, resource, allowed, policy, statement, reason, count
                ])?,
        };
    }
    connection
        .prepare_cached("DELETE FROM decisions WHERE id <= (SELECT max(id) FROM decisions) - ?")?
        .execute([limits::DECISIONS])?;
    Ok(())
}
