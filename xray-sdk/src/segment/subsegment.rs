//! [`Subsegment`]: a part of a segment's work, or a call to another service.

use serde_core::Serialize;

use super::common::common;
use super::http::Http;
use super::sql::Sql;
use super::work::Work;
use crate::daemon::{EmitError, Emitter};
use crate::document::internal::{Kind, Section, Written, keys};
use crate::document::{AnnotationValue, Exception, Namespace, Timestamp};
use crate::header::TraceHeader;
use crate::id::SegmentId;

/// A part of a segment's work, or a call to another service.
///
/// A subsegment joins its parent with [`Segment::attach`](super::Segment::attach) or [`Subsegment::attach`], or is sent
/// alone with [`emit`](Self::emit).
///
/// ```
/// use xray_sdk::document::{Http, Namespace, Subsegment};
///
/// let mut call = Subsegment::begin("prices.example").with_namespace(Namespace::Remote);
/// call.set_http(&Http::request("GET", "https://prices.example/7").status(200));
/// ```
#[derive(Clone, Debug)]
pub struct Subsegment {
    pub(super) work: Work,
}

impl Subsegment {
    pub(super) const IS_SEGMENT: bool = false;

    /// Begins a subsegment now.
    ///
    /// `name` is that of the called service, or of the part of the work. Characters that X-Ray refuses become `_`,
    /// and a name of more than [`MAX_NAME`](crate::document::MAX_NAME) characters is truncated.
    ///
    /// ```
    /// # use xray_sdk::document::Subsegment;
    /// let call = Subsegment::begin("prices.example");
    /// ```
    #[must_use]
    pub fn begin(name: &str) -> Self {
        Self { work: Work::begin(name) }
    }

    /// Sets the namespace: which kind of service did the work.
    ///
    /// ```
    /// # use xray_sdk::document::{Namespace, Subsegment};
    /// let call = Subsegment::begin("DynamoDB").with_namespace(Namespace::Aws);
    /// ```
    #[must_use]
    pub fn with_namespace(mut self, namespace: Namespace) -> Self {
        self.work.body.set_namespace(namespace);
        self
    }

    /// Describes a database call.
    ///
    /// ```
    /// # use xray_sdk::document::{Sql, Subsegment};
    /// let mut call = Subsegment::begin("orders@db.local");
    /// call.set_sql(&Sql::query("PostgreSQL", "SELECT total FROM orders WHERE id = $1"));
    /// ```
    pub fn set_sql(&mut self, sql: &Sql<'_>) {
        sql.put(&mut self.work.body);
    }

    /// Sets the ids of siblings that ended before this subsegment began.
    ///
    /// ```
    /// # use xray_sdk::document::Subsegment;
    /// let first = Subsegment::begin("reserve");
    /// let mut second = Subsegment::begin("pay");
    /// second.set_precursors(&[first.id()]);
    /// ```
    pub fn set_precursors(&mut self, ids: &[SegmentId]) {
        self.work.body.put(Section::Top, 0, keys::PRECURSOR_IDS, |out| {
            out.put("[");
            for (i, id) in ids.iter().enumerate() {
                if i > 0 {
                    out.put(",");
                }
                out.put_segment_id(*id);
            }
            out.put("]");
            Written::Whole
        });
    }

    /// Ends the subsegment, if [`end_at`](Self::end_at) has not, and emits it as a document of its own.
    ///
    /// `header` names the parent. If it names none, nothing is emitted.
    ///
    /// # Errors
    /// Returns the emitter's first error. The remaining documents are emitted nevertheless.
    ///
    /// ```
    /// # use xray_sdk::{TraceId, UdpEmitter, document::{Segment, Subsegment}};
    /// let segment = Segment::begin("shop", TraceId::new());
    /// let part = Subsegment::begin("render");
    /// part.emit(&segment.trace_header(), &UdpEmitter::default()).ok();
    /// ```
    pub fn emit(mut self, header: &TraceHeader, emitter: &(impl Emitter + ?Sized)) -> Result<(), EmitError> {
        self.work.end_now();
        let Some(parent_id) = header.parent() else { return Ok(()) };
        let kind = Kind::Independent { trace_id: header.root(), parent_id };
        self.work.emit(kind, header.root(), emitter)
    }
}

common!(Subsegment, "Subsegment::begin(\"prices\")");
