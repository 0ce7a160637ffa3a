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
        let kind = self.spans.table.kind(id);
        if kind == Kind::Absent {
            let layer = self.spans.unsampled.layer();
            ThreadState::with(|thread| {
                if thread.entered.is_of(layer) {
                    thread.entered.push_unrecorded();
                }
            });
        } else {
            self.enter_known(id, kind);
        }
    }

    #[inline(never)]
    fn enter_known(&self, id: u64, kind: Kind) {
        let layer = self.spans.unsampled.layer();
        ThreadState::with(|thread| {
            if kind == Kind::Unrecorded {
                if thread.entered.is_of(layer) {
                    thread.entered.push_unrecorded();
                }
            } else if self.config.hears_all {
                thread.entered.push(layer, id, kind == Kind::Root);
            }
            if kind == Kind::Unrecorded || thread.unsampled.depth.get() > 0 {
                self.enter_scope(&thread.unsampled, id, kind);
            }
        });
    }

    /// Notes that the thread exits a span. Returns its kind: of the span that was entered last, its kind at that time.
    #[inline]
    pub(crate) fn note_exit(&self, id: u64) -> Kind {
        let layer = self.spans.unsampled.layer();
        let known = ThreadState::with(|thread| {
            if thread.unsampled.depth.get() > 0 {
                return None;
            }
            let is_root = thread.entered.pop_last(layer, id)?;
            Some(if is_root { Kind::Root } else { Kind::Part })
        });
        if let Some(kind) = known.flatten() {
            return kind;
        }
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
