//! Finds traces and sums them up.

use rusqlite::Connection;

use super::filter::Filter;
use super::range::Search;
use super::summary::SummaryPage;
use crate::model::TraceKey;
use crate::store::StoreError;

/// Keys of a page of matching traces, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The keys, at most as many as were asked for.
    pub keys: Vec<TraceKey>,
    /// Where the next page begins; `None` on the last page.
    pub next: Option<TraceKey>,
    /// Traces that were looked at, matching or not.
    pub processed: u64,
}

/// Finds traces.
///
/// # Errors
/// SQLite's.
pub fn find(_connection: &Connection, _search: &Search) -> Result<Found, StoreError> {
    Err(StoreError::Damaged("searches are not there yet"))
}

/// Finds traces and sums them up (`GetTraceSummaries`).
///
/// # Errors
/// SQLite's.
pub fn summaries(_connection: &Connection, _search: &Search) -> Result<SummaryPage, StoreError> {
    Err(StoreError::Damaged("searches are not there yet"))
}

/// Reports whether a trace matches a filter: for the live tail.
///
/// # Errors
/// SQLite's.
pub fn matches(_connection: &Connection, _filter: &Filter, _trace: TraceKey) -> Result<bool, StoreError> {
    Err(StoreError::Damaged("searches are not there yet"))
}
