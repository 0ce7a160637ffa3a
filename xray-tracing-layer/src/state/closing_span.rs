//! A span that is over, as the user's closure sees it, and the closure itself. When it is called is
//! `lifecycle::on_close`'s.

use std::fmt;
use std::time::Duration;

use serde_core::Serialize;
use xray_sdk::TraceId;
use xray_sdk::document::AnnotationValue;

use crate::fields::redacted_body::RedactedBody;

/// A span that is over, before its document is written. See [`Builder::on_close`](crate::Builder::on_close).
pub struct ClosingSpan<'a> {
    pub(crate) facts: SpanFacts<'a>,
    pub(crate) body: RedactedBody<'a>,
}

/// What is known of the span.
#[derive(Clone, Copy)]
pub(crate) struct SpanFacts<'a> {
    pub(crate) name: &'a str,
    pub(crate) duration: Duration,
    pub(crate) status: Option<u16>,
    pub(crate) has_failed: bool,
    pub(crate) is_segment: bool,
    pub(crate) trace_id: TraceId,
}

impl ClosingSpan<'_> {
    /// What the code calls the span; of a call that an event told of, the event's target: `sqlx::query`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.facts.name
    }

    /// How long it took, in whole microseconds.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.facts.duration
    }

    /// The HTTP status, if one is known.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.facts.status
    }

    /// Whether it went wrong, by whoever's mistake: a status of 400 and above, or anything that marks a failure.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.facts.has_failed
    }

    /// Whether it becomes a segment, and not a subsegment.
    #[must_use]
    pub fn is_segment(&self) -> bool {
        self.facts.is_segment
    }

    /// The trace that it belongs to.
    #[must_use]
    pub fn trace_id(&self) -> TraceId {
        self.facts.trace_id
    }

    /// Adds a value that X-Ray indexes, under a key of letters, digits, `_` and `.` (others are mended).
    pub fn annotate<'v>(&mut self, key: &str, value: impl Into<AnnotationValue<'v>>) {
        self.body.annotate(key, &value.into());
    }

    /// Adds any value that serializes, which X-Ray keeps and does not index. An empty namespace is `default`.
    pub fn add_metadata(&mut self, namespace: &str, key: &str, value: &(impl Serialize + ?Sized)) {
        self.body.metadata(namespace, key, value);
    }
}

impl fmt::Debug for ClosingSpan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClosingSpan").field("name", &self.facts.name).finish_non_exhaustive()
    }
}

/// The user's closure.
pub(crate) struct OnClose(pub(crate) Box<OnCloseFn>);

pub(crate) type OnCloseFn = dyn Fn(&mut ClosingSpan<'_>) + Send + Sync;
