//! Points in time as documents carry them. Where the layer gets them from is its own affair.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::id::stir;

/// Microseconds since 1970-01-01T00:00:00Z, the resolution that X-Ray advises for documents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The wall clock's time.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is what hand-made segments read the time with")]
    pub fn now() -> Self {
        let now = SystemTime::now();
        // What this thread draws next differs from what a forked twin of it draws.
        stir(now.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64);
        Self::from(now)
    }

    /// A point so many microseconds after the epoch.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }
}

impl From<SystemTime> for Timestamp {
    /// A time before the epoch becomes the epoch.
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Self(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
    }
}
