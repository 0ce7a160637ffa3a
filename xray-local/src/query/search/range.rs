//! Questions for traces: a range of time, a filter, a sample, a place to go on from.

use super::super::filter::Filter;
use crate::model::{Time, TraceKey};

/// Time of a trace that has to lie in a range (`TimeRangeType`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RangeKind {
    /// The time in the trace id. The default.
    #[default]
    TraceId,
    /// Any time at which the trace was active.
    Event,
    /// The end of one of its segments.
    Service,
}

/// A range of time: `start` belongs to it, `end` does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first moment.
    pub start: Time,
    /// The first moment after the range.
    pub end: Time,
    /// Time of a trace that counts.
    pub kind: RangeKind,
}

impl Range {
    /// Every trace.
    pub const ALL: Self = Self { start: Time(0), end: Time(i64::MAX), kind: RangeKind::TraceId };

    /// A range of the times in trace ids.
    #[must_use]
    pub fn of_ids(start: Time, end: Time) -> Self {
        Self { start, end, kind: RangeKind::TraceId }
    }
}

/// Part of the traces of a range (`Sampling`, `SamplingStrategy`). The choice depends on trace ids alone, so that the
/// pages of one question fit together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Sample {
    /// Every trace.
    #[default]
    All,
    /// This share of the traces, from 0 to 1 (`FixedRate`).
    FixedRate(f64),
    /// Only as many of the newest traces as are quickly looked at (`PartialScan`).
    PartialScan,
}

/// A question for traces.
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    /// Time.
    pub range: Range,
    /// Filter.
    pub filter: Filter,
    /// Share of them.
    pub sample: Sample,
    /// Only traces of this group (`groups.number`), as they were stored.
    pub group: Option<i64>,
    /// Only traces before this one: the `next` of the previous page.
    pub before: Option<TraceKey>,
    /// The most traces of a page.
    pub limit: usize,
}

impl Search {
    /// Asks for the newest traces of a range, a page of `SUMMARIES_PAGE`.
    #[must_use]
    pub fn new(range: Range, filter: Filter) -> Self {
        let limit = crate::model::limits::SUMMARIES_PAGE;
        Self { range, filter, sample: Sample::All, group: None, before: None, limit }
    }
}
