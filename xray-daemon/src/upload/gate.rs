//! The circuit breaker: after a failure X-Ray is left alone, then asked by one call.
//!
//! ```text
//!  open ──failure──► closed until a time ──► one probe ──success──► open
//!                        ▲─────────failure───────┘
//! ```
//!
//! Waits are exponential with full jitter, so that many daemons don't come back together. From the second failure
//! on a wait is at least a second: a dead endpoint gets at most one probe a second.

use std::time::Duration;

#[derive(Debug, Default)]
pub(super) struct Gate {
    failures: u32,
    until: Duration,
    last_failure: Duration,
    /// X-Ray said how long to wait.
    ordered: bool,
}

/// The calls that the gate allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// Calls up to the limit.
    Open,
    /// One call, if none is under way.
    Probe,
    /// Nothing before this time.
    Closed(Duration),
}

impl Gate {
    pub(super) fn opening(&self, now: Duration) -> Opening {
        match self.failures {
            0 => Opening::Open,
            _ if now < self.until => Opening::Closed(self.until),
            _ => Opening::Probe,
        }
    }

    /// Consecutive failures.
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    /// A call that was begun at `started` failed.
    ///
    /// `after` is how long X-Ray wants to be left alone; `cap` is the longest wait otherwise.
    pub(super) fn failed(
        &mut self,
        started: Duration,
        now: Duration,
        after: Option<Duration>,
        cap: Duration,
        rng: &mut fastrand::Rng,
    ) {
        // Calls that were under way together fail together, and count as one failure.
        if self.failures == 0 || started >= self.last_failure {
            self.failures = self.failures.saturating_add(1);
            self.until = now + backoff(self.failures, cap, rng);
            self.last_failure = now;
            self.ordered = false;
        }
        if let Some(after) = after.filter(|after| !after.is_zero()) {
            let after = after.min(LONGEST_ORDER);
            self.until = self.until.max(now + after + jitter(after / 10, rng));
            self.ordered = true;
        }
    }

    /// A call that was begun at `started` had an answer.
    ///
    /// Returns whether this has opened the gate.
    pub(super) fn succeeded(&mut self, started: Duration) -> bool {
        // An answer to a call from before says nothing of X-Ray's wish to be left alone since.
        let stale = self.ordered && started < self.last_failure;
        if self.failures == 0 || stale {
            return false;
        }
        *self = Self::default();
        true
    }
}

/// A wait after this many failures in a row.
pub(super) fn backoff(failures: u32, cap: Duration, rng: &mut fastrand::Rng) -> Duration {
    let most = BASE.saturating_mul(2u32.saturating_pow(failures.min(20))).min(cap);
    let wait = jitter(most, rng);
    if failures < 2 { wait } else { wait.max(LEAST_AGAIN) }
}

fn jitter(most: Duration, rng: &mut fastrand::Rng) -> Duration {
    most.mul_f64(rng.f64())
}

/// The longest wait after the first failure is twice this.
const BASE: Duration = Duration::from_millis(200);
/// The shortest wait after two failures in a row.
const LEAST_AGAIN: Duration = Duration::from_secs(1);
/// The longest `Retry-After` that is believed.
const LONGEST_ORDER: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    fn gate() -> (Gate, fastrand::Rng) {
        (Gate::default(), fastrand::Rng::with_seed(7))
    }

    #[test]
    fn a_failure_closes_the_gate_then_one_probe_then_a_success_opens_it() {
        let (mut gate, mut rng) = gate();
        assert_eq!(gate.opening(S), Opening::Open);
        gate.failed(S, S, None, 10 * S, &mut rng);
        let Opening::Closed(until) = gate.opening(S) else { panic!("closed") };
        assert!(until <= S + 2 * BASE);
        assert_eq!(gate.opening(until), Opening::Probe);
        assert!(gate.succeeded(until));
        assert_eq!(gate.opening(until), Opening::Open);
        assert!(!gate.succeeded(until));
    }

    #[test]
    fn calls_that_failed_together_count_as_one_failure() {
        let (mut gate, mut rng) = gate();
        (0..8).for_each(|_| gate.failed(S, 2 * S, None, 10 * S, &mut rng));
        assert_eq!(gate.failures(), 1);
        gate.failed(3 * S, 4 * S, None, 10 * S, &mut rng);
        assert_eq!(gate.failures(), 2);
    }

    #[test]
    fn waits_grow_to_the_cap_and_are_a_second_from_the_second_failure_on() {
        let mut rng = fastrand::Rng::with_seed(1);
        for _ in 0..1_000 {
            assert!(backoff(1, 10 * S, &mut rng) <= 2 * BASE);
            for failures in 2..40 {
                let wait = backoff(failures, 10 * S, &mut rng);
                assert!((S..=10 * S).contains(&wait), "{failures}: {wait:?}");
            }
        }
    }

    #[test]
    fn retry_after_is_obeyed_even_if_an_older_call_succeeds() {
        let (mut gate, mut rng) = gate();
        gate.failed(S, 2 * S, Some(30 * S), 10 * S, &mut rng);
        assert!(!gate.succeeded(S));
        let Opening::Closed(until) = gate.opening(10 * S) else { panic!("closed") };
        assert!((32 * S..=35 * S).contains(&until), "{until:?}");
    }
}
