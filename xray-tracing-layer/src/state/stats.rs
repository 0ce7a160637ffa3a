//! Counts of what became of spans. Written by the hot path, read by [`Handle::stats`](crate::Handle::stats).

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use xray_sdk::EmitterStats;
use xray_sdk::document::internal::Truncation;

macro_rules! counters {
    (often: { $($(#[$often_doc:meta])* $often:ident,)* } seldom: { $($(#[$doc:meta])* $name:ident,)* }) => {
        /// What became of the spans of one layer, since it was built.
        ///
        /// `closed == folded + emitted + dropped` at any moment when no span is being closed.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Stats {
            $($(#[$often_doc])* pub $often: u64,)*
            $($(#[$doc])* pub $name: u64,)*
            /// What the emitter sent and lost.
            pub emitter: EmitterStats,
        }

        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            stripes: [Stripe; STRIPES],
            $(pub(crate) $name: Counter,)*
        }

        /// What every span counts. Threads have stripes of their own, as far as there are any: two threads that
        /// count in one cache line spend more time on that than on the span. So a stripe has two lines for itself,
        /// since processors prefetch them in pairs.
        #[derive(Debug, Default)]
        #[repr(align(128))]
        pub(crate) struct Stripe {
            $(pub(crate) $often: Counter,)*
        }

        impl Counters {
            pub(crate) fn snapshot(&self, emitter: EmitterStats) -> Stats {
                $(let $often = self.stripes.iter().map(|stripe| stripe.$often.0.load(Relaxed)).sum();)*
                Stats { $($often,)* $($name: self.$name.0.load(Relaxed),)* emitter }
            }
        }
    };
}

counters! {
    often: {
        /// Recorded spans that were closed. Spans that are ignored or not sampled are not among them.
        closed,
        /// Closed spans that joined the document of their parent.
        folded,
        /// Closed spans whose own document was handed to the emitter.
        emitted,
        /// Documents handed to the emitter: those of `emitted`, of folded spans that left early, and
        /// announcements.
        documents,
        /// Closed root spans that were not sampled.
        unsampled,
    }
    seldom: {
        /// Closed spans whose own document the emitter refused.
        dropped,
        /// Folded spans that were lost later, with a document that the emitter refused.
        lost_with_parent,
        /// Documents that said `in_progress`.
        announced,
        /// Spans that were not recorded, since too many were open.
        over_capacity,
        /// Records of spans that never closed: their subscriber went away, or was another at that moment.
        abandoned,
        /// Strings that were cut to X-Ray's limits.
        values_cut,
        /// Values that were left out: no JSON form, or no room.
        values_dropped,
        /// Annotations above X-Ray's limit of 50, which became metadata.
        annotations_moved,
        /// Trace headers that could not be read; a new trace began instead.
        bad_headers,
        /// Calls of `set_trace_header` that came too late: the span had children.
        late_headers,
        /// Calls of `force_sampling` that came too late, likewise.
        late_decisions,
        /// Calls to other services outside of a segment, unless the strategy for them is to ignore them.
        context_missing,
        /// Settings that could not be used, when the layer was built.
        bad_settings,
    }
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    #[inline]
    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Relaxed);
    }

    #[inline]
    pub(crate) fn one(&self) {
        self.add(1);
    }
}

impl Counters {
    /// The counts of this thread.
    #[inline]
    pub(crate) fn here(&self) -> &Stripe {
        &self.stripes[STRIPE.try_with(|stripe| *stripe).unwrap_or_default() % STRIPES]
    }

    /// A span's own document was taken by the emitter, or was refused with the `spans` that had joined it.
    #[inline]
    pub(crate) fn sent(&self, taken: bool, spans: u32) {
        if taken {
            self.here().emitted.one();
        } else {
            self.dropped.one();
            self.lost_with_parent.add(spans.into());
        }
    }

    #[inline]
    pub(crate) fn losses(&self, losses: Truncation) {
        if losses != Truncation::default() {
            self.values_cut.add(losses.cut.into());
            self.values_dropped.add(losses.dropped.into());
            self.annotations_moved.add(losses.moved.into());
        }
    }
}

/// Above what most machines have of cores that run one service.
const STRIPES: usize = 16;

thread_local! {
    static STRIPE: usize = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        NEXT.fetch_add(1, Relaxed)
    };
}
