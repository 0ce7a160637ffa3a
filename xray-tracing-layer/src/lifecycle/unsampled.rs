//! Inside of a span that is not recorded, nothing is. While a thread is in one, the callbacks about what is opened and
//! said there return after a look at a few thread-locals: nine of ten traces are not sampled.
//!
//! ```text
//!  root, not sampled  ├──────────────────────────────────────┤ in the table, for its trace header
//!    spans inside       ├────┤ ├────┤ ├──────────┤             in no table, nothing is kept of them
//!      recorded elsewhere               ├────┤                 entered here meanwhile: what is inside of it counts
//! ```
//! It is a short cut only. A span that opens elsewhere, on another thread or below a parent that it names, finds the
//! root by its ancestors. What the layer is not told of it can't see: a span that its filter rejects, that names a
//! recorded parent of another trace, and that is entered inside of a quiet span, is taken for one of the quiet ones.

use tracing_core::span::Attributes;

use crate::lifecycle::core::Core;
use crate::state::record::Kind;
use crate::state::thread_state::ThreadState;

impl Core {
    /// Whether a new span opens inside of a quiet one. Nothing is to be done for it then.
    #[inline]
    pub(crate) fn opens_unsampled(&self, attrs: &Attributes<'_>) -> bool {
        let is_unsampled = self.spans.unsampled.is_here()
            && attrs.is_contextual()
            && (!self.spans.unsampled.may_be_overridden()
                || !self.spans.callsites.of(attrs.metadata()).1.overrides_unsampled());
        if is_unsampled {
            self.note_unsampled_child();
        }
        is_unsampled
    }

    /// A thread enters a span.
    #[inline]
    pub(crate) fn enter(&self, id: u64) {
        match self.spans.table.kind(id) {
            Kind::Absent => {}
            kind => self.enter_known(id, kind),
        }
    }

    #[inline(never)]
    fn enter_known(&self, id: u64, kind: Kind) {
        ThreadState::with(|thread| {
            let scope = &thread.unsampled;
            let inside = scope.depth.get() > 0 && scope.layer.get() == self.spans.unsampled.layer();
            if inside && scope.id.get() == id {
                scope.depth.set(scope.depth.get() + 1);
            } else if inside {
                scope.others.set(scope.others.get() + 1);
            } else if kind == Kind::Unrecorded {
                scope.layer.set(self.spans.unsampled.layer());
                scope.id.set(id);
                scope.depth.set(1);
                scope.others.set(0);
                scope.decisions.set(self.spans.unsampled.decisions());
                scope.knows_child.set(false);
            }
        });
    }

    /// A thread leaves a span of that kind.
    #[inline]
    pub(crate) fn exit_unsampled(&self, id: u64, kind: Kind) {
        ThreadState::with(|thread| {
            let scope = &thread.unsampled;
            if scope.depth.get() == 0 || scope.layer.get() != self.spans.unsampled.layer() {
                return;
            }
            if scope.id.get() == id {
                scope.depth.set(scope.depth.get() - 1);
            } else if kind != Kind::Absent {
                scope.others.set(scope.others.get().saturating_sub(1));
            }
        });
    }

    /// Something opens inside of the quiet span: a trace header comes too late for it now.
    #[inline]
    fn note_unsampled_child(&self) {
        if ThreadState::with(|thread| thread.unsampled.knows_child.replace(true)) == Some(false) {
            self.mark_unsampled_child();
        }
    }

    #[cold]
    fn mark_unsampled_child(&self) {
        if let Some(id) = ThreadState::with(|thread| thread.unsampled.id.get()) {
            self.spans.table.with(id, |record| record.has_children = true);
        }
    }
}
