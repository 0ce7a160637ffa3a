//! Spans with a record, for an integration that adds facts to a record later and from elsewhere.

use std::sync::Arc;

use tracing::Span;
use tracing_core::Metadata;
use tracing_subscriber::Registry;
use tracing_subscriber::registry::LookupSpan;
use xray_sdk::{SegmentId, TraceHeader};

use crate::fields::redacted_body::RedactedBody;
use crate::fields::scratch::with_body;
use crate::layer::find::core_of;
use crate::lifecycle::core::Core;
use crate::state::record::Role;

/// A span with a record.
pub(crate) struct TrackedSpan {
    record: RecordHandle,
    role: Role,
    metadata: &'static Metadata<'static>,
    header: Option<TraceHeader>,
}

impl TrackedSpan {
    /// Returns the nearest span with a record, from `span` outwards.
    pub(crate) fn around(span: &Span) -> Option<Self> {
        span.with_subscriber(|(id, dispatch)| {
            let core = core_of(id, dispatch)?.shared();
            let mut scope = dispatch.downcast_ref::<Registry>()?.span(id)?.scope();
            scope.find_map(|span| Self::find(&core, span.id().into_u64(), span.metadata()))
        })?
    }

    /// Returns the span, if it has a record.
    pub(crate) fn of(span: &Span) -> Option<Self> {
        span.with_subscriber(|(id, dispatch)| {
            let core = core_of(id, dispatch)?.shared();
            Self::find(&core, id.into_u64(), span.metadata()?)
        })?
    }

    fn find(core: &Arc<Core>, id: u64, metadata: &'static Metadata<'static>) -> Option<Self> {
        let found = core.spans.table.with(id, |record| {
            // A span takes the place of a root that is left out.
            (!matches!(record.context.role, Role::LeftOut(_))).then(|| Self {
                record: RecordHandle { core: Arc::clone(core), id, segment_id: record.segment_id },
                role: record.context.role,
                metadata,
                header: record.prepare_trace_header(),
            })
        });
        found.flatten()
    }

    /// Returns whether a call inside would be recorded.
    pub(crate) fn records_calls(&self) -> bool {
        self.role.is_recorded() || self.role == Role::PlatformRoot
    }

    pub(crate) fn metadata(&self) -> &'static Metadata<'static> {
        self.metadata
    }

    /// Returns the header to send to a service that is called inside.
    pub(crate) fn header(&self) -> Option<&TraceHeader> {
        self.header.as_ref()
    }

    /// Returns a handle to the record, if the span is recorded.
    pub(crate) fn into_record(self) -> Option<RecordHandle> {
        self.role.is_recorded().then_some(self.record)
    }
}

/// A handle to a record. The registry may reuse the span's id, so the segment id is compared as well.
#[derive(Debug)]
pub(crate) struct RecordHandle {
    core: Arc<Core>,
    /// The registry's id of the span.
    id: u64,
    segment_id: SegmentId,
}

impl RecordHandle {
    /// Adds to the record. `put` writes into a scratch body before the record is locked.
    pub(crate) fn update(&self, put: impl FnOnce(&mut RedactedBody<'_>)) {
        with_body(|body| {
            put(&mut RedactedBody::new(body, &self.core.config.rules));
            self.core.spans.table.with(self.id, |record| {
                if record.segment_id == self.segment_id {
                    record.body.absorb(body);
                }
            });
        });
    }

    /// Leaves the span out of the trace.
    pub(crate) fn discard(&self) {
        let _ = self.core.force(self.id, false);
    }
}
