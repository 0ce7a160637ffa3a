//! Entering and exiting: the spans that the thread is in, without the registry.
//!
//! The registry returns the current span, at the price of a look-up in its slab. A layer that hears of each span that is
//! entered knows it by itself, if that span is recorded. A layer behind a filter of the user's own asks the registry.
//!
//! A filter that a user puts around the default one hides spans from this layer. A span that it alone hides, and that
//! names another parent than the span it is entered in, is not seen by the spans that open inside it.

use tracing_core::Subscriber;
use tracing_core::span::Id;
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
        let in_scope = ThreadState::with(|thread| {
            if matches!(kind, Kind::Part | Kind::Root) {
                if self.config.hears_all {
                    thread.entered.push(layer, id);
                }
            } else {
                thread.entered.push_unrecorded(layer);
            }
            kind != Kind::Absent && thread.unsampled.depth.get() > 0
        });
        if kind == Kind::Unrecorded || in_scope == Some(true) {
            self.enter_known(id, kind);
        }
    }

    /// Notes that the thread exits a span of that kind.
    #[inline]
    pub(crate) fn note_exit(&self, id: u64, kind: Kind) {
        ThreadState::with(|thread| {
            if !thread.entered.is_empty() {
                let layer = self.spans.unsampled.layer();
                match kind {
                    Kind::Part | Kind::Root => thread.entered.pop(layer, id),
                    Kind::Unrecorded => thread.entered.pop_changed(layer, id),
                    Kind::Absent => thread.entered.pop_unrecorded(layer),
                }
            }
            self.exit_unsampled(&thread.unsampled, id, kind);
        });
    }

    /// Returns the registry's id of the span that the thread is in.
    #[inline]
    pub(crate) fn current<S>(&self, ctx: &Context<'_, S>) -> Option<u64>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let layer = self.spans.unsampled.layer();
        let known = ThreadState::with(|thread| thread.entered.current(layer)).flatten();
        known.or_else(|| ctx.current_span().id().map(Id::into_u64))
    }
}
