//! [`Ratio`]: a fixed share of all traces, drawn at random. [`DefaultRule`](super::DefaultRule) applies it to traces
//! that find its reservoir empty.

use super::{Sampler, SamplingRequest, SamplingResult};
use crate::id::fast_u64;

/// Records a share of the traces, each decided independently.
///
/// ```
/// use xray_sdk::sampling::{Ratio, Sampler, SamplingRequest};
///
/// let request = SamplingRequest::new("shop");
/// assert!(Ratio::new(1.0).sample(&request).is_sampled());
/// assert!(!Ratio::new(0.0).sample(&request).is_sampled());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    /// Draws below this record the trace, of [`DRAWS`].
    winning: u64,
}

impl Ratio {
    /// Creates a share from 0 (none) to 1 (all). A rate outside is clamped, and NaN counts as 0.
    #[must_use]
    pub fn new(rate: f64) -> Self {
        // NaN passes through the clamp, and the cast makes 0 of it.
        Self { winning: (rate.clamp(0.0, 1.0) * DRAWS as f64) as u64 }
    }

    /// One word, for an atomic.
    #[cfg(feature = "central-sampling")]
    pub(super) const fn to_bits(self) -> u64 {
        self.winning
    }

    #[cfg(feature = "central-sampling")]
    pub(super) const fn from_bits(winning: u64) -> Self {
        Self { winning }
    }

    #[inline]
    pub(super) fn draw(self, random: u64) -> bool {
        random >> (u64::BITS - DRAW_BITS) < self.winning
    }
}

impl Sampler for Ratio {
    fn sample(&self, _: &SamplingRequest<'_>) -> SamplingResult {
        SamplingResult::from(self.draw(fast_u64()))
    }

    fn looks_at_request(&self) -> bool {
        false
    }
}

/// Bits of a draw: as many as a float counts exactly, so that a rate of 1 is all draws and not one fewer.
const DRAW_BITS: u32 = 53;
const DRAWS: u64 = 1 << DRAW_BITS;

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::SmallRng;
    use rand::{Rng, SeedableRng};

    #[test]
    fn the_share_is_kept() {
        const TRACES: u32 = 1_000_000;
        let mut rng = SmallRng::seed_from_u64(7);
        for rate in [0.001, 0.05, 0.5, 0.99] {
            let ratio = Ratio::new(rate);
            let sampled = (0..TRACES).filter(|_| ratio.draw(rng.next_u64())).count() as f64;
            // Five standard deviations of a binomial distribution.
            let (mean, bound) =
                (f64::from(TRACES) * rate, 5.0 * (f64::from(TRACES) * rate * (1.0 - rate)).sqrt());
            assert!((sampled - mean).abs() < bound, "{rate}: {sampled}");
        }
    }

    #[test]
    fn a_share_needs_nothing_of_the_request() {
        assert!(!Ratio::new(0.5).looks_at_request());
    }

    #[test]
    fn the_ends_are_exact_and_nonsense_is_the_nearer_end() {
        for (rate, lowest, highest) in [
            (0.0, false, false),
            (-1.0, false, false),
            (f64::NEG_INFINITY, false, false),
            (f64::MIN_POSITIVE, false, false),
            (0.5, true, false),
            (1.0, true, true),
            (7.0, true, true),
            (f64::INFINITY, true, true),
        ] {
            let ratio = Ratio::new(rate);
            assert_eq!((ratio.draw(0), ratio.draw(u64::MAX)), (lowest, highest), "{rate}");
        }
        assert!(!Ratio::new(f64::NAN).draw(0), "not a number is not a share");
    }
}
