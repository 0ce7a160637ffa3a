//! A span closes: its document goes into its parent's, or away.

use std::cell::Cell;

use tracing_core::Subscriber;
use tracing_core::span::Id;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;
use xray_sdk::document::internal::{Children, Frame, Kind, Preamble, insert_independent_head};
use xray_sdk::sampling::Sampler;
use xray_sdk::{EmitError, Packet, SegmentId, TraceId};

use crate::lifecycle::core::{Core, with_packet};
use crate::lifecycle::update::note_panic;
use crate::state::clock::Ticks;
use crate::state::record::{self, Role, SpanRecord, TraceContext};
use crate::state::table::Found;

/// Where a closed span's document went.
pub(crate) enum Destination {
    Folded {
        /// Whether the parent had been left already: the span outlives it.
        late: bool,
    },
    /// Nobody took it: it goes alone.
    Alone,
}

impl Core {
    #[inline]
    pub(crate) fn close<S>(&self, id: &Id, ctx: &Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        if let Some(found) = self.table.find(id.into_u64()) {
            self.close_known(found, id, ctx);
        }
    }

    #[inline(never)]
    fn close_known<S>(&self, found: Found<'_>, id: &Id, ctx: &Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let Some(mut record) = found.remove() else { return };
        if let Some(verdict) = record.verdict.as_ref().filter(|verdict| verdict.is_watched()) {
            self.sampler.observe(verdict, record.body.is_faulty());
        }
        if record.context.role.is_recorded() {
            if self.lambda.is_none() || self.has_something_to_emit(&record, id.into_u64()) {
                self.counters.here().closed.one();
                self.close_recorded(&mut record, id, ctx);
            }
        } else {
            if self.lambda.is_some() {
                self.note_child_closed(record.parent);
            }
            if matches!(record.context.role, Role::Unsampled | Role::NotSampledByLambda)
                && record.is_local_root()
            {
                self.counters.here().unsampled.one();
            }
        }
        record::give_back(record);
    }

    fn close_recorded<S>(&self, record: &mut SpanRecord, id: &Id, ctx: &Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let now = self.clock.ticks();
        let end =
            if record.exited != 0 && ClosedByChild::reaches(id.into_u64()) { record.exited } else { now };
        if std::thread::panicking() {
            note_panic(&mut record.body);
        }
        if let Some(on_close) = &self.on_close {
            self.run_on_close(on_close, record, end);
        }
        self.counters.losses(record.body.losses());
        let destination = if record.is_local_root() || record.emitted_early {
            Destination::Alone
        } else {
            self.fold(record, end, now)
        };
        let late = match destination {
            Destination::Folded { late } => {
                self.counters.here().folded.one();
                late
            }
            Destination::Alone => {
                self.send(record, end);
                record.parent != 0
                    && self.table.with(record.parent, |parent| parent.exited != 0).unwrap_or_default()
            }
        };
        // While a thread is inside the parent, that thread holds it open.
        let inside = || ctx.current_span().id().is_some_and(|id| id.into_u64() == record.parent);
        if late
            && !inside()
            && let Some(span) = ctx.span(id)
        {
            // The registry closes the parent while this span's extensions still exist, if its own handles are
            // gone, and drops them right after.
            let mut extensions = span.extensions_mut();
            if extensions.get_mut::<ClosedByChild>().is_none() {
                extensions.insert(ClosedByChild::towards(record.parent));
            }
        }
        if record.parent != 0 && self.is_due(&record.context, now) {
            self.announce(record.context.root);
        }
    }

    /// Puts the document into the parent's, if that is open, near, and has room.
    #[inline]
    pub(crate) fn fold(&self, record: &mut SpanRecord, end: Ticks, now: Ticks) -> Destination {
        let callsite = self.callsites.get(record.callsite);
        let frame = Frame {
            kind: Kind::Embedded,
            id: record.segment_id,
            name: callsite.map_or("unknown", |callsite| &callsite.name),
            start: record.context.offset + record.start,
            end: Some(record.context.offset + end),
            body: &record.body,
            children: &record.children,
        };
        let size = frame.size_bound();
        let mut streamed = None;
        let folded = self.table.with(record.parent, |parent| {
            if parent.emitted_early {
                return None;
            }
            let children = &mut parent.children;
            if now.saturating_sub(parent.start) > self.streaming.after_micros {
                // An old parent lets go of what it holds, a little with every child that passes: all at once
                // would be a burst, and a daemon's receive buffer holds a few hundred datagrams.
                if !children.is_empty() {
                    streamed = Some((parent.segment_id, take_front(children, STREAM_BATCH)));
                }
                return None;
            }
            let room = children.has_room(size, record.children.height())
                && children.spans() < self.streaming.after_spans;
            room.then(|| {
                frame.fold_into(children);
                Destination::Folded { late: parent.exited != 0 }
            })
        });
        if let Some((parent_id, documents)) = streamed {
            self.stream_children(&documents, record.context.trace_id, parent_id);
        }
        folded.flatten().unwrap_or(Destination::Alone)
    }

    /// Sends the span's own document, and before it the children for which it has no room.
    pub(crate) fn send(&self, record: &mut SpanRecord, end: Ticks) {
        let (trace_id, id) = (record.context.trace_id, record.segment_id);
        // One for all that follows: it must not grow between the measure and the writing.
        let preamble = self.origin.preamble();
        let mut destination = CountOnDrop { core: self, record, emitted: false };
        with_packet(|packet| {
            let record = &mut *destination.record;
            let own = self.frame(record, preamble, Some(end)).size_bound() - record.children.bytes().len();
            let room = xray_sdk::daemon::MAX_DOCUMENT.saturating_sub(own);
            record
                .children
                .shrink_to(room, |child, spans| self.stream_child(packet, child, spans, trace_id, id));
            let mut result = self.emit(packet, &self.frame(record, preamble, Some(end)));
            if result == Err(EmitError::TooLarge) && !record.children.is_empty() {
                // Some systems carry less than UDP allows; macOS by default 9,216 bytes.
                record
                    .children
                    .shrink_to(0, |child, spans| self.stream_child(packet, child, spans, trace_id, id));
                result = self.emit(packet, &self.frame(record, preamble, Some(end)));
            }
            destination.emitted = result.is_ok();
        });
    }

    /// Sends folded subsegments on their own.
    pub(crate) fn stream_children(
        &self,
        streamed: &[StreamedChild],
        trace_id: TraceId,
        parent_id: SegmentId,
    ) {
        with_packet(|packet| {
            for (document, spans) in streamed {
                self.stream_child(packet, document, *spans, trace_id, parent_id);
            }
        });
    }

    /// Sends a folded subsegment on its own.
    fn stream_child(
        &self,
        packet: &mut Packet,
        document: &[u8],
        spans: u32,
        trace_id: TraceId,
        parent_id: SegmentId,
    ) {
        insert_independent_head(packet.start_document(), document, trace_id, parent_id);
        match self.emitter.emit(packet) {
            Ok(()) => self.counters.here().documents.one(),
            Err(_) => self.counters.lost_with_parent.add(spans.into()),
        }
    }

    fn emit(&self, packet: &mut Packet, frame: &Frame<'_>) -> Result<(), EmitError> {
        frame.put(packet.start_document());
        self.emitter.emit(packet)?;
        self.counters.here().documents.one();
        Ok(())
    }

    pub(crate) fn frame<'a>(
        &'a self,
        record: &'a SpanRecord,
        preamble: &'a Preamble,
        end: Option<Ticks>,
    ) -> Frame<'a> {
        let context = &record.context;
        let callsite = self.callsites.get(record.callsite);
        let (kind, name) = match (context.role, record.parent_id) {
            (Role::Independent | Role::Subsegment | Role::PlatformRoot, Some(parent_id)) => (
                Kind::Independent { trace_id: context.trace_id, parent_id },
                callsite.map_or("unknown", |callsite| &*callsite.name),
            ),
            _ => (
                Kind::Segment {
                    trace_id: context.trace_id,
                    parent_id: record.parent_id,
                    preamble,
                    rule: record.verdict.as_ref().and_then(|verdict| verdict.rule()).map(|rule| &**rule),
                    operation: callsite.map(|callsite| &*callsite.operation),
                },
                &*self.service_name,
            ),
        };
        Frame {
            kind,
            id: record.segment_id,
            name,
            start: context.offset + record.start,
            end: end.map(|end| context.offset + end),
            body: &record.body,
            children: &record.children,
        }
    }

    /// Whether the tree is old enough to be announced.
    #[inline]
    pub(crate) fn is_due(&self, context: &TraceContext, now: Ticks) -> bool {
        context.role.is_recorded() && now.saturating_sub(context.root_start) > self.streaming.announce_micros
    }

    /// Sends a root's document as in progress, once, without its children: they come with the complete one.
    #[cold]
    pub(crate) fn announce(&self, root: u64) {
        with_packet(|packet| {
            let due = self.table.with(root, |record| {
                if record.in_progress_sent || !record.context.role.is_recorded() {
                    return false;
                }
                record.in_progress_sent = true;
                let none = Children::new();
                let preamble = self.origin.preamble();
                put_whole(packet, &Frame { children: &none, ..self.frame(record, preamble, None) });
                true
            });
            if due == Some(true) && self.emitter.emit(packet).is_ok() {
                self.counters.here().documents.one();
                self.counters.announced.one();
            }
        });
    }
}

/// Counts what became of a document, also where the emitter panics and somebody catches that.
struct CountOnDrop<'a> {
    core: &'a Core,
    record: &'a mut SpanRecord,
    emitted: bool,
}

impl Drop for CountOnDrop<'_> {
    fn drop(&mut self) {
        self.core.counters.sent(self.emitted, self.record.children.spans());
    }
}

/// Writes a document off the path that every span takes: there, writing is part of its caller's code.
#[cold]
pub(crate) fn put_whole(packet: &mut Packet, frame: &Frame<'_>) {
    frame.put(packet.start_document());
}

/// How many children leave an old parent with each one that passes.
const STREAM_BATCH: usize = 8;

/// A folded subsegment on its way out, and how many spans are in it.
pub(crate) type StreamedChild = (Vec<u8>, u32);

/// Takes the oldest children out, at most `count`, to be sent when their parent is no longer locked.
pub(crate) fn take_front(children: &mut Children, count: usize) -> Vec<StreamedChild> {
    let mut documents = Vec::with_capacity(count.min(children.len()));
    children.pop_front(count, |document, spans| documents.push((document.to_vec(), spans)));
    documents
}

/// Tells a parent that closes because its last child did from one whose last handle was dropped.
///
/// The registry closes a span when its handles and its children are gone. A request that leaves a background
/// task behind is closed by that task, long after it ended, and no callback tells when it ended but the last
/// exit. So the child that closes leaves this mark in its own extensions, which the registry drops after it
/// has given the parent its turn: whoever closes while the mark exists was kept open by the child.
struct ClosedByChild {
    former: u64,
}

impl ClosedByChild {
    fn towards(parent: u64) -> Self {
        Self { former: CLOSED_BY_CHILD.try_with(|closing| closing.replace(parent)).unwrap_or_default() }
    }

    fn reaches(id: u64) -> bool {
        CLOSED_BY_CHILD.try_with(|closing| closing.get() == id).unwrap_or_default()
    }
}

impl Drop for ClosedByChild {
    fn drop(&mut self) {
        let _ = CLOSED_BY_CHILD.try_with(|closing| closing.set(self.former));
    }
}

thread_local! {
    /// The parent whose turn it is; 0 for none.
    static CLOSED_BY_CHILD: Cell<u64> = const { Cell::new(0) };
}
