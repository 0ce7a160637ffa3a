//! The agreement of two clocks: whether the processor's counter still says what the monotonic clock says.
//!
//! Numbers only. The clock reads both and acts on the result.

/// The readings of both clocks when they last agreed, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Agreement {
    pub(super) counter: u64,
    pub(super) monotonic: u64,
}

/// One reading of the counter, between two of the monotonic clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    pub(super) before: u64,
    pub(super) counter: u64,
    pub(super) after: u64,
}

impl Agreement {
    /// Returns whether both clocks have advanced alike since. A thread that sleeps between its readings widens what is
    /// allowed, and is no disagreement.
    pub(super) fn holds(&self, reading: &Reading) -> bool {
        let counted = i128::from(reading.counter) - i128::from(self.counter);
        let [least, most] =
            [reading.before, reading.after].map(|time| i128::from(time) - i128::from(self.monotonic));
        let tolerance = most / TOLERANCE + 2 * i128::from(ADJACENT);
        (least - tolerance..=most + tolerance).contains(&counted)
    }

    /// Returns what to add to the monotonic clock to continue the counter from where it was right.
    pub(super) fn shift(&self) -> u64 {
        self.counter.wrapping_sub(self.monotonic)
    }
}

impl Reading {
    /// Returns the pair, if its readings are so close together that they count as one moment.
    pub(super) fn pair(&self) -> Option<Agreement> {
        let near = self.after.wrapping_sub(self.before) <= ADJACENT;
        near.then_some(Agreement { counter: self.counter, monotonic: self.before })
    }
}

/// One part in a thousand: what the rates of the two clocks may differ by. Network time changes the rate of the
/// monotonic clock by up to one part in two thousand (Linux, `adjtimex`: 500 ppm).
const TOLERANCE: i128 = 1_000;

/// Nanoseconds between readings that count as one moment.
const ADJACENT: u64 = 100_000;
