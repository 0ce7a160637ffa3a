//! A span's document that is emitted before the span closes: in Lambda, and at the end of an HTTP request.
//!
//! The registry keeps a span open while a child of it is open. A handler that leaves a background task behind
//! would be closed by that task, after the process was frozen and thawed. No callback reports that the last
//! handle of a span was dropped. But an instrumented future is entered once more to be dropped:
//!
//! ```text
//!  the runtime's span   ├───────────────────────────────────────┤ entered
//!  handler              ├── last poll ──┤├ drop ┤               ► exited twice in a row, to the runtime's span
//!  its child            ├─┤ spawned                              ► and something keeps it open
//! ```
//! The subsegment is emitted then, complete, which is before the response is posted. Later activity becomes a
//! subsegment below it.
//!
//! Outside of Lambda, the HTTP layer reports the end of a request whose span something still holds.
//!
//! Spans that do not follow that pattern are emitted as in progress, with their finished children, when the
//! runtime asks for the next event: the last moment before the freeze.

use std::num::NonZeroU64;
use std::time::Duration;

use tracing_core::Subscriber;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;
use xray_sdk::daemon::MAX_DOCUMENT;
use xray_sdk::sampling::{Sampler, SamplingResult};
use xray_sdk::{Packet, SegmentId};

use crate::fields::scratch::with_packet;
use crate::lifecycle::close::put_whole;
use crate::lifecycle::core::Core;
use crate::state::process::host::LambdaFunction;
use crate::state::record::{Fate, Phase, Role, SpanId, SpanRecord};
use crate::state::thread::thread_state::ThreadState;

impl Core {
    /// Emits the span early, if this exit follows the pattern above.
    #[inline(never)]
    pub(crate) fn on_exit_in_lambda<S>(&self, id: u64, ctx: &Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let last = ThreadState::with(|thread| thread.last_exited.replace(SpanId::new(id))).flatten();
        let again = last.is_some_and(|last| last.get() == id);
        let now = self.spans.clock.ticks();
        let exited = self.spans.table.with(id, |record| {
            record.exited = NonZeroU64::new(now);
            let around =
                if record.is_local_root() { record.lambda_state.platform_root } else { record.parent };
            record.context.role.is_recorded().then_some((around, record.lambda_state))
        });
        let Some((Some(around), lambda_state)) = exited.flatten() else { return };
        if ctx.current_span().id().is_none() {
            // The exit was not the invocation's: a task that was spawned with the span holds it as well.
            self.spans.table.with(id, |record| record.lambda_state.shared = true);
        } else if again && (lambda_state.shared || lambda_state.open_children > 0) {
            let inside = ctx.lookup_current().map(|span| span.id().into_non_zero_u64());
            if inside == Some(around) {
                self.emit_early(id);
            }
        }
    }

    /// Notes that a span closes. Returns `false` if its document was emitted early and nothing came later.
    #[inline(never)]
    pub(crate) fn has_something_to_emit(&self, record: &SpanRecord, id: u64) -> bool {
        self.spans.host.on_close(id);
        self.note_child_closed(record);
        if let Some(platform_root) = record.lambda_state.platform_root
            && record.body.has_exceptions()
        {
            self.note_failure(platform_root);
        }
        !record.is_emitted_early() || record.has_late_part()
    }

    /// Decrements the parent's count of open children.
    pub(crate) fn note_child_closed(&self, record: &SpanRecord) {
        if self.spans.host.is_lambda()
            && let Some(parent) = record.parent
        {
            self.take_off_count(parent);
        }
    }

    #[inline(never)]
    fn take_off_count(&self, parent: SpanId) {
        self.spans.table.with(parent.get(), |parent| {
            parent.lambda_state.open_children = parent.lambda_state.open_children.saturating_sub(1);
        });
    }

    /// Returns the span that a failure of the handler belongs to: the top subsegment that was just exited to
    /// the current span, or the current span. Returns `None` if the failure is already recorded.
    pub(crate) fn lambda_failure_target<S>(&self, ctx: &Context<'_, S>) -> Option<u64>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let platform_root = ctx.lookup_current()?.id().into_non_zero_u64();
        let last = ThreadState::with(|thread| thread.last_exited.get()).flatten();
        let knows = last.and_then(|last| {
            let knows = self.spans.table.with(last.get(), |record| {
                let its = record.context.role == Role::Independent && !record.is_emitted_early();
                (its && record.lambda_state.platform_root == Some(platform_root))
                    .then(|| record.body.has_exceptions())
            });
            Some((last.get(), knows.flatten()?))
        });
        match knows {
            Some((last, knows)) => (!knows).then_some(last),
            None => {
                let unsent = |record: &mut SpanRecord| {
                    record.context.role == Role::PlatformRoot && record.phase == Phase::Open
                };
                self.spans.table.with(platform_root.get(), unsent)?.then_some(platform_root.get())
            }
        }
    }

    /// Emits the platform root as a subsegment, because it has a failure that no other subsegment shows.
    pub(crate) fn emit_lambda_failure(&self, platform_root: u64) {
        let now = self.spans.clock.ticks();
        with_packet(|packet| {
            let due = self.spans.table.with(platform_root, |record| {
                if record.context.role != Role::PlatformRoot {
                    return false;
                }
                put_whole(packet, &self.frame(record, self.output.origin.preamble(), Some(now)));
                record.body.clear();
                record.phase = Phase::InProgressSent;
                true
            });
            if due == Some(true) {
                self.emit_whole(packet, 0);
            }
        });
    }

    /// Notes that the failure of a finished top subsegment is recorded.
    fn note_failure(&self, platform_root: SpanId) {
        self.spans
            .table
            .with(platform_root.get(), |platform_root| platform_root.phase = Phase::InProgressSent);
    }

    /// Emits a span as complete whose work has ended now, although something holds it open. Does nothing if the
    /// span is closed.
    #[cfg(feature = "tower-server")]
    #[cold]
    pub(crate) fn emit_ended(&self, id: u64) {
        let now = self.spans.clock.ticks();
        let is_due = self.spans.table.with(id, |record| {
            let is_due = record.context.role.is_recorded() && !record.is_emitted_early();
            if is_due {
                record.exited = NonZeroU64::new(now);
            }
            is_due
        });
        if is_due == Some(true) {
            self.emit_early(id);
        }
    }

    /// Emits a recorded span as complete, although it is open. From then on its record holds the late part, an
    /// independent subsegment below the emitted document.
    pub(crate) fn emit_early(&self, id: u64) {
        self.emit_early_alone(id);
        if self.spans.host.is_lambda() {
            // The process may be frozen next.
            self.stream_waiting(Duration::ZERO);
        }
    }

    fn emit_early_alone(&self, id: u64) {
        let has_tail = self.hooks.tail.is_some();
        if has_tail && self.waits(id) {
            return;
        }
        if self.hooks.on_close.as_ref().is_some_and(|on_close| self.run_on_close_early(on_close, id)) {
            return;
        }
        if has_tail && !self.is_kept_early(id) {
            return;
        }
        let is_due = |record: &SpanRecord| record.context.role.is_recorded() && !record.is_emitted_early();
        let leaving = self.spans.table.with(id, |record| {
            let (may_leave, end) = (is_due(record) && record.fate == Fate::Kept, record.last_exit());
            may_leave.then(|| self.take_largest(record, self.output.origin.preamble(), end))
        });
        if let Some(batch) = leaving.flatten().flatten() {
            self.emit_batch(batch);
        }
        with_packet(|packet| {
            let emitted_early = self.spans.table.with(id, |record| {
                let frame = self.frame(record, self.output.origin.preamble(), Some(record.last_exit()));
                if !is_due(record) || frame.size_bound() > MAX_DOCUMENT {
                    return None;
                }
                put_whole(packet, &frame);
                let waiting = self.take_waiting(record);
                let (losses, spans) = (record.body.losses(), record.children.spans());
                let lambda_failure_target = record.body.has_exceptions();
                let verdict = record.verdict.take().filter(SamplingResult::is_watched);
                let watched = verdict.map(|verdict| (verdict, record.body.is_faulty()));
                let is_root = record.is_local_root();
                // The late part, below the emitted document.
                if record.context.role == Role::Segment {
                    record.context.role = Role::Independent;
                }
                let parent = std::mem::take(&mut record.parent);
                record.parent_id = Some(record.segment_id);
                record.segment_id = SegmentId::random();
                record.start = record.last_exit();
                record.body.clear();
                record.children.clear();
                (record.phase, record.has_children) = (Phase::EmittedEarly, false);
                Some((
                    losses,
                    spans,
                    parent,
                    record.lambda_state.platform_root.filter(|_| lambda_failure_target),
                    (watched, is_root, waiting),
                ))
            });
            let Some((losses, spans, parent, lambda_failure_target, (watched, is_root, waiting))) =
                emitted_early.flatten()
            else {
                return;
            };
            if let Some((verdict, is_faulty)) = watched {
                self.hooks.sampler.observe(&verdict, is_faulty);
            }
            if is_root {
                self.output.counters.here().sampled.one();
            }
            if let Some(parent) = parent {
                self.take_off_count(parent);
            }
            if let Some(platform_root) = lambda_failure_target {
                self.note_failure(platform_root);
            }
            self.output.counters.losses(losses);
            if let Some(batch) = waiting {
                self.emit_batch(batch);
            }
            self.emit_whole(packet, spans);
        });
    }

    /// Emits a document with `spans` folded spans, and counts its own span with it. If the emitter panics,
    /// neither is counted.
    fn emit_whole(&self, packet: &Packet, spans: u32) {
        let result = self.output.emitter.emit(packet);
        self.output.counters.here().documents.add(result.is_ok().into());
        self.output.counters.sent(result.is_ok(), spans);
    }

    /// Emits whatever is finished, before the freeze.
    #[cold]
    pub(crate) fn before_freeze(&self, function: &LambdaFunction) {
        for id in function.open() {
            self.release_children(id);
            self.emit_in_progress(id);
        }
    }
}
