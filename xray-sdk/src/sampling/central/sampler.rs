//! The sampler that a user makes. Decisions come from what the poller has left for the sampler, without a wait.

use std::fmt;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::poller::Poller;
use super::shared::{CentralStats, Shared, Task};
use super::thread::{self, PollerControl};
use crate::daemon::DaemonAddress;
use crate::id::{epoch_seconds, fast_u64};
use crate::sampling::{DefaultRule, Sampler, SamplingRequest, SamplingResult};

/// Applies the sampling rules that are stored in X-Ray, fetched through the daemon's TCP address.
///
/// All services that match a rule share its reservoir. Each service gets a quota of it, and borrows one trace a second
/// until it has one. Statistics are reported every ten seconds. Conditions on attributes and on the resource are
/// supported, and so are temporary boosts of the rate after anomalies.
///
/// While no rules are known, or none younger than an hour, a fallback decides: X-Ray's default rule, or the sampler
/// of [`with_fallback`](Self::with_fallback). A decision never waits for the service.
///
/// ```
/// use xray_sdk::DaemonAddress;
/// use xray_sdk::sampling::{CentralSampler, Sampler, SamplingRequest};
///
/// let sampler = CentralSampler::new();
/// // The layer does this at installation.
/// sampler.start(&DaemonAddress::default(), "shop");
/// let result = sampler.sample(&SamplingRequest::new("shop").with_method("GET").with_path("/cart"));
/// println!("{}", result.is_sampled());
/// sampler.stop();
/// ```
///
/// The thread that asks starts when a layer with this sampler is installed, and ends with it; in Lambda, where the
/// platform decides, there is none. Without a layer, call [`Sampler::start`] and [`Sampler::stop`]. The daemon
/// needs the permissions `xray:GetSamplingRules` and `xray:GetSamplingTargets`; [`Sampler::problem`] says why a
/// request fails.
pub struct CentralSampler {
    shared: Arc<Shared>,
    running: Mutex<Running>,
}

#[derive(Debug, Default)]
struct Running {
    /// Starts without a stop so far.
    users: usize,
    thread: Option<Arc<PollerControl>>,
}

impl CentralSampler {
    /// Creates a sampler that falls back on X-Ray's default rule.
    #[must_use]
    pub fn new() -> Self {
        Self::with_fallback(DefaultRule::new())
    }

    /// Creates a sampler that falls back on another, [`LocalRules`](crate::sampling::LocalRules) for instance.
    ///
    /// ```
    /// use xray_sdk::sampling::{CentralSampler, Never};
    ///
    /// let sampler = CentralSampler::with_fallback(Never);
    /// ```
    #[must_use]
    pub fn with_fallback(fallback: impl Sampler) -> Self {
        Self { shared: Arc::new(Shared::new(fallback)), running: Mutex::default() }
    }

    /// Returns the counts of requests and reports.
    ///
    /// ```
    /// # use xray_sdk::sampling::CentralSampler;
    /// assert_eq!(CentralSampler::new().stats().rules_fetched, 0);
    /// ```
    #[must_use]
    pub fn stats(&self) -> CentralStats {
        self.shared.counters.snapshot()
    }

    #[cfg(test)]
    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl Default for CentralSampler {
    fn default() -> Self {
        Self::new()
    }
}

impl Sampler for CentralSampler {
    #[inline]
    fn sample(&self, request: &SamplingRequest<'_>) -> SamplingResult {
        let rules = self.shared.rules.load();
        if let Some(rules) = &*rules {
            let now = request.epoch_seconds().unwrap_or_else(epoch_seconds);
            if !rules.is_expired(now)
                && let Some(rule) = rules.find(request)
            {
                return rule.decide(now, fast_u64);
            }
        }
        drop(rules);
        self.shared.fallback.sample(request)
    }

    fn give_back(&self, result: &SamplingResult) {
        let Some(central) = result.central() else { return self.shared.fallback.give_back(result) };
        let rules = self.shared.rules.load();
        if let Some(rule) = rules.as_ref().and_then(|rules| rules.by_number(central.rule)) {
            rule.state.give_back(result, central.borrowed);
        }
    }

    fn observe(&self, result: &SamplingResult, anomaly: bool) {
        let Some(central) = result.central() else { return self.shared.fallback.observe(result, anomaly) };
        let rules = self.shared.rules.load();
        if let Some(rule) = rules.as_ref().and_then(|rules| rules.by_number(central.rule)) {
            rule.state.observe(result.is_sampled(), anomaly);
        }
    }

    fn start(&self, daemon: &DaemonAddress, service: &str) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.users += 1;
        if running.thread.is_none() {
            self.shared.stopping.store(false, Relaxed);
            match thread::spawn(Poller::new(Arc::clone(&self.shared), daemon, service)) {
                Ok(thread) => running.thread = Some(thread),
                Err(err) => {
                    let problem = format!("sampling rules: no thread to ask for them: {err}");
                    self.shared.set_problem(Task::FetchRules, Some(problem));
                }
            }
        }
        drop(running);
        self.shared.fallback.start(daemon, service);
    }

    fn stop(&self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.users = running.users.saturating_sub(1);
        if running.users == 0
            && let Some(thread) = running.thread.take()
        {
            self.shared.stopping.store(true, Relaxed);
            thread.stop();
        }
        drop(running);
        self.shared.fallback.stop();
    }

    fn flush(&self, timeout: Duration) -> bool {
        let began = Instant::now();
        let thread = self.running.lock().unwrap_or_else(PoisonError::into_inner).thread.clone();
        let reported = thread.is_none_or(|thread| thread.flush(timeout));
        self.shared.fallback.flush(timeout.saturating_sub(began.elapsed())) && reported
    }

    fn problem(&self) -> Option<String> {
        let own = self.shared.problem();
        own.or_else(|| self.shared.fallback.problem())
    }
}

impl Drop for CentralSampler {
    fn drop(&mut self) {
        if let Some(thread) = self.running.get_mut().unwrap_or_else(PoisonError::into_inner).thread.take() {
            self.shared.stopping.store(true, Relaxed);
            thread.stop();
        }
    }
}

impl fmt::Debug for CentralSampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CentralSampler").field("stats", &self.stats()).finish_non_exhaustive()
    }
}
