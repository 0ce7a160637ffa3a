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

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use tracing_core::Metadata;
use tracing_core::span::Attributes;

use crate::fields::conventions::{self, Slot};
use crate::lifecycle::core::Core;
use crate::state::record::Kind;

/// The quiet span that this thread is in.
struct UnsampledScope {
    /// The number of the layer that says so.
    layer: Cell<u32>,
    /// The registry's id of the span.
    id: Cell<u64>,
    /// How often the thread has entered it; 0 once it is out.
    depth: Cell<u32>,
    /// Spans in the table that were entered inside of it: what happens in them is not quiet.
    others: Cell<u32>,
    /// The layer's count of decisions that came late, when the span was entered.
    decisions: Cell<u32>,
    /// Whether the span knows that something was opened inside.
    knows_child: Cell<bool>,
}

thread_local! {
    static UNSAMPLED: UnsampledScope = const {
        UnsampledScope {
            layer: Cell::new(0),
            id: Cell::new(0),
            depth: Cell::new(0),
            others: Cell::new(0),
            decisions: Cell::new(0),
            knows_child: Cell::new(false),
        }
    };
}

/// What a layer contributes.
#[derive(Debug)]
pub(crate) struct UnsampledScopes {
    /// No other layer of this process has it, nor had it.
    layer: u32,
    /// Decisions that came after their span had opened: whoever is in it may be wrong about it.
    decisions: AtomicU32,
    /// Whether a callsite is known whose spans may be recorded where nothing is.
    may_be_overridden: AtomicBool,
}

impl UnsampledScopes {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        Self {
            layer: NEXT.fetch_add(1, Relaxed),
            decisions: AtomicU32::new(0),
            may_be_overridden: AtomicBool::new(false),
        }
    }

    /// A callsite is in use.
    pub(crate) fn note(&self, metadata: &Metadata<'_>) {
        let breaks = |slot| matches!(slot, Some(Slot::Sampled | Slot::Header { platform_root: true }));
        if metadata.is_span()
            && metadata.fields().iter().any(|field| breaks(conventions::known(field.name())))
        {
            self.may_be_overridden.store(true, Relaxed);
        }
    }

    /// A span may be recorded from now on that was not, or the other way round.
    pub(crate) fn decided_late(&self) {
        self.decisions.fetch_add(1, Relaxed);
    }

    /// Whether whatever opens on this thread now, without naming a parent, opens inside of a quiet span.
    #[inline]
    pub(crate) fn is_here(&self) -> bool {
        let is_here = |scope: &UnsampledScope| {
            scope.depth.get() > 0
                && scope.layer.get() == self.layer
                && scope.others.get() == 0
                && scope.decisions.get() == self.decisions.load(Relaxed)
        };
        UNSAMPLED.try_with(is_here).unwrap_or_default()
    }
}

impl Core {
    /// Whether a new span opens inside of a quiet one. Nothing is to be done for it then.
    #[inline]
    pub(crate) fn opens_unsampled(&self, attrs: &Attributes<'_>) -> bool {
        let is_unsampled = self.unsampled.is_here()
            && attrs.is_contextual()
            && (!self.unsampled.may_be_overridden.load(Relaxed)
                || !self.callsites.of(attrs.metadata()).1.overrides_unsampled());
        if is_unsampled {
            self.note_unsampled_child();
        }
        is_unsampled
    }

    /// A thread enters a span.
    #[inline]
    pub(crate) fn enter(&self, id: u64) {
        match self.table.kind(id) {
            Kind::Absent => {}
            kind => self.enter_known(id, kind),
        }
    }

    #[inline(never)]
    fn enter_known(&self, id: u64, kind: Kind) {
        let _ = UNSAMPLED.try_with(|scope| {
            let inside = scope.depth.get() > 0 && scope.layer.get() == self.unsampled.layer;
            if inside && scope.id.get() == id {
                scope.depth.set(scope.depth.get() + 1);
            } else if inside {
                scope.others.set(scope.others.get() + 1);
            } else if kind == Kind::Unrecorded {
                scope.layer.set(self.unsampled.layer);
                scope.id.set(id);
                scope.depth.set(1);
                scope.others.set(0);
                scope.decisions.set(self.unsampled.decisions.load(Relaxed));
                scope.knows_child.set(false);
            }
        });
    }

    /// A thread leaves a span of that kind.
    #[inline]
    pub(crate) fn exit_unsampled(&self, id: u64, kind: Kind) {
        let _ = UNSAMPLED.try_with(|scope| {
            if scope.depth.get() == 0 || scope.layer.get() != self.unsampled.layer {
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
        if let Ok(false) = UNSAMPLED.try_with(|scope| scope.knows_child.replace(true)) {
            self.mark_unsampled_child();
        }
    }

    #[cold]
    fn mark_unsampled_child(&self) {
        if let Ok(id) = UNSAMPLED.try_with(|scope| scope.id.get()) {
            self.table.with(id, |record| record.has_children = true);
        }
    }
}
