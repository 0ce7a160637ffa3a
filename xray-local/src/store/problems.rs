//! Problems of documents, gathered so that a million equal ones are one row.

use std::collections::HashMap;

use rusqlite::{Connection, params};
use xray_sdk::TraceId;

use crate::model::{Door, Time};

/// Severity of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Harm {
    /// The whole document or datagram was refused.
    Refused = 0,
    /// A part of the document gets lost.
    Dropped = 1,
    /// Nothing gets lost.
    Remark = 2,
}

/// One problem of one document.
#[derive(Clone, Debug)]
pub struct Trouble {
    /// Time at which it was found.
    pub at: Time,
    /// Door of the document.
    pub door: Door,
    /// Severity.
    pub harm: Harm,
    /// The service's code, or nothing.
    pub code: String,
    /// The place in the document, or nothing.
    pub path: String,
    /// Message.
    pub message: String,
    /// The name in the document, or nothing.
    pub service: String,
    /// The trace, where its id can be read.
    pub trace: Option<TraceId>,
    /// The first bytes of the document.
    pub excerpt: String,
}

type Key = (Door, Harm, String, String, String, String);

/// Problems since the last commit, and the rows of the current minute.
#[derive(Debug, Default)]
pub(super) struct Problems {
    new: HashMap<Key, (Trouble, Time, i64)>,
    rows: HashMap<Key, i64>,
    minute: i64,
}

/// Different problems that are listed per minute; more are counted with the last.
const PER_MINUTE: usize = 500;

/// Characters of a document that are kept.
const EXCERPT: usize = 200;

impl Problems {
    /// Counts a problem.
    pub(super) fn add(&mut self, trouble: Trouble) {
        let key = (
            trouble.door,
            trouble.harm,
            trouble.code.clone(),
            trouble.path.clone(),
            trouble.message.clone(),
            trouble.service.clone(),
        );
        if let Some((_, last, count)) = self.new.get_mut(&key) {
            (*last, *count) = (trouble.at, *count + 1);
        } else if self.new.len() + self.rows.len() < PER_MINUTE {
            let at = trouble.at;
            self.new.insert(key, (trouble, at, 1));
        } else if let Some((_, last, count)) = self.new.values_mut().next() {
            (*last, *count) = (trouble.at, *count + 1);
        }
    }

    /// Writes what was counted.
    pub(super) fn save(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        for (key, (trouble, last, count)) in self.new.drain() {
            let minute = trouble.at.epoch_minute();
            if minute != self.minute {
                self.rows.clear();
                self.minute = minute;
            }
            if let Some(row) = self.rows.get(&key) {
                connection
                    .prepare_cached("UPDATE problems SET last_us = ?, count = count + ? WHERE id = ?")?
                    .execute(params![last.0, count, row])?;
                continue;
            }
            connection
                .prepare_cached(
                    "INSERT INTO problems (first_us, last_us, count, door, severity, code, path, message, service,
                     trace, excerpt) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                )?
                .execute(params![
                    trouble.at.0,
                    last.0,
                    count,
                    trouble.door.name(),
                    trouble.harm as i64,
                    trouble.code,
                    trouble.path,
                    trouble.message,
                    trouble.service,
                    trouble.trace.map(|id| u128::from(id).to_be_bytes()),
                    trouble.excerpt
                ])?;
            self.rows.insert(key, connection.last_insert_rowid());
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.new.is_empty()
    }

    pub(super) fn forget(&mut self) {
        self.new.clear();
        self.rows.clear();
    }
}

/// The first characters of a document, with what is no character replaced.
pub(super) fn excerpt(document: &[u8]) -> String {
    let head = &document[..document.len().min(EXCERPT * 4)];
    String::from_utf8_lossy(head).chars().take(EXCERPT).collect()
}
