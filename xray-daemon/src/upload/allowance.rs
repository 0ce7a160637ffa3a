//! The retry budget: a tenth of the calls that went well, and one a second.
//!
//! If a part of all calls fails, repeating each at once adds to the load that makes them fail.

use std::time::Duration;

#[derive(Debug)]
pub(super) struct Allowance {
    calls: f64,
    as_of: Duration,
}

impl Allowance {
    pub(super) fn new() -> Self {
        Self { calls: MOST, as_of: Duration::ZERO }
    }

    /// Checks that a call may be repeated now.
    ///
    /// The error is the time at which one may be.
    pub(super) fn check(&mut self, now: Duration) -> Result<(), Duration> {
        self.calls = (self.calls + now.saturating_sub(self.as_of).as_secs_f64()).min(MOST);
        self.as_of = self.as_of.max(now);
        // A nanosecond of rounding must not cost another round.
        if self.calls >= 1.0 - 1e-6 {
            return Ok(());
        }
        Err(now + Duration::from_secs_f64(1.0 - self.calls).max(Duration::from_millis(1)))
    }

    /// A call is repeated.
    pub(super) fn spend(&mut self) {
        self.calls = (self.calls - 1.0).max(0.0);
    }

    /// A call went well.
    pub(super) fn earn(&mut self) {
        self.calls = (self.calls + 0.1).min(MOST);
    }
}

/// The most that can be saved up.
const MOST: f64 = 10.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_at_first_then_one_a_second_and_one_for_ten_successes() {
        let mut allowance = Allowance::new();
        let now = Duration::ZERO;
        for _ in 0..10 {
            assert_eq!(allowance.check(now), Ok(()));
            allowance.spend();
        }
        assert_eq!(allowance.check(now), Err(Duration::from_secs(1)));
        (0..10).for_each(|_| allowance.earn());
        assert_eq!(allowance.check(now), Ok(()));
        allowance.spend();
        assert_eq!(allowance.check(Duration::from_secs(1)), Ok(()));
    }
}
