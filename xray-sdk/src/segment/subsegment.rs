//! [`Subsegment`]: a part of a segment's work, or a call to another service.

use serde_core::Serialize;

use super::common::common;
use super::http::Http;
use super::sql::Sql;
use super::work::Work;
use crate::daemon::{EmitError, Emitter};
use crate::document::internal::{Kind, Section, Written};
use crate::document::{AnnotationValue, Exception, Namespace, Timestamp};
use crate::header::TraceHeader;
use crate::id::SegmentId;

/// A part of a segment's work, or a call to another service.
///
/// It joins its parent with [`Segment::attach`](super::Segment::attach) or [`Subsegment::attach`], or travels alone with
/// [`emit`](Self::emit).
#[derive(Clone, Debug)]
pub struct Subsegment {
    pub(super) work: Work,
}

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
        self.work.body.put(Section::Top, 0, "\"precursor_ids\":", |out| {
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

common!(Subsegment);
