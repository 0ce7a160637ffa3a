//! Numbers for what repeats: nodes, edges, user agents, URLs, annotation keys, shapes, paths of root causes.
//!
//! A number is looked up in memory, then in the table, and is made when it is in neither. The memory is forgotten
//! after a transaction that failed, since its numbers may not exist then, and when numbers were deleted.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

use rusqlite::{Connection, OptionalExtension, params};

use super::cause_rows::{self, put};
use super::shape::Shape;
use crate::model::{Cause, EdgeKind, NodeRef};

/// Names that are known in memory. One that has several parts is a string of bytes, made with [`put`].
#[derive(Debug, Default)]
pub(super) struct Names {
    nodes: HashMap<Vec<u8>, i64>,
    edges: HashMap<(i64, i64, EdgeKind), i64>,
    agents: HashMap<String, i64>,
    urls: HashMap<String, i64>,
    shapes: HashMap<Vec<u8>, i64>,
    keys: HashMap<String, i64>,
    paths: HashMap<Vec<u8>, i64>,
    aliases: HashMap<Vec<u8>, ()>,
    /// The name that is looked up.
    name: Vec<u8>,
}

/// Entries of one kind that are kept in memory.
const KEPT: usize = 20_000;

impl Names {
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Forgets paths, URLs or shapes, of which some were deleted: their numbers must not be given to traces to come.
    pub(super) fn forget(&mut self, [paths, urls, shapes]: [bool; 3]) {
        if paths {
            self.paths.clear();
        }
        if urls {
            self.urls.clear();
        }
        if shapes {
            self.shapes.clear();
        }
    }

    pub(super) fn node(&mut self, connection: &Connection, node: &NodeRef<'_>) -> rusqlite::Result<i64> {
        let Self { nodes, name, .. } = self;
        name.clear();
        [node.name, &*node.kind, node.account].into_iter().for_each(|part| put(name, part));
        known(nodes, &name[..], || {
            let values = params![node.name, node.kind, node.account];
            number(
                connection,
                "SELECT id FROM nodes WHERE name = ? AND type = ? AND account = ?",
                "INSERT INTO nodes (name, type, account) VALUES (?, ?, ?)",
                values,
            )
        })
    }

    pub(super) fn edge(
        &mut self,
        connection: &Connection,
        source: i64,
        target: i64,
        kind: EdgeKind,
    ) -> rusqlite::Result<i64> {
        known(&mut self.edges, &(source, target, kind), || {
            number(
                connection,
                "SELECT id FROM edges WHERE source = ? AND target = ? AND kind = ?",
                "INSERT INTO edges (source, target, kind) VALUES (?, ?, ?)",
                params![source, target, kind as i64],
            )
        })
    }

    pub(super) fn alias(&mut self, connection: &Connection, edge: i64, alias: &str) -> rusqlite::Result<()> {
        let Self { aliases, name, .. } = self;
        name.clear();
        name.extend(edge.to_le_bytes());
        name.extend(alias.as_bytes());
        known(aliases, &name[..], || {
            connection
                .prepare_cached("INSERT OR IGNORE INTO edge_aliases (edge, alias) VALUES (?, ?)")?
                .execute(params![edge, alias])
                .map(drop)
        })
    }

    pub(super) fn agent(&mut self, connection: &Connection, agent: &str) -> rusqlite::Result<i64> {
        known(&mut self.agents, agent, || {
            number(
                connection,
                "SELECT id FROM agents WHERE agent = ?",
                "INSERT INTO agents (agent) VALUES (?)",
                params![agent],
            )
        })
    }

    pub(super) fn url(&mut self, connection: &Connection, url: &str) -> rusqlite::Result<i64> {
        known(&mut self.urls, url, || {
            number(
                connection,
                "SELECT id FROM urls WHERE url = ?",
                "INSERT INTO urls (url) VALUES (?)",
                params![url],
            )
        })
    }

    pub(super) fn shape(&mut self, connection: &Connection, shape: &Shape<'_>) -> rusqlite::Result<i64> {
        let Self { shapes, name, .. } = self;
        name.clear();
        shape.put_name(name);
        known(shapes, &name[..], || shape.number(connection, name))
    }

    pub(super) fn annotation_key(&mut self, connection: &Connection, key: &str) -> rusqlite::Result<i64> {
        known(&mut self.keys, key, || {
            number(
                connection,
                "SELECT id FROM annotation_keys WHERE key = ?",
                "INSERT INTO annotation_keys (key) VALUES (?)",
                params![key],
            )
        })
    }

    pub(super) fn path(&mut self, connection: &Connection, cause: &Cause<'_>) -> rusqlite::Result<i64> {
        let Self { paths, name, .. } = self;
        name.clear();
        cause_rows::put_name(name, cause);
        known(paths, &name[..], || {
            let json = cause_rows::json(cause);
            let found = connection
                .prepare_cached("SELECT id FROM cause_paths WHERE json = ? AND kind = ?")?
                .query_row(params![json, cause.kind as i64], |row| row.get(0))
                .optional()?;
            match found {
                Some(id) => Ok(id),
                None => cause_rows::insert(connection, cause, &json),
            }
        })
    }
}

fn known<K, N, V>(
    memory: &mut HashMap<K, V>,
    name: &N,
    find: impl FnOnce() -> rusqlite::Result<V>,
) -> rusqlite::Result<V>
where
    K: Borrow<N> + Hash + Eq,
    N: ToOwned<Owned = K> + Hash + Eq + ?Sized,
    V: Copy,
{
    if let Some(&value) = memory.get(name) {
        return Ok(value);
    }
    let value = find()?;
    if memory.len() >= KEPT {
        memory.clear();
    }
    memory.insert(name.to_owned(), value);
    Ok(value)
}

fn number(
    connection: &Connection,
    select: &str,
    insert: &str,
    values: &[&dyn rusqlite::ToSql],
) -> rusqlite::Result<i64> {
    let found = connection.prepare_cached(select)?.query_row(values, |row| row.get(0)).optional()?;
    match found {
        Some(id) => Ok(id),
        None => {
            connection.prepare_cached(insert)?.execute(values)?;
            Ok(connection.last_insert_rowid())
        }
    }
}
