//! The wall clock, for new trace ids, for samplers without a given time, and for the thread that asks for
//! sampling rules. Everything that is measured gets its time from the caller instead.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Seconds since 1970, by the wall clock. Wraps in 2106, as the time part of a trace id does.
pub(crate) fn epoch_seconds() -> u32 {
    epoch_time().as_secs() as u32
}

/// Time since 1970, by the wall clock.
#[expect(clippy::disallowed_methods, reason = "the room where a new trace learns when it began")]
pub(crate) fn epoch_time() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
