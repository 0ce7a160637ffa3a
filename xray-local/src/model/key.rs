//! A trace's key in the store: an integer that grows with time.
//!
//! ```text
//!  bit 62 ........ 31  epoch second of the trace, 32 bits
//!  bit 30 ......... 0  the last 31 bits of the trace id
//! ```
//!
//! Two traces of one second whose last bits are equal get neighbouring keys; the store looks for the free one.

use xray_sdk::TraceId;
use xray_sdk::id::ParseIdError;

use super::{Time, limits};

/// A trace's key in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceKey(pub i64);

impl TraceKey {
    /// The first key to try for a trace whose first document starts at `start`.
    ///
    /// The second is the trace id's. An id that began as a W3C trace id holds no time: if its second is far from
    /// `start`, the second is that of `start`.
    #[must_use]
    pub fn first_choice(id: TraceId, start: Time) -> Self {
        let stated = i64::from(id.epoch_seconds());
        let started = start.epoch_second();
        let is_time = (started - limits::ID_BEFORE_START_SECONDS..=started + limits::ID_AFTER_START_SECONDS)
            .contains(&stated);
        let second = if is_time { stated } else { started.clamp(0, i64::from(u32::MAX)) };
        Self(second << SEQUENCE_BITS | (u128::from(id) & SEQUENCE_MASK) as i64)
    }

    /// The lowest key of a second: with it, a range of seconds is a range of keys.
    #[must_use]
    pub fn lowest(epoch_second: i64) -> Self {
        match u32::try_from(epoch_second.max(0)) {
            Ok(second) => Self(i64::from(second) << SEQUENCE_BITS),
            Err(_) => Self(i64::MAX),
        }
    }

    /// The lowest key of all traces whose second is at or after `time`.
    #[must_use]
    pub fn lowest_from(time: Time) -> Self {
        let whole = time.epoch_second();
        Self::lowest(if time.0 % 1_000_000 == 0 { whole } else { whole + 1 })
    }

    /// The trace's second since 1970.
    #[must_use]
    pub const fn epoch_second(self) -> i64 {
        self.0 >> SEQUENCE_BITS
    }

    /// The trace's minute since 1970.
    #[must_use]
    pub const fn minute(self) -> i64 {
        self.epoch_second() / 60
    }
}

/// Reads a trace id in any form that people paste: X-Ray's, W3C's 32 digits, a `traceparent`, or a whole
/// `X-Amzn-Trace-Id` header.
///
/// # Errors
/// None of these forms is found.
pub fn parse_trace_id(text: &str) -> Result<TraceId, ParseIdError> {
    let text = text.trim();
    if let Some(root) = text.split(';').map(str::trim).find_map(|part| {
        part.get(..5).filter(|key| key.eq_ignore_ascii_case("root=")).and_then(|_| part.get(5..))
    }) {
        return root.parse();
    }
    let mut parts = text.split('-');
    match (parts.next(), parts.next(), parts.next()) {
        (Some("1"), ..) => text.parse(),
        (Some(_version), Some(id), Some(_)) => TraceId::from_w3c_hex(id),
        _ => TraceId::from_w3c_hex(text),
    }
}

const SEQUENCE_BITS: u32 = 31;
const SEQUENCE_MASK: u128 = (1 << SEQUENCE_BITS) - 1;

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "1-66f1a2b3-0123456789abcdef01234567";

    #[test]
    fn keys_are_in_order_of_time() {
        let id: TraceId = ID.parse().unwrap();
        let start = Time::from_seconds(f64::from(0x66f1_a2b3_u32) + 0.5);
        let key = TraceKey::first_choice(id, start);
        assert_eq!(key.epoch_second(), 0x66f1_a2b3);
        assert!(key >= TraceKey::lowest(0x66f1_a2b3) && key < TraceKey::lowest(0x66f1_a2b4));
        assert_eq!(TraceKey::lowest_from(Time::from_seconds(5.0)), TraceKey::lowest(5));
        assert_eq!(TraceKey::lowest_from(Time::from_seconds(5.1)), TraceKey::lowest(6));
        assert_eq!((TraceKey::lowest(i64::MAX).0, TraceKey::lowest(-5).0), (i64::MAX, 0));
    }

    #[test]
    fn an_id_without_a_time_takes_the_start() {
        let id = TraceId::from_w3c_hex("ffffffff0123456789abcdef01234567").unwrap();
        assert_eq!(
            TraceKey::first_choice(id, Time::from_seconds(1_700_000_000.9)).epoch_second(),
            1_700_000_000
        );
    }

    #[test]
    fn an_id_holds_a_time_from_thirty_days_before_the_start_to_a_day_after() {
        let stated = 1_700_000_000_i64;
        let id: TraceId = format!("1-{stated:08x}-0123456789abcdef01234567").parse().unwrap();
        for (start_after, is_time) in
            [(-86_401, false), (-86_400, true), (0, true), (30 * 86_400, true), (30 * 86_400 + 1, false)]
        {
            let start = stated + start_after;
            let key = TraceKey::first_choice(id, Time(start * 1_000_000));
            assert_eq!(key.epoch_second(), if is_time { stated } else { start }, "{start_after}");
        }
    }

    #[test]
    fn every_form_of_an_id_is_read() {
        let id: TraceId = ID.parse().unwrap();
        for form in [
            ID,
            " 1-66f1a2b3-0123456789abcdef01234567\n",
            "66f1a2b30123456789abcdef01234567",
            "00-66f1a2b30123456789abcdef01234567-0123456789abcdef-01",
            "Root=1-66f1a2b3-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=1",
            "Self=1-00000000-000000000000000000000001; root=1-66f1a2b3-0123456789abcdef01234567",
        ] {
            assert_eq!(parse_trace_id(form).ok(), Some(id), "{form}");
        }
        for form in ["", "1", "1-2-3", "shop", "Root=", "00-zz-1-1"] {
            assert!(parse_trace_id(form).is_err(), "{form}");
        }
    }
}
