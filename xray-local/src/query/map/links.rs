//! The traces that lead into others by way of links, for the services of a retrieved graph.

use std::collections::BTreeMap;

use rusqlite::Connection;
use xray_sdk::TraceId;

use super::super::filter::sql;
use super::super::nodes::Nodes;
use crate::model::NodeName;
use crate::store::{self, StoreError};

/// Links from one trace into a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceLink {
    /// The service whose segments have the links.
    pub node: NodeName,
    /// The trace that the links name.
    pub source: TraceId,
    /// The traces of the segments, in order of time.
    pub destinations: Vec<TraceId>,
}

/// The links that segments of these traces have.
///
/// # Errors
/// SQLite's.
pub fn trace_links(connection: &Connection, ids: &[TraceId]) -> Result<Vec<TraceLink>, StoreError> {
    let mut nodes = Nodes::new(connection);
    let mut found: BTreeMap<(i64, u128), Vec<TraceId>> = BTreeMap::new();
    let mut query = connection.prepare_cached(&format!(
        "SELECT DISTINCT s.node, l.linked FROM traces t CROSS JOIN segments s ON {}
         JOIN links l ON l.trace = t.key AND l.segment = s.segment WHERE t.key = ?",
        sql::OF_TRACE[0]
    ))?;
    let mut held = Vec::with_capacity(ids.len());
    for &id in ids {
        held.extend(store::find(connection, id)?.map(|held| (held.key.0, id)));
    }
    held.sort_unstable_by_key(|(key, _)| *key);
    held.dedup();
    for (key, id) in held {
        let mut rows = query.query([key])?;
        while let Some(row) = rows.next()? {
            let source = u128::from_be_bytes(row.get(1)?);
            found.entry((row.get(0)?, source)).or_default().push(id);
        }
    }
    let mut links = Vec::with_capacity(found.len());
    for ((node, source), destinations) in found {
        links.push(TraceLink { node: nodes.name(node)?, source: TraceId::from(source), destinations });
    }
    Ok(links)
}
