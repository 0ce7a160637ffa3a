//! Segments and subsegments made by hand, for code that does not use `tracing`.
//!
//! Thin owners of the same [`Body`] and [`Children`] that the layer fills; [`Frame`] writes both.

use std::error::Error;

use serde_core::Serialize;

use super::links::put_link;
use super::{
    AnnotationValue, Body, Buffer, Children, Exception, Frame, Http, Kind, Namespace, Place, Preamble, Sql,
    Stack, Timestamp, Wrote, insert_independent_head, put_name,
};
use crate::daemon::{EmitError, Emitter, MAX_DOCUMENT, Packet};
use crate::header::{SamplingDecision, TraceHeader};
use crate::id::{SegmentId, TraceId};

/// The work of this service on one request, from [`begin`](Self::begin) to [`emit`](Self::emit).
#[derive(Clone, Debug)]
pub struct Segment {
    trace_id: TraceId,
    parent_id: Option<SegmentId>,
    preamble: Preamble,
    work: Work,
}

/// A part of a segment's work, or a call to another service.
///
/// It joins its parent with [`Segment::attach`] or [`Subsegment::attach`], or travels alone with
/// [`emit`](Self::emit).
#[derive(Clone, Debug)]
pub struct Subsegment {
    work: Work,
}

#[derive(Clone, Debug)]
struct Work {
    id: SegmentId,
    name: Buffer,
    start: Timestamp,
    end: Option<Timestamp>,
    body: Body,
    children: Children,
    /// Embedded documents that found no room in `children`, each with the id of its parent.
    leavers: Vec<(SegmentId, Buffer)>,
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
        self.work.body.put(Place::Top, 0, "\"service\":", |out| {
            out.put("{\"version\":");
            let cut = out.put_string_within(version, super::MAX_STRING);
            out.put("}");
            Wrote::cut_if(cut)
        });
    }

    /// Links a segment of another trace, as a consumer of a batch links those of its messages.
    pub fn link(&mut self, trace_id: TraceId, id: SegmentId) {
        let mut links = Buffer::new();
        match self.work.body.value_of(Place::Top, LINKS) {
            Some(before) => {
                links.put_bytes(&before[..before.len() - 1]);
                links.put(",");
            }
            None => links.put("["),
        }
        put_link(&mut links, trace_id, id);
        links.put("]");
        self.work.body.put(Place::Top, 0, LINKS, |out| {
            out.put_buffer(&links);
            Wrote::Whole
        });
    }

    /// Links the senders of a batch, in place of links that the segment had.
    pub fn set_links(&mut self, links: &super::Links) {
        links.put(&mut self.work.body);
    }

    fn put_top(&mut self, key: &str, value: &str) {
        self.work.body.put_str(Place::Top, 0, key, value);
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

impl Subsegment {
    /// Begins a subsegment now. `name` is that of the called service, or of the part of the work; it is mended
    /// to what X-Ray takes.
    #[must_use]
    pub fn begin(name: &str) -> Self {
        Self { work: Work::begin(name) }
    }

    /// Says who did the work.
    #[must_use]
    pub fn with_namespace(mut self, namespace: Namespace) -> Self {
        self.work.body.set_namespace(namespace);
        self
    }

    /// Describes a database call.
    pub fn set_sql(&mut self, sql: &Sql<'_>) {
        sql.put(&mut self.work.body);
    }

    /// Names siblings that finished before this one began.
    pub fn set_precursors(&mut self, ids: &[SegmentId]) {
        self.work.body.put(Place::Top, 0, "\"precursor_ids\":", |out| {
            out.put("[");
            for (i, id) in ids.iter().enumerate() {
                if i > 0 {
                    out.put(",");
                }
                out.put_segment_id(*id);
            }
            out.put("]");
            Wrote::Whole
        });
    }

    /// Ends the subsegment, if [`end_at`](Self::end_at) has not, and hands it over as a document of its own,
    /// part of the (sub)segment that `header` names as its parent. Without a parent it has nowhere to
    /// belong, and nothing is sent.
    ///
    /// # Errors
    /// The emitter's first refusal. The documents after that one are still tried.
    pub fn emit(mut self, header: &TraceHeader, emitter: &(impl Emitter + ?Sized)) -> Result<(), EmitError> {
        self.work.end_now();
        let Some(parent_id) = header.parent() else { return Ok(()) };
        let kind = Kind::Independent { trace_id: header.root(), parent_id };
        self.work.emit(kind, header.root(), emitter)
    }
}

impl Work {
    fn begin(name: &str) -> Self {
        let mut mended = Buffer::new();
        put_name(&mut mended, name);
        Self {
            id: SegmentId::random(),
            name: mended,
            start: Timestamp::now(),
            end: None,
            body: Body::new(),
            children: Children::new(),
            leavers: Vec::new(),
        }
    }

    fn end_now(&mut self) {
        self.end.get_or_insert_with(Timestamp::now);
    }

    fn frame<'a>(&'a self, kind: Kind<'a>) -> Frame<'a> {
        Frame {
            kind,
            id: self.id,
            name: self.name.as_str(),
            start: self.start.as_micros(),
            end: self.end.map(Timestamp::as_micros),
            body: &self.body,
            children: &self.children,
        }
    }

    fn attach(&mut self, mut child: Self) {
        child.end_now();
        self.leavers.append(&mut child.leavers);
        let frame = child.frame(Kind::Embedded);
        if self.children.has_room(frame.size_bound(), child.children.height()) {
            self.children.fold(&frame);
        } else {
            let mut document = Buffer::new();
            child.children.shrink_to(
                MAX_DOCUMENT.saturating_sub(child.body.size_bound() + 2_000),
                |leaver, _| {
                    let mut document = Buffer::new();
                    document.put_bytes(leaver);
                    self.leavers.push((child.id, document));
                },
            );
            child.frame(Kind::Embedded).put(&mut document);
            self.leavers.push((self.id, document));
        }
    }

    fn emit(
        &mut self,
        kind: Kind<'_>,
        trace_id: TraceId,
        emitter: &(impl Emitter + ?Sized),
    ) -> Result<(), EmitError> {
        let mut packet = Packet::new();
        let mut result = Ok(());
        let mut send = |parent_id, document: &[u8], result: &mut Result<(), EmitError>| {
            insert_independent_head(packet.start_document(), document, trace_id, parent_id);
            let sent = emitter.emit(&packet);
            *result = result.and(sent);
        };
        for (parent_id, document) in &self.leavers {
            send(*parent_id, document.as_bytes(), &mut result);
        }
        let own = self.frame(kind).size_bound() - self.children.bytes().len();
        self.children
            .shrink_to(MAX_DOCUMENT.saturating_sub(own), |leaver, _| send(self.id, leaver, &mut result));
        self.frame(kind).put(packet.start_document());
        let own = emitter.emit(&packet);
        result.and(own)
    }
}

macro_rules! common {
    ($type:ty) => {
        impl $type {
            /// Its id, which a header names as `Parent`.
            #[must_use]
            pub fn id(&self) -> SegmentId {
                self.work.id
            }

            /// Moves its start.
            pub fn start_at(&mut self, start: Timestamp) {
                self.work.start = start;
            }

            /// Ends it at a certain time. Defaults to when it is attached or emitted. An end before the start
            /// is taken for the start.
            pub fn end_at(&mut self, end: Timestamp) {
                self.work.end = Some(end);
            }

            /// Adds a finished part. One that would make the document too large leaves by itself when the
            /// segment is emitted.
            pub fn attach(&mut self, child: Subsegment) {
                self.work.attach(child.work);
            }

            /// Describes the request and its response.
            pub fn set_http(&mut self, http: &Http<'_>) {
                http.put(&mut self.work.body);
            }

            /// Adds a member of the `aws` object: `operation`, `region`, `table_name`. A value that does not
            /// serialize is left out and counted in the document.
            pub fn set_aws(&mut self, key: &str, value: &impl Serialize) {
                let mut ready = Buffer::new();
                ready.put_string(key);
                ready.put(":");
                self.work
                    .body
                    .put(Place::Aws, 0, ready.as_str(), |out| super::serialize::put_serialized(out, value));
            }

            /// Adds a value that X-Ray indexes. Keys are letters, digits, `_` and `.`; others are mended.
            pub fn annotate<'a>(&mut self, key: &str, value: impl Into<AnnotationValue<'a>>) {
                self.work.body.annotate(key, &value.into());
            }

            /// Adds any value that serializes, which X-Ray keeps but does not index. An empty namespace is
            /// `default`.
            pub fn metadata(&mut self, namespace: &str, key: &str, value: &(impl Serialize + ?Sized)) {
                self.work.body.metadata(namespace, key, value);
            }

            /// Adds an exception; the work counts as failed.
            pub fn add_exception(&mut self, exception: &Exception<'_>) {
                self.work.body.add_exception(exception);
            }

            /// Adds an error with its chain of sources; the work counts as failed.
            pub fn add_error(&mut self, error: &(dyn Error + 'static)) {
                self.work.body.add_error(error, Stack::none());
            }

            /// Marks a client error.
            pub fn set_error(&mut self) {
                self.work.body.set_error();
            }

            /// Marks a throttled call.
            pub fn set_throttle(&mut self) {
                self.work.body.set_throttle();
            }

            /// Marks a server fault.
            pub fn set_fault(&mut self) {
                self.work.body.set_fault();
            }
        }
    };
}

common!(Segment);
common!(Subsegment);
