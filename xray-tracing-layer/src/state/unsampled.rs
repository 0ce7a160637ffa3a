//! A layer's part of unsampled scopes: its number, late decisions, and callsites that may override a scope.
//!
//! The scope itself is part of [`ThreadState`].

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use tracing_core::Metadata;

use crate::fields::conventions;
use crate::fields::slot::Slot;
use crate::state::thread::thread_state::ThreadState;

/// A layer's part of unsampled scopes.
#[derive(Debug)]
pub(crate) struct UnsampledScopes {
    /// The layer's number, unique in this process.
    layer: u32,
    /// The number of decisions that came after their span had opened. A scope that was entered before may be
    /// outdated.
    decisions: AtomicU32,
    /// Set if there is a callsite whose spans may be recorded inside an unsampled scope.
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

    pub(crate) fn layer(&self) -> u32 {
        self.layer
    }

    /// Returns the number of late decisions.
    pub(crate) fn decisions(&self) -> u32 {
        self.decisions.load(Relaxed)
    }

    pub(crate) fn may_be_overridden(&self) -> bool {
        self.may_be_overridden.load(Relaxed)
    }

    /// Notes a callsite that is in use.
    pub(crate) fn note(&self, metadata: &Metadata<'_>) {
        let overrides = |slot| matches!(slot, Some(Slot::Sampled | Slot::Header { platform_root: true }));
        if metadata.is_span()
            && metadata.fields().iter().any(|field| overrides(conventions::known(field.name())))
        {
            self.may_be_overridden.store(true, Relaxed);
        }
    }

    /// Notes a late decision, which ends all scopes entered before.
    pub(crate) fn decided_late(&self) {
        self.decisions.fetch_add(1, Relaxed);
    }

    /// Returns whether a span or event without an explicit parent happens inside an unsampled root, on this thread and now.
    #[inline]
    pub(crate) fn is_here(&self) -> bool {
        ThreadState::with(|thread| {
            let scope = &thread.unsampled;
            scope.depth.get() > 0
                && scope.layer.get() == self.layer
                && scope.others.get() == 0
                && scope.decisions.get() == self.decisions()
        })
        .unwrap_or_default()
    }
}
