//! Connections that read, lent one question at a time.

use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;

use super::open::Source;
use crate::store::{OpenError, StoreError};

/// Idle connections. A question takes one, or opens one; at most [`KEPT`] are kept afterwards.
#[derive(Debug, Default)]
pub(in super::super) struct Readers(Mutex<Vec<Connection>>);

/// Idle connections that are kept, each with at most 16 MB of cache.
const KEPT: usize = 4;

impl Readers {
    /// Runs a question in a read transaction, so that all its statements see one state of the file.
    pub(in super::super) fn read<T, E: From<StoreError>>(
        &self,
        source: &Source,
        question: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let idle = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => source.reader().map_err(|err| match err {
                OpenError::Sqlite(_, err) => StoreError::from(err),
                _ => StoreError::Damaged("it can't be opened any more"),
            })?,
        };
        connection.execute_batch("BEGIN").map_err(StoreError::from)?;
        let result = question(&connection);
        connection.execute_batch("COMMIT").map_err(StoreError::from)?;
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push(connection);
        }
        result
    }
}
