//! [`Segment`]: the work of one service on one request.

use serde_core::Serialize;

use super::common::common;
use super::http::Http;
use super::links::{Links, put_link};
use super::subsegment::Subsegment;
use super::work::Work;
use crate::daemon::{EmitError, Emitter};
use crate::document::internal::{Children, Kind, Preamble, Section, Written};
use crate::document::{AnnotationValue, Exception, MAX_STRING, Timestamp};
use crate::header::{SamplingDecision, TraceHeader};
use crate::id::{SegmentId, TraceId};
use crate::json::Buffer;

/// The work of this service on one request, from [`begin`](Self::begin) to [`emit`](Self::emit).
#[derive(Clone, Debug)]
pub struct Segment {
    trace_id: TraceId,
    parent_id: Option<SegmentId>,
    preamble: Preamble,
    work: Work,
}

impl Segment {
    /// Begins a segment now, in a trace. `name` is the service's; it is mended to what X-Ray takes.
    #[must_use]
    pub fn begin(name: &str, trace_id: TraceId) -> Self {
        Self { trace_id, parent_id: None, preamble: Preamble::default(), work: Work::begin(name) }
    }

    /// Begins a segment that continues the caller's trace.
    #[must_use]
    pub fn continued(name: &str, header: &TraceHeader) -> Self {
        Self { parent_id: header.parent(), ..Self::begin(name, header.root()) }
    }

    /// What to send to a service that is called on this segment's behalf without a subsegment of its own.
    #[must_use]
    pub fn trace_header(&self) -> TraceHeader {
        self.header_for(self.work.id)
    }

    /// What to send to the service that `subsegment` calls.
    #[must_use]
    pub fn trace_header_for(&self, subsegment: &Subsegment) -> TraceHeader {
        self.header_for(subsegment.work.id)
    }

    fn header_for(&self, id: SegmentId) -> TraceHeader {
        TraceHeader::new(self.trace_id).with_parent(id).with_sampled(SamplingDecision::Sampled)
    }

    /// The trace it belongs to.
    #[must_use]
    pub fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// Names the AWS resource that runs this code, `AWS::EC2::Instance` for instance.
    pub fn set_origin(&mut self, origin: &str) {
        self.put_top("\"origin\":", origin);
    }

    /// Names the end user.
    pub fn set_user(&mut self, user: &str) {
        self.put_top("\"user\":", user);
    }

    /// Names the service's version.
    pub fn set_service_version(&mut self, version: &str) {
        self.work.body.put(Section::Top, 0, "\"service\":", |out| {
            out.put("{\"version\":");
            let cut = out.put_string_within(version, MAX_STRING);
            out.put("}");
            Written::cut_if(cut)
        });
    }

    /// Links a segment of another trace, as a consumer of a batch links those of its messages.
    pub fn link(&mut self, trace_id: TraceId, id: SegmentId) {
        let mut links = Buffer::new();
        match self.work.body.value_of(Section::Top, LINKS) {
            Some(before) => {
                links.put_bytes(&before[..before.len() - 1]);
                links.put(",");
            }
            None => links.put("["),
        }
        put_link(&mut links, trace_id, id);
        links.put("]");
        self.work.body.put(Section::Top, 0, LINKS, |out| {
            out.put_buffer(&links);
            Written::Whole
        });
    }

    /// Links the senders of a batch, in place of links that the segment had.
    pub fn set_links(&mut self, links: &Links) {
        links.put(&mut self.work.body);
    }

    fn put_top(&mut self, key: &str, value: &str) {
        self.work.body.put_str(Section::Top, 0, key, value);
    }

    /// Ends the segment, if [`end_at`](Self::end_at) has not, and hands it over, with the subsegments that had
    /// no room in its document before it.
    ///
    /// # Errors
    /// The emitter's first refusal. The documents after that one are still tried.
    pub fn emit(mut self, emitter: &(impl Emitter + ?Sized)) -> Result<(), EmitError> {
        self.work.end_now();
        let kind = Kind::Segment {
            trace_id: self.trace_id,
            parent_id: self.parent_id,
            preamble: &self.preamble,
            rule: None,
            operation: None,
        };
        self.work.emit(kind, self.trace_id, emitter)
    }

    /// Hands over a copy that says that the segment is in progress. The complete one follows with
    /// [`emit`](Self::emit).
    ///
    /// # Errors
    /// The emitter's refusal.
    pub fn announce(&self, emitter: &(impl Emitter + ?Sized)) -> Result<(), EmitError> {
        let mut work = Work { children: Children::new(), leavers: Vec::new(), ..self.work.clone() };
        work.end = None;
        let kind = Kind::Segment {
            trace_id: self.trace_id,
            parent_id: self.parent_id,
            preamble: &self.preamble,
            rule: None,
            operation: None,
        };
        work.emit(kind, self.trace_id, emitter)
    }
}

const LINKS: &str = "\"links\":";

common!(Segment);
