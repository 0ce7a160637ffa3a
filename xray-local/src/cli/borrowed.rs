//! An identity of the data file, borrowed by a server that `run` starts.

use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, params_from_iter};

use super::failure::Failure;
use crate::store::{Store, StoreError};

/// An identity with its policies and one key.
#[derive(Debug)]
pub(super) struct Borrowed {
    /// Statements that write its rows, with their values.
    rows: Vec<(String, Vec<Value>)>,
    pub(super) key: String,
    pub(super) secret: String,
}

impl Borrowed {
    /// Reads an identity from a file, which a server may have open.
    pub(super) fn read(path: &Path, name: &str) -> Result<Self, Failure> {
        let failed = |err: rusqlite::Error| Failure::new(format!("{}: {err}", path.display()));
        if !path.is_file() {
            return Err(Failure::new(format!(
                "{}: no such data file; `xray-local identity add {name} --policy POLICY` makes one",
                path.display()
            )));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
        let owner: Vec<(String, String, String)> = connection
            .prepare(
                "SELECT arn, access_keys.id, secret FROM identities JOIN access_keys ON owner = arn
                 WHERE name = ? AND token IS NULL ORDER BY access_keys.created_us LIMIT 1",
            )
            .and_then(|mut query| {
                query.query_map([name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
            })
            .map_err(failed)?;
        let Some((arn, key, secret)) = owner.into_iter().next() else {
            return Err(Failure::new(format!(
                "no user {name} with a key in {}; `xray-local identity add {name} --policy POLICY` makes one",
                path.display()
            )));
        };
        let mut rows = Vec::new();
        for (table, owner) in
            [("identities", "arn"), ("access_keys", "owner"), ("identity_policies", "owner")]
        {
            rows.extend(copy(&connection, table, owner, &arn).map_err(failed)?);
        }
        Ok(Self { rows, key, secret })
    }

    /// Writes the identity into another store.
    pub(super) async fn lend(&self, store: &Store) -> Result<(), StoreError> {
        let rows = self.rows.clone();
        store
            .write(move |connection| {
                for (insert, values) in rows {
                    connection.execute(&insert, params_from_iter(values))?;
                }
                Ok(())
            })
            .await
    }
}

/// The rows of an identity in one table, each with the statement that writes it.
fn copy(
    connection: &Connection,
    table: &str,
    owner: &str,
    arn: &str,
) -> rusqlite::Result<Vec<(String, Vec<Value>)>> {
    let mut query = connection.prepare(&format!("SELECT * FROM {table} WHERE {owner} = ?"))?;
    let columns = query.column_names().join(", ");
    let count = query.column_count();
    let insert =
        format!("INSERT OR REPLACE INTO {table} ({columns}) VALUES ({})", vec!["?"; count].join(", "));
    query
        .query_map([arn], |row| {
            let values = (0..count).map(|column| row.get(column)).collect::<rusqlite::Result<_>>()?;
            Ok((insert.clone(), values))
        })?
        .collect()
}
