//! The tail decision: a trace that was not sampled is recorded, held back, and sent at its end if it failed or took
//! long.
//!
//! ```text
//!  root   ├──────────────────────────────┤ decision: keep ► held documents, then the root's
//!  spans    ├────┤ folded   ├──────┤ no room ► held       : leave out ► nothing
//! ```
//! Downstream, such a trace is an unsampled one. Nothing here runs without a sampler that has a tail rule.

use std::time::Duration;

use xray_sdk::document::internal::{Body, ReadyPlace, Section, Written, insert_independent_head, keys};
use xray_sdk::{Packet, SegmentId};

use crate::fields::scratch::with_packet;
use crate::lifecycle::close::{Destination, fold_frame, put_whole, size_bound};
use crate::lifecycle::closing::leave_out::Homeless;
use crate::lifecycle::core::Core;
use crate::state::clock::Ticks;
use crate::state::record::{Fate, Phase, Role, SpanRecord, UnsampledBy};
use crate::state::tail::{HeldDocument, HeldTrace};

impl Core {
    /// Records a root that is not sampled, until its end. `by_caller` says that a caller decided.
    #[cold]
    pub(crate) fn hold_back(&self, record: &mut SpanRecord, by_caller: bool) {
        let Some(tail) = &self.hooks.tail else { return };
        if record.context.role != Role::Unsampled || by_caller && tail.rule.obeys_callers() {
            return;
        }
        let Some(held) = tail.begin() else {
            record.unsampled_by = UnsampledBy::TailFull;
            return;
        };
        if record.segment_id == SegmentId::from(0) {
            record.segment_id = SegmentId::random();
        }
        record.held = Some(held);
        (record.context.role, record.context.held_back) = (Role::Segment, true);
        record.draw_trace_id();
    }

    /// Closes a span of a trace that is held back.
    #[cold]
    pub(crate) fn close_held_back(&self, record: &mut SpanRecord, end: Ticks, now: Ticks) -> Destination {
        if let Some(on_close) = &self.hooks.on_close {
            let fate = self.run_on_close(on_close, record, end);
            if fate != Fate::Kept {
                return self.leave_out(record, fate, now);
            }
        }
        self.output.counters.losses(record.body.losses());
        match record.held.take() {
            Some(held) => self.close_held_root(record, held, end),
            None => self.hold(record, end),
        }
        Destination::Alone
    }

    fn close_held_root(&self, record: &mut SpanRecord, mut held: Box<HeldTrace>, end: Ticks) {
        match held.kept {
            // Decided at its early end. What is here came later.
            Some(true) => self.send(record, end),
            Some(false) => {}
            None => {
                let duration = Duration::from_micros(end.saturating_sub(record.start));
                match held.decide(&record.body, duration) {
                    Some(reason) => {
                        put_reason(&mut record.body, reason);
                        self.output.counters.here().sampled.one();
                        self.send_held(&mut held, record.children.spans());
                        self.send(record, end);
                    }
                    None => self.count_unsampled(record),
                }
            }
        }
    }

    /// Counts what a span of a trace that is held back takes with it when it is left out: its finished children, and
    /// of a root also the documents that are held.
    pub(crate) fn lose_held(&self, record: &mut SpanRecord) {
        let spans = u64::from(record.children.spans());
        if let Some(mut held) = record.held.take() {
            let lost = spans + held.spans() + held.lost.0 + held.lost.1;
            held.take_documents();
            return self.count_lost(lost);
        }
        let decided = self.with_held(record.context.root, |held| {
            if held.kept.is_none() {
                held.lost.1 += spans;
            }
            held.kept
        });
        if decided.flatten() == Some(true) {
            self.count_lost(spans);
        }
    }

    fn count_lost(&self, spans: u64) {
        self.output.counters.here().folded.add(spans);
        self.output.counters.lost_with_parent.add(spans);
    }

    /// Folds a span inside of a trace that is held back, or holds its document.
    fn hold(&self, record: &mut SpanRecord, end: Ticks) {
        let root = record.context.root;
        if self.hooks.tail.as_ref().is_some_and(|tail| tail.is_failure(&record.body)) {
            self.with_held(root, |held| held.failed = true);
        }
        let callsite = self.spans.callsites.get(record.callsite);
        let name = callsite.map_or("unknown", |callsite| &*callsite.name);
        let opening = callsite.and_then(|callsite| callsite.opening.as_ref());
        let times = (record.context.offset + record.start, record.context.offset + end);
        let size = size_bound(record, name);
        let folded = record.parent.filter(|_| !record.is_emitted_early()).and_then(|parent| {
            self.spans.table.with(parent.get(), |parent| {
                let has_room =
                    !parent.is_emitted_early() && parent.children.has_room(size, record.children.height());
                parent.sent_below |= record.sent_below || !has_room;
                if has_room {
                    fold_frame(record, (name, opening), times, &mut parent.children);
                }
                has_room
            })
        });
        if folded == Some(true) {
            return;
        }
        let mut documents = Vec::new();
        let place = ReadyPlace::new(record.context.trace_id, record.segment_id);
        let preamble = self.output.origin.preamble();
        with_packet(|packet| {
            let room = self.room_for_children(record, preamble, end);
            record.children.shrink_to(room, |child, spans| {
                insert_independent_head(packet.start_document(), child, &place);
                documents.push(held_document(packet, spans, false));
            });
            put_whole(packet, &self.frame(record, preamble, Some(end)));
            documents.push(held_document(packet, record.children.spans(), true));
        });
        self.push(root, documents);
    }

    /// Holds the spans of one that was left out, for which its parent had no room.
    pub(crate) fn hold_streamed(&self, record: &SpanRecord, children: Vec<Homeless>) {
        let Some(parent_id) = record.parent_id.filter(|_| !children.is_empty()) else { return };
        let place = ReadyPlace::new(record.context.trace_id, parent_id);
        let documents = with_packet(|packet| {
            let held = |(child, spans): &Homeless| {
                insert_independent_head(packet.start_document(), child, &place);
                held_document(packet, *spans, false)
            };
            children.iter().map(held).collect()
        });
        self.push(record.context.root, documents);
    }

    /// Adds documents to those that the root holds. After a decision they are sent, or given up.
    fn push(&self, root: u64, documents: Vec<HeldDocument>) {
        let mut documents = Some(documents);
        let decided = self.with_held(root, |held| {
            if held.kept.is_none() {
                documents.take().into_iter().flatten().for_each(|document| held.push(document));
            }
            held.kept
        });
        if decided.flatten() == Some(true) {
            self.send_documents(&documents.unwrap_or_default());
        }
    }

    fn with_held<R>(&self, root: u64, look: impl FnOnce(&mut HeldTrace) -> R) -> Option<R> {
        self.spans.table.with(root, |root| root.held.as_mut().map(|held| look(held))).flatten()
    }

    /// Returns whether a span that ends early waits for its close: one inside of a trace that is held back, or a root that has
    /// been decided about.
    #[cold]
    pub(crate) fn waits(&self, id: u64) -> bool {
        let waits = |record: &mut SpanRecord| {
            record.context.held_back && record.held.as_ref().is_none_or(|held| held.kept.is_some())
        };
        self.spans.table.with(id, waits) == Some(true)
    }

    /// Decides about a root whose work has ended, although its span is open. Returns whether its document is to be
    /// emitted now, as that of a span that is not held back is.
    #[cold]
    pub(crate) fn is_kept_early(&self, id: u64) -> bool {
        let decided = self.spans.table.with(id, |record| {
            if !record.context.held_back {
                return Some(None);
            }
            let mut held = record.held.take_if(|held| held.kept.is_none())?;
            let duration = Duration::from_micros(record.last_exit().saturating_sub(record.start));
            let reason = held.decide(&record.body, duration);
            match reason {
                Some(reason) => put_reason(&mut record.body, reason),
                None => {
                    record.phase = Phase::EmittedEarly;
                    self.count_unsampled(record);
                }
            }
            let spans = record.children.spans();
            let documents = held.take_documents();
            let lost = std::mem::take(&mut held.lost);
            if reason.is_none() {
                record.children.clear();
            }
            record.held = Some(held);
            Some(Some((reason.is_some(), documents, lost, spans)))
        });
        match decided.flatten() {
            None => false,
            Some(None) => true,
            Some(Some((false, ..))) => false,
            Some(Some((true, documents, lost, spans))) => {
                self.count_kept(lost, spans);
                self.send_documents(&documents);
                true
            }
        }
    }

    /// Sends the documents of a trace that is kept, whose root holds `spans` folded spans.
    fn send_held(&self, held: &mut HeldTrace, spans: u32) {
        self.count_kept(held.lost, spans);
        let documents = held.take_documents();
        self.send_documents(&documents);
    }

    fn count_kept(&self, (lost, folded): (u64, u64), spans: u32) {
        let counters = &self.output.counters;
        counters.kept.one();
        counters.here().folded.add(folded + u64::from(spans));
        counters.dropped.add(lost);
        counters.lost_with_parent.add(folded);
    }

    fn send_documents(&self, documents: &[HeldDocument]) {
        let counters = &self.output.counters;
        with_packet(|packet| {
            for held in documents {
                packet.start_document().put(std::str::from_utf8(&held.document).unwrap_or_default());
                let is_taken = self.output.emitter.emit(packet).is_ok();
                counters.here().documents.add(is_taken.into());
                counters.here().folded.add(held.folded.into());
                if held.is_own {
                    counters.sent(is_taken, held.folded);
                } else if !is_taken {
                    counters.lost_with_parent.add(held.folded.into());
                }
            }
        });
    }
}

fn held_document(packet: &Packet, folded: u32, is_own: bool) -> HeldDocument {
    HeldDocument { document: packet.document().to_vec(), folded, is_own }
}

/// Says in the document why the trace is there, although the services that were called recorded nothing.
fn put_reason(body: &mut Body, reason: &str) {
    body.put(Section::Metadata, 0, keys::XRAY_KEPT, |out| {
        out.put_string(reason);
        Written::Whole
    });
}
