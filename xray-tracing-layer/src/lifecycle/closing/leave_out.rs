//! Spans that are left out of their trace: by a rule about their callsite when they open, or by the user's closure
//! when they close.
//!
//! ```text
//!  opens:   parent ◄── the span has no record ◄── children find the next record above
//!  closes:  parent ◄── children, as bytes ◄── the span's record is given up
//! ```

use tracing_core::Subscriber;
use tracing_core::span::{Attributes, Id};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;
use xray_sdk::document::internal::insert_independent_head;

use crate::fields::callsite::{CallsiteId, CallsiteInfo};
use crate::fields::visitor::FieldVisitor;
use crate::lifecycle::close::Destination;
use crate::lifecycle::core::Core;
use crate::settings::drop_rule::Dropped;
use crate::state::clock::Ticks;
use crate::state::pool;
use crate::state::record::{Fate, Kind, Role, SpanRecord, TraceContext};
use crate::state::waiting::stream_batch::{Content, StreamBatch};

/// A finished span without a parent: its document, and the number of spans in it.
pub(crate) type Homeless = (Vec<u8>, u32);

impl Core {
    /// Counts a new span that a rule leaves out, if it would be recorded. Returns whether spans inside of it belong to
    /// the one around it. Without one around, a record keeps what the caller decided for those that take its place.
    #[cold]
    pub(crate) fn is_left_out<S>(
        &self,
        (callsite_id, callsite): (CallsiteId, &CallsiteInfo),
        attrs: &Attributes<'_>,
        id: &Id,
        ctx: &Context<'_, S>,
    ) -> bool
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let ancestors = ctx.span(id).into_iter().flat_map(|span| span.scope().skip(1));
        let ancestors = ancestors.map(|ancestor| ancestor.id().into_u64());
        let around =
            self.spans.table.nearest(ancestors, |id, record| (id, record.kind(), record.context.role));
        if around.is_none_or(|(_, kind, _)| kind != Kind::Unrecorded) {
            self.output.counters.left_out.one();
        }
        let is_alone = callsite.dropped == Some(Dropped::Alone);
        let is_root = around.is_none_or(|(_, _, role)| matches!(role, Role::LeftOut(_)));
        // In Lambda, each root has the header of the invocation.
        if is_alone && is_root && !self.spans.host.is_lambda() {
            // Counted as a root when it closes, unless another span has taken its place.
            self.open_left_out((callsite_id, callsite), attrs, id, around.map(|(around, ..)| around));
        } else {
            self.output.counters.left_out_roots.add(is_root.into());
        }
        is_alone
    }

    /// Opens a root that is left out, inside of another one or of none.
    fn open_left_out(
        &self,
        (callsite_id, callsite): (CallsiteId, &CallsiteInfo),
        attrs: &Attributes<'_>,
        id: &Id,
        around: Option<u64>,
    ) {
        let mut record = pool::take();
        record.callsite = callsite_id;
        record.start = self.spans.clock.ticks();
        record.begin_left_out(id.into_u64());
        if let Some(around) = around {
            self.spans.table.with(around, |around| {
                around.has_children = true;
                record.context = TraceContext { root: id.into_u64(), ..around.context.clone() };
                record.parent_id = around.parent_id;
            });
        }
        if callsite.has_decisive_fields {
            let mut visitor = FieldVisitor::for_decision(callsite, &self.config.rules, &mut record.body);
            attrs.record(&mut visitor);
            let (header, forced) = (visitor.target.header.take(), visitor.target.forced.take());
            match header.map(|field| field.header) {
                Some(Some(header)) => record.continue_left_out(&header),
                Some(None) => self.output.counters.bad_headers.one(),
                None => {}
            }
            if let Some(sampled) = forced {
                record.force(sampled, id.into_u64(), false);
            }
        }
        self.insert(id.into_u64(), record);
    }

    /// Leaves out a span that closes. Finished spans inside of it move to its parent, or are lost with it.
    #[cold]
    pub(crate) fn leave_out(&self, record: &mut SpanRecord, fate: Fate, now: Ticks) -> Destination {
        self.output.counters.left_out.one();
        self.output.counters.left_out_roots.add(record.parent.is_none().into());
        let is_held_back = record.context.held_back;
        // Nothing in another process can hold what was inside of a segment.
        if fate == Fate::LeftOutWithChildren || record.context.role == Role::Segment {
            if is_held_back {
                self.lose_held(record);
            } else {
                self.output.counters.lost_with_parent.add(record.children.spans().into());
            }
            record.children.clear();
        }
        let homeless = self.move_up(record);
        if is_held_back {
            self.hold_streamed(record, homeless);
        } else if let Some(parent_id) = record.parent_id.filter(|_| !homeless.is_empty()) {
            let mut batch = StreamBatch::take();
            for (document, spans) in &homeless {
                let ids = (record.context.trace_id, parent_id);
                batch.push(Content::folded(*spans), ids, |out, place| {
                    insert_independent_head(out, document, place);
                });
            }
            self.emit_batch(batch);
        }
        if record.parent.is_some() && self.is_in_progress_due(&record.context, now) {
            self.emit_in_progress(record.context.root);
        }
        Destination::Alone
    }

    /// Moves the finished spans inside of a span to its parent. Returns those for which it has no room.
    fn move_up(&self, record: &mut SpanRecord) -> Vec<Homeless> {
        let height = record.children.height();
        let mut children = Vec::with_capacity(record.children.len());
        record.children.pop_front(usize::MAX, |document, spans| children.push((document.to_vec(), spans)));
        if let Some(parent) = record.parent {
            self.spans.table.with(parent.get(), |parent| {
                if parent.is_emitted_early() {
                    return;
                }
                children.retain(|(document, spans)| {
                    let has_room = parent.children.has_room(document.len(), height.saturating_sub(1));
                    if has_room {
                        parent.children.add_finished(document, *spans, height);
                    }
                    parent.sent_below |= !has_room;
                    !has_room
                });
            });
        }
        children
    }
}
