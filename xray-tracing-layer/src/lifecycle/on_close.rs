//! The user's last word on a span: a closure that is called for each recorded one when it is over, before its
//! document is written. Nothing is locked meanwhile.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use serde_core::Serialize;
use tracing::dispatcher::{Dispatch, get_default, with_default};
use tracing::subscriber::NoSubscriber;
use xray_sdk::TraceId;
use xray_sdk::document::AnnotationValue;
use xray_sdk::document::internal::Body;

use crate::fields::redacted_body::RedactedBody;
use crate::fields::visitor::Rules;
use crate::lifecycle::core::{Core, with_body};
use crate::state::clock::Ticks;
use crate::state::record::{Role, SpanRecord};

/// A span that is over, before its document is written. See [`Builder::on_close`](crate::Builder::on_close).
pub struct ClosingSpan<'a> {
    facts: SpanFacts<'a>,
    body: RedactedBody<'a>,
}

/// What is known of the span.
#[derive(Clone, Copy)]
struct SpanFacts<'a> {
    name: &'a str,
    duration: Duration,
    status: Option<u16>,
    has_failed: bool,
    is_segment: bool,
    trace_id: TraceId,
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

impl OnClose {
    /// What the closure does with `tracing` goes nowhere: a span that opens and closes while the registry closes
    /// another is never removed there, and keeps those around it open.
    ///
    /// A panic is the closure's own: the span is told without what the closure would have added, and whoever
    /// dropped the span, which may be a thread that panics already, does not see it.
    fn call(&self, facts: SpanFacts<'_>, body: &mut Body, rules: &Rules) {
        let mut closing = ClosingSpan { facts, body: RedactedBody::new(body, rules) };
        let mut call = || (self.0)(&mut closing);
        let _ = catch_unwind(AssertUnwindSafe(|| {
            // While a subscriber of this thread alone is told of an event, there is none, and none can be set.
            if get_default(Dispatch::is::<NoSubscriber>) {
                call();
            } else {
                with_default(&Dispatch::none(), call);
            }
        }));
    }
}

impl Core {
    /// Shows a span that nobody else can see any more.
    #[cold]
    pub(crate) fn run_on_close(&self, on_close: &OnClose, record: &mut SpanRecord, end: Ticks) {
        // What comes after a departure belongs to a span that was shown then.
        if !record.emitted_early {
            let facts = self.facts_of(record, end);
            on_close.call(facts, &mut record.body, &self.rules);
        }
    }

    /// Shows a span that is about to leave although it is open.
    #[cold]
    pub(crate) fn run_on_close_early(&self, on_close: &OnClose, id: u64) {
        let emits_early = |record: &mut SpanRecord| {
            (record.is_part() && !record.emitted_early).then(|| self.facts_of(record, record.exited))
        };
        let Some(facts) = self.table.with(id, emits_early).flatten() else { return };
        with_body(|body| {
            on_close.call(facts, body, &self.rules);
            self.table.with(id, |record| record.body.absorb(body));
        });
    }

    fn facts_of(&self, record: &SpanRecord, end: Ticks) -> SpanFacts<'_> {
        SpanFacts {
            name: self.callsites.get(record.callsite).map_or("unknown", |callsite| callsite.title),
            duration: Duration::from_micros(end.saturating_sub(record.start)),
            status: record.body.status(),
            has_failed: record.body.has_failed(),
            is_segment: record.context.role == Role::Segment,
            trace_id: record.context.trace_id,
        }
    }
}
