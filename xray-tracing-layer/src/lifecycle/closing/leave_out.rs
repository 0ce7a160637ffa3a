//! Spans that are left out of their trace: by a rule about their callsite when they open, or by the user's closure
//! when they close.
//!
//! ```text
//!  opens:   parent ◄── the span has no record ◄── children find the next record above
//!  closes:  parent ◄── children, as bytes ◄── the span's record is given up
//! ```

use tracing_core::Subscriber;
use tracing_core::span::Id;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;
use xray_sdk::document::internal::insert_independent_head;

use crate::lifecycle::close::Destination;
use crate::lifecycle::core::Core;
use crate::settings::drop_rule::Dropped;
use crate::state::clock::Ticks;
use crate::state::record::{Fate, Kind, Role, SpanRecord};
use crate::state::waiting::stream_batch::{Content, StreamBatch};

/// A finished span without a parent: its document, and the number of spans in it.
pub(crate) type Homeless = (Vec<u8>, u32);

impl Core {
    /// Counts a new span that a rule leaves out, if it would be recorded. Returns whether the span has no record, so
    /// that spans inside of it belong to the one around it.
    #[cold]
    pub(crate) fn is_left_out<S>(&self, dropped: Dropped, id: &Id, ctx: &Context<'_, S>) -> bool
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let ancestors = ctx.span(id).into_iter().flat_map(|span| span.scope().skip(1));
        let mut kinds = ancestors.map(|ancestor| self.spans.table.kind(ancestor.id().into_u64()));
        if kinds.find(|kind| *kind != Kind::Absent) != Some(Kind::Unrecorded) {
            self.output.counters.left_out.one();
        }
        dropped == Dropped::Alone
    }

    /// Leaves out a span that closes. Finished spans inside of it move to its parent, or are lost with it.
    #[cold]
    pub(crate) fn leave_out(&self, record: &mut SpanRecord, fate: Fate, now: Ticks) -> Destination {
        self.output.counters.left_out.one();
        let is_held_back = record.context.held_back;
        if record.parent.is_none() && !is_held_back {
            self.output.counters.here().sampled.one();
        }
        // Nothing in another process can hold what was inside of a segment.
        if fate == Fate::LeftOutWithChildren || record.context.role == Role::Segment {
            if !is_held_back {
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
                batch.push(Content::folded(*spans), |out| {
                    insert_independent_head(out, document, record.context.trace_id, parent_id);
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
