//! [`Links`]: from a (sub)segment to those of other traces, within X-Ray's limits. Trace headers name the targets;
//! [`sqs`](crate::sqs) collects those of a batch.

use crate::document::internal::{Body, Section, Written, keys};
use crate::header::TraceHeader;
use crate::id::{SegmentId, TraceId};
use crate::json::Buffer;

/// Links to (sub)segments of other traces, such as the senders of a batch.
///
/// ```
/// use xray_sdk::TraceHeader;
/// use xray_sdk::document::Links;
///
/// let text = "Root=1-66f1a2b3-0123456789abcdef01234567;Parent=53995c3f42cd8ad8;Sampled=1";
/// let sender: TraceHeader = text.parse()?;
/// let mut links = Links::new();
/// assert!(links.add(&sender));
/// assert_eq!(links.len(), 1);
/// # Ok::<(), xray_sdk::header::ParseHeaderError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Links {
    links: Vec<(TraceId, SegmentId)>,
    traces: usize,
    left_out: usize,
}

impl Links {
    /// Traces that one segment may link (X-Ray developer guide, linking traces).
    pub const MAX_TRACES: usize = 20;

    /// Links that one segment may have (X-Ray developer guide, linking traces).
    pub const MAX_LINKS: usize = 100;

    /// Creates an empty list.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a link to the sender that a header names. Returns whether the sender is linked now.
    ///
    /// A header without a `Parent` names no sender. A sender is linked once, and none beyond the limits.
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

    /// Returns the number of links.
    #[must_use]
    pub fn len(&self) -> usize {
        self.links.len()
    }

    /// Returns whether there are no links.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// Returns how many senders exceeded the limits and are not linked.
    #[must_use]
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// Puts them into a body, in place of links that it had.
    #[doc(hidden)]
    pub fn put(&self, body: &mut Body) {
        if !self.is_empty() {
            body.put(Section::Top, 0, keys::LINKS, |out| {
                put_links(out, &self.links);
                Written::Whole
            });
        }
    }

    pub(super) fn as_slice(&self) -> &[(TraceId, SegmentId)] {
        &self.links
    }
}

/// Appends links as an array.
pub(super) fn put_links(out: &mut Buffer, links: &[(TraceId, SegmentId)]) {
    let mut separator = "[";
    for (trace_id, id) in links {
        out.put(separator);
        out.put("{\"trace_id\":");
        out.put_trace_id(*trace_id);
        out.put(",\"id\":");
        out.put_segment_id(*id);
        out.put("}");
        separator = ",";
    }
    out.put("]");
}

impl<'a> Extend<&'a TraceHeader> for Links {
    fn extend<I: IntoIterator<Item = &'a TraceHeader>>(&mut self, headers: I) {
        for header in headers {
            self.add(header);
        }
    }
}
