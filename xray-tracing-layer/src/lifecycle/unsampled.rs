//! The short cut inside an unsampled root.
//!
//! Nine of ten traces are not sampled. While a thread is in the root of one, callbacks about new spans and
//! events return after a look at the thread's state:
//!
//! ```text
//!  unsampled root       ├──────────────────────────────────────┤ in the table, for its trace header
//!    spans inside         ├────┤ ├────┤ ├──────────┤             in no table, nothing is recorded
//!      recorded elsewhere               ├────┤                 entered here meanwhile: spans inside belong to it
//! ```
//! Spans that open elsewhere, on another thread or below an explicit parent, find the root by their
//! ancestors.
//!
//! One case is treated wrongly, because the layer does not see it. A span that the layer's filter rejects,
//! with an explicit recorded parent in another trace, may be entered inside an unsampled root. Spans inside
//! of it are taken for unsampled ones.

use tracing_core::span::{Attributes, Id};

use crate::lifecycle::core::Core;
use crate::settings::reentrancy::is_recording_suppressed;
use crate::state::record::Kind;
use crate::state::thread::thread_state::{ThreadState, UnsampledScope};

impl Core {
    /// Returns whether a new span opens inside an unsampled root, and needs no work.
    #[inline]
    pub(crate) fn opens_unsampled(&self, attrs: &Attributes<'_>, id: &Id) -> bool {
        let is_unsampled = self.spans.unsampled.is_here()
            && attrs.is_contextual()
            && (!self.spans.unsampled.may_be_overridden()
                || is_recording_suppressed()
                || !self.spans.callsites.of(attrs.metadata()).1.overrides_unsampled());
        if is_unsampled {
            self.note_unsampled_child(id.into_u64());
        }
        is_unsampled
    }

    /// Notes that the thread enters an unsampled root, or a span with a record inside of one.
    pub(crate) fn enter_scope(&self, scope: &UnsampledScope, id: u64, kind: Kind) {
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
            scope.opened.set(0);
        }
    }

    /// Notes that the thread exits a span of that kind, inside an unsampled root or as one.
    #[inline]
    pub(crate) fn exit_scope(&self, scope: &UnsampledScope, id: u64, kind: Kind) {
        if scope.layer.get() != self.spans.unsampled.layer() {
            return;
        }
        if scope.id.get() == id {
            scope.depth.set(scope.depth.get() - 1);
        } else if kind != Kind::Absent {
            scope.others.set(scope.others.get().saturating_sub(1));
        }
    }

    /// Notes that something opened inside the unsampled root. A trace header would come too late for it now.
    #[inline]
    fn note_unsampled_child(&self, child: u64) {
        let knew_child = ThreadState::with(|thread| {
            thread.unsampled.opened.set(child);
            thread.unsampled.knows_child.replace(true)
        });
        if knew_child == Some(false) {
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
