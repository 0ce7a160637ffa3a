//! The guard around the user's emitter, sampler and hooks, which may use `tracing` themselves.
//!
//! Their spans and events are not recorded. Otherwise each would ask the sampler and be sent by the emitter,
//! without end. The sampler is guarded here. The emitter is guarded where the thread's packet is lent.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use xray_sdk::DaemonAddress;
use xray_sdk::sampling::{Never, Sampler, SamplingRequest, SamplingResult, TailRule};

/// The user's sampler, with every call guarded.
pub(crate) struct GuardedSampler {
    sampler: Box<dyn Sampler>,
    pub(crate) panics: CaughtPanics,
}

impl GuardedSampler {
    pub(crate) fn new(sampler: Box<dyn Sampler>) -> Self {
        Self { sampler, panics: CaughtPanics::default() }
    }
}

impl Sampler for GuardedSampler {
    /// Asks the sampler. A trace for which it panics is not sampled.
    fn sample(&self, request: &SamplingRequest<'_>) -> SamplingResult {
        self.panics.catch(|| self.sampler.sample(request)).unwrap_or_else(|| Never.sample(request))
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

/// The number of panics of some user code that were caught.
#[derive(Debug, Default)]
pub(crate) struct CaughtPanics(AtomicU64);

impl CaughtPanics {
    /// Runs user code as [`suppress_recording`] does. Returns `None` if it panics, and counts that.
    #[inline]
    pub(crate) fn catch<R>(&self, run: impl FnOnce() -> R) -> Option<R> {
        match catch_unwind(AssertUnwindSafe(|| suppress_recording(run))) {
            Ok(result) => Some(result),
            Err(payload) => {
                self.caught(payload);
                None
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn caught(&self, payload: Box<dyn Any + Send>) {
        drop(payload);
        self.0.fetch_add(1, Relaxed);
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.load(Relaxed)
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

// Not in `state::thread`, which is above this room; its documentation lists this fact with the others.
thread_local!(static RECORDING_SUPPRESSED: Cell<bool> = const { Cell::new(false) });
