//! The one place that asks the system for the time. Everything else takes it as an argument.

use std::time::{SystemTime, UNIX_EPOCH};

use super::Time;

/// The wall clock's time.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that asks for the time")]
pub fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
