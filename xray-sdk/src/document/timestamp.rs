//! Points in time as documents carry them. Where the layer gets them from is its own affair.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::id::stir;

/// Microseconds since 1970-01-01T00:00:00Z, the resolution that X-Ray advises for documents.
///
/// ```
/// use xray_sdk::document::Timestamp;
///
/// assert_eq!(Timestamp::from_micros(1_500_000).as_micros(), 1_500_000);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// Returns the wall clock's time.
    ///
    /// ```
    /// use std::time::SystemTime;
    /// use xray_sdk::document::Timestamp;
    ///
    /// assert!(SystemTime::from(Timestamp::now()) <= SystemTime::now());
    /// ```
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is what hand-made segments read the time with")]
    pub fn now() -> Self {
        let now = SystemTime::now();
        // What this thread draws next differs from what a forked twin of it draws.
        stir(now.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64);
        Self::from(now)
    }

    /// Creates a point in time from microseconds since the epoch.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Returns microseconds since the epoch.
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

impl From<Timestamp> for SystemTime {
    /// A time beyond what the system's clock can say becomes the epoch.
    fn from(time: Timestamp) -> Self {
        UNIX_EPOCH.checked_add(Duration::from_micros(time.0)).unwrap_or(UNIX_EPOCH)
    }
}

/// Writes seconds since the epoch with six decimals, as documents do: `1727112883.125000`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_convert_both_ways_and_read_as_documents_write_them() {
        let time = Timestamp::from_micros(1_727_112_883_000_042);
        assert_eq!(time.to_string(), "1727112883.000042");
        assert_eq!(Timestamp::from(SystemTime::from(time)), time);
        assert_eq!(Timestamp::from(UNIX_EPOCH - Duration::from_secs(1)), Timestamp::default());
    }
}
