//! Clocks that do what a test says, in the place of the three real ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// The three clocks as a test sets them.
#[derive(Debug, Default)]
pub(crate) struct Script {
    /// Microseconds since the epoch, for a clock that stands still until the test moves it.
    manual: Option<Arc<AtomicU64>>,
    counter: AtomicU64,
    monotonic: AtomicU64,
    wall: AtomicU64,
    /// Nanoseconds that each reading of the monotonic clock takes.
    pub(super) slowness: AtomicU64,
    pub(super) has_counter: AtomicBool,
}

impl Script {
    pub(super) fn manual_at(time: Arc<AtomicU64>) -> Self {
        Self { manual: Some(time), ..Self::default() }
    }

    pub(super) fn manual(&self) -> Option<u64> {
        self.manual.as_ref().map(|time| time.load(Relaxed))
    }

    pub(super) fn counter(&self) -> Option<u64> {
        self.has_counter.load(Relaxed).then(|| self.counter.load(Relaxed))
    }

    pub(super) fn monotonic(&self) -> u64 {
        let slowness = self.slowness.load(Relaxed);
        self.counter.fetch_add(slowness, Relaxed);
        self.monotonic.fetch_add(slowness, Relaxed)
    }

    pub(super) fn wall(&self) -> u64 {
        self.wall.load(Relaxed)
    }

    /// Lets time pass as each of the clocks sees it, in microseconds.
    pub(super) fn pass(&self, counter: i64, monotonic: u64, wall: u64) {
        self.counter.fetch_add((counter * 1_000) as u64, Relaxed);
        self.monotonic.fetch_add(monotonic * 1_000, Relaxed);
        self.wall.fetch_add(wall, Relaxed);
    }
}
