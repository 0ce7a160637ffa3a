//! The short way to open a span: most spans are parts of a recorded tree, directly below a span with a record, and have
//! plain fields only. No other record is locked then but by the first child, and nothing is looked at that such a span
//! cannot be.
//!
//! Whatever is not so takes the way of [`open`](crate::lifecycle::open). The records of both are the same.

use tracing_core::Subscriber;
use tracing_core::span::{Attributes, Id};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;
use xray_sdk::SegmentId;

use crate::fields::callsite::{CallsiteId, CallsiteInfo};
use crate::fields::visitor::PlainVisitor;
use crate::lifecycle::core::Core;
use crate::state::pool;
use crate::state::record::Kind;
use crate::state::table::Inserted;

impl Core {
    /// Opens a span with plain fields directly below a recorded span. Does nothing and returns `false` for any other.
    #[inline(always)]
    pub(crate) fn open_plain<S>(
        &self,
        attrs: &Attributes<'_>,
        id: &Id,
        (callsite_id, callsite): (CallsiteId, &CallsiteInfo),
        ctx: &Context<'_, S>,
    ) -> bool
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let Some(keys) = PlainVisitor::keys_of(callsite, &self.config.rules) else { return false };
        let Some(parent) = self.direct_parent(attrs, ctx) else { return false };
        let table = &self.spans.table;
        let Some(inheritance) = table.inherited(parent).or_else(|| {
            self.hand_down_plainly(parent);
            table.inherited(parent)
        }) else {
            return false;
        };
        let mut record = pool::take();
        record.callsite = callsite_id;
        record.inherit(parent, inheritance());
        record.segment_id = SegmentId::random();
        record.start = self.spans.clock.ticks();
        attrs.record(&mut PlainVisitor::new(callsite, keys, &self.config.rules, &mut record.body));
        if self.is_tree_old(&record.context, record.start) {
            self.emit_in_progress(record.context.root);
        }
        let id = id.into_u64();
        match self.spans.table.insert_of(Kind::Part, id, record) {
            Inserted::Done => self.note_opened(id, Kind::Part),
            other => self.give_up(id, other),
        }
        true
    }

    /// Returns the registry's id of a new span's parent, whether that has a record or not.
    #[inline(always)]
    pub(crate) fn direct_parent<S>(&self, attrs: &Attributes<'_>, ctx: &Context<'_, S>) -> Option<u64>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        if attrs.is_contextual() { self.current(ctx) } else { attrs.parent().map(Id::into_u64) }
    }

    /// Lets a recorded span hand down to its children from now on, if that is all that a child asks of it. It is not in
    /// Lambda, and of a trace that is held back.
    #[inline(never)]
    fn hand_down_plainly(&self, parent: u64) {
        if self.spans.host.is_lambda() {
            return;
        }
        self.spans.table.hand_down(parent, |parent| {
            let inheritance = parent.hands_down_plainly().then(|| {
                parent.has_children = true;
                parent.inheritance()
            });
            ((), inheritance)
        });
    }
}
