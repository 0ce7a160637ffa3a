//! The user's closure for closing spans, called for each recorded span before its document is written.
//! Nothing is locked meanwhile.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use tracing::dispatcher::{Dispatch, get_default, with_default};
use tracing::subscriber::NoSubscriber;
use xray_sdk::document::internal::Body;

use crate::fields::redacted_body::RedactedBody;
use crate::fields::scratch::with_body;
use crate::lifecycle::core::Core;
use crate::settings::redaction::Rules;
use crate::state::clock::Ticks;
use crate::state::closing_span::{ClosingSpan, OnClose, SpanFacts};
use crate::state::record::{Role, SpanRecord};

impl Core {
    /// Calls the closure for a span that is out of the table.
    #[cold]
    pub(crate) fn run_on_close(&self, on_close: &OnClose, record: &mut SpanRecord, end: Ticks) {
        // A span that was emitted early was shown to the closure then.
        if !record.is_emitted_early() {
            let facts = self.facts_of(record, end);
            call(on_close, facts, &mut record.body, &self.config.rules);
        }
    }

    /// Calls the closure for an open span that is about to be emitted early.
    #[cold]
    pub(crate) fn run_on_close_early(&self, on_close: &OnClose, id: u64) {
        let emits_early = |record: &mut SpanRecord| {
            (record.context.role.is_recorded() && !record.is_emitted_early())
                .then(|| self.facts_of(record, record.last_exit()))
        };
        let Some(facts) = self.spans.table.with(id, emits_early).flatten() else { return };
        with_body(|body| {
            call(on_close, facts, body, &self.config.rules);
            self.spans.table.with(id, |record| record.body.absorb(body));
        });
    }

    fn facts_of(&self, record: &SpanRecord, end: Ticks) -> SpanFacts<'_> {
        SpanFacts {
            name: self.spans.callsites.get(record.callsite).map_or("unknown", |callsite| callsite.title),
            duration: Duration::from_micros(end.saturating_sub(record.start)),
            status: record.body.status(),
            has_failed: record.body.has_failed(),
            is_segment: record.context.role == Role::Segment,
            trace_id: record.context.trace_id,
        }
    }
}

/// Calls the closure, without a subscriber and catching panics.
///
/// A span that opens and closes while the registry closes another is never removed from the registry, and
/// keeps the spans around it open. So `tracing` is off meanwhile.
///
/// A panic costs only what the closure would have added. The code that dropped the span does not see it; its
/// thread may be panicking already.
fn call(on_close: &OnClose, facts: SpanFacts<'_>, body: &mut Body, rules: &Rules) {
    let mut closing = ClosingSpan { facts, body: RedactedBody::new(body, rules) };
    let mut call = || (on_close.0)(&mut closing);
    let _ = catch_unwind(AssertUnwindSafe(|| {
        // Inside a thread's own subscriber there is none, and none can be set.
        if get_default(Dispatch::is::<NoSubscriber>) {
            call();
        } else {
            with_default(&Dispatch::none(), call);
        }
    }));
}
