//! The wall clock in whole seconds, for new trace ids and for samplers that were not told the time. Everything
//! that is measured gets its time from the caller instead.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970, by the wall clock. Wraps in 2106, as the time part of a trace id does.
#[expect(clippy::disallowed_methods, reason = "the room where a new trace learns when it began")]
pub(crate) fn epoch_seconds() -> u32 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as u32)
}
