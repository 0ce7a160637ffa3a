//! Entering and exiting: the spans that the thread is in, without the registry.
//!
//! The registry returns the current span, at the price of a look-up in its slab. A layer that hears of each span that is
//! entered knows it by itself. A layer behind a filter of the user's own asks the registry.
//!
//! A filter that a user puts around the default one hides spans from this layer. A span that it alone hides, and that
//! names another parent than the span it is entered in, is not seen by the spans that open inside it.

use tracing_core::Subscriber;
use tracing_core::span::Id;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::lifecycle::core::Core;
use crate::state::record::{Kind, SpanId};
use crate::state::thread::entered::EnteredSpans;
use crate::state::thread::thread_state::ThreadState;

impl Core {
    /// Returns whether what the thread knows of its spans is this layer's, and right. Finds out what is not known any more.
    #[inline]
    pub(crate) fn knows(&self, entered: &EnteredSpans) -> bool {
        entered.is_at(self.spans.unsampled.version()) || self.renew(entered)
    }

    /// Returns whether what the thread knows is this layer's, and nothing has to be found out.
    #[inline]
    pub(crate) fn knows_its_spans(&self) -> bool {
        let version = self.spans.unsampled.version();
        ThreadState::with(|thread| thread.entered.is_at(version)).unwrap_or_default()
    }

    #[cold]
    #[inline(never)]
    fn renew(&self, entered: &EnteredSpans) -> bool {
        entered.renew(self.spans.unsampled.version_to_find_out_at(), |id| self.spans.table.kind(id))
    }

    /// Notes that the thread opened a span, of which the table has a record of that kind.
    #[inline]
    pub(crate) fn note_opened(&self, id: u64, kind: Kind) {
        ThreadState::with(|thread| {
            if self.knows(&thread.entered) {
                thread.entered.note_opened(id, kind);
            }
        });
    }

    /// Notes that the layer's filter rejects a new span. No late decision gives such a span a record.
    #[inline]
    pub(crate) fn note_rejected(&self, id: u64) {
        ThreadState::with(|thread| {
            if self.knows(&thread.entered) {
                thread.entered.note_opened_without_record(id);
            }
        });
    }

    /// Notes that the thread enters a span.
    #[inline]
    pub(crate) fn enter(&self, id: u64) {
        let is_noted = ThreadState::with(|thread| {
            thread.entered.is_at(self.spans.unsampled.version()) && thread.entered.enter_known(id)
        });
        if is_noted != Some(true) {
            self.enter_any(id);
        }
    }

    /// Notes that the thread enters a span that it did not open or exit just before.
    #[inline(never)]
    fn enter_any(&self, id: u64) {
        let version = self.spans.unsampled.version_to_find_out_at();
        let kind = self.spans.table.kind(id);
        ThreadState::with(|thread| thread.entered.push(version, id, kind));
    }

    /// Notes that the thread exits the span that it entered last, if nothing has to be found out for that. Returns whether it
    /// is a root.
    #[inline]
    pub(crate) fn exit_known(&self, id: u64) -> Option<bool> {
        let version = self.spans.unsampled.version();
        let known = |entered: &EnteredSpans| {
            if !entered.is_at(version) {
                return None;
            }
            entered.pop_last(id).map(|kind| kind == Kind::Root)
        };
        ThreadState::with(|thread| known(&thread.entered)).flatten()
    }

    /// Notes that the thread exits the span that it entered last, if that is known without the table. Returns its kind.
    #[inline]
    pub(crate) fn exit_last(&self, id: u64) -> Option<Kind> {
        ThreadState::with(|thread| self.knows(&thread.entered).then(|| thread.entered.pop_last(id)))
            .flatten()
            .flatten()
    }

    /// Notes that the thread exits any other span. Returns its kind.
    #[inline(never)]
    pub(crate) fn exit_other(&self, id: u64) -> Kind {
        ThreadState::with(|thread| thread.entered.pop(self.spans.unsampled.version(), id));
        self.spans.table.kind(id)
    }

    /// Returns whether the thread is known to be in no span.
    #[inline]
    pub(crate) fn is_outside(&self) -> bool {
        self.config.hears_all && ThreadState::with(|thread| thread.entered.is_empty()) == Some(true)
    }

    /// Returns the registry's id of the span that the thread is in, if that is known to be a recorded one inside a root.
    #[inline]
    pub(crate) fn current_part(&self) -> Option<SpanId> {
        let version = self.spans.unsampled.version();
        let known = |entered: &EnteredSpans| {
            let is_known = self.config.hears_all && entered.is_at(version);
            if is_known { entered.current_part() } else { None }
        };
        ThreadState::with(|thread| known(&thread.entered)).flatten()
    }

    /// Returns the registry's id of the span that the thread is in.
    #[inline]
    pub(crate) fn current<S>(&self, ctx: &Context<'_, S>) -> Option<SpanId>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let version = self.spans.unsampled.version();
        match ThreadState::with(|thread| thread.entered.is_at(version).then(|| thread.entered.current())) {
            Some(Some(current)) if self.config.hears_all => current,
            _ => current_of_registry(ctx),
        }
    }
}

/// Asks the registry, which most layers need not.
#[cold]
#[inline(never)]
fn current_of_registry<S>(ctx: &Context<'_, S>) -> Option<SpanId>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    ctx.current_span().id().map(Id::into_non_zero_u64)
}
