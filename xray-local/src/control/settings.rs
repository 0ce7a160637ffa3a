//! Single values: the encryption config and the indexing rule.
//!
//! Each is one JSON value in the table `settings`. Defaults are what a new account has.

use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::{Value, json};

use super::ControlError;

/// `EncryptionConfig`. Defaults to X-Ray's own key.
///
/// # Errors
/// The store's.
pub fn encryption(connection: &Connection) -> Result<Value, ControlError> {
    Ok(get(connection, "encryption")?.unwrap_or_else(|| json!({"Status": "ACTIVE", "Type": "NONE"})))
}

/// Keeps an encryption config. Nothing is encrypted here, so a change is active at once.
///
/// # Errors
/// `KMS` without a key, or a key without `KMS`.
pub fn put_encryption(connection: &Connection, kind: &str, key: Option<&str>) -> Result<Value, ControlError> {
    let config = match (kind, key) {
        ("KMS", Some(key)) => json!({"KeyId": key, "Status": "ACTIVE", "Type": "KMS"}),
        ("KMS", None) => return Err(ControlError::invalid("KeyId must be given with Type KMS")),
        (_, Some(_)) => return Err(ControlError::invalid("KeyId can't be given with Type NONE")),
        (_, None) => json!({"Status": "ACTIVE", "Type": "NONE"}),
    };
    put(connection, "encryption", &config)?;
    Ok(config)
}

/// The one indexing rule, `Default`. Every trace is indexed here, whatever the rule wishes.
///
/// # Errors
/// The store's.
pub fn indexing(connection: &Connection) -> Result<Value, ControlError> {
    let rule = get(connection, "indexing")?.unwrap_or_else(|| json!({"desired": 1.0, "modified": 0.0}));
    Ok(json!({
        "Name": "Default",
        "ModifiedAt": rule["modified"],
        "Rule": {"Probabilistic": {
            "DesiredSamplingPercentage": rule["desired"],
            "ActualSamplingPercentage": 100.0,
        }},
    }))
}

/// Keeps the wish of the indexing rule.
///
/// # Errors
/// There is no such rule, or the percentage is none.
pub fn put_indexing(
    connection: &Connection,
    name: &str,
    desired: f64,
    now: f64,
) -> Result<Value, ControlError> {
    if name != "Default" {
        return Err(ControlError::not_found(name));
    }
    if !(0.0..=100.0).contains(&desired) {
        return Err(ControlError::invalid("DesiredSamplingPercentage must be between 0 and 100"));
    }
    put(connection, "indexing", &json!({"desired": desired, "modified": now}))?;
    indexing(connection)
}

pub(super) fn get(connection: &Connection, name: &str) -> Result<Option<Value>, ControlError> {
    let value: Option<String> = connection
        .prepare_cached("SELECT value FROM settings WHERE name = ?")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    Ok(value.and_then(|value| serde_json::from_str(&value).ok()))
}

pub(super) fn put(connection: &Connection, name: &str, value: &Value) -> Result<(), ControlError> {
    connection.execute(
        "INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)",
        params![name, value.to_string()],
    )?;
    Ok(())
}
