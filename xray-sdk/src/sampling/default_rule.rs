//! [`DefaultRule`]: some traces each second, and a share of the rest. The clock is read only when the request has no
//! time.

use super::ratio::Ratio;
use super::reservoir::Reservoir;
use super::{Sampler, SamplingRequest, SamplingResult};
use crate::id::{epoch_seconds, fast_u64};

/// One trace a second and 5 % of the rest, which is what X-Ray does without rules (X-Ray Developer Guide,
/// "Sampling"), or other numbers in the same way.
///
/// Seconds are those of the wall clock. Neither locks nor allocates; all threads share the reservoir.
///
/// ```
/// use xray_sdk::sampling::DefaultRule;
///
/// let sampler = DefaultRule::with_rates(10, 0.01); // ten traces a second, and 1 % of the rest
/// ```
#[derive(Debug)]
pub struct DefaultRule {
    reservoir: Reservoir,
    ratio: Ratio,
}

impl DefaultRule {
    /// Creates X-Ray's default: one trace a second, then 5 % of the rest.
    #[must_use]
    pub fn new() -> Self {
        Self::with_rates(1, 0.05)
    }

    /// Creates a rule of `per_second` traces each second, then a share from 0 to 1 of the rest.
    ///
    /// A rate outside is clamped, and NaN counts as 0.
    #[must_use]
    pub fn with_rates(per_second: u32, rate: f64) -> Self {
        Self { reservoir: Reservoir::new(per_second), ratio: Ratio::new(rate) }
    }

    fn sample_at(&self, now: u32, random: impl FnOnce() -> u64) -> SamplingResult {
        match self.reservoir.take(now) {
            Some(second) => SamplingResult::sampled().with_reservoir_second(second),
            None => SamplingResult::from(self.ratio.draw(random())),
        }
    }
}

impl Default for DefaultRule {
    fn default() -> Self {
        Self::new()
    }
}

impl Sampler for DefaultRule {
    fn sample(&self, request: &SamplingRequest<'_>) -> SamplingResult {
        self.sample_at(request.epoch_seconds().unwrap_or_else(epoch_seconds), fast_u64)
    }

    fn looks_at_request(&self) -> bool {
        false
    }

    /// Returns the slot to the reservoir, if its second is not over.
    fn give_back(&self, result: &SamplingResult) {
        if let Some(second) = result.reservoir_second() {
            self.reservoir.give_back(second);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::SmallRng;
    use rand::{Rng, SeedableRng};

    const NOW: u32 = 1_700_000_000;

    fn at(seconds: u32) -> SamplingRequest<'static> {
        SamplingRequest::new("shop").with_epoch_seconds(seconds)
    }

    #[test]
    fn one_a_second_then_five_percent() {
        const TRACES: u32 = 1000;
        const SECONDS: u32 = 1000;
        let (rule, mut rng) = (DefaultRule::new(), SmallRng::seed_from_u64(7));
        let (mut certain, mut drawn) = (0, 0);
        for now in NOW..NOW + SECONDS {
            for _ in 0..TRACES {
                let result = rule.sample_at(now, || rng.next_u64());
                certain += u32::from(result.reservoir_second().is_some());
                drawn += u32::from(result.is_sampled() && result.reservoir_second().is_none());
            }
        }
        assert_eq!(certain, SECONDS);
        // Five standard deviations around 5 % of the 999,000 others.
        assert!((49_950_i32 - drawn as i32).abs() < 1090, "{drawn}");
    }

    #[test]
    fn a_lot_is_drawn_only_when_the_reservoir_is_empty() {
        let rule = DefaultRule::with_rates(1, 1.0);
        let _ = rule.sample_at(NOW, || panic!("the reservoir decides"));
        assert!(rule.sample_at(NOW, || 0).is_sampled());
    }

    #[test]
    fn late_header_gives_the_reservoir_slot_back() {
        let rule = DefaultRule::with_rates(1, 0.0);
        let first = rule.sample(&at(NOW));
        assert!(first.is_sampled());
        assert!(!rule.sample(&at(NOW)).is_sampled());
        rule.give_back(&first);
        assert!(rule.sample(&at(NOW)).is_sampled());
        assert!(!rule.sample(&at(NOW)).is_sampled());
        // Too late: the second is over.
        assert!(rule.sample(&at(NOW + 1)).is_sampled());
        rule.give_back(&first);
        assert!(!rule.sample(&at(NOW + 1)).is_sampled());
    }

    #[test]
    fn a_lucky_lot_has_nothing_to_give_back() {
        let rule = DefaultRule::with_rates(1, 1.0);
        let [_, lucky] = [rule.sample(&at(NOW)), rule.sample(&at(NOW))];
        assert!(lucky.is_sampled());
        rule.give_back(&lucky);
        assert_eq!(rule.sample(&at(NOW)).reservoir_second(), None);
    }

    #[test]
    fn samplers_work_through_pointers() {
        let boxed: Box<dyn Sampler> = Box::new(std::sync::Arc::new(DefaultRule::with_rates(1, 0.0)));
        let result = boxed.sample(&at(NOW));
        boxed.give_back(&result);
        assert!(boxed.sample(&at(NOW)).is_sampled(), "give_back was passed on");
        assert!(!boxed.sample(&at(NOW)).is_sampled());
    }

    #[test]
    fn without_a_time_the_wall_clock_tells_it() {
        let rule = DefaultRule::with_rates(1, 0.0);
        let second = rule.sample(&SamplingRequest::default()).reservoir_second();
        assert!(second.is_some_and(|second| second > NOW));
    }
}
