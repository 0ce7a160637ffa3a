//! [`Counters`]: sent and lost packets, counted without locks. Numbers only: what counts as what is decided by those
//! who call.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::daemon::{EmitError, EmitterStats};

/// Each is a sum of its own and publishes nothing else, hence relaxed.
#[derive(Default)]
pub(in crate::daemon) struct Counters {
    sent: AtomicU64,
    sent_bytes: AtomicU64,
    resent: AtomicU64,
    too_large: AtomicU64,
    full: AtomicU64,
    unavailable: AtomicU64,
}

impl Counters {
    /// Counts the outcome of `packets` packets, which have `bytes` bytes together.
    pub(in crate::daemon) fn count(&self, outcome: Result<(), EmitError>, packets: u64, bytes: usize) {
        let counter = match outcome {
            Ok(()) => {
                self.sent_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
                &self.sent
            }
            Err(EmitError::TooLarge) => &self.too_large,
            Err(EmitError::Full) => &self.full,
            Err(EmitError::Unavailable) => &self.unavailable,
        };
        counter.fetch_add(packets, Ordering::Relaxed);
    }

    /// Counts packets that count as sent, and of which the kernel said later that they met no listener.
    pub(in crate::daemon) fn count_lost_earlier(&self, packets: u64) {
        self.unavailable.fetch_add(packets, Ordering::Relaxed);
    }

    /// Counts packets that went out at the second attempt.
    pub(in crate::daemon) fn count_resent(&self, packets: u64) {
        self.resent.fetch_add(packets, Ordering::Relaxed);
    }

    /// The packets that the kernel has taken.
    pub(in crate::daemon) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    pub(in crate::daemon) fn snapshot(&self) -> EmitterStats {
        EmitterStats {
            sent: self.sent.load(Ordering::Relaxed),
            sent_bytes: self.sent_bytes.load(Ordering::Relaxed),
            resent: self.resent.load(Ordering::Relaxed),
            too_large: self.too_large.load(Ordering::Relaxed),
            full: self.full.load(Ordering::Relaxed),
            unavailable: self.unavailable.load(Ordering::Relaxed),
            queued: 0,
        }
    }
}
