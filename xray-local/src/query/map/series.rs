//! Statistics period by period (`GetTimeSeriesServiceStatistics`).

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::super::filter::keyword::Scope;
use super::super::filter::{Expr, Fragment, Predicate, Selector, sql};
use super::super::search::Range;
use super::graph::{Histogram, Statistics};
use super::tally::{Counted, Only, Tally, count, histogram};
use crate::model::{Length, Time, limits};
use crate::store::StoreError;

/// A question for statistics.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesSearch {
    /// Range of time. Counts what started within it, whatever `range.kind` is.
    pub range: Range,
    /// The group, `groups.number`.
    pub group: Option<i64>,
    /// The node or the edge. Without one: the edges from clients, so that each trace counts once.
    pub selector: Option<Selector>,
    /// The length of a period, at least a second. Periods begin at multiples of it since 1970.
    pub period: Length,
    /// True if forecasts are wanted. Forecasts need a selector with a node's name.
    pub forecast: bool,
}

/// The statistics of one period. Periods without a request are left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Period {
    /// Start of the period.
    pub start: Time,
    /// True if the statistics are those of a node, not of edges.
    pub of_service: bool,
    /// The statistics.
    pub statistics: Statistics,
    /// Times until the response.
    pub responses: Histogram,
    /// The faults that the periods before let expect: lowest and highest count.
    pub forecast: Option<(u64, u64)>,
}

/// Statistics period by period, in order of time.
///
/// # Errors
/// SQLite's.
pub fn series(connection: &Connection, search: &SeriesSearch) -> Result<Vec<Period>, StoreError> {
    let (counted, only) = chosen(search);
    let period = search.period.0.max(SECOND);
    let mut tallies: BTreeMap<i64, Tally> = BTreeMap::new();
    let window = (search.range.start, search.range.end);
    count(connection, counted, &only, window, period % MINUTE == 0, &mut |at, _, tally| {
        tallies.entry(at.0.div_euclid(period)).or_default().merge(&tally);
    })?;
    let faults: Vec<u64> = tallies.values().map(|tally| tally.statistics.fault).collect();
    Ok(tallies
        .iter()
        .enumerate()
        .map(|(position, (number, tally))| Period {
            start: Time(number * period),
            of_service: counted == Counted::Segments,
            statistics: tally.statistics,
            responses: histogram(&tally.responses),
            forecast: if search.forecast { forecast(&faults[..position]) } else { None },
        })
        .collect())
}

fn chosen(search: &SeriesSearch) -> (Counted, Only) {
    let inner = |expr: &Option<Expr>, scope| expr.as_ref().map(|expr| sql::condition(expr, scope));
    let mut only = Only { group: search.group, ..Only::default() };
    // The shapes of traces that have such a segment or call.
    let shapes = |predicate: Predicate| {
        let whole = Expr::Test(predicate.clone());
        let shaped =
            if sql::is_shaped(&whole, Scope::Trace) { Some(whole) } else { sql::implied(&predicate) };
        shaped.as_ref().map(sql::shapes)
    };
    match &search.selector {
        None => {
            let clients = "SELECT g.id FROM edges g JOIN nodes n ON n.id = g.source WHERE n.type = 'client'";
            only.ids = Some(Fragment::new(clients));
            (Counted::Calls, only)
        }
        Some(Selector::Service(node, expr)) => {
            only.ids = (!node.is_any()).then(|| sql::node_ids(node));
            only.each = inner(expr, Scope::Service);
            if let Some(expr) = expr {
                only.shapes = shapes(Predicate::Service(node.clone(), Some(Box::new(expr.clone()))));
            }
            (Counted::Segments, only)
        }
        Some(Selector::Edge(from, to, expr)) => {
            only.ids = (!(from.is_any() && to.is_any())).then(|| sql::edge_ids(from, to));
            only.each = inner(expr, Scope::Edge);
            if let Some(expr) = expr {
                only.shapes = shapes(Predicate::Edge(from.clone(), to.clone(), Some(Box::new(expr.clone()))));
            }
            (Counted::Calls, only)
        }
    }
}

/// The mean of the counts before, and a few standard deviations on either side.
fn forecast(before: &[u64]) -> Option<(u64, u64)> {
    let count = before.len() as f64;
    let mean = before.iter().sum::<u64>() as f64 / count;
    let variance = before.iter().map(|&faults| (faults as f64 - mean).powi(2)).sum::<f64>() / count;
    let width = limits::FORECAST_DEVIATIONS * variance.sqrt();
    // The casts clamp: a negative low bound is 0.
    (!before.is_empty()).then(|| ((mean - width).floor().max(0.0) as u64, (mean + width).ceil() as u64))
}

/// Microseconds of a second and of a minute.
const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
