//! [`MemoryEmitter`]: the daemon's place taken by a list.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::daemon::{EmitError, Emitter, EmitterStats, Packet};
use crate::local::{Received, Trace, TracesMissing};

/// Keeps every packet in memory. Clones share what they keep.
///
/// ```
/// use xray_sdk::testing::MemoryEmitter;
/// use xray_sdk::{EmitError, Emitter, Packet};
///
/// let emitter = MemoryEmitter::new();
/// emitter.refuse(Some(EmitError::Full));
/// assert_eq!(emitter.emit(&Packet::new()), Err(EmitError::Full));
/// assert_eq!((emitter.stats().full, emitter.received().datagrams()), (1, 0));
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemoryEmitter(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    arrived: Condvar,
}

#[derive(Debug, Default)]
struct State {
    received: Received,
    refusal: Option<EmitError>,
    stats: EmitterStats,
}

impl MemoryEmitter {
    /// Creates an emitter that has received nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns everything received so far.
    #[must_use]
    pub fn received(&self) -> Received {
        self.state().received.clone()
    }

    /// Returns everything received since the last call, and forgets it.
    #[must_use]
    pub fn take(&self) -> Received {
        let mut state = self.state();
        let received = state.received.clone();
        state.received.forget();
        received
    }

    /// Waits until at least `count` traces are complete, for at most `timeout`, and returns all that are.
    ///
    /// Spans of the test's own thread need no waiting: their documents are here when the root span is closed.
    ///
    /// # Errors
    /// [`TracesMissing`] when time ran out; its message says what was received instead.
    pub fn wait_for_traces(&self, count: usize, timeout: Duration) -> Result<Vec<Trace>, TracesMissing> {
        let started = Instant::now();
        let mut state = self.state();
        loop {
            let traces = state.received.complete_traces();
            if traces.len() >= count {
                return Ok(traces);
            }
            let left = timeout.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Err(TracesMissing::new(count, timeout, state.received.clone()));
            }
            state = self.0.arrived.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Keeps the newest `documents` documents and as many rejected datagrams from now on. Defaults to all of them.
    pub fn keep_last(&self, documents: usize) {
        self.state().received.keep_last(documents);
    }

    /// Refuses packets with `error` from now on, or accepts them again with `None`.
    ///
    /// Defaults to accepting.
    pub fn refuse(&self, error: impl Into<Option<EmitError>>) {
        self.state().refusal = error.into();
    }

    // A panic under the lock is a failed test; what was received until then is still whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Emitter for MemoryEmitter {
    fn emit(&self, packet: &Packet) -> Result<(), EmitError> {
        let mut state = self.state();
        let Some(error) = state.refusal else {
            state.stats.sent += 1;
            state.stats.sent_bytes += packet.as_bytes().len() as u64;
            state.received.add(packet.as_bytes().to_vec());
            self.0.arrived.notify_all();
            return Ok(());
        };
        match error {
            EmitError::TooLarge => state.stats.too_large += 1,
            EmitError::Full => state.stats.full += 1,
            EmitError::Unavailable => state.stats.unavailable += 1,
        }
        Err(error)
    }

    fn stats(&self) -> EmitterStats {
        self.state().stats
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taking_leaves_nothing_behind_and_clones_share() {
        let emitter = MemoryEmitter::new();
        let clone = emitter.clone();
        let mut packet = Packet::new();
        packet.start_document().put("{}");
        clone.emit(&packet).unwrap();
        assert_eq!(emitter.take().rejected().len(), 1, "an empty object is no document of X-Ray's");
        assert_eq!((clone.received().datagrams(), emitter.stats().sent), (0, 1));
    }

    #[test]
    fn only_the_newest_documents_are_kept() {
        let emitter = MemoryEmitter::new();
        emitter.keep_last(2);
        for name in ["a", "b", "c"] {
            crate::document::Segment::begin(name, crate::TraceId::new()).emit(&emitter).unwrap();
        }
        let received = emitter.received();
        let names: Vec<_> = received.documents().iter().map(|document| document.name().to_owned()).collect();
        assert_eq!((names, received.datagrams()), (vec!["b".to_owned(), "c".to_owned()], 3));
    }

    #[test]
    fn traces_that_never_come_are_an_error_that_says_what_came() {
        let emitter = MemoryEmitter::new();
        let missing = emitter.wait_for_traces(1, Duration::ZERO).unwrap_err();
        assert!(missing.to_string().contains("is the layer installed"), "{missing}");
        crate::document::Segment::begin("a", crate::TraceId::new()).emit(&emitter).unwrap();
        assert_eq!(emitter.wait_for_traces(1, Duration::ZERO).unwrap().len(), 1);
        let missing = emitter.wait_for_traces(2, Duration::from_millis(1)).unwrap_err();
        assert!(missing.to_string().contains("received 1: 1 documents"), "{missing}");
    }

    #[test]
    fn refused_packets_are_counted_and_not_kept() {
        let emitter = MemoryEmitter::new();
        for error in [EmitError::TooLarge, EmitError::Full, EmitError::Unavailable] {
            emitter.refuse(error);
            assert_eq!(emitter.emit(&Packet::new()), Err(error));
        }
        emitter.refuse(None);
        emitter.emit(&Packet::new()).unwrap();
        let stats = emitter.stats();
        assert_eq!((stats.too_large, stats.full, stats.unavailable, stats.sent), (1, 1, 1, 1));
    }
}
