//! A layer's part of what its threads know of the spans that they are in: its version, and callsites that may override an
//! unsampled scope.
//!
//! The spans themselves are in [`EnteredSpans`](crate::state::thread::entered::EnteredSpans).

use std::sync::atomic::{
    AtomicBool, AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

use tracing_core::Metadata;

use crate::fields::conventions;
use crate::fields::slot::Slot;

/// A layer's part of unsampled scopes.
#[derive(Debug)]
pub(crate) struct UnsampledScopes {
    /// The layer's number, unique in this process, in the bits of [`LAYER`]. The bits above count what makes a thread's
    /// knowledge of spans outdated: a decision that came after its span had opened, or as many spans as bring ids back.
    version: AtomicU64,
    /// Set if there is a callsite whose spans may be recorded inside an unsampled scope.
    may_be_overridden: AtomicBool,
}

/// The bits of a version that are the layer's number.
pub(crate) const LAYER: u64 = (1 << 24) - 1;

impl UnsampledScopes {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let layer = u64::from(NEXT.fetch_add(1, Relaxed)) & LAYER;
        Self { version: AtomicU64::new(layer), may_be_overridden: AtomicBool::new(false) }
    }

    /// Returns the version. What a thread knows at an older one may be outdated.
    #[inline]
    pub(crate) fn version(&self) -> u64 {
        self.version.load(Relaxed)
    }

    /// Returns the version, before something is found out: what changed before the version did is seen then.
    #[inline]
    pub(crate) fn version_to_find_out_at(&self) -> u64 {
        self.version.load(Acquire)
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

    /// Returns whether the version ends, by a thread's count of new spans and events. Each count is to be asked about.
    ///
    /// The registry gives an id out again after 8,192 spans in the same place. What is known of an id ends before.
    #[inline]
    pub(crate) const fn is_due(count: u32) -> bool {
        // Of up to eight layers that share the count, each gets to one of these.
        count % 4_096 < 8
    }

    /// Ends the version: after a late decision, by which a span may be of another kind, or when it is due.
    #[cold]
    pub(crate) fn renew(&self) {
        self.version.fetch_add(LAYER + 1, Release);
    }
}
