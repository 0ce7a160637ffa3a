//! The fast path to open a span, for two sorts.
//!
//! Most spans are parts of a recorded tree, directly below a span with a record, and have plain fields only. Most roots have
//! no field that decides about them but OpenTelemetry's kind. No other record is locked then but by a root's first child, and
//! nothing is looked at that such a span cannot be.
//!
//! Any other span takes the slow path, in [`open`](crate::lifecycle::open). The records of both are the same.

use tracing_core::Subscriber;
use tracing_core::span::{Attributes, Id};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;
use xray_sdk::SegmentId;
use xray_sdk::id::internal::stir_ids;

use crate::fields::callsite::{CallsiteId, CallsiteInfo};
use crate::fields::visitor::PlainVisitor;
use crate::lifecycle::core::Core;
use crate::state::pool;
use crate::state::record::Kind;
use crate::state::table::{HandedDown, Inserted};

impl Core {
    /// Opens a span with plain fields directly below a recorded span, or a root about which its kind alone may decide. Does
    /// nothing and returns `false` for any other.
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
        let table = &self.spans.table;
        let id = id.into_u64();
        let parent = self.direct_parent(attrs, ctx);
        // Of a root, nothing.
        let inheritance = match parent {
            Some(parent) if PlainVisitor::is_for(callsite, &self.config.rules) => {
                let inherited = table.inherited(parent).or_else(|| self.hand_down_plainly(parent));
                if inherited.is_none() {
                    return false;
                }
                inherited
            }
            None if self.is_usual_root(callsite) => None,
            _ => return false,
        };
        let mut record = pool::take();
        record.callsite = callsite_id;
        let (now, nanos) = self.spans.clock.read();
        record.start = now;
        if inheritance.is_none() {
            // A copy of the process that opens a root draws other ids from here on.
            stir_ids(nanos);
        }
        record.segment_id = SegmentId::random();
        let kind = match inheritance {
            Some(inheritance) => {
                record.inherit(parent.unwrap_or_default(), inheritance.read());
                attrs.record(&mut PlainVisitor::new(callsite, &self.config.rules, &mut record.body));
                if self.is_tree_old(&record.context, record.start) {
                    self.emit_in_progress(record.context.root);
                }
                Kind::Part
            }
            None => {
                self.begin_usual_root(&mut record, callsite, attrs, id);
                record.kind()
            }
        };
        match table.insert_of(kind, id, record) {
            Inserted::Done => self.note_opened(id, kind),
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

    /// Lets a recorded span hand down to its children from now on, if that is all that a child asks of it: not in
    /// Lambda, nor in a trace that is held back. Returns what the span hands down.
    #[inline(never)]
    fn hand_down_plainly(&self, parent: u64) -> Option<&HandedDown> {
        if self.spans.host.is_lambda() {
            return None;
        }
        let handed_down = self.spans.table.hand_down_here(parent, |parent| {
            let inheritance = parent.hands_down_plainly().then(|| {
                parent.has_children = true;
                parent.inheritance()
            });
            ((), inheritance)
        });
        handed_down?.1
    }
}
