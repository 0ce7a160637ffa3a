//! [`ClosedByChild`]: the mark by which a parent that its last child closes is known to have ended before.
//!
//! Set when a child closes below a parent that was exited, and read when the parent closes.

use tracing_core::Subscriber;
use tracing_core::span::Id;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::lifecycle::core::Core;
use crate::state::record::SpanId;
use crate::state::thread::thread_state::ThreadState;

impl Core {
    /// Marks that the parent, which was exited before, may close because of this span.
    #[inline(never)]
    pub(crate) fn mark_closed_by_child<S>(&self, id: &Id, parent: SpanId, ctx: &Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        // A thread inside the parent holds the parent open.
        if (self.is_outside() || self.current(ctx) != Some(parent.get()))
            && let Some(span) = ctx.span(id)
        {
            // The registry closes the parent while this span's extensions still exist, if its own handles are
            // gone, and drops them right after. A mark of another layer is the same, and ends what it marks.
            drop(span.extensions_mut().replace(ClosedByChild));
            ClosedByChild::mark(parent);
        }
    }
}

/// Marks that the registry closes a parent because its last child closed.
///
/// The registry closes a span when its handles and its children are gone. A request that leaves a background
/// task behind is therefore closed by that task, long after its end. No callback reports the end itself; the
/// nearest is the last exit.
///
/// A closing child leaves this mark in its own extensions, and its parent's id in the thread's state. The registry
/// drops the extensions after it has closed the parent. So a parent that closes while the mark exists was kept open by
/// the child, and ended at its last exit. The mark itself has no size, so that it takes no memory.
pub(crate) struct ClosedByChild;

impl ClosedByChild {
    fn mark(parent: SpanId) {
        ThreadState::with(|thread| thread.closed_by_child.set(Some(parent)));
    }

    pub(crate) fn reaches(id: u64) -> bool {
        ThreadState::with(|thread| thread.closed_by_child.get())
            .flatten()
            .is_some_and(|span| span.get() == id)
    }
}

impl Drop for ClosedByChild {
    fn drop(&mut self) {
        // A parent that closed by it has asked already, and may have marked its own parent, which closed as well.
        ThreadState::with(|thread| thread.closed_by_child.set(None));
    }
}
