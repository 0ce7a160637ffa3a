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

use crate::core::Core;
use crate::record::Kind;
use crate::slot::{self, Slot};

/// The quiet span that this thread is in.
struct Quiet {
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
    told: Cell<bool>,
}

thread_local! {
    static QUIET: Quiet = const {
        Quiet {
            layer: Cell::new(0),
            id: Cell::new(0),
            depth: Cell::new(0),
            others: Cell::new(0),
            decisions: Cell::new(0),
            told: Cell::new(false),
        }
    };
}

/// What a layer contributes.
#[derive(Debug)]
pub(crate) struct Silence {
    /// No other layer of this process has it, nor had it.
    layer: u32,
    /// Decisions that came after their span had opened: whoever is in it may be wrong about it.
    decisions: AtomicU32,
    /// Whether a callsite is known whose spans may be recorded where nothing is.
    may_be_broken: AtomicBool,
}

impl Silence {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        Self {
            layer: NEXT.fetch_add(1, Relaxed),
            decisions: AtomicU32::new(0),
            may_be_broken: AtomicBool::new(false),
        }
    }

    /// A callsite is in use.
    pub(crate) fn note(&self, metadata: &Metadata<'_>) {
        let breaks = |slot| matches!(slot, Some(Slot::Sampled | Slot::Header { facade: true }));
        if metadata.is_span() && metadata.fields().iter().any(|field| breaks(slot::known(field.name()))) {
            self.may_be_broken.store(true, Relaxed);
        }
    }

    /// A span may be recorded from now on that was not, or the other way round.
    pub(crate) fn decided_late(&self) {
        self.decisions.fetch_add(1, Relaxed);
    }

    /// Whether whatever opens on this thread now, without naming a parent, opens inside of a quiet span.
    #[inline]
    pub(crate) fn is_here(&self) -> bool {
        let is_here = |quiet: &Quiet| {
            quiet.depth.get() > 0
                && quiet.layer.get() == self.layer
                && quiet.others.get() == 0
                && quiet.decisions.get() == self.decisions.load(Relaxed)
        };
        QUIET.try_with(is_here).unwrap_or_default()
    }
}

impl Core {
    /// Whether a new span opens inside of a quiet one. Nothing is to be done for it then.
    #[inline]
    pub(crate) fn opens_quietly(&self, attrs: &Attributes<'_>) -> bool {
        let is_quiet = self.silence.is_here()
            && attrs.is_contextual()
            && (!self.silence.may_be_broken.load(Relaxed)
                || !self.plans.of(attrs.metadata()).1.breaks_silence());
        if is_quiet {
            self.note_quiet_child();
        }
        is_quiet
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
        let _ = QUIET.try_with(|quiet| {
            let inside = quiet.depth.get() > 0 && quiet.layer.get() == self.silence.layer;
            if inside && quiet.id.get() == id {
                quiet.depth.set(quiet.depth.get() + 1);
            } else if inside {
                quiet.others.set(quiet.others.get() + 1);
            } else if kind == Kind::Quiet {
                quiet.layer.set(self.silence.layer);
                quiet.id.set(id);
                quiet.depth.set(1);
                quiet.others.set(0);
                quiet.decisions.set(self.silence.decisions.load(Relaxed));
                quiet.told.set(false);
            }
        });
    }

    /// A thread leaves a span of that kind.
    #[inline]
    pub(crate) fn leave(&self, id: u64, kind: Kind) {
        let _ = QUIET.try_with(|quiet| {
            if quiet.depth.get() == 0 || quiet.layer.get() != self.silence.layer {
                return;
            }
            if quiet.id.get() == id {
                quiet.depth.set(quiet.depth.get() - 1);
            } else if kind != Kind::Absent {
                quiet.others.set(quiet.others.get().saturating_sub(1));
            }
        });
    }

    /// Something opens inside of the quiet span: a trace header comes too late for it now.
    #[inline]
    fn note_quiet_child(&self) {
        if let Ok(false) = QUIET.try_with(|quiet| quiet.told.replace(true)) {
            self.tell_of_child();
        }
    }

    #[cold]
    fn tell_of_child(&self) {
        if let Ok(id) = QUIET.try_with(|quiet| quiet.id.get()) {
            self.table.with(id, |record| record.has_children = true);
        }
    }
}
