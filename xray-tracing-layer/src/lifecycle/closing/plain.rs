//! The fast path to close a span, for two sorts.
//!
//! Most spans are parts of a recorded tree without children, have a plain body or a usual one, and fold into a parent that has
//! room. The document of such a span is put together from ready parts. Most others are roots that were sampled.
//!
//! Any other span takes the slow path, in [`close`](crate::lifecycle::close). The documents of both are the same.

use std::num::NonZeroU64;

use tracing_core::Subscriber;
use tracing_core::span::Id;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;
use xray_sdk::document::internal::Frame;

use crate::lifecycle::closing::closed_by_child::ClosedByChild;
use crate::lifecycle::core::Core;
use crate::lifecycle::stream::{Left, MAX_WAITING};
use crate::lifecycle::update::note_panic;
use crate::state::clock::Ticks;
use crate::state::pool;
use crate::state::record::{Phase, Role, SpanId, SpanRecord};

impl Core {
    /// Closes a [plain part](SpanRecord::is_plain_part), of which nothing but the span itself says what becomes of it.
    #[inline(always)]
    pub(crate) fn close_plain<S>(
        &self,
        record: Box<SpanRecord>,
        id: &Id,
        parent: SpanId,
        now: Ticks,
        ctx: &Context<'_, S>,
    ) where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let folded = if std::thread::panicking() { None } else { self.fold_plain(&record, parent, now) };
        let late = match folded {
            Some(Folded::Whole { late }) => {
                self.output.counters.here().folded.one();
                Some(late)
            }
            Some(Folded::NoRoom { size }) => self.hold_plain(&record, parent, size, now),
            None => None,
        };
        let Some(late) = late else { return self.close_otherwise(record, id, ctx) };
        if self.is_tree_old(&record.context, now) {
            self.emit_in_progress(record.context.root);
        }
        if self.spans.waiting.is_due(now) {
            self.stream_due(now);
        }
        if late {
            self.mark_closed_by_child(id, parent, ctx);
        }
        if record.body.is_mixed() {
            pool::give_back(record);
        } else {
            pool::give_back_plain(record);
        }
    }

    /// Closes a [plain root](SpanRecord::is_plain_root), of which nothing but the span itself says what becomes of it.
    #[inline(never)]
    pub(crate) fn close_root(&self, mut record: Box<SpanRecord>, id: &Id, now: Ticks) {
        if record.is_watched() {
            self.observe_end(&record);
        }
        let last_exit = record.exited.filter(|_| ClosedByChild::reaches(id.into_u64()));
        let end = last_exit.map_or(now, NonZeroU64::get);
        if std::thread::panicking() {
            note_panic(&mut record.body);
        }
        self.output.counters.losses(record.body.losses());
        if record.waiting.is_some() {
            self.stream_waiting_of(&mut record);
        }
        self.output.counters.here().sampled.one();
        self.send(&mut record, end);
        if self.spans.waiting.is_due(now) {
            self.stream_due(now);
        }
        pool::give_back(record);
    }

    /// Folds the document into the parent's, if its body is usual, and the parent is open, young, and has room.
    #[inline(always)]
    fn fold_plain(&self, record: &SpanRecord, parent: SpanId, now: Ticks) -> Option<Folded> {
        let callsite = self.spans.callsites.get(record.callsite)?;
        let opening = callsite.opening.as_ref()?;
        let size = Frame::HEAD_BOUND + callsite.name.len() + record.body.usual_size_bound();
        let folded = self.spans.table.with_known(parent.get(), |open| {
            if open.is_emitted_early() {
                return None;
            }
            let has_room = open.children.has_room(size, 0)
                && open.children.spans() < self.config.streaming.after_spans
                && !self.is_old(open, now);
            if !has_room {
                return record.body.is_small().then_some(Folded::NoRoom { size });
            }
            let SpanRecord { segment_id, start, context, body, .. } = record;
            let (start, end) = (context.offset + start, context.offset + now);
            let added = open.children.add_usual(opening, *segment_id, start, end, body);
            added.then(|| Folded::Whole { late: open.exited.is_some() })
        });
        folded.flatten()
    }

    /// Holds a small document in the parent, which has no room for it. Returns whether the parent had been exited before;
    /// `None` if the parent can't hold it.
    #[inline(never)]
    fn hold_plain(&self, record: &SpanRecord, parent: SpanId, size: usize, now: Ticks) -> Option<bool> {
        let held = self.spans.table.with(parent.get(), |open| {
            let left = (size <= MAX_WAITING && !open.is_emitted_early())
                .then(|| self.leave(record, (parent, open), size, (now, now)))?;
            Some((left, open.exited.is_some()))
        });
        let (Left { batch, .. }, late) = held.flatten()?;
        if let Some(batch) = batch {
            self.emit_batch(batch);
        }
        Some(late)
    }
}

impl SpanRecord {
    /// Returns whether the span is the root of a recorded trace with nothing special about it: a segment of which nothing was
    /// sent, and whose trace is not held back. Lambda's layer and one with a closure have to ask for more.
    #[inline]
    pub(crate) fn is_plain_root(&self) -> bool {
        self.context.role == Role::Segment
            && self.is_local_root()
            && self.phase == Phase::Open
            && !self.context.held_back
    }

    /// Returns whether the span is a part of a recorded tree with nothing special about it: open as it was at first, and
    /// without children or a past exit. Lambda's layer and one with a closure have to ask for more.
    #[inline]
    pub(crate) fn is_plain_part(&self) -> bool {
        self.context.role == Role::Subsegment
            && self.phase == Phase::Open
            && !self.context.held_back
            && self.context.extras.is_none()
            && self.exited.is_none()
            && self.waiting.is_none()
            && self.children.is_empty()
    }
}

/// The destination of a plain document.
enum Folded {
    /// The parent has it.
    Whole {
        /// Set if the parent had been exited before, so that the span outlives it.
        late: bool,
    },
    /// The parent has no room, and the document is small.
    NoRoom {
        /// The most bytes that the document takes.
        size: usize,
    },
}
