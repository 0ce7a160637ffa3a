//! The fast path inside an unsampled root.
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
use crate::state::thread::thread_state::ThreadState;

impl Core {
    /// Returns whether a new span opens inside an unsampled root, and needs no work.
    pub(crate) fn opens_unsampled(&self, attrs: &Attributes<'_>, id: &Id) -> bool {
        let is_unsampled = self.is_in_unsampled()
            && (self.opens_plainly_unsampled(attrs)
                || attrs.is_contextual()
                    && (is_recording_suppressed()
                        || !self.spans.callsites.of(attrs.metadata()).1.overrides_unsampled()));
        if is_unsampled {
            self.note_unsampled_child(id);
        }
        is_unsampled
    }

    /// Returns whether a new span belongs to the unsampled root that the thread is in, and there is none that overrides it.
    #[inline]
    pub(crate) fn opens_plainly_unsampled(&self, attrs: &Attributes<'_>) -> bool {
        attrs.is_contextual() && !self.spans.unsampled.may_be_overridden()
    }

    /// Returns whether a span or event without an explicit parent happens inside an unsampled root, on this thread and now.
    #[inline]
    pub(crate) fn is_in_unsampled(&self) -> bool {
        ThreadState::with(|thread| self.knows(&thread.entered) && thread.entered.is_unsampled())
            .unwrap_or_default()
    }

    /// Returns the same, while the thread [knows its spans](Core::knows_its_spans).
    #[inline]
    pub(crate) fn is_known_as_unsampled(&self) -> bool {
        ThreadState::with(|thread| thread.entered.is_unsampled()).unwrap_or_default()
    }

    /// Notes that something opened inside the unsampled root. A trace header would come too late for it now.
    #[inline]
    pub(crate) fn note_unsampled_child(&self, child: &Id) {
        let child = child.into_u64();
        if ThreadState::with(|thread| thread.entered.note_unsampled_child(child)) == Some(false) {
            self.mark_unsampled_child();
        }
    }

    #[cold]
    fn mark_unsampled_child(&self) {
        if let Some(id) = ThreadState::with(|thread| thread.entered.unsampled_root()).flatten() {
            self.spans.table.with(id, |record| record.has_children = true);
        }
    }
}
