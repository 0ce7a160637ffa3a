//! Links from a (sub)segment to those of other traces, within X-Ray's limits. Who is linked is said by trace
//! headers; [`sqs`](crate::sqs) gathers those of a batch.

use crate::document::internal::{Body, Section, Written};
use crate::header::TraceHeader;
use crate::id::{SegmentId, TraceId};
use crate::json::Buffer;

/// The (sub)segments of other traces that a piece of work goes back to, such as the senders of a batch.
#[derive(Clone, Debug, Default)]
pub struct Links {
    links: Vec<(TraceId, SegmentId)>,
    traces: usize,
    left_out: usize,
}

impl Links {
    /// The most traces that one segment links (X-Ray developer guide, linking traces).
    pub const MAX_TRACES: usize = 20;

    /// The most links in one trace (the same page).
    pub const MAX_LINKS: usize = 100;

    /// No links.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Links the sender that a header names. A header without a `Parent` names none; what is linked already and
    /// what exceeds the limits is not linked again. Whether it is linked now.
    pub fn add(&mut self, header: &TraceHeader) -> bool {
        let Some(parent) = header.parent() else { return false };
        let link = (header.root(), parent);
        if self.links.contains(&link) {
            return true;
        }
        let is_known = self.links.iter().any(|(trace, _)| *trace == link.0);
        if self.links.len() == Self::MAX_LINKS || (!is_known && self.traces == Self::MAX_TRACES) {
            self.left_out += 1;
            return false;
        }
        self.traces += usize::from(!is_known);
        self.links.push(link);
        true
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.links.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// How many were too many for X-Ray.
    #[must_use]
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// Puts them into a body, in place of links that it had.
    #[doc(hidden)]
    pub fn put(&self, body: &mut Body) {
        if !self.is_empty() {
            body.put(Section::Top, 0, "\"links\":", |out| {
                self.write(out);
                Written::Whole
            });
        }
    }

    fn write(&self, out: &mut Buffer) {
        let mut separator = "[";
        for (trace_id, id) in &self.links {
            out.put(separator);
            put_link(out, *trace_id, *id);
            separator = ",";
        }
        out.put("]");
    }
}

/// Appends one link.
pub(super) fn put_link(out: &mut Buffer, trace_id: TraceId, id: SegmentId) {
    out.put("{\"trace_id\":");
    out.put_trace_id(trace_id);
    out.put(",\"id\":");
    out.put_segment_id(id);
    out.put("}");
}

impl<'a> Extend<&'a TraceHeader> for Links {
    fn extend<I: IntoIterator<Item = &'a TraceHeader>>(&mut self, headers: I) {
        for header in headers {
            self.add(header);
        }
    }
}
