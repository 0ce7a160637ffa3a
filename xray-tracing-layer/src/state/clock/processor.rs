//! The processor's counter, by `quanta`: a reading is one instruction, where the system's clock takes fifty.
//!
//! Calibrated once, in about a millisecond, against the system's clock. Where no counter has a constant rate,
//! `quanta` reads the system's clock.

/// The processor's counter since the layer was built.
#[derive(Debug)]
pub(super) struct ProcessorCounter {
    counter: quanta::Clock,
    start: u64,
    /// Microseconds in one count, as a fraction of 2^64: one multiplication instead of `quanta`'s, its shift of 128 bits
    /// and a division.
    micros_per_count: u64,
}

impl ProcessorCounter {
    /// Creates a counter. Returns `None` if a count takes a microsecond or longer.
    pub(super) fn new() -> Option<Self> {
        let counter = quanta::Clock::new();
        let nanos = counter.delta_as_nanos(0, SPAN);
        let micros_per_count = u64::try_from((u128::from(nanos) << (64 - SPAN.ilog2())) / 1_000).ok()?;
        Some(Self { start: counter.raw(), counter, micros_per_count })
    }

    /// Returns microseconds, and the counts that they were rounded from. A counter that was set back to before its
    /// start stands still at zero.
    ///
    /// Out of line, so that `quanta`'s other clocks stand once.
    #[inline(never)]
    pub(super) fn micros(&self) -> (u64, u64) {
        let counts = self.counter.raw().saturating_sub(self.start);
        (self.micros_of(counts), counts)
    }

    #[inline]
    fn micros_of(&self, counts: u64) -> u64 {
        ((u128::from(counts) * u128::from(self.micros_per_count)) >> 64) as u64
    }

    /// Returns nanoseconds, as [`micros`](Self::micros) does.
    pub(super) fn nanos(&self) -> u64 {
        let now = self.counter.raw();
        if now < self.start { 0 } else { self.counter.delta_as_nanos(self.start, now) }
    }
}

/// The counts whose length `quanta` is asked for: rounded to nanoseconds it is exact enough, and 64 bits hold it.
const SPAN: u64 = 1 << 50;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn microseconds_are_those_of_the_nanoseconds() {
        let Some(counter) = ProcessorCounter::new() else { return };
        for _ in 0..1_000 {
            let (before, (micros, _), after) = (counter.nanos(), counter.micros(), counter.nanos());
            // Rounded down twice on the one way, and once on the other.
            assert!((before / 1_000..=after / 1_000 + 1).contains(&(micros + 1)) || before / 1_000 == micros);
        }
        let hour = 3_600_000_000_000_u64;
        let later = ProcessorCounter { start: counter.start, counter: counter.counter.clone(), ..counter };
        let counts =
            (0..64).map(|bit| 1_u64 << bit).find(|counts| later.counter.delta_as_nanos(0, *counts) > hour);
        let Some(counts) = counts else { return };
        let micros = later.micros_of(counts);
        assert!(micros.abs_diff(later.counter.delta_as_nanos(0, counts) / 1_000) <= 1);
    }
}
