//! The short way to close a span: most spans are parts of a recorded tree without children, have a plain body, and fold
//! into a parent that has room. The document of such a span is put together from ready parts.
//!
//! Whatever is not so takes the way of [`close`](crate::lifecycle::close). The documents of both are the same.

use tracing_core::Subscriber;
use tracing_core::span::Id;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;
use xray_sdk::document::internal::Frame;

use crate::lifecycle::core::Core;
use crate::state::clock::Ticks;
use crate::state::pool;
use crate::state::record::{SpanId, SpanRecord};

impl Core {
    /// Closes a [plain part](SpanRecord::is_plain_part), of which nothing but the span itself says what becomes of it.
    #[inline(always)]
    pub(crate) fn close_plain<S>(
        &self,
        record: Box<SpanRecord>,
        id: &Id,
        parent: SpanId,
        ctx: &Context<'_, S>,
    ) where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let now = self.spans.clock.ticks();
        let folded = if std::thread::panicking() { None } else { self.fold_plain(&record, parent, now) };
        let Some(Late(late)) = folded else { return self.close_otherwise(record, id, ctx) };
        self.output.counters.here().folded.one();
        if self.is_tree_old(&record.context, now) {
            self.emit_in_progress(record.context.root);
        }
        if self.spans.waiting.is_due(now) {
            self.stream_due(now);
        }
        if late {
            self.mark_closed_by_child(id, parent, ctx);
        }
        pool::give_back_plain(record);
    }

    /// Folds the document into the parent's, if the document is small, and the parent is open, young, and has room.
    #[inline(always)]
    fn fold_plain(&self, record: &SpanRecord, parent: SpanId, now: Ticks) -> Option<Late> {
        let callsite = self.spans.callsites.get(record.callsite)?;
        let opening = callsite.opening.as_ref()?;
        let members = record.body.plain_members()?;
        let size = Frame::HEAD_BOUND + callsite.name.len() + members.size_bound();
        let times = (record.context.offset + record.start, record.context.offset + now);
        let folded = self.spans.table.with(parent.get(), |open| {
            let has_room = open.children.has_room(size, 0)
                && open.children.spans() < self.config.streaming.after_spans
                && !self.is_old(open, now)
                && !open.is_emitted_early();
            (has_room && open.children.add_plain(opening, record.segment_id, times, members))
                .then(|| Late(open.exited.is_some()))
        });
        folded.flatten()
    }
}

/// Whether the parent had been exited before, so that the span outlives it.
struct Late(bool);
