//! The span that stands for a call, and what is put into its record.
//!
//! ```text
//!  the nearest span that the layer knows, from the current one outwards
//!    the operation's own ─────────────────► it gets what is known      the SDK's inner spans lie in between
//!    another, or none: a filter hides it ─► a span of our own
//!    one that is not recorded ────────────► the header goes on, and that is all
//! ```
//! Hooks run inside of the SDK's inner spans, in the task of the call. A span of our own is never entered: it would
//! have to be left at each point where the call waits. It lies with the rest in the call's bag, and closes with it.

use std::fmt::Display;
use std::sync::Arc;

use aws_smithy_types::config_bag::{Storable, StoreReplace};
use tracing::{Span, info_span};
use tracing_core::Metadata;
use tracing_subscriber::Registry;
use tracing_subscriber::registry::LookupSpan;
use xray_sdk::document::Exception;
use xray_sdk::document::internal::{Body, Section, Stack, Written};
use xray_sdk::{SegmentId, TraceHeader};

use super::outcome::Outcome;
use crate::fields::redacted_body::{MESSAGE, RedactedBody};
use crate::fields::visitor::Rules;
use crate::lifecycle::core::{Core, with_body};
use crate::span_ext::core_of;
use crate::state::record::{Role, SpanRecord};

/// A call, from its first hook to its last. Without a recorded span there is only a header to send.
#[derive(Debug)]
pub(super) struct CallSpan {
    header: Option<String>,
    record: Option<RecordHandle>,
}

impl Storable for CallSpan {
    type Storer = StoreReplace<Self>;
}

/// A call that is recorded, and not over.
#[derive(Debug)]
struct RecordHandle {
    core: Arc<Core>,
    /// The registry's id of the span, and X-Ray's: the registry may have given its own to another meanwhile.
    id: u64,
    segment_id: SegmentId,
    /// The span, if it is ours.
    _own: Span,
    attempts: u32,
}

/// Whether the place where the call is made is recorded, as far as can be told.
pub(super) fn may_be_recorded() -> bool {
    TrackedSpan::around(&Span::current(), |_| false).is_none_or(|tracked| tracked.records_calls())
}

impl CallSpan {
    pub(super) fn begin(service: &str, operation: &str) -> Self {
        let around = TrackedSpan::around(&Span::current(), |metadata| is_named(metadata, service, operation));
        match around {
            Some(tracked) if !tracked.records_calls() => Self { header: text(tracked.header), record: None },
            Some(tracked) if tracked.is_operation => tracked.begin(Span::none()),
            around => {
                let own = info_span!(
                    target: "xray_tracing_layer::aws",
                    "aws_call",
                    rpc.system = "aws-api",
                    rpc.service = service,
                    rpc.method = operation
                );
                match TrackedSpan::itself(&own) {
                    Some(tracked) => tracked.begin(own),
                    // A filter hides it, too.
                    None => Self { header: around.and_then(|tracked| text(tracked.header)), record: None },
                }
            }
        }
    }

    /// What to send to the service.
    pub(super) fn header(&self) -> Option<&str> {
        self.header.as_deref()
    }

    /// Whether it is recorded, and was not ended yet.
    pub(super) fn is_open(&self) -> bool {
        self.record.is_some()
    }

    pub(super) fn note_attempts(&mut self, attempts: u32) {
        if let Some(record) = &mut self.record {
            record.attempts = attempts;
        }
    }

    /// Puts something into the call's record, if it has one.
    pub(super) fn put(&self, put: impl FnOnce(&mut CallBody<'_>)) {
        if let Some(record) = &self.record {
            record.put(put);
        }
    }

    /// The call is over.
    pub(super) fn end(&mut self, outcome: &Outcome<'_>) {
        let Some(record) = self.record.as_mut() else { return };
        match outcome {
            Outcome::NeverSent => {
                let _ = record.core.force(record.id, false);
            }
            Outcome::Done(done) => record.put(|put| done.put(put)),
        }
        record.attempts = OVER;
        self.record = None;
    }
}

impl RecordHandle {
    /// Collects what `put` says before the record is locked.
    fn put(&self, put: impl FnOnce(&mut CallBody<'_>)) {
        with_body(|body| {
            put(&mut CallBody { rules: &self.core.rules, body });
            self.core.table.with(self.id, |record| {
                if record.segment_id == self.segment_id {
                    record.body.absorb(body);
                }
            });
        });
    }
}

/// In place of a count of attempts: the call was ended by its last hook.
const OVER: u32 = u32::MAX;

/// The call's future is dropped half-way: its bag goes without a last hook.
impl Drop for RecordHandle {
    fn drop(&mut self) {
        if self.attempts == OVER || std::thread::panicking() {
            return;
        }
        self.put(|put| {
            put.retries(self.attempts);
            RedactedBody::new(put.body, put.rules).cancel("the end of the call");
        });
    }
}

/// What can be put into a call's record.
pub(super) struct CallBody<'a> {
    rules: &'a Rules,
    pub(super) body: &'a mut Body,
}

impl CallBody<'_> {
    /// A member of `aws`; `field` is how a redaction hook knows it.
    pub(super) fn str(&mut self, field: &str, key: &str, value: &str) {
        self.body.put_str(Section::Aws, 0, key, &self.rules.redacted(field, value));
    }

    /// A member that is a number.
    pub(super) fn number(&mut self, place: Section, key: &str, value: u64) {
        self.body.put(place, 0, key, |out| {
            out.put_int(value);
            Written::Whole
        });
    }

    /// How often the call was tried again. Nothing, if it was not tried at all.
    pub(super) fn retries(&mut self, attempts: u32) {
        if let Some(retries) = attempts.checked_sub(1) {
            self.number(Section::Aws, "\"retries\":", retries.into());
        }
    }

    /// What went wrong at the service.
    pub(super) fn remote(&mut self, code: &str, message: &str) {
        let message = self.rules.redacted(MESSAGE, message);
        self.body.add_exception(&Exception::new(code, message).remote());
    }

    /// What went wrong on the way.
    pub(super) fn error(&mut self, err: &(dyn std::error::Error + 'static)) {
        RedactedBody::new(self.body, self.rules).add_error(MESSAGE, err, Stack::none());
    }
}

/// A span that the layer has a record of.
struct TrackedSpan {
    core: Arc<Core>,
    id: u64,
    segment_id: SegmentId,
    role: Role,
    is_operation: bool,
    header: Option<TraceHeader>,
}

impl TrackedSpan {
    /// The nearest span that is known, from `span` outwards.
    fn around(span: &Span, is_operation: impl Fn(&Metadata<'_>) -> bool) -> Option<Self> {
        span.with_subscriber(|(id, dispatch)| {
            let core = core_of(id, dispatch)?.shared();
            let mut scope = dispatch.downcast_ref::<Registry>()?.span(id)?.scope();
            scope.find_map(|span| {
                let tracked = Self::of(&core, span.id().into_u64())?;
                Some(Self { is_operation: is_operation(span.metadata()), ..tracked })
            })
        })?
    }

    fn itself(span: &Span) -> Option<Self> {
        span.with_subscriber(|(id, dispatch)| {
            let core = core_of(id, dispatch)?.shared();
            Self::of(&core, id.into_u64())
        })?
    }

    fn of(core: &Arc<Core>, id: u64) -> Option<Self> {
        core.table.with(id, |record| Self {
            core: Arc::clone(core),
            id,
            segment_id: record.segment_id,
            role: record.context.role,
            is_operation: false,
            header: SpanRecord::trace_header(record),
        })
    }

    /// Whether a call inside would be recorded.
    fn records_calls(&self) -> bool {
        self.role.is_recorded() || self.role == Role::PlatformRoot
    }

    /// The call that this span stands for.
    fn begin(self, own: Span) -> CallSpan {
        let Self { core, id, segment_id, role, header, .. } = self;
        let record =
            role.is_recorded().then(|| RecordHandle { core, id, segment_id, _own: own, attempts: 0 });
        CallSpan { header: text(header), record }
    }
}

/// Whether a span is the SDK's for this operation, as generated code calls it.
fn is_named(metadata: &Metadata<'_>, service: &str, operation: &str) -> bool {
    let rest = metadata.name().strip_prefix(service).and_then(|rest| rest.strip_prefix('.'));
    rest == Some(operation)
}

fn text(header: Option<impl Display>) -> Option<String> {
    header.map(|header| header.to_string())
}
