//! Statistics period by period (`GetTimeSeriesServiceStatistics`).

use rusqlite::Connection;

use super::filter::Selector;
use super::graph::{Histogram, Statistics};
use super::range::Range;
use crate::model::{Length, Time};
use crate::store::StoreError;

/// A question for statistics.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesSearch {
    /// When.
    pub range: Range,
    /// The group, `groups.number`.
    pub group: Option<i64>,
    /// The node or the edge. Without one: the edges from clients, so that each trace counts once.
    pub selector: Option<Selector>,
    /// The length of a period. Periods begin at multiples of it since 1970.
    pub period: Length,
    /// Whether forecasts are wanted. They need a selector with a node's name.
    pub forecast: bool,
}

/// The statistics of one period. Periods without a request are left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Period {
    /// When the period begins.
    pub start: Time,
    /// Whether the statistics are those of a node, not of edges.
    pub of_service: bool,
    /// The statistics.
    pub statistics: Statistics,
    /// Times until the response.
    pub responses: Histogram,
    /// The faults that are to be expected, lowest and highest count.
    pub forecast: Option<(u64, u64)>,
}

/// Statistics period by period, in order of time.
///
/// # Errors
/// SQLite's.
pub fn series(_connection: &Connection, _search: &SeriesSearch) -> Result<Vec<Period>, StoreError> {
    Err(StoreError::Damaged("series are not there yet"))
}
