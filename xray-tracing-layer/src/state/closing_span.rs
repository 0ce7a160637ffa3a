//! A closing span as the user's closure sees it, and the closure itself.
//!
//! Called from `lifecycle::on_close`.

use std::fmt;
use std::time::Duration;

use serde_core::Serialize;
use xray_sdk::TraceId;
use xray_sdk::document::AnnotationValue;

use crate::fields::redacted_body::RedactedBody;

/// A span that closes, before its document is written. See [`Builder::on_close`](crate::Builder::on_close).
pub struct ClosingSpan<'a> {
    pub(crate) facts: SpanFacts<'a>,
    pub(crate) body: RedactedBody<'a>,
}

/// The facts about the span.
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
    /// Returns the span's name. For a call that a library described in an event it is the event's target,
    /// such as `sqlx::query`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.facts.name
    }

    /// Returns the duration, in whole microseconds.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.facts.duration
    }

    /// Returns the HTTP status, if the span has one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.facts.status
    }

    /// Returns whether the span failed: a status of 400 and above, or any other mark of a failure.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.facts.has_failed
    }

    /// Returns whether the span becomes a segment. Otherwise it becomes a subsegment.
    #[must_use]
    pub fn is_segment(&self) -> bool {
        self.facts.is_segment
    }

    /// Returns the id of the trace.
    #[must_use]
    pub fn trace_id(&self) -> TraceId {
        self.facts.trace_id
    }

    /// Adds an annotation, which X-Ray indexes. Characters other than letters, digits, `_` and `.` in the key
    /// are replaced.
    pub fn annotate<'v>(&mut self, key: &str, value: impl Into<AnnotationValue<'v>>) {
        self.body.annotate(key, &value.into());
    }

    /// Adds metadata, which X-Ray keeps and does not index. An empty namespace is `default`.
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
