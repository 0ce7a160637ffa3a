//! Traces with their compiled documents.

use rusqlite::Connection;
use xray_sdk::TraceId;

use crate::ingest;
use crate::model::{Length, TraceKey};
use crate::store::{self, StoreError};

/// The traces of `BatchGetTraces`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Traces {
    /// Those that were found, in the order of the question.
    pub traces: Vec<TraceDocuments>,
    /// Ids of which nothing is stored (`UnprocessedTraceIds`).
    pub missing: Vec<TraceId>,
}

/// A trace with its documents.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceDocuments {
    /// The trace's id.
    pub id: TraceId,
    /// From the earliest start to the latest end.
    pub duration: Length,
    /// True if the trace is larger than X-Ray takes (`LimitExceeded`).
    pub limit_exceeded: bool,
    /// The compiled segments, inferred ones included: id and JSON document.
    pub segments: Vec<(String, String)>,
}

/// Reads the revision of a trace: 1, and 1 more with each compilation.
///
/// # Errors
/// SQLite's, also if the trace was deleted meanwhile.
pub fn revision(connection: &Connection, key: TraceKey) -> Result<i64, StoreError> {
    let mut statement = connection.prepare_cached("SELECT revision FROM traces WHERE key = ?")?;
    Ok(statement.query_row([key.0], |row| row.get(0))?)
}

/// Reads the spans of a trace one by one: segments and subsegments without what they hold. `None` if the trace is not
/// stored.
///
/// # Errors
/// SQLite's, or stored documents can't be read.
pub fn spans(connection: &Connection, id: TraceId) -> Result<Option<Vec<ingest::Piece>>, StoreError> {
    let Some(held) = store::find(connection, id)? else { return Ok(None) };
    let documents = store::documents(connection, held.key)?;
    let documents: Vec<&[u8]> = documents.iter().map(Vec::as_slice).collect();
    Ok(Some(ingest::pieces(id, &documents)))
}

/// Reads traces with their compiled documents (`BatchGetTraces`).
///
/// # Errors
/// SQLite's, or stored documents can't be read.
pub fn traces(connection: &Connection, ids: &[TraceId]) -> Result<Traces, StoreError> {
    let mut traces = Traces::default();
    for &id in ids {
        let Some(held) = store::find(connection, id)? else {
            traces.missing.push(id);
            continue;
        };
        let documents = store::documents(connection, held.key)?;
        let documents: Vec<&[u8]> = documents.iter().map(Vec::as_slice).collect();
        let segments = ingest::returned(id, &documents);
        traces.traces.push(TraceDocuments {
            id,
            duration: held.duration,
            limit_exceeded: held.over_limit,
            segments: segments.into_iter().map(|segment| (segment.id, segment.document)).collect(),
        });
    }
    Ok(traces)
}
