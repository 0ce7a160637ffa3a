//! The concurrency limit: more calls while all goes well, fewer under pressure.
//!
//! Additive increase, multiplicative decrease. A window of successes adds one call, unless answers have become slow,
//! which is how a queue at the other end shows itself. A failure takes three tenths, once for each wave of calls.

use std::time::Duration;

#[derive(Debug)]
pub(super) struct Limit {
    current: f64,
    most: f64,
    successes: f64,
    /// The usual time of a call, and how far calls are from it, as moving averages in seconds.
    usual: f64,
    deviation: f64,
    last_decrease: Option<Duration>,
}

impl Limit {
    pub(super) fn new(most: usize) -> Self {
        let most = most.max(1) as f64;
        Self {
            current: START.min(most),
            most,
            successes: 0.0,
            usual: 0.0,
            deviation: 0.0,
            last_decrease: None,
        }
    }

    /// The number of calls, at least one.
    pub(super) fn calls(&self) -> usize {
        self.current as usize
    }

    /// A call that took `time` went well; `full` if no other could have been begun beside it.
    pub(super) fn succeeded(&mut self, time: Duration, full: bool) {
        let time = time.as_secs_f64();
        let slow = self.usual > 0.0 && time > self.usual + 3.0 * self.deviation + SLOW;
        if self.usual > 0.0 {
            self.deviation += WEIGHT * ((time - self.usual).abs() - self.deviation);
            self.usual += WEIGHT * (time - self.usual);
        } else {
            (self.usual, self.deviation) = (time, time / 2.0);
        }
        if full && !slow {
            self.successes += 1.0;
            if self.successes >= self.current {
                self.successes = 0.0;
                self.current = (self.current + 1.0).min(self.most);
            }
        }
    }

    /// A call that was begun at `started` was throttled, or had no good answer.
    pub(super) fn failed(&mut self, started: Duration, now: Duration) {
        if self.last_decrease.is_none_or(|last| started >= last) {
            self.current = (self.current * DECREASE).max(1.0);
            self.last_decrease = Some(now);
        }
        self.successes = 0.0;
    }
}

/// Calls at a time to begin with.
const START: f64 = 2.0;
const DECREASE: f64 = 0.7;
/// The weight of the latest call in the averages.
const WEIGHT: f64 = 0.2;
/// Differences below this are the machine's own, in seconds.
const SLOW: f64 = 0.02;

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn windows_of_successes_add_a_call_each_up_to_the_most() {
        let mut limit = Limit::new(8);
        let mut seen = vec![limit.calls()];
        for _ in 0..40 {
            limit.succeeded(50 * MS, true);
            if seen.last() != Some(&limit.calls()) {
                seen.push(limit.calls());
            }
        }
        assert_eq!(seen, [2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn calls_that_were_not_needed_add_none() {
        let mut limit = Limit::new(8);
        (0..100).for_each(|_| limit.succeeded(50 * MS, false));
        assert_eq!(limit.calls(), 2);
    }

    #[test]
    fn answers_that_become_slow_add_none() {
        let mut limit = Limit::new(8);
        (0..2).for_each(|_| limit.succeeded(50 * MS, true));
        assert_eq!(limit.calls(), 3);
        // Each is slower than the average of those before it.
        for time in [200u32, 600, 1_500, 4_000, 10_000] {
            limit.succeeded(time * MS, true);
        }
        assert_eq!(limit.calls(), 3);
    }

    #[test]
    fn a_wave_of_failures_takes_three_tenths_once_and_one_call_is_left() {
        let mut limit = Limit::new(10);
        (0..100).for_each(|_| limit.succeeded(50 * MS, true));
        assert_eq!(limit.calls(), 10);
        (0..10).for_each(|_| limit.failed(100 * MS, 200 * MS));
        assert_eq!(limit.calls(), 7);
        (1..20).for_each(|n| limit.failed(n * 1_000 * MS, (n * 1_000 + 10) * MS));
        assert_eq!(limit.calls(), 1);
    }
}
