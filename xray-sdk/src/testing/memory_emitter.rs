//! [`MemoryEmitter`]: the daemon's place taken by a list.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::daemon::{EmitError, Emitter, EmitterStats, Packet};
use crate::local::Received;

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
pub struct MemoryEmitter(Arc<Mutex<State>>);

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
        std::mem::take(&mut self.state().received)
    }

    /// Refuses packets with `error` from now on, or accepts them again with `None`.
    ///
    /// Defaults to accepting.
    pub fn refuse(&self, error: impl Into<Option<EmitError>>) {
        self.state().refusal = error.into();
    }

    // A panic under the lock is a failed test; what was received until then is still whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Emitter for MemoryEmitter {
    fn emit(&self, packet: &Packet) -> Result<(), EmitError> {
        let mut state = self.state();
        let Some(error) = state.refusal else {
            state.stats.sent += 1;
            state.stats.sent_bytes += packet.as_bytes().len() as u64;
            state.received.add(packet.as_bytes().to_vec());
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
