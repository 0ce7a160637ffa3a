//! [`WaitingSpans`]: the open spans in which finished documents wait, and since when. Asked by each span that closes, with
//! one load; changed once per batch.
//!
//! The list may name a span in which nothing waits any more. Who looks finds no batch there.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::state::clock::Ticks;

#[derive(Debug)]
pub(crate) struct WaitingSpans {
    /// The time after which the oldest batch has waited long enough; the largest one without a batch.
    due: AtomicU64,
    /// The registry's ids, the oldest first, and when the first document came.
    spans: Mutex<Vec<(u64, Ticks)>>,
}

impl WaitingSpans {
    pub(crate) fn new() -> Self {
        Self { due: AtomicU64::new(Ticks::MAX), spans: Mutex::default() }
    }

    /// Returns whether a batch has waited for longer than [`PATIENCE_MICROS`].
    #[inline]
    pub(crate) fn is_due(&self, now: Ticks) -> bool {
        now > self.due.load(Relaxed)
    }

    /// Notes that a first document waits in a span.
    pub(crate) fn add(&self, id: u64, now: Ticks) {
        let mut spans = self.spans();
        spans.push((id, now));
        self.set_due(&spans);
    }

    /// Notes that nothing waits in a span any more.
    pub(crate) fn remove(&self, id: u64) {
        let mut spans = self.spans();
        if let Some(at) = spans.iter().rposition(|(other, _)| *other == id) {
            spans.remove(at);
        }
        self.set_due(&spans);
    }

    /// Returns a span that has waited for too long, or any span with `all`, and removes it.
    pub(crate) fn next(&self, now: Ticks, all: bool) -> Option<u64> {
        let mut spans = self.spans();
        let is_due = |since: Ticks| all || now > since.saturating_add(PATIENCE_MICROS);
        let id = spans.first().filter(|(_, since)| is_due(*since)).map(|(id, _)| *id);
        if id.is_some() {
            spans.remove(0);
            self.set_due(&spans);
        }
        id
    }

    fn set_due(&self, spans: &[(u64, Ticks)]) {
        let due = spans.first().map_or(Ticks::MAX, |(_, since)| since.saturating_add(PATIENCE_MICROS));
        self.due.store(due, Relaxed);
    }

    fn spans(&self) -> MutexGuard<'_, Vec<(u64, Ticks)>> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The time for which a document waits for others before the next span that closes sends it, in microseconds.
pub(crate) const PATIENCE_MICROS: u64 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_due_first_and_each_is_taken_once() {
        let waiting = WaitingSpans::new();
        assert!(!waiting.is_due(Ticks::MAX - 1));
        waiting.add(7, 10);
        waiting.add(8, 20);
        waiting.add(9, 30);
        waiting.remove(8);
        assert!(!waiting.is_due(10 + PATIENCE_MICROS));
        assert!(waiting.is_due(11 + PATIENCE_MICROS));
        assert_eq!(waiting.next(11 + PATIENCE_MICROS, false), Some(7));
        assert_eq!(waiting.next(11 + PATIENCE_MICROS, false), None);
        assert!(!waiting.is_due(30 + PATIENCE_MICROS));
        assert_eq!(waiting.next(0, true), Some(9));
        assert_eq!((waiting.next(0, true), waiting.is_due(Ticks::MAX - 1)), (None, false));
    }
}
