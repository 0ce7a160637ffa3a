//! The user's closure for closing spans, called for each recorded span before its document is written.
//! Nothing is locked meanwhile.

use std::time::Duration;

use xray_sdk::document::internal::Body;

use crate::fields::redacted_body::RedactedBody;
use crate::fields::scratch::with_body;
use crate::lifecycle::core::Core;
use crate::settings::user_code::call_without_subscriber;
use crate::state::clock::Ticks;
use crate::state::closing_span::{ClosingSpan, OnClose, Place, SpanFacts};
use crate::state::record::{Fate, Phase, Role, SpanRecord};

impl Core {
    /// Calls the closure for a span that is out of the table. Returns its decision about the span.
    #[cold]
    pub(crate) fn run_on_close(&self, on_close: &OnClose, record: &mut SpanRecord, end: Ticks) -> Fate {
        // A span that was emitted early was shown to the closure then, and so was one that it left out.
        if record.is_emitted_early() || record.fate != Fate::Kept {
            return self.checked(record.fate, record);
        }
        let facts = self.facts_of(record, end);
        let (fate, _) = self.call(on_close, facts, &mut record.body, None);
        self.checked(fate, record)
    }

    /// Calls the closure for an open span that is about to be emitted early. Returns whether the span is left out:
    /// it is not emitted then, and left out when it closes.
    #[cold]
    pub(crate) fn run_on_close_early(&self, on_close: &OnClose, id: u64) -> bool {
        let emits_early = |record: &mut SpanRecord| {
            (record.context.role.is_recorded() && !record.is_emitted_early() && record.fate == Fate::Kept)
                .then(|| (self.facts_of(record, record.last_exit()), record.body.clone()))
        };
        let Some((facts, former)) = self.spans.table.with(id, emits_early).flatten() else { return false };
        with_body(|body| {
            let (fate, removed) = self.call(on_close, facts, body, Some(former));
            let fate = self.spans.table.with(id, |record| {
                for place in removed {
                    place.remove_from(&mut record.body);
                }
                record.body.absorb(body);
                record.fate = self.checked(fate, record);
                record.fate
            });
            fate.is_some_and(|fate| fate != Fate::Kept)
        })
    }

    /// Calls the closure. If it panics, what it changed is kept, and the span as well.
    fn call(
        &self,
        on_close: &OnClose,
        facts: SpanFacts<'_>,
        body: &mut Body,
        former: Option<Body>,
    ) -> (Fate, Vec<Place>) {
        let body = RedactedBody::new(body, &self.config.rules);
        let mut closing = ClosingSpan { facts, body, former, removed: Vec::new(), fate: Fate::Kept };
        if call_without_subscriber(|| (on_close.0)(&mut closing)).is_none() {
            self.output.counters.caught_panics.one();
            closing.fate = Fate::Kept;
        }
        (closing.fate, closing.removed)
    }

    /// Returns the decision about a span, unless it came too late.
    fn checked(&self, fate: Fate, record: &SpanRecord) -> Fate {
        // Of a trace that waits for its decision as a whole, nothing is sent.
        let waits = record.held.as_ref().is_some_and(|held| held.kept.is_none());
        if fate != Fate::Kept && (record.sent_below && !waits || record.phase != Phase::Open) {
            self.output.counters.late_decisions.one();
            return Fate::Kept;
        }
        fate
    }

    fn facts_of(&self, record: &SpanRecord, end: Ticks) -> SpanFacts<'_> {
        SpanFacts {
            callsite: self.spans.callsites.get(record.callsite),
            duration: Duration::from_micros(end.saturating_sub(record.start)),
            is_segment: record.context.role == Role::Segment,
            trace_id: record.context.trace_id,
        }
    }
}
