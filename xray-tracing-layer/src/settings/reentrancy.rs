//! The guard around the user's emitter, sampler and hooks, which may use `tracing` themselves.
//!
//! Their spans and events are not recorded. Otherwise each would ask the sampler and be sent by the emitter,
//! without end. The sampler is guarded here. The emitter is guarded where the thread's packet is lent.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use xray_sdk::DaemonAddress;
use xray_sdk::sampling::{Never, Sampler, SamplingRequest, SamplingResult, TailRule};

/// The user's sampler, with every call guarded.
pub(crate) struct GuardedSampler {
    sampler: Box<dyn Sampler>,
    panics: AtomicU64,
}

impl GuardedSampler {
    pub(crate) fn new(sampler: Box<dyn Sampler>) -> Self {
        Self { sampler, panics: AtomicU64::new(0) }
    }

    /// Returns the number of panics that were caught.
    pub(crate) fn panics(&self) -> u64 {
        self.panics.load(Relaxed)
    }
}

impl Sampler for GuardedSampler {
    /// Asks the sampler. A trace for which it panics is not sampled.
    fn sample(&self, request: &SamplingRequest<'_>) -> SamplingResult {
        let ask = AssertUnwindSafe(|| suppress_recording(|| self.sampler.sample(request)));
        catch_unwind(ask).unwrap_or_else(|_| {
            self.panics.fetch_add(1, Relaxed);
            Never.sample(request)
        })
    }

    fn looks_at_request(&self) -> bool {
        suppress_recording(|| self.sampler.looks_at_request())
    }

    fn give_back(&self, verdict: &SamplingResult) {
        suppress_recording(|| self.sampler.give_back(verdict));
    }

    fn observe(&self, verdict: &SamplingResult, anomaly: bool) {
        suppress_recording(|| self.sampler.observe(verdict, anomaly));
    }

    fn tail(&self) -> Option<TailRule> {
        suppress_recording(|| self.sampler.tail())
    }

    fn start(&self, daemon: &DaemonAddress, service: &str) {
        suppress_recording(|| self.sampler.start(daemon, service));
    }

    fn stop(&self) {
        suppress_recording(|| self.sampler.stop());
    }

    fn flush(&self, timeout: Duration) -> bool {
        suppress_recording(|| self.sampler.flush(timeout))
    }

    fn problem(&self) -> Option<String> {
        suppress_recording(|| self.sampler.problem())
    }
}

/// Runs user code; no span or event of this thread is recorded meanwhile.
pub(crate) fn suppress_recording<R>(run: impl FnOnce() -> R) -> R {
    /// Restores the state, also after a caught panic.
    struct Leave(bool);
    impl Drop for Leave {
        fn drop(&mut self) {
            let _ = RECORDING_SUPPRESSED.try_with(|inside| inside.set(self.0));
        }
    }
    let _leave = Leave(RECORDING_SUPPRESSED.try_with(|inside| inside.replace(true)).unwrap_or_default());
    run()
}

/// Returns whether recording is suppressed on this thread.
#[inline]
pub(crate) fn is_recording_suppressed() -> bool {
    RECORDING_SUPPRESSED.try_with(Cell::get).unwrap_or_default()
}

thread_local!(static RECORDING_SUPPRESSED: Cell<bool> = const { Cell::new(false) });
