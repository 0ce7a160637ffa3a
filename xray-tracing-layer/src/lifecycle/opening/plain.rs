//! The short way to open a span: most spans are parts of a recorded tree, below the span that the thread is in, and have
//! plain fields only. No other record is locked then, and nothing is looked at that such a span cannot be.
//!
//! Whatever is not so takes the way of [`open`](crate::lifecycle::open). The records of both are the same.

use tracing_core::span::{Attributes, Id};
use xray_sdk::SegmentId;

use crate::fields::callsite::{CallsiteId, CallsiteInfo};
use crate::fields::visitor::PlainVisitor;
use crate::lifecycle::core::Core;
use crate::state::pool;
use crate::state::record::Kind;
use crate::state::table::Inserted;
use crate::state::thread::thread_state::ThreadState;

impl Core {
    /// Opens a span with plain fields below the recorded span that the thread is in. Does nothing and returns `false` for
    /// any other.
    #[inline(always)]
    pub(crate) fn open_plain(
        &self,
        attrs: &Attributes<'_>,
        id: &Id,
        (callsite_id, callsite): (CallsiteId, &CallsiteInfo),
    ) -> bool {
        let Some(keys) = PlainVisitor::keys_of(callsite, &self.config.rules) else { return false };
        if !attrs.is_contextual() {
            return false;
        }
        let layer = self.spans.unsampled.layer();
        let Some(parent) = ThreadState::with(|thread| thread.entered.current(layer)).flatten() else {
            return false;
        };
        // Never in Lambda, nor of a trace that is held back.
        let Some(inheritance) = self.spans.table.inheritance(parent) else { return false };
        let mut record = pool::take();
        record.callsite = callsite_id;
        record.inherit(parent, inheritance);
        record.segment_id = SegmentId::random();
        record.start = self.spans.clock.ticks();
        attrs.record(&mut PlainVisitor::new(callsite, keys, &self.config.rules, &mut record.body));
        let id = id.into_u64();
        let root = record.context.root;
        let is_due = self.is_in_progress_due(&record.context, record.start);
        match self.spans.table.insert_of(Kind::Part, id, record) {
            Inserted::Done => {
                let decisions = self.spans.unsampled.decisions();
                ThreadState::with(|thread| thread.entered.note_opened(id, decisions));
            }
            other => self.give_up(id, other),
        }
        if is_due {
            self.emit_in_progress(root);
        }
        true
    }
}
