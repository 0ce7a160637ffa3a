//! The clock of spans: a monotonic clock, and its offset to the wall clock.
//!
//! Each local root takes the offset that holds when it opens, and its whole tree uses that one. Therefore no
//! duration is negative, and children lie within their parents. A wall clock that was set, or a machine that
//! was frozen, is noticed at the next root.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Instant, SystemTime};

use xray_sdk::document::Timestamp;

/// Microseconds of the monotonic clock since the layer was built. Never 0.
pub(crate) type Ticks = u64;

#[derive(Debug)]
pub(crate) struct Clock {
    start: Instant,
    /// The offset from ticks to microseconds since the epoch.
    offset: AtomicU64,
    anchored: AtomicU64,
    #[cfg(test)]
    manual: Option<std::sync::Arc<AtomicU64>>,
}

/// How old the relation to the wall clock may be when a root takes it. A second of a badly drifting clock is
/// a tenth of a millisecond.
const ANCHOR_AGE: Ticks = 1_000_000;

impl Clock {
    pub(crate) fn new() -> Self {
        let clock = Self {
            start: Instant::now(),
            offset: AtomicU64::new(0),
            anchored: AtomicU64::new(0),
            #[cfg(test)]
            manual: None,
        };
        clock.anchor(clock.ticks());
        clock
    }

    /// A clock that stands still until the test moves it; microseconds since the epoch.
    #[cfg(test)]
    pub(crate) fn manual(time: std::sync::Arc<AtomicU64>) -> Self {
        let mut clock = Self::new();
        clock.offset = AtomicU64::new(0);
        clock.manual = Some(time);
        clock
    }

    #[inline]
    pub(crate) fn ticks(&self) -> Ticks {
        #[cfg(test)]
        if let Some(manual) = &self.manual {
            return manual.load(Relaxed);
        }
        // Never 0, and half a million years fit.
        self.start.elapsed().as_micros() as u64 + 1
    }

    /// The offset for a root that opens at `now`.
    #[inline]
    pub(crate) fn offset(&self, now: Ticks) -> u64 {
        if now.wrapping_sub(self.anchored.load(Relaxed)) > ANCHOR_AGE {
            self.anchor(now);
        }
        self.offset.load(Relaxed)
    }

    /// Reads the wall clock anew. Two threads that do so at once write the same thing.
    #[cold]
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub(crate) fn anchor(&self, now: Ticks) {
        #[cfg(test)]
        if self.manual.is_some() {
            return;
        }
        let wall = Timestamp::from(SystemTime::now()).as_micros();
        self.offset.store(wall.saturating_sub(now), Relaxed);
        self.anchored.store(now, Relaxed);
    }
}
