//! [`Segment`]: the work of one service on one request.

use serde_core::Serialize;

use super::common::common;
use super::http::Http;
use super::links::{Links, put_links};
use super::subsegment::Subsegment;
use super::work::Work;
use crate::daemon::{EmitError, Emitter};
use crate::document::internal::{Children, Key, Kind, Preamble, Section, Written, keys};
use crate::document::{AnnotationValue, Exception, MAX_STRING, Timestamp};
use crate::header::{SamplingDecision, TraceHeader};
use crate::id::{SegmentId, TraceId};

/// The work of one service on one request, from [`begin`](Self::begin) to [`emit`](Self::emit).
///
/// ```
/// use xray_sdk::document::{Http, Segment, Subsegment};
/// use xray_sdk::{TraceId, UdpEmitter};
///
/// let mut segment = Segment::begin("shop", TraceId::new());
/// segment.set_http(&Http::request("GET", "https://shop.example/cart").status(200));
/// segment.attach(Subsegment::begin("render"));
/// segment.emit(&UdpEmitter::default()).ok();
/// ```
#[derive(Clone, Debug)]
pub struct Segment {
    trace_id: TraceId,
    parent_id: Option<SegmentId>,
    preamble: Preamble,
    links: Vec<(TraceId, SegmentId)>,
    work: Work,
}

impl Segment {
    pub(super) const IS_SEGMENT: bool = true;

    /// Begins a segment now, in the given trace.
    ///
    /// `name` is the service's. Characters that X-Ray refuses become `_`, and a name of more than
    /// [`MAX_NAME`](crate::document::MAX_NAME) characters is truncated.
    ///
    /// ```
    /// # use xray_sdk::{TraceId, document::Segment};
    /// let segment = Segment::begin("shop", TraceId::new());
    /// ```
    #[must_use]
    pub fn begin(name: &str, trace_id: TraceId) -> Self {
        Self {
            trace_id,
            parent_id: None,
            preamble: Preamble::default(),
            links: Vec::new(),
            work: Work::begin(name),
        }
    }

    /// Begins a segment that continues the caller's trace.
    ///
    /// ```
    /// # use xray_sdk::{TraceHeader, document::Segment};
    /// let text = "Root=1-66f1a2b3-0123456789abcdef01234567;Parent=53995c3f42cd8ad8";
    /// let header: TraceHeader = text.parse()?;
    /// let segment = Segment::continued("shop", &header);
    /// assert_eq!(segment.trace_id(), header.root());
    /// # Ok::<(), xray_sdk::header::ParseHeaderError>(())
    /// ```
    #[must_use]
    pub fn continued(name: &str, header: &TraceHeader) -> Self {
        Self { parent_id: header.parent(), ..Self::begin(name, header.root()) }
    }

    /// Returns the header for a downstream call that has no subsegment of its own.
    ///
    /// ```
    /// # use xray_sdk::{TraceId, document::Segment};
    /// let segment = Segment::begin("shop", TraceId::new());
    /// assert_eq!(segment.trace_header().parent(), Some(segment.id()));
    /// ```
    #[must_use]
    pub fn trace_header(&self) -> TraceHeader {
        self.header_for(self.work.id)
    }

    /// Returns the header for the service that `subsegment` calls.
    ///
    /// ```
    /// # use xray_sdk::{TraceId, document::{Segment, Subsegment}};
    /// let (segment, call) = (Segment::begin("shop", TraceId::new()), Subsegment::begin("prices"));
    /// assert_eq!(segment.trace_header_for(&call).parent(), Some(call.id()));
    /// ```
    #[must_use]
    pub fn trace_header_for(&self, subsegment: &Subsegment) -> TraceHeader {
        self.header_for(subsegment.work.id)
    }

    fn header_for(&self, id: SegmentId) -> TraceHeader {
        TraceHeader::new(self.trace_id).with_parent(id).with_sampled(SamplingDecision::Sampled)
    }

    /// Returns the id of the trace that the segment belongs to.
    ///
    /// ```
    /// # use xray_sdk::{TraceId, document::Segment};
    /// let trace_id = TraceId::new();
    /// assert_eq!(Segment::begin("shop", trace_id).trace_id(), trace_id);
    /// ```
    #[must_use]
    pub fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// Sets the kind of AWS resource that runs this code: `AWS::EC2::Instance`, for instance.
    ///
    /// ```
    /// # use xray_sdk::{TraceId, document::Segment};
    /// # let mut segment = Segment::begin("shop", TraceId::new());
    /// segment.set_origin("AWS::ECS::Container");
    /// ```
    pub fn set_origin(&mut self, origin: &str) {
        self.put_top(keys::ORIGIN, origin);
    }

    /// Sets the end user.
    ///
    /// ```
    /// # use xray_sdk::{TraceId, document::Segment};
    /// # let mut segment = Segment::begin("shop", TraceId::new());
    /// segment.set_user("u-17");
    /// ```
    pub fn set_user(&mut self, user: &str) {
        self.put_top(keys::USER, user);
    }

    /// Sets the version of the service.
    ///
    /// ```
    /// # use xray_sdk::{TraceId, document::Segment};
    /// # let mut segment = Segment::begin("shop", TraceId::new());
    /// segment.set_service_version("1.4.2");
    /// ```
    pub fn set_service_version(&mut self, version: &str) {
        self.work.body.put(Section::Top, 0, keys::SERVICE, |out| {
            out.put("{\"version\":");
            let cut = out.put_string_within(version, MAX_STRING);
            out.put("}");
            Written::cut_if(cut)
        });
    }

    /// Adds a link to a segment of another trace, such as the sender of a message.
    ///
    /// ```
    /// # use xray_sdk::{TraceId, document::Segment};
    /// # let mut segment = Segment::begin("shop", TraceId::new());
    /// let sender = Segment::begin("checkout", TraceId::new());
    /// segment.link(sender.trace_id(), sender.id());
    /// ```
    pub fn link(&mut self, trace_id: TraceId, id: SegmentId) {
        self.links.push((trace_id, id));
        self.put_links();
    }

    /// Replaces the segment's links by those of a batch's senders.
    ///
    /// ```
    /// # use xray_sdk::{TraceHeader, TraceId, document::{Links, Segment}};
    /// # let mut segment = Segment::begin("shop", TraceId::new());
    /// let mut links = Links::new();
    /// links.add(&Segment::begin("checkout", TraceId::new()).trace_header());
    /// segment.set_links(&links);
    /// ```
    pub fn set_links(&mut self, links: &Links) {
        self.links = links.as_slice().to_vec();
        self.put_links();
    }

    fn put_links(&mut self) {
        if !self.links.is_empty() {
            let links = &self.links;
            self.work.body.put(Section::Top, 0, keys::LINKS, |out| {
                put_links(out, links);
                Written::Whole
            });
        }
    }

    fn put_top(&mut self, key: Key<'_>, value: &str) {
        self.work.body.put_str(Section::Top, 0, key, value);
    }

    /// Ends the segment, if [`end_at`](Self::end_at) has not, and emits its document.
    ///
    /// Subsegments without room in that document are emitted before it, a document each.
    ///
    /// # Errors
    /// Returns the emitter's first error. The remaining documents are emitted nevertheless.
    ///
    /// ```
    /// # use xray_sdk::{TraceId, UdpEmitter, document::Segment};
    /// let emitter = UdpEmitter::default();
    /// if let Err(err) = Segment::begin("shop", TraceId::new()).emit(&emitter) {
    ///     eprintln!("segment is lost: {err}");
    /// }
    /// ```
    pub fn emit(mut self, emitter: &(impl Emitter + ?Sized)) -> Result<(), EmitError> {
        self.work.end_now();
        let kind = Kind::Segment {
            trace_id: self.trace_id,
            parent_id: self.parent_id,
            preamble: &self.preamble,
            rule: None,
            operation: None,
            opening: None,
        };
        self.work.emit(kind, self.trace_id, emitter)
    }

    /// Emits an in-progress copy of the segment. The complete document follows with [`emit`](Self::emit).
    ///
    /// # Errors
    /// Returns the emitter's error.
    ///
    /// ```
    /// # use xray_sdk::{TraceId, UdpEmitter, document::Segment};
    /// let (segment, emitter) = (Segment::begin("import", TraceId::new()), UdpEmitter::default());
    /// segment.announce(&emitter).ok();
    /// // Hours later:
    /// segment.emit(&emitter).ok();
    /// ```
    pub fn announce(&self, emitter: &(impl Emitter + ?Sized)) -> Result<(), EmitError> {
        let mut work = Work { children: Children::new(), leavers: Vec::new(), ..self.work.clone() };
        work.end = None;
        let kind = Kind::Segment {
            trace_id: self.trace_id,
            parent_id: self.parent_id,
            preamble: &self.preamble,
            rule: None,
            operation: None,
            opening: None,
        };
        work.emit(kind, self.trace_id, emitter)
    }
}

common!(Segment, "Segment::begin(\"shop\", TraceId::new())");
