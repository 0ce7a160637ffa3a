//! Closing a span: its document is folded into the parent's, or emitted.
//!
//! The record is out of the table by then, so nothing is locked while the user's closure and the emitter run.
//! `finished_call` closes its records here as well.

use std::num::NonZeroU64;

use tracing_core::Subscriber;
use tracing_core::span::Id;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;
use xray_sdk::Packet;
use xray_sdk::document::internal::{Children, Frame, Kind, Opening, Preamble};
use xray_sdk::sampling::Sampler;

use crate::fields::scratch::with_packet;
use crate::lifecycle::closing::closed_by_child::ClosedByChild;
use crate::lifecycle::core::Core;
use crate::lifecycle::update::note_panic;
use crate::state::clock::Ticks;
use crate::state::pool;
use crate::state::record::{Fate, Phase, Role, SpanId, SpanRecord, TraceContext, UnsampledBy};
use crate::state::table::Found;

/// The destination of a closed span's document.
pub(crate) enum Destination {
    Folded {
        /// Set if the parent had been exited already, so that the span outlives it.
        late: bool,
    },
    /// The parent's batch, as a document of its own that is sent with others.
    Held {
        /// Set if the parent had been exited already, so that the span outlives it.
        late: bool,
    },
    /// The emitter, as a document of its own.
    Alone,
}

impl Core {
    #[inline]
    pub(crate) fn close<S>(&self, id: &Id, ctx: &Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        if let Some(found) = self.spans.table.find(id.into_u64()) {
            self.close_known(found, id, ctx);
        }
    }

    #[inline(never)]
    fn close_known<S>(&self, found: Found<'_>, id: &Id, ctx: &Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let Some(record) = found.remove() else { return };
        let part = record.parent.filter(|_| record.is_plain_part());
        if !self.config.closes_plainly || !(part.is_some() || record.is_plain_root()) {
            return self.close_otherwise(record, id, ctx);
        }
        let now = self.spans.clock.ticks();
        match part {
            Some(parent) => self.close_plain(record, id, parent, now, ctx),
            None => self.close_root(record, id, now),
        }
    }

    /// Closes a span that is not plain. Marked as cold for the reason of [`open_otherwise`](Self::open_otherwise).
    #[cold]
    #[inline(never)]
    pub(crate) fn close_otherwise<S>(&self, record: Box<SpanRecord>, id: &Id, ctx: &Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        self.close_any(record, id, ctx);
    }

    /// Closes a span in any way.
    #[inline(never)]
    fn close_any<S>(&self, mut record: Box<SpanRecord>, id: &Id, ctx: &Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        if record.is_watched() {
            self.observe_end(&record);
        }
        if record.context.role.is_recorded() {
            let is_whole = !self.spans.host.is_lambda() && !record.is_emitted_early();
            if is_whole || self.has_something_to_emit(&record, id.into_u64()) {
                self.close_recorded(&mut record, id, ctx);
            }
        } else {
            self.note_child_closed(&record);
            if record.is_local_root() {
                match (record.context.role, record.unsampled_by) {
                    (Role::Unsampled, UnsampledBy::Sampler) => self.output.counters.here().unsampled.one(),
                    _ => self.count_unsampled(&record),
                }
            }
        }
        pool::give_back(record);
    }

    /// Reports the end of a trace to the sampler that watches it.
    #[inline(never)]
    pub(crate) fn observe_end(&self, record: &SpanRecord) {
        if let Some(verdict) = &record.verdict {
            self.hooks.sampler.observe(verdict, record.body.is_faulty());
        }
    }

    /// Counts a root that was not sampled, by who decided. A call outside of any segment is no root.
    #[inline(never)]
    pub(crate) fn count_unsampled(&self, record: &SpanRecord) {
        let counters = &self.output.counters;
        match (record.unsampled_by, record.context.role) {
            (_, Role::LeftOut(_)) => return counters.left_out_roots.add((!record.has_children).into()),
            (_, Role::PlatformRoot | Role::Undecided { has_trace: false }) => return,
            (UnsampledBy::Rule, _) => return,
            // In Lambda, a header without a decision: the function is not traced.
            (UnsampledBy::Caller, Role::Undecided { .. }) => return,
            (UnsampledBy::Sampler, _) => {}
            (UnsampledBy::Caller, _) => counters.unsampled_by_caller.one(),
            (UnsampledBy::Program, _) => counters.unsampled_by_program.one(),
            (UnsampledBy::TailFull, _) => counters.tail_full.one(),
        }
        counters.here().unsampled.one();
    }

    fn close_recorded<S>(&self, record: &mut SpanRecord, id: &Id, ctx: &Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let now = self.spans.clock.ticks();
        let last_exit = record.exited.filter(|_| ClosedByChild::reaches(id.into_u64()));
        let end = last_exit.map_or(now, NonZeroU64::get);
        if std::thread::panicking() {
            note_panic(&mut record.body);
        }
        let destination = self.close_record(record, end, now);
        let Some(parent) = record.parent else { return };
        let late = match destination {
            Destination::Folded { late } | Destination::Held { late } => late,
            Destination::Alone => self.is_exited(parent),
        };
        if late {
            self.mark_closed_by_child(id, parent, ctx);
        }
    }

    /// Returns whether an open span was exited before.
    #[inline(never)]
    fn is_exited(&self, id: SpanId) -> bool {
        self.spans.table.with(id.get(), |record| record.exited.is_some()).unwrap_or_default()
    }

    /// Closes a recorded span: calls the user's closure, and folds or emits its document.
    // A call here costs each span twenty instructions.
    #[inline(always)]
    pub(crate) fn close_record(&self, record: &mut SpanRecord, end: Ticks, now: Ticks) -> Destination {
        if record.context.held_back {
            return self.close_held_back(record, end, now);
        }
        if let Some(on_close) = &self.hooks.on_close {
            let fate = self.run_on_close(on_close, record, end);
            if fate != Fate::Kept {
                return self.leave_out(record, fate, now);
            }
        }
        self.output.counters.losses(record.body.losses());
        if record.waiting.is_some() {
            self.stream_waiting_of(record);
        }
        let destination = match record.parent {
            Some(parent) if !record.is_emitted_early() => self.fold(record, parent, end, now),
            _ => Destination::Alone,
        };
        match destination {
            Destination::Folded { .. } => self.output.counters.here().folded.one(),
            Destination::Held { .. } => {}
            Destination::Alone => {
                if record.parent.is_none() && !record.is_emitted_early() {
                    self.output.counters.here().sampled.one();
                }
                self.send(record, end);
            }
        }
        if record.parent.is_some() && self.is_in_progress_due(&record.context, now) {
            self.emit_in_progress(record.context.root);
        }
        if self.spans.waiting.is_due(now) {
            self.stream_due(now);
        }
        destination
    }

    /// Folds the document into the parent's, if the parent is open, young, and has room.
    #[inline]
    fn fold(&self, record: &mut SpanRecord, parent: SpanId, end: Ticks, now: Ticks) -> Destination {
        let callsite = self.spans.callsites.get(record.callsite);
        let name = callsite.map_or("unknown", |callsite| &*callsite.name);
        let times = (record.context.offset + record.start, record.context.offset + end);
        let opening = callsite.and_then(|callsite| callsite.opening.as_ref());
        let size = size_bound(record, name);
        let mut batch = None;
        let folded = self.spans.table.with_known(parent.get(), |open| {
            if open.is_emitted_early() {
                return None;
            }
            open.sent_below |= record.sent_below;
            let children = &mut open.children;
            let has_room = children.has_room(size, record.children.height())
                && children.spans() < self.config.streaming.after_spans;
            if !has_room || now.saturating_sub(open.start) > self.config.streaming.after_micros {
                let left = self.leave(record, (parent, open), size, (end, now));
                batch = left.batch;
                return left.is_in_batch.then_some(Destination::Held { late: open.exited.is_some() });
            }
            fold_frame(record, (name, opening), times, children);
            Some(Destination::Folded { late: open.exited.is_some() })
        });
        if let Some(batch) = batch {
            self.emit_batch(batch);
        }
        folded.flatten().unwrap_or(Destination::Alone)
    }

    pub(crate) fn frame<'a>(
        &'a self,
        record: &'a SpanRecord,
        preamble: &'a Preamble,
        end: Option<Ticks>,
    ) -> Frame<'a> {
        let segment = self.segment_frame(record, preamble, end);
        match (record.context.role, record.parent_id) {
            (Role::Independent | Role::Subsegment | Role::PlatformRoot, Some(parent_id)) => Frame {
                kind: Kind::Independent { trace_id: record.context.trace_id, parent_id },
                name: self.spans.callsites.get(record.callsite).map_or("unknown", |callsite| &*callsite.name),
                ..segment
            },
            _ => segment,
        }
    }

    /// Returns the frame of a segment.
    #[inline]
    pub(crate) fn segment_frame<'a>(
        &'a self,
        record: &'a SpanRecord,
        preamble: &'a Preamble,
        end: Option<Ticks>,
    ) -> Frame<'a> {
        let context = &record.context;
        let callsite = self.spans.callsites.get(record.callsite);
        Frame {
            kind: Kind::Segment {
                trace_id: context.trace_id,
                parent_id: record.parent_id,
                preamble,
                rule: record.verdict.as_ref().and_then(|verdict| verdict.rule()).map(|rule| &**rule),
                operation: callsite.map(|callsite| &callsite.operation),
                opening: self.config.opening.as_ref(),
            },
            id: record.segment_id,
            name: &self.config.service_name,
            start: context.offset + record.start,
            end: end.map(|end| context.offset + end),
            body: &record.body,
            children: &record.children,
        }
    }

    /// Returns whether the tree is old enough for an in-progress document.
    #[inline]
    pub(crate) fn is_in_progress_due(&self, context: &TraceContext, now: Ticks) -> bool {
        context.role.is_recorded() && self.is_tree_old(context, now)
    }

    /// Returns whether a recorded tree is old enough for that.
    #[inline]
    pub(crate) fn is_tree_old(&self, context: &TraceContext, now: Ticks) -> bool {
        now.saturating_sub(context.root_start) > self.config.streaming.in_progress_after_micros
    }

    /// Emits a root's document as in progress, once, without its children: they come with the complete one.
    #[cold]
    pub(crate) fn emit_in_progress(&self, root: u64) {
        with_packet(|packet| {
            let due = self.spans.table.with(root, |record| {
                let is_waiting = record.context.held_back || record.fate != Fate::Kept;
                if record.phase != Phase::Open || !record.context.role.is_recorded() || is_waiting {
                    return false;
                }
                record.phase = Phase::InProgressSent;
                let none = Children::new();
                let preamble = self.output.origin.preamble();
                put_whole(packet, &Frame { children: &none, ..self.frame(record, preamble, None) });
                true
            });
            if due == Some(true) && self.output.emitter.emit(packet).is_ok() {
                self.output.counters.here().documents.one();
                self.output.counters.announced.one();
            }
        });
    }
}

/// Folds a document of any form.
#[inline(never)]
pub(crate) fn fold_frame(
    record: &SpanRecord,
    (name, opening): (&str, Option<&Opening>),
    (start, end): (u64, u64),
    children: &mut Children,
) {
    let frame = Frame {
        kind: Kind::Embedded { opening },
        id: record.segment_id,
        name,
        start,
        end: Some(end),
        body: &record.body,
        children: &record.children,
    };
    debug_assert!(frame.size_bound() <= size_bound(record, name));
    frame.fold_into(children);
}

/// Returns an upper bound of the size of a record's embedded document.
#[inline]
pub(crate) fn size_bound(record: &SpanRecord, name: &str) -> usize {
    Frame::HEAD_BOUND + name.len() + record.body.size_bound() + record.children.bytes().len()
}

/// Writes a document. Kept out of line: on the hot path, writing is inlined into its caller.
#[cold]
pub(crate) fn put_whole(packet: &mut Packet, frame: &Frame<'_>) {
    frame.put(packet.start_document());
}
