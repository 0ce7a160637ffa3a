//! Tags of groups and sampling rules.
//!
//! Only what exists can be tagged. The tags of what is deleted go with it.

use rusqlite::{Connection, params};

use super::{ControlError, Limits};
use crate::model::limits;

/// The tags of a resource, keys in alphabetical order.
///
/// # Errors
/// The store's.
pub fn of(connection: &Connection, arn: &str) -> Result<Vec<(String, String)>, ControlError> {
    let mut statement =
        connection.prepare_cached("SELECT key, value FROM tags WHERE arn = ? ORDER BY key")?;
    let rows = statement.query_map([arn], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Sets tags, replacing those of the same keys.
///
/// # Errors
/// The resource does not exist, a key is AWS's own, or there are more than 50.
pub fn set(
    connection: &Connection,
    arn: &str,
    tags: &[(String, String)],
    limits: Limits,
) -> Result<(), ControlError> {
    check_exists(connection, arn)?;
    for (key, value) in tags {
        if key.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:")) {
            return Err(ControlError::invalid(format!(
                "The tag key \"{key}\" begins with aws:, which is AWS's own"
            )));
        }
        connection.execute(
            "INSERT OR REPLACE INTO tags (arn, key, value) VALUES (?, ?, ?)",
            params![arn, key, value],
        )?;
    }
    let count: i64 =
        connection.query_row("SELECT count(*) FROM tags WHERE arn = ?", [arn], |row| row.get(0))?;
    if limits.exceeded(usize::try_from(count).unwrap_or_default(), limits::TAGS) {
        let message = format!("A resource can have at most {} tags.", limits::TAGS);
        return Err(ControlError::Resource("TooManyTagsException", message, arn.to_owned()));
    }
    Ok(())
}

/// Removes tags; keys that are not there are no error.
///
/// # Errors
/// The resource does not exist.
pub fn remove(connection: &Connection, arn: &str, keys: &[String]) -> Result<(), ControlError> {
    check_exists(connection, arn)?;
    for key in keys {
        connection.execute("DELETE FROM tags WHERE arn = ? AND key = ?", params![arn, key])?;
    }
    Ok(())
}

/// # Errors
/// No group and no sampling rule has this ARN.
pub fn check_exists(connection: &Connection, arn: &str) -> Result<(), ControlError> {
    let exists: bool = connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM groups WHERE arn = ?1) OR EXISTS (SELECT 1 FROM sampling_rules WHERE arn = ?1)",
        [arn],
        |row| row.get(0),
    )?;
    if exists { Ok(()) } else { Err(ControlError::not_found(arn)) }
}

/// Removes all tags of a resource that is deleted.
pub(super) fn forget(connection: &Connection, arn: &str) -> Result<(), ControlError> {
    connection.execute("DELETE FROM tags WHERE arn = ?", [arn])?;
    Ok(())
}
