//! Telemetry that daemons send about themselves.
//!
//! The records are kept as they came, for the console to show.

use rusqlite::{Connection, params};
use serde_json::Value;

use super::ControlError;
use crate::model::{Time, limits};

/// Keeps records.
///
/// # Errors
/// The store's.
pub fn put(connection: &Connection, sender: &str, records: &[Value], now: Time) -> Result<(), ControlError> {
    for record in records {
        connection.execute(
            "INSERT INTO telemetry (received_us, sender, record) VALUES (?, ?, ?)",
            params![now.0, sender, record.to_string()],
        )?;
    }
    connection.execute(
        "DELETE FROM telemetry WHERE rowid <= (SELECT max(rowid) FROM telemetry) - ?",
        [limits::TELEMETRY_RECORDS],
    )?;
    Ok(())
}
