//! Counters of what became of spans. Written by the hot path, read by
//! [`Handle::stats`](crate::Handle::stats).

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use xray_sdk::EmitterStats;

use crate::state::thread::thread_state::ThreadState;
use xray_sdk::document::internal::Truncation;

macro_rules! counters {
    (often: { $($(#[$often_doc:meta])* $often:ident,)* } seldom: { $($(#[$doc:meta])* $name:ident,)* }) => {
        /// Counters of a layer's spans, since the layer was built.
        ///
        /// `closed == folded + emitted + dropped + held`, and nothing is held when no span is open.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Stats {
            /// Recorded spans that were closed, and whose document was folded, emitted or dropped, or is held.
            pub closed: u64,
            /// Closed spans whose documents wait in their open parents, which have no room for them, to be sent together.
            pub held: u64,
            $($(#[$often_doc])* pub $often: u64,)*
            $($(#[$doc])* pub $name: u64,)*
            /// The emitter's own counters.
            pub emitter: EmitterStats,
        }

        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            stripes: [Stripe; STRIPES],
            /// Held documents that the emitter accepted.
            pub(crate) held_emitted: Counter,
            /// Held documents that are lost.
            pub(crate) held_dropped: Counter,
            $(pub(crate) $name: Counter,)*
        }

        /// Counters that every span increments. Threads have stripes of their own, as far as there are any:
        /// two threads that count in one cache line spend more time on that than on the span. A stripe has
        /// two cache lines, since processors prefetch them in pairs.
        #[derive(Debug, Default)]
        #[repr(align(128))]
        pub(crate) struct Stripe {
            $(pub(crate) $often: Counter,)*
            /// Spans whose documents were held, for any time.
            pub(crate) waited: Counter,
        }

        impl Counters {
            pub(crate) fn snapshot(&self, emitter: EmitterStats) -> Stats {
                // In this order, so that no document is seen leaving before it came.
                let (held_emitted, held_dropped) = (self.held_emitted.get(), self.held_dropped.get());
                let held = self.waited().saturating_sub(held_emitted + held_dropped);
                $(let $often = self.stripes.iter().map(|stripe| stripe.$often.get()).sum();)*
                let counted = Stats { closed: 0, held, $($often,)* $($name: self.$name.get(),)* emitter };
                let (emitted, dropped) = (counted.emitted + held_emitted, counted.dropped + held_dropped);
                Stats { closed: counted.folded + emitted + dropped + held, emitted, dropped, ..counted }
            }
        }
    };
}

counters! {
    often: {
        /// Closed spans that were folded into the document of their parent.
        folded,
        /// Closed spans whose own document was passed to the emitter.
        emitted,
        /// Documents passed to the emitter: `emitted`, streamed children, and in-progress documents.
        documents,
        /// Closed root spans that were not sampled. Those that are left out are counted in `left_out_roots` alone.
        unsampled,
        /// Closed root spans that were sampled, or kept by the tail decision. Those that are left out are counted in
        /// `left_out_roots` alone.
        sampled,
    }
    seldom: {
        /// Closed spans whose own document the emitter refused.
        dropped,
        /// Folded spans that were lost, or left out, with the document that contained them. Those of a trace that waits
        /// for its tail decision are counted if the trace is kept, or left out as a whole.
        lost_with_parent,
        /// Documents sent as `in_progress`.
        announced,
        /// Spans that [`Builder::drop_span`](crate::Builder::drop_span) or the closure of
        /// [`Builder::on_close`](crate::Builder::on_close) left out. Not part of `closed`.
        left_out,
        /// Root spans among those that are left out, unless spans inside have taken their place. Part of `left_out`.
        left_out_roots,
        /// Root spans that were not sampled because a caller's header said so, or Lambda's. Part of `unsampled`.
        unsampled_by_caller,
        /// Root spans that the program decided not to sample: by the field `xray.sampled`, by `force_sampling`, or by
        /// `XrayHttpLayer::ignore`. Part of `unsampled`.
        unsampled_by_program,
        /// Root spans that were not sampled, and kept by the tail decision. Part of `sampled`.
        kept,
        /// Root spans that were not sampled and got no tail decision, because too many traces waited for theirs. Part
        /// of `unsampled`.
        tail_full,
        /// Breadcrumbs that gave way to later ones of their span.
        breadcrumbs_dropped,
        /// Received headers that were not recorded or passed on: too long, not text, or a host or URL that is not
        /// understood.
        headers_dropped,
        /// Panics of the user's code that were caught: of `on_close`, `redact`, `DropRule::matching`,
        /// `XrayHttpLayer::ignore` and the sampler.
        caught_panics,
        /// Spans that were not recorded because too many were open.
        over_capacity,
        /// Records of spans that never closed: their subscriber was dropped, or replaced.
        abandoned,
        /// Strings that were truncated: to X-Ray's limits, or where the `Display` or `Debug` of a value panicked.
        values_cut,
        /// Values that were left out because they have no JSON form, or for lack of room.
        values_dropped,
        /// Annotations above X-Ray's limit of 50, which became metadata.
        annotations_moved,
        /// Annotations that replaced one of another key, because both keys are the same once sanitized: `a b` and
        /// `a-b` become `a_b`.
        annotations_replaced,
        /// Trace headers that were invalid; a new trace was started instead.
        bad_headers,
        /// Calls of `set_trace_header` that came too late, because the span had children, or with the span's own header.
        late_headers,
        /// Calls of `force_sampling` that came too late, because the span had children, and of
        /// [`ClosingSpan::drop_span`](crate::ClosingSpan::drop_span), because a part of the span was sent.
        late_decisions,
        /// Calls to other services outside of any segment, unless
        /// [`ContextMissing::Ignore`](crate::ContextMissing::Ignore) is set.
        context_missing,
        /// Settings that were invalid and ignored when the layer was built.
        bad_settings,
    }
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }

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
    /// Returns how many documents were held so far.
    pub(crate) fn waited(&self) -> u64 {
        self.stripes.iter().map(|stripe| stripe.waited.get()).sum()
    }

    /// Returns how many of the documents that were held are sent or lost.
    pub(crate) fn streamed(&self) -> u64 {
        self.held_emitted.get() + self.held_dropped.get()
    }

    /// Returns the counters of this thread.
    #[inline]
    pub(crate) fn here(&self) -> &Stripe {
        &self.stripes[ThreadState::with(ThreadState::number).unwrap_or_default() as usize % STRIPES]
    }

    /// Counts a span whose own document was accepted by the emitter, or refused together with the `spans`
    /// folded into it.
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
            self.add_losses(losses);
        }
    }

    #[cold]
    #[inline(never)]
    fn add_losses(&self, losses: Truncation) {
        self.values_cut.add(losses.cut.into());
        self.values_dropped.add(losses.dropped.into());
        self.annotations_moved.add(losses.moved.into());
        self.annotations_replaced.add(losses.replaced.into());
    }
}

/// The number of stripes: more than most machines that run one service have cores.
const STRIPES: usize = 16;
