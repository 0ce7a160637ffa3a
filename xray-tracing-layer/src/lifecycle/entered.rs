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
use crate::state::thread::thread_state::ThreadState;

impl Core {
    /// Notes that the thread enters a span.
    #[inline]
    pub(crate) fn enter(&self, id: u64) {
        let (layer, decisions) = (self.spans.unsampled.layer(), self.spans.unsampled.decisions());
        let is_noted = ThreadState::with(|thread| {
            if thread.unsampled.depth.get() == 0 {
                return thread.entered.push_opened(layer, id, decisions)
                    || thread.entered.push_rejected(layer, id);
            }
            thread.unsampled.opened.get() == id && self.is_unsampled_alone(thread)
        });
        if is_noted != Some(true) {
            self.enter_any(id);
        }
    }

    /// Returns whether a span is without a record that was opened inside of the thread's unsampled root, or that is exited
    /// there and is not the root itself: no late decision may have given it one, and the thread is in no recorded span.
    #[inline]
    fn is_unsampled_alone(&self, thread: &ThreadState) -> bool {
        let scope = &thread.unsampled;
        scope.layer.get() == self.spans.unsampled.layer()
            && scope.decisions.get() == self.spans.unsampled.decisions()
            && scope.others.get() == 0
            && thread.entered.is_empty()
            && self.config.hears_all
    }

    /// Notes that the thread enters a span that it did not open last.
    #[inline(never)]
    fn enter_any(&self, id: u64) {
        let layer = self.spans.unsampled.layer();
        ThreadState::with(|thread| {
            let kind = self.spans.table.kind(id);
            if matches!(kind, Kind::Absent | Kind::Unrecorded) {
                if thread.entered.is_of(layer) {
                    thread.entered.push_unrecorded();
                }
            } else if self.config.hears_all {
                thread.entered.push(layer, id, kind == Kind::Root);
            }
            if kind == Kind::Unrecorded || (kind != Kind::Absent && thread.unsampled.depth.get() > 0) {
                self.enter_scope(&thread.unsampled, id, kind);
            }
        });
    }

    /// Notes that the layer's filter rejects a new span.
    #[inline]
    pub(crate) fn note_rejected(&self, id: u64) {
        ThreadState::with(|thread| thread.entered.note_rejected(self.spans.unsampled.layer(), id));
    }

    /// Notes that the thread exits the span that it entered last, if that is known without the table. Returns its kind at
    /// that time.
    #[inline]
    pub(crate) fn exit_last(&self, id: u64) -> Option<Kind> {
        let layer = self.spans.unsampled.layer();
        ThreadState::with(|thread| {
            if thread.unsampled.depth.get() > 0 {
                let is_absent = thread.unsampled.id.get() != id && self.is_unsampled_alone(thread);
                return is_absent.then_some(Kind::Absent);
            }
            match thread.entered.pop_last(layer, id) {
                Some(false) => Some(Kind::Part),
                Some(true) => Some(Kind::Root),
                None => thread.entered.pop_rejected(layer, id).then_some(Kind::Absent),
            }
        })
        .flatten()
    }

    /// Notes that the thread exits any other span. Returns its kind.
    pub(crate) fn exit_other(&self, id: u64) -> Kind {
        let layer = self.spans.unsampled.layer();
        let kind = self.spans.table.kind(id);
        if kind == Kind::Absent {
            ThreadState::with(|thread| {
                if thread.entered.is_of(layer) {
                    thread.entered.pop_unrecorded();
                }
                if thread.unsampled.depth.get() > 0 {
                    self.exit_scope(&thread.unsampled, id, kind);
                }
            });
        } else {
            self.exit_known(id, kind);
        }
        kind
    }

    #[inline(never)]
    fn exit_known(&self, id: u64, kind: Kind) {
        let layer = self.spans.unsampled.layer();
        ThreadState::with(|thread| {
            if thread.entered.is_of(layer) {
                if kind == Kind::Unrecorded {
                    thread.entered.pop_changed(id);
                } else {
                    thread.entered.pop(id);
                }
            }
            if thread.unsampled.depth.get() > 0 {
                self.exit_scope(&thread.unsampled, id, kind);
            }
        });
    }

    /// Returns whether the thread is known to be in no recorded span.
    #[inline]
    pub(crate) fn is_outside(&self) -> bool {
        self.config.hears_all && ThreadState::with(|thread| thread.entered.is_empty()) == Some(true)
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
