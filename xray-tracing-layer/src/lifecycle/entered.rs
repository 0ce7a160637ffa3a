//! Entering and exiting: what the thread is in, without the registry.
//!
//! The registry answers which span is the current one, at the price of a look-up in its slab. A layer that hears of each
//! span that is entered knows it by itself. A layer behind a filter of the user's own does not, and asks.

use tracing_core::Subscriber;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::lifecycle::core::Core;
use crate::state::record::Kind;
use crate::state::thread_state::ThreadState;

impl Core {
    /// Notes that the thread enters a span.
    #[inline]
    pub(crate) fn enter(&self, id: u64) {
        let kind = self.spans.table.kind(id);
        let layer = self.spans.unsampled.layer();
        let is_in_unsampled = ThreadState::with(|thread| {
            if self.config.hears_all {
                thread.entered.push(layer, id, kind);
            }
            thread.unsampled.depth.get() > 0
        });
        if kind == Kind::Unrecorded || (kind != Kind::Absent && is_in_unsampled == Some(true)) {
            self.enter_known(id, kind);
        }
    }

    /// Notes that the thread exits a span. Returns its kind.
    #[inline]
    pub(crate) fn note_exit(&self, id: u64) -> Kind {
        let layer = self.spans.unsampled.layer();
        let known = || ThreadState::with(|thread| thread.entered.pop(layer, id)).flatten();
        let known = if self.config.hears_all { known() } else { None };
        // A late decision changes what a span was when it was entered.
        match known {
            Some(kind) if self.spans.unsampled.decisions() == 0 => kind,
            _ => self.spans.table.kind(id),
        }
    }

    /// Returns the registry's id of the span that the thread is in.
    #[inline]
    pub(crate) fn current<S>(&self, ctx: &Context<'_, S>) -> Option<u64>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let layer = self.spans.unsampled.layer();
        let known = ThreadState::with(|thread| thread.entered.current(layer)).flatten();
        known.or_else(|| ctx.current_span().id().map(tracing_core::span::Id::into_u64))
    }
}
