//! The user's own code inside of ours: an emitter, a sampler. What it does with `tracing` meanwhile is not recorded:
//! each of its spans would ask the sampler and be sent by the emitter, without end.
//!
//! The sampler is guarded here, for whatever it is called. The emitter is called with the thread's packet, and
//! guarded where that is lent.

use std::cell::Cell;
use std::time::Duration;

use xray_sdk::DaemonAddress;
use xray_sdk::sampling::{Sampler, SamplingRequest, SamplingResult};

/// The user's sampler. No call of it gets past the guard.
pub(crate) struct UsersSampler(pub(crate) Box<dyn Sampler>);

impl Sampler for UsersSampler {
    fn sample(&self, request: &SamplingRequest<'_>) -> SamplingResult {
        in_users_code(|| self.0.sample(request))
    }

    fn looks_at_request(&self) -> bool {
        in_users_code(|| self.0.looks_at_request())
    }

    fn give_back(&self, verdict: &SamplingResult) {
        in_users_code(|| self.0.give_back(verdict));
    }

    fn observe(&self, verdict: &SamplingResult, anomaly: bool) {
        in_users_code(|| self.0.observe(verdict, anomaly));
    }

    fn start(&self, daemon: &DaemonAddress, service: &str) {
        in_users_code(|| self.0.start(daemon, service));
    }

    fn stop(&self) {
        in_users_code(|| self.0.stop());
    }

    fn flush(&self, timeout: Duration) -> bool {
        in_users_code(|| self.0.flush(timeout))
    }

    fn problem(&self) -> Option<String> {
        in_users_code(|| self.0.problem())
    }
}

/// Runs what the user gave us.
pub(crate) fn in_users_code<R>(run: impl FnOnce() -> R) -> R {
    /// Also where the user's code panics, and somebody catches that.
    struct Leave(bool);
    impl Drop for Leave {
        fn drop(&mut self) {
            let _ = IN_USERS_CODE.try_with(|inside| inside.set(self.0));
        }
    }
    let _leave = Leave(IN_USERS_CODE.try_with(|inside| inside.replace(true)).unwrap_or_default());
    run()
}

/// Whether this thread is inside of it.
#[inline]
pub(crate) fn is_in_users_code() -> bool {
    IN_USERS_CODE.try_with(Cell::get).unwrap_or_default()
}

thread_local!(static IN_USERS_CODE: Cell<bool> = const { Cell::new(false) });
