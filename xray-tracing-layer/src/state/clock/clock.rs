//! The clock of spans: nanoseconds that never depend on the wall clock, and their offset to it.
//!
//! Each local root takes the offset that holds when it opens, and its whole tree uses that one. Therefore no
//! duration is negative, and children lie within their parents. A wall clock that was set, or a machine that
//! was frozen, is noticed at the next root.
//!
//! On machines, time comes from the processor's counter, if the feature `processor-clock` is on. Once a second, by a
//! root that opens, the counter is compared with the monotonic clock. A counter that disagrees is never read again:
//!
//! | counter | at the next root that opens more than a second after the last comparison |
//! |---|---|
//! | up to 0.1 % fast or slow | read on: a duration is wrong by that, a point in time by at most a millisecond |
//! | faster, slower, set forward, set back, running while the machine sleeps | the monotonic clock continues from the last agreement |
//!
//! A tree that is open meanwhile may show the counter's error in the ends of those spans that closed before the
//! comparison.

use std::sync::atomic::{
    AtomicBool, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use xray_sdk::document::Timestamp;

use super::agreement::{Agreement, Reading};
#[cfg(feature = "processor-clock")]
use super::processor::ProcessorCounter;

/// Microseconds since the layer was built. Never 0.
pub(crate) type Ticks = u64;

#[derive(Debug)]
pub(crate) struct Clock {
    #[cfg(feature = "processor-clock")]
    counter: Option<ProcessorCounter>,
    /// Set if the counter is read. Never set again once it is unset.
    reads_counter: AtomicBool,
    start: Instant,
    /// Nanoseconds from the monotonic clock to where the counter was when it was given up.
    shift: AtomicU64,
    agreement: Mutex<Agreement>,
    /// The offset from ticks to microseconds since the epoch.
    offset: AtomicU64,
    anchored: AtomicU64,
    #[cfg(test)]
    script: Option<std::sync::Arc<super::script::Script>>,
}

/// The greatest age of the relation to the wall clock when a root takes it. A second of a badly drifting clock is
/// a tenth of a millisecond.
pub(super) const ANCHOR_AGE: Ticks = 1_000_000;

impl Clock {
    /// Creates a clock that reads the processor's counter, but in Miri, which does not know the instruction.
    pub(crate) fn of_processor() -> Self {
        let clock = Self {
            #[cfg(feature = "processor-clock")]
            counter: if cfg!(miri) { None } else { ProcessorCounter::new() },
            ..Self::unanchored()
        };
        #[cfg(feature = "processor-clock")]
        clock.reads_counter.store(clock.counter.is_some(), Release);
        clock.begin();
        clock
    }

    /// Creates a clock that reads the system's monotonic clock: for a process that is frozen or copied, and for one
    /// that must start at once.
    pub(crate) fn of_system() -> Self {
        let clock = Self::unanchored();
        clock.begin();
        clock
    }

    fn unanchored() -> Self {
        Self {
            #[cfg(feature = "processor-clock")]
            counter: None,
            reads_counter: AtomicBool::new(false),
            start: Instant::now(),
            shift: AtomicU64::new(0),
            agreement: Mutex::default(),
            offset: AtomicU64::new(0),
            anchored: AtomicU64::new(0),
            #[cfg(test)]
            script: None,
        }
    }

    /// Takes the first readings of all clocks.
    pub(super) fn begin(&self) {
        if let Some(reading) = self.reading() {
            let Reading { counter, before, .. } = reading;
            *self.agreement.lock().unwrap_or_else(PoisonError::into_inner) =
                Agreement { counter, monotonic: before };
        }
        self.anchor(self.ticks());
    }

    #[inline]
    pub(crate) fn ticks(&self) -> Ticks {
        self.read().0
    }

    /// Returns the ticks, and the finer reading that they were rounded from: counts or nanoseconds.
    #[inline]
    pub(crate) fn read(&self) -> (Ticks, u64) {
        #[cfg(test)]
        if let Some(script) = &self.script {
            return self.read_script(script);
        }
        #[cfg(feature = "processor-clock")]
        if self.reads_counter.load(Acquire)
            && let Some(counter) = &self.counter
        {
            let (micros, counts) = counter.micros();
            // Never 0, and half a million years fit.
            return (micros + 1, counts);
        }
        self.read_system()
    }

    #[cfg_attr(feature = "processor-clock", cold)]
    #[cfg_attr(feature = "processor-clock", inline(never))]
    fn read_system(&self) -> (Ticks, u64) {
        let nanos = self.monotonic().wrapping_add(self.shift.load(Relaxed));
        (nanos / 1_000 + 1, nanos)
    }

    #[cfg(test)]
    fn read_script(&self, script: &super::script::Script) -> (Ticks, u64) {
        if let Some(micros) = script.manual() {
            return (micros, 1_000 * micros);
        }
        match script.counter().filter(|_| self.reads_counter.load(Acquire)) {
            Some(nanos) => (nanos / 1_000 + 1, nanos),
            None => self.read_system(),
        }
    }

    /// Returns the start and the offset of a root that opens at `now`. The start differs from `now` if `now` was read
    /// from a counter that turns out to be wrong.
    #[inline]
    pub(crate) fn begin_tree(&self, now: Ticks) -> (Ticks, u64) {
        let age = now.wrapping_sub(self.anchored.load(Relaxed));
        let now = if age > ANCHOR_AGE { self.anchor(now) } else { now };
        (now, self.offset.load(Relaxed))
    }

    /// Reads the wall clock anew. Returns `now`, or the right time if `now` was wrong. Two threads that do so at once
    /// write the same thing.
    #[cold]
    pub(crate) fn anchor(&self, now: Ticks) -> Ticks {
        #[cfg(test)]
        if self.script.as_ref().is_some_and(|script| script.manual().is_some()) {
            return now;
        }
        let now = if self.is_counter_wrong() { self.ticks() } else { now };
        self.offset.store(self.wall().saturating_sub(now), Relaxed);
        self.anchored.store(now, Relaxed);
        now
    }

    /// Reads the monotonic clock from now on, and the wall clock anew: the process was restored from a copy, perhaps on
    /// another machine.
    pub(crate) fn restored(&self) {
        let agreement = *self.agreement.lock().unwrap_or_else(PoisonError::into_inner);
        self.give_up_counter(&agreement);
        self.anchor(self.ticks());
    }

    /// Compares the counter with the monotonic clock, and gives it up if they disagree. Returns whether it did.
    fn is_counter_wrong(&self) -> bool {
        let mut agreement = self.agreement.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(reading) = self.reading() else { return false };
        let holds = agreement.holds(&reading);
        if !holds {
            self.give_up_counter(&agreement);
        } else if let Some(pair) = reading.pair() {
            *agreement = pair;
        }
        !holds
    }

    fn give_up_counter(&self, agreement: &Agreement) {
        if self.reads_counter.load(Acquire) {
            self.shift.store(agreement.shift(), Relaxed);
            // A thread that sees the flag sees the shift.
            self.reads_counter.store(false, Release);
        }
    }

    fn reading(&self) -> Option<Reading> {
        if !self.reads_counter.load(Acquire) {
            return None;
        }
        let before = self.monotonic();
        let counter = self.counter()?;
        Some(Reading { before, counter, after: self.monotonic() })
    }

    /// Returns the processor's counter in nanoseconds.
    fn counter(&self) -> Option<u64> {
        #[cfg(test)]
        if let Some(script) = &self.script {
            return script.counter();
        }
        #[cfg(feature = "processor-clock")]
        return self.counter.as_ref().map(ProcessorCounter::nanos);
        #[cfg(not(feature = "processor-clock"))]
        None
    }

    /// Returns the monotonic clock in nanoseconds.
    fn monotonic(&self) -> u64 {
        #[cfg(test)]
        if let Some(script) = &self.script {
            return script.monotonic();
        }
        let elapsed = self.start.elapsed();
        elapsed.as_secs() * 1_000_000_000 + u64::from(elapsed.subsec_nanos())
    }

    /// Returns the wall clock in microseconds since the epoch.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn wall(&self) -> u64 {
        #[cfg(test)]
        if let Some(script) = &self.script {
            return script.wall();
        }
        Timestamp::from(SystemTime::now()).as_micros()
    }

    /// A clock that stands still until the test moves it; microseconds since the epoch.
    #[cfg(test)]
    pub(crate) fn manual(time: std::sync::Arc<AtomicU64>) -> Self {
        Self::of_script(std::sync::Arc::new(super::script::Script::manual_at(time)))
    }

    #[cfg(test)]
    pub(super) fn of_script(script: std::sync::Arc<super::script::Script>) -> Self {
        Self { script: Some(script), ..Self::unanchored() }
    }

    #[cfg(test)]
    pub(super) fn count_from_script(&self) {
        self.reads_counter.store(true, Release);
    }

    #[cfg(test)]
    pub(super) fn counter_is_absent(&self) -> bool {
        self.counter().is_none()
    }

    #[cfg(test)]
    pub(super) fn still_reads_counter(&self) -> bool {
        self.reads_counter.load(Acquire)
    }
}
