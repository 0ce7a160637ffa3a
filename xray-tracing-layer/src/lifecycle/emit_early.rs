//! In Lambda, a subsegment leaves before its span closes.
//!
//! The registry keeps a span open while a child of it is. A handler that leaves a background task behind would
//! so be closed by that task, after the process was frozen and thawed. No callback tells that a span's last
//! handle was dropped, but an instrumented future is entered once more to be dropped:
//!
//! ```text
//!  the runtime's span   ├───────────────────────────────────────┤ entered
//!  handler              ├── last poll ──┤├ drop ┤               ► left twice in a row, to the runtime's span
//!  its child            ├─┤ spawned                              ► and something keeps it open
//! ```
//! It is sent then, complete, which is before the response is posted. What happens in it later becomes a
//! subsegment below it. Whatever does not follow that pattern is announced, its finished children sent, when
//! the runtime asks for the next event: that is the last moment before the freeze.

use std::cell::Cell;

use tracing_core::Subscriber;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;
use xray_sdk::daemon::MAX_DOCUMENT;
use xray_sdk::{Packet, SegmentId};

use crate::lifecycle::close::{put_whole, take_front};
use crate::lifecycle::core::{Core, with_packet};
use crate::state::lambda::LambdaFunction;
use crate::state::record::{Role, SpanRecord};

thread_local! {
    /// The span that this thread left last; 0 for none.
    static LAST_EXITED: Cell<u64> = const { Cell::new(0) };
}

impl Core {
    /// A span was left.
    #[inline(never)]
    pub(crate) fn on_exit_in_lambda<S>(&self, id: u64, ctx: &Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let again = LAST_EXITED.try_with(|last| last.replace(id) == id).unwrap_or_default();
        let now = self.clock.ticks();
        let on_exit_in_lambda = self.table.with(id, |record| {
            record.exited = now;
            let around =
                if record.is_local_root() { record.lambda_state.platform_root } else { record.parent };
            record.context.role.is_recorded().then_some((around, record.lambda_state))
        });
        let Some((around, lambda_state)) = on_exit_in_lambda.flatten() else { return };
        if around == 0 {
            return;
        }
        if ctx.current_span().id().is_none() {
            // Not by the invocation: a task that was spawned with the span itself holds it, too.
            self.table.with(id, |record| record.lambda_state.shared = true);
        } else if again && (lambda_state.shared || lambda_state.open_children > 0) {
            let inside = ctx.lookup_current().map(|span| span.id().into_u64());
            if inside == Some(around) {
                self.emit_early(id);
            }
        }
    }

    /// A span closes, and its record is away. `false` if its document is, too, and nothing came later.
    pub(crate) fn has_something_to_emit(&self, record: &SpanRecord, id: u64) -> bool {
        if let Some(function) = &self.lambda {
            function.note_closed(id);
        }
        self.note_child_closed(record.parent);
        if record.lambda_state.platform_root != 0 && record.body.has_exceptions() {
            self.note_failure(record.lambda_state.platform_root);
        }
        !record.emitted_early || record.has_late_part()
    }

    pub(crate) fn note_child_closed(&self, parent: u64) {
        self.table.with(parent, |parent| {
            parent.lambda_state.open_children = parent.lambda_state.open_children.saturating_sub(1);
        });
    }

    /// What a failure of the handler belongs to: the top subsegment that was left just now to the span the thread
    /// is in, or that span. `None` if the failure is known already.
    pub(crate) fn lambda_failure_target<S>(&self, ctx: &Context<'_, S>) -> Option<u64>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let platform_root = ctx.lookup_current()?.id().into_u64();
        let last = LAST_EXITED.try_with(Cell::get).ok()?;
        let knows = self.table.with(last, |record| {
            let its = record.context.role == Role::Independent && !record.emitted_early;
            (its && record.lambda_state.platform_root == platform_root).then(|| record.body.has_exceptions())
        });
        match knows.flatten() {
            Some(knows) => (!knows).then_some(last),
            None => {
                let untold = |record: &mut SpanRecord| {
                    record.context.role == Role::PlatformRoot && !record.in_progress_sent
                };
                self.table.with(platform_root, untold)?.then_some(platform_root)
            }
        }
    }

    /// If it is the runtime's span that a failure was put into, there is no subsegment that shows it. This one
    /// does.
    pub(crate) fn emit_lambda_failure(&self, platform_root: u64) {
        let now = self.clock.ticks();
        with_packet(|packet| {
            let due = self.table.with(platform_root, |record| {
                if record.context.role != Role::PlatformRoot {
                    return false;
                }
                put_whole(packet, &self.frame(record, self.origin.preamble(), Some(now)));
                record.body.clear();
                record.in_progress_sent = true;
                true
            });
            if due == Some(true) {
                self.emit_whole(packet, 0);
            }
        });
    }

    /// A top subsegment is over; what it knows of a failure need not be told again.
    fn note_failure(&self, platform_root: u64) {
        self.table.with(platform_root, |platform_root| platform_root.in_progress_sent = true);
    }

    /// Sends a subsegment as complete, although its span is open. Its record stands from now on for what
    /// comes later.
    pub(crate) fn emit_early(&self, id: u64) {
        if let Some(on_close) = &self.on_close {
            self.run_on_close_early(on_close, id);
        }
        let is_due = |record: &SpanRecord| record.is_part() && !record.emitted_early;
        let too_large = self.table.with(id, |record| {
            is_due(record)
                && self.frame(record, self.origin.preamble(), Some(record.exited)).size_bound() > MAX_DOCUMENT
        });
        if too_large == Some(true) {
            self.release_children(id);
        }
        with_packet(|packet| {
            let emitted_early = self.table.with(id, |record| {
                let frame = self.frame(record, self.origin.preamble(), Some(record.exited));
                if !is_due(record) || frame.size_bound() > MAX_DOCUMENT {
                    return None;
                }
                put_whole(packet, &frame);
                let (losses, spans) = (record.body.losses(), record.children.spans());
                let lambda_failure_target = record.body.has_exceptions();
                // The late part, below what was sent.
                let parent = std::mem::take(&mut record.parent);
                record.parent_id = Some(record.segment_id);
                record.segment_id = SegmentId::random();
                record.start = record.exited;
                record.body.clear();
                record.children.clear();
                (record.emitted_early, record.in_progress_sent, record.has_children) = (true, true, false);
                Some((
                    losses,
                    spans,
                    parent,
                    lambda_failure_target.then_some(record.lambda_state.platform_root),
                ))
            });
            let Some((losses, spans, parent, lambda_failure_target)) = emitted_early.flatten() else {
                return;
            };
            self.note_child_closed(parent);
            if let Some(platform_root) = lambda_failure_target {
                self.note_failure(platform_root);
            }
            self.counters.losses(losses);
            self.emit_whole(packet, spans);
        });
    }

    /// Sends a span's document that has `spans` others in it, and counts the span with it: an emitter that panics
    /// leaves neither.
    fn emit_whole(&self, packet: &Packet, spans: u32) {
        let result = self.emitter.emit(packet);
        self.counters.here().closed.one();
        self.counters.here().documents.add(result.is_ok().into());
        self.counters.sent(result.is_ok(), spans);
    }

    /// The process is about to be frozen: nothing that is finished may wait for something that is not.
    #[cold]
    pub(crate) fn before_freeze(&self, function: &LambdaFunction) {
        for id in function.open() {
            self.release_children(id);
            self.announce(id);
        }
    }

    /// Sends the finished children of an open span on their own.
    fn release_children(&self, id: u64) {
        let released = self.table.with(id, |record| {
            let documents = take_front(&mut record.children, usize::MAX);
            (record.context.trace_id, record.segment_id, documents)
        });
        if let Some((trace_id, parent_id, documents)) = released {
            self.stream_children(&documents, trace_id, parent_id);
        }
    }
}
