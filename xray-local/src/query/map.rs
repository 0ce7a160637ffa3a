//! The service map: over a range of time, of single traces, of the traces that a filter finds.

use rusqlite::Connection;
use xray_sdk::TraceId;

use super::graph::Graph;
use super::range::{Range, Search};
use crate::store::StoreError;

/// The map of a range of time (`GetServiceGraph`), of all traces or of a group (`groups.number`). A segment belongs
/// to the range if the minute of its start overlaps the range.
///
/// # Errors
/// SQLite's.
pub fn service_graph(
    _connection: &Connection,
    _range: Range,
    _group: Option<i64>,
) -> Result<Graph, StoreError> {
    Err(StoreError::Damaged("graphs are not there yet"))
}

/// The map of single traces (`GetTraceGraph`).
///
/// # Errors
/// SQLite's.
pub fn trace_graph(_connection: &Connection, _ids: &[TraceId]) -> Result<Graph, StoreError> {
    Err(StoreError::Damaged("graphs are not there yet"))
}

/// The map of the traces that a search finds: the newest `search.limit` of them.
///
/// # Errors
/// SQLite's.
pub fn graph_of(_connection: &Connection, _search: &Search) -> Result<Graph, StoreError> {
    Err(StoreError::Damaged("graphs are not there yet"))
}
