//! [`Pace`]: leaves the processor to the receiver when documents that come together fill its buffer.
//!
//! A caller never sleeps here. A wide trace fills a receive buffer in a fraction of a millisecond, and a receiver that shares
//! the caller's core does not run meanwhile. So a caller that has sent more than a burst within [`PERIOD`] yields
//! once for each call. Where no other thread waits for the core, that takes a microsecond.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::system::System;
use crate::daemon::receive_buffer::{DEFAULT, PERIOD, burst};

/// The packets that were sent lately.
#[derive(Debug, Default)]
pub(super) struct Pace {
    sent: Mutex<Sent>,
}

/// Bytes of the receiver's buffer, less those that it was given time for.
#[derive(Debug, Default)]
struct Sent {
    bytes: i64,
    then: Duration,
}

impl Pace {
    /// Makes way for the receiver, if it was sent more than a burst lately. `cost` was sent right before.
    pub(super) fn after(&self, cost: usize, system: &dyn System) {
        if self.is_more_than_a_burst(cost, system.now()) {
            // Four yields lost no fewer datagrams, and a span of a wide trace took a tenth more time.
            system.make_way();
        }
    }

    fn is_more_than_a_burst(&self, cost: usize, now: Duration) -> bool {
        let burst = burst(DEFAULT);
        // Nothing panics under the lock.
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = now.saturating_sub(sent.then).min(2 * PERIOD);
        let read = burst * i64::from(passed.subsec_nanos()) / i64::from(PERIOD.subsec_nanos());
        // What no buffer holds is not waited for.
        sent.bytes = ((sent.bytes - read).max(0) + cost as i64).min(2 * burst);
        sent.then = now;
        sent.bytes > burst
    }
}
