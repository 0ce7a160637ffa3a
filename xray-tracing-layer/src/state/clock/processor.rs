//! The processor's counter, by `quanta`: a reading is one instruction, where the system's clock takes fifty.
//!
//! Calibrated once, in about a millisecond, against the system's clock. Where no counter has a constant rate,
//! `quanta` reads the system's clock.

/// The processor's counter since the layer was built.
#[derive(Debug)]
pub(super) struct ProcessorCounter {
    counter: quanta::Clock,
    start: u64,
}

impl ProcessorCounter {
    pub(super) fn new() -> Self {
        let counter = quanta::Clock::new();
        Self { start: counter.raw(), counter }
    }

    /// Returns nanoseconds. A counter that was set back to before its start stands still at zero.
    #[inline]
    pub(super) fn nanos(&self) -> u64 {
        let now = self.counter.raw();
        if now < self.start { 0 } else { self.counter.delta_as_nanos(self.start, now) }
    }
}
