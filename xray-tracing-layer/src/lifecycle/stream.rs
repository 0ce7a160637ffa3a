//! Streaming: the way of finished children out of a parent that stays open, because its document has no room for them or
//! because it is old.
//!
//! ```text
//!  a child closes ─► room? ──► folded into the parent's document
//!                     │ no
//!                     ├─ large ───────────────────────────────────────────────────────► sent alone, at once
//!                     └─ small ─► the parent's batch ─► 60 are there, the parent closes,
//!                                  held                 none has left for a second,
//!                                                       a span closes a second later,
//!                                                       a flush, Lambda's freeze ──────► sent in one call
//! ```
//! A batch is taken out under the lock of its record. The thread that took the batch sends it, with nothing locked.

use std::thread;
use std::time::{Duration, Instant};

use xray_sdk::EmitError;
use xray_sdk::daemon::MAX_DOCUMENT;
use xray_sdk::document::internal::{Buffer, Preamble, ReadyPlace, insert_independent_head};

use crate::lifecycle::core::Core;
use crate::settings::reentrancy::{is_recording_suppressed, suppress_recording};
use crate::state::clock::Ticks;
use crate::state::record::{Fate, Role, SpanId, SpanRecord};
use crate::state::waiting::stream_batch::{Content, StreamBatch};
use crate::state::waiting::waiting_spans::PATIENCE_MICROS;

/// The fate of a child for which its parent has no room.
#[derive(Debug, Default)]
pub(crate) struct Left {
    /// Set if the child's document is in a batch. Otherwise it has to be sent alone.
    pub(crate) is_in_batch: bool,
    /// Documents to send now.
    pub(crate) batch: Option<Box<StreamBatch>>,
}

impl Core {
    /// Puts a child's document of at most `size` bytes into its parent's batch, and takes out what has to be sent now.
    /// Called under the parent's lock.
    #[inline(never)]
    pub(crate) fn leave(
        &self,
        record: &SpanRecord,
        (id, parent): (SpanId, &mut SpanRecord),
        size: usize,
        (end, now): (Ticks, Ticks),
    ) -> Left {
        parent.sent_below = true;
        let is_in_batch = size <= MAX_WAITING;
        let was_waiting = parent.waiting.is_some();
        if is_in_batch {
            let batch = parent.waiting.get_or_insert_with(StreamBatch::take);
            let ids = (record.context.trace_id, record.parent_id.unwrap_or(parent.segment_id));
            batch.push(Content::held(record.children.spans()), ids, |out, place| {
                if !self.put_plainly(record, end, out, place) {
                    self.frame(record, self.output.origin.preamble(), Some(end)).put(out);
                }
            });
            self.output.counters.here().waited.one();
        }
        let mut is_due = now.saturating_sub(parent.streamed.max(parent.start)) > PATIENCE_MICROS;
        if self.is_old(parent, now) && !parent.children.is_empty() {
            // All at once would be a burst, and a daemon's receive buffer holds a few hundred datagrams.
            let mut batch = parent.waiting.take().unwrap_or_else(StreamBatch::take);
            take_children(parent, &mut batch, STREAMED_AT_ONCE);
            parent.waiting = Some(batch);
            is_due = true;
        }
        let Some(batch) = &mut parent.waiting else { return Left { is_in_batch, batch: None } };
        if is_due || batch.is_full() {
            parent.streamed = now;
            return Left { is_in_batch, batch: self.take_waiting(parent) };
        }
        if !was_waiting {
            batch.registered = Some(id.get());
            self.spans.waiting.add(id.get(), now);
        }
        Left { is_in_batch, batch: None }
    }

    /// Appends a document that travels alone, if it has a plain body and no children. Otherwise appends nothing and returns
    /// `false`.
    #[inline]
    fn put_plainly(&self, record: &SpanRecord, end: Ticks, out: &mut Buffer, place: &ReadyPlace) -> bool {
        let SpanRecord { segment_id, start, context, body, .. } = record;
        let may_be_plain = context.role == Role::Subsegment && record.children.is_empty();
        let callsite = self.spans.callsites.get(record.callsite).filter(|_| may_be_plain);
        let Some(opening) = callsite.and_then(|callsite| callsite.opening.as_ref()) else { return false };
        let times = (context.offset + start, context.offset + end);
        opening.put_alone(out, *segment_id, place, times, body)
    }

    /// Returns whether a parent holds nothing back any more.
    #[inline]
    pub(crate) fn is_old(&self, parent: &SpanRecord, now: Ticks) -> bool {
        now.saturating_sub(parent.start) > self.config.streaming.after_micros
    }

    /// Takes out the documents that wait in a span.
    pub(crate) fn take_waiting(&self, record: &mut SpanRecord) -> Option<Box<StreamBatch>> {
        let mut batch = record.waiting.take()?;
        if let Some(id) = batch.registered.take() {
            self.spans.waiting.remove(id);
        }
        Some(batch)
    }

    /// Takes out the documents that wait in a span, and those that are folded into it.
    pub(crate) fn take_all(&self, record: &mut SpanRecord) -> Option<Box<StreamBatch>> {
        let waiting = self.take_waiting(record);
        if record.children.is_empty() {
            return waiting;
        }
        record.sent_below = true;
        let mut batch = waiting.unwrap_or_else(StreamBatch::take);
        take_children(record, &mut batch, usize::MAX);
        Some(batch)
    }

    /// Returns the most bytes of children for which a span's document has room.
    pub(crate) fn room_for_children(&self, record: &SpanRecord, preamble: &Preamble, end: Ticks) -> usize {
        let own = self.frame(record, preamble, Some(end)).size_bound() - record.children.bytes().len();
        MAX_DOCUMENT.saturating_sub(own)
    }

    /// Takes out the largest folded children of a span, if its document has no room for all.
    #[cold]
    pub(crate) fn take_largest(
        &self,
        record: &mut SpanRecord,
        preamble: &Preamble,
        end: Ticks,
    ) -> Option<Box<StreamBatch>> {
        let room = self.room_for_children(record, preamble, end);
        if record.children.bytes().len() <= room {
            return None;
        }
        record.sent_below = true;
        let ids = (record.context.trace_id, record.segment_id);
        let mut batch = StreamBatch::take();
        record.children.shrink_to(room, |document, spans| {
            batch.push(Content::folded(spans), ids, |out, place| {
                insert_independent_head(out, document, place);
            });
        });
        Some(batch)
    }

    /// Streams the finished children of an open span.
    pub(crate) fn release_children(&self, id: u64) {
        let is_kept = |record: &SpanRecord| record.fate == Fate::Kept;
        let released =
            self.spans.table.with(id, |record| if is_kept(record) { self.take_all(record) } else { None });
        if let Some(batch) = released.flatten() {
            self.emit_batch(batch);
        }
    }

    /// Streams the documents that have waited for too long.
    #[cold]
    pub(crate) fn stream_due(&self, now: Ticks) {
        while let Some(id) = self.spans.waiting.next(now, false) {
            self.stream_waiting_in(id, now);
        }
    }

    /// Streams the documents that wait in a span that closes.
    #[inline(never)]
    pub(crate) fn stream_waiting_of(&self, record: &mut SpanRecord) {
        if let Some(batch) = self.take_waiting(record) {
            self.emit_batch(batch);
        }
    }

    /// Streams all documents that wait in open spans. Returns whether they are sent, those included that another thread
    /// sends meanwhile, within `timeout`.
    pub(crate) fn stream_waiting(&self, timeout: Duration) -> bool {
        let (began, now) = (Instant::now(), self.spans.clock.ticks());
        let waited = self.output.counters.waited();
        loop {
            while let Some(id) = self.spans.waiting.next(now, true) {
                self.stream_waiting_in(id, now);
            }
            // An emitter that waits for itself would wait for ever.
            if self.output.counters.streamed() >= waited || is_recording_suppressed() {
                return true;
            }
            if began.elapsed() >= timeout {
                return false;
            }
            thread::sleep(SHORT_NAP);
        }
    }

    fn stream_waiting_in(&self, id: u64, now: Ticks) {
        let taken = self.spans.table.with(id, |record| {
            record.streamed = now;
            self.take_waiting(record)
        });
        if let Some(batch) = taken.flatten() {
            self.emit_batch(batch);
        }
    }

    /// Emits the documents of a batch, and counts each.
    pub(crate) fn emit_batch(&self, batch: Box<StreamBatch>) {
        let mut counted = CountOnDrop { core: self, batch: Some(batch) };
        let Some(batch) = &mut counted.batch else { return };
        let (packets, contents) = batch.parts();
        suppress_recording(|| {
            self.output.emitter.emit_all(packets, &mut |index, result: Result<(), EmitError>| {
                if let Some(content) = contents.get_mut(index) {
                    content.is_sent = result.is_ok();
                }
            });
        });
    }

    /// Counts documents as lost that wait in a span which never closed.
    #[cold]
    pub(crate) fn drop_waiting(&self, record: &mut SpanRecord) {
        let batch = self.take_waiting(record);
        drop(CountOnDrop { core: self, batch });
    }
}

/// Counts the results of an emission, also if the emitter panics and the panic is caught: each document that was not
/// reported as accepted is lost.
struct CountOnDrop<'a> {
    core: &'a Core,
    batch: Option<Box<StreamBatch>>,
}

impl Drop for CountOnDrop<'_> {
    fn drop(&mut self) {
        let Some(mut batch) = self.batch.take() else { return };
        let (mut sent, mut held_sent, mut held_lost, mut lost) = (0, 0, 0, 0);
        for content in batch.parts().1 {
            let is_held = u64::from(content.is_held);
            if content.is_sent {
                (sent, held_sent) = (sent + 1, held_sent + is_held);
            } else {
                (held_lost, lost) = (held_lost + is_held, lost + u64::from(content.folded));
            }
        }
        let counters = &self.core.output.counters;
        counters.here().documents.add(sent);
        counters.held_emitted.add(held_sent);
        counters.held_dropped.add(held_lost);
        counters.lost_with_parent.add(lost);
        batch.give_back();
    }
}

/// Moves at most `count` of the oldest folded children into a batch.
fn take_children(record: &mut SpanRecord, batch: &mut StreamBatch, count: usize) {
    let ids = (record.context.trace_id, record.segment_id);
    record.children.pop_front(count, |document, spans| {
        batch.push(Content::folded(spans), ids, |out, place| {
            insert_independent_head(out, document, place);
        });
    });
}

/// The largest document that waits for others. One that is larger gains little, and may be split where a system carries
/// less than UDP allows: macOS takes 9,216 bytes by default.
pub(crate) const MAX_WAITING: usize = 8 << 10;

/// The number of folded children that an old parent streams with each child that closes.
const STREAMED_AT_ONCE: usize = 8;

/// Between two looks at a batch that another thread sends.
const SHORT_NAP: Duration = Duration::from_micros(50);
