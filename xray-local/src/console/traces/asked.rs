//! The parameters of the list's address, and addresses of lists with other parameters.

use serde::Deserialize;

use crate::console::format;
use crate::model::{Length, Time};
use crate::query::filter::{Expr, Filter};
use crate::query::{self, Range};

/// Ranges of time to choose from: value, words, seconds.
pub(in crate::console) const RANGES: [(&str, &str, i64); 6] = [
    ("", "All times", 0),
    ("5m", "5 minutes", 300),
    ("30m", "30 minutes", 1_800),
    ("3h", "3 hours", 10_800),
    ("1d", "1 day", 86_400),
    ("7d", "7 days", 604_800),
];

/// The range of a choice, or everything.
pub(in crate::console) fn range(since: &str, now: Time) -> Range {
    match RANGES.iter().find(|(value, ..)| *value == since) {
        Some((.., seconds)) if *seconds > 0 => {
            Range::of_ids(Time(now.0 - seconds * 1_000_000), now.plus(Length(60_000_000)))
        }
        _ => Range::ALL,
    }
}

/// The parameters of the list.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    pub(super) filter: String,
    pub(super) since: String,
    pub(super) sort: String,
    /// Where the page begins, as a key.
    pub(super) before: String,
    /// The brush over the histogram, in milliseconds.
    pub(super) from: String,
    pub(super) to: String,
}

impl Asked {
    /// The brush, unless it is empty or no range.
    pub(super) fn brush(&self) -> Option<(i64, i64)> {
        let (from, to) = (self.from.trim().parse::<f64>().ok()?, self.to.trim().parse::<f64>().ok()?);
        (from >= 0.0 && to > from && to < 1e12).then(|| (from.round() as i64, to.round() as i64))
    }

    /// The condition of the brush.
    pub(super) fn brushed(&self) -> Option<Expr> {
        self.brush().map(|(from, to)| query::of_times(from, to))
    }

    fn link(&self, filter: &str, sort: &str, before: &str) -> String {
        format::link(
            "/traces",
            &[("filter", filter), ("since", &self.since), ("sort", sort), ("before", before)],
        )
    }

    /// The list narrowed by a condition.
    pub(super) fn narrowed(&self, filter: &Filter, condition: &Expr) -> String {
        self.link(&filter.clone().and(condition.clone()).to_string(), &self.sort, "")
    }

    /// The list with another filter.
    pub(super) fn with(&self, filter: &Filter) -> String {
        self.link(&filter.to_string(), &self.sort, "")
    }

    /// The list in another order.
    pub(super) fn sorted(&self, sort: &str) -> String {
        self.link(&self.filter, sort, "")
    }

    /// The page of the list that begins before a key.
    pub(super) fn page(&self, before: i64) -> String {
        self.link(&self.filter, &self.sort, &before.to_string())
    }
}
