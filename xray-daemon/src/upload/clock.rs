//! The time, for everything that decides by it.
//!
//! The one place of uploads that reads a clock; a simulation makes its own moments.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use super::settings::Now;

/// A clock that begins with the process.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock that begins now.
    #[must_use]
    pub fn start() -> Self {
        Self { start: Instant::now() }
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Now {
        #[expect(clippy::disallowed_methods, reason = "this is the clock")]
        let unix = SystemTime::now();
        Now {
            monotonic: self.start.elapsed(),
            unix: unix.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
        }
    }

    /// The instant of a moment of this clock.
    #[must_use]
    pub fn instant(&self, monotonic: std::time::Duration) -> Instant {
        self.start + monotonic
    }
}
