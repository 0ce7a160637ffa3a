//! The span of an AWS call.
//!
//! ```text
//!  the nearest span with a record, from the current one outwards
//!    the operation's own ─────────────────► it gets the call's data      the SDK's inner spans lie in between
//!    another, or none: a filter hides it ─► a span of our own
//!    one that is not recorded ────────────► only the header is sent
//! ```
//! Hooks run inside of the SDK's inner spans, in the task of the call. A span of our own is never entered: it
//! would have to be exited at each point where the call waits. The span is stored in the call's configuration, and
//! closes with it.

use std::fmt::Display;

use aws_smithy_types::config_bag::{Storable, StoreReplace};
use tracing::{Span, info_span};
use tracing_core::Metadata;

use super::call_body::CallBody;
use super::outcome::Outcome;
use crate::layer::tracked_span::{RecordHandle, TrackedSpan};

/// A call, from its first hook to its last. Without a recorded span it has only a header.
#[derive(Debug)]
pub(super) struct CallSpan {
    header: Option<String>,
    open: Option<OpenCall>,
}

impl Storable for CallSpan {
    type Storer = StoreReplace<Self>;
}

/// A recorded call before its end.
#[derive(Debug)]
struct OpenCall {
    record: RecordHandle,
    /// The span, if we opened it.
    _own: Span,
    attempts: u32,
}

/// Returns whether a call made here may be recorded.
pub(super) fn may_be_recorded() -> bool {
    TrackedSpan::around(&Span::current()).is_none_or(|tracked| tracked.records_calls())
}

impl CallSpan {
    pub(super) fn begin(service: &str, operation: &str) -> Self {
        match TrackedSpan::around(&Span::current()) {
            Some(tracked) if !tracked.records_calls() => Self { header: text(tracked.header()), open: None },
            Some(tracked) if is_named(tracked.metadata(), service, operation) => {
                Self::in_span(tracked, Span::none())
            }
            around => {
                let own = info_span!(
                    target: "xray_tracing_layer::aws",
                    "aws_call",
                    rpc.system = "aws-api",
                    rpc.service = service,
                    rpc.method = operation
                );
                match TrackedSpan::of(&own) {
                    Some(tracked) => Self::in_span(tracked, own),
                    // A filter hides our span as well.
                    None => Self { header: around.and_then(|tracked| text(tracked.header())), open: None },
                }
            }
        }
    }

    /// Creates a call whose data goes into a span.
    fn in_span(tracked: TrackedSpan, own: Span) -> Self {
        let header = text(tracked.header());
        let open = tracked.into_record().map(|record| OpenCall { record, _own: own, attempts: 0 });
        Self { header, open }
    }

    /// Returns the header to send to the service.
    pub(super) fn header(&self) -> Option<&str> {
        self.header.as_deref()
    }

    /// Returns whether the call is recorded and has not ended.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    pub(super) fn note_attempts(&mut self, attempts: u32) {
        if let Some(open) = &mut self.open {
            open.attempts = attempts;
        }
    }

    /// Adds to the call's record, if it has one.
    pub(super) fn update(&self, put: impl FnOnce(&mut CallBody<'_, '_>)) {
        if let Some(open) = &self.open {
            open.update(put);
        }
    }

    /// Ends the call.
    pub(super) fn end(&mut self, outcome: &Outcome<'_>) {
        let Some(open) = self.open.as_mut() else { return };
        match outcome {
            Outcome::NeverSent => open.record.discard(),
            Outcome::Done(done) => open.update(|body| done.put(body)),
        }
        open.attempts = OVER;
        self.open = None;
    }
}

impl OpenCall {
    fn update(&self, put: impl FnOnce(&mut CallBody<'_, '_>)) {
        self.record.update(|body| put(&mut CallBody::new(body)));
    }
}

/// Replaces the count of attempts after the last hook.
const OVER: u32 = u32::MAX;

/// Without a last hook, the call's future was dropped half-way.
impl Drop for OpenCall {
    fn drop(&mut self) {
        if self.attempts == OVER || std::thread::panicking() {
            return;
        }
        self.update(|body| {
            body.retries(self.attempts);
            body.cancel();
        });
    }
}

/// Returns whether a span is the SDK's own for this operation, by the name that generated code gives it.
fn is_named(metadata: &Metadata<'_>, service: &str, operation: &str) -> bool {
    let rest = metadata.name().strip_prefix(service).and_then(|rest| rest.strip_prefix('.'));
    rest == Some(operation)
}

fn text(header: Option<impl Display>) -> Option<String> {
    header.map(|header| header.to_string())
}
