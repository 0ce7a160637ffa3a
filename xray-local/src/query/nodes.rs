//! Names of nodes by their number, read once per question.

use std::collections::HashMap;

use rusqlite::Connection;

use crate::model::NodeName;

/// Nodes that were looked up.
pub(super) struct Nodes<'c> {
    connection: &'c Connection,
    known: HashMap<i64, NodeName>,
}

impl<'c> Nodes<'c> {
    pub(super) fn new(connection: &'c Connection) -> Self {
        Self { connection, known: HashMap::new() }
    }

    /// The node of a number. A number that is not there gives an empty name.
    pub(super) fn name(&mut self, id: i64) -> rusqlite::Result<NodeName> {
        if let Some(name) = self.known.get(&id) {
            return Ok(name.clone());
        }
        let mut statement =
            self.connection.prepare_cached("SELECT name, type, account FROM nodes WHERE id = ?")?;
        let mut rows = statement.query([id])?;
        let name = match rows.next()? {
            Some(row) => NodeName { name: row.get(0)?, kind: row.get(1)?, account: row.get(2)? },
            None => NodeName::default(),
        };
        self.known.insert(id, name.clone());
        Ok(name)
    }
}
