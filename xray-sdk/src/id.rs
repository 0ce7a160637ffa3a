//! The two ids that travel: [`TraceId`] names a trace, [`SegmentId`] one piece of work in it.
//!
//! Values and their text forms only. Randomness comes from `entropy`, time from `clock`; the trace header and
//! the documents are built on top and never seen from here. The layer makes one segment id per span, so making
//! and encoding one costs a few nanoseconds and no allocation.

mod clock;
mod entropy;
mod hex;

use std::fmt;
use std::str::FromStr;

pub(crate) use clock::{epoch_seconds, epoch_time};
pub(crate) use entropy::{fast_u64, stir};

/// Names one trace, across all services that take part in it.
///
/// The text form has 35 characters: `1-`, eight hex digits of Unix time in seconds, `-`, and 24 hex digits of
/// randomness (X-Ray Developer Guide, "Generating trace IDs"). Upper-case digits are read, lower-case ones
/// written. Ids that began as W3C trace ids are re-spelled into this form, so the time need not be a time.
///
/// ```
/// # use xray_sdk::TraceId;
/// let id: TraceId = "1-66f1a2b3-0123456789abcdef01234567".parse()?;
/// assert_eq!(id.epoch_seconds(), 0x66f1_a2b3);
/// assert_eq!(id.to_string(), "1-66f1a2b3-0123456789abcdef01234567");
/// # Ok::<(), xray_sdk::id::ParseIdError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceId(u128);

impl TraceId {
    /// Length of the text form, in bytes.
    pub const LEN: usize = 35;

    /// The id of no trace. The official SDKs for Go and Python give it to traces that are not sampled.
    pub const ZERO: Self = Self(0);

    /// A new trace that begins now, by the wall clock.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a default that differs each time would surprise")]
    pub fn new() -> Self {
        let now = epoch_time();
        entropy::stir(now.as_nanos() as u64);
        Self::at(now.as_secs() as u32)
    }

    /// A new trace that begins at a given time, in seconds since 1970.
    ///
    /// The other 96 bits come from the system's cryptographic generator, since trace ids are shown to clients
    /// and should not be guessable.
    #[must_use]
    pub fn at(epoch_seconds: u32) -> Self {
        // All zeros are not an id: W3C says so, and other SDKs write that for "not recorded".
        let random = u128::from_be_bytes(entropy::trace_bits()).max(1);
        Self(u128::from(epoch_seconds) << RANDOM_BITS | random)
    }

    /// The time part: seconds since 1970 when the trace began, if the trace was begun by X-Ray's rules.
    #[must_use]
    pub const fn epoch_seconds(self) -> u32 {
        (self.0 >> RANDOM_BITS) as u32
    }

    /// The text form as ASCII, without allocating.
    #[inline]
    #[must_use]
    pub fn encode(self) -> [u8; Self::LEN] {
        let digits = self.to_w3c();
        let mut text = *b"1-________-________________________";
        text[2..10].copy_from_slice(&digits[..8]);
        text[11..].copy_from_slice(&digits[8..]);
        text
    }

    /// The same id as W3C Trace Context and OpenTelemetry spell it: 32 hex digits, as ASCII.
    #[inline]
    #[must_use]
    pub fn to_w3c(self) -> [u8; 32] {
        let mut digits = [0; 32];
        digits[..16].copy_from_slice(&hex::encode((self.0 >> 64) as u64));
        digits[16..].copy_from_slice(&hex::encode(self.0 as u64));
        digits
    }

    /// Reads 32 hex digits, of either case.
    ///
    /// # Errors
    /// The text has another length, something else than hex digits, or only zeros, which W3C forbids.
    pub fn from_w3c_hex(text: &str) -> Result<Self, ParseIdError> {
        let digits: &[u8; 32] = text.as_bytes().try_into().map_err(|_| ParseIdError::Length)?;
        let (high, low) = digits.split_at(16);
        let (high, low) = hex::decode(high).zip(hex::decode(low)).ok_or(ParseIdError::Digit)?;
        match u128::from(high) << u64::BITS | u128::from(low) {
            0 => Err(ParseIdError::Zero),
            id => Ok(Self(id)),
        }
    }

    /// Other SDKs send such an id along with requests they don't record.
    pub(crate) const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

/// The time part is the topmost 32 bits.
impl From<u128> for TraceId {
    fn from(id: u128) -> Self {
        Self(id)
    }
}

impl From<TraceId> for u128 {
    fn from(id: TraceId) -> Self {
        id.0
    }
}

impl FromStr for TraceId {
    type Err = ParseIdError;

    /// Takes the 35-character form and nothing else: no blanks, no missing digits. All zeros are read, since
    /// other SDKs write them for traces they don't record.
    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let text: &[u8; Self::LEN] = text.as_bytes().try_into().map_err(|_| ParseIdError::Length)?;
        if !text.starts_with(b"1-") || text[10] != b'-' {
            return Err(ParseIdError::Form);
        }
        let [time, high, low] = [&text[2..10], &text[11..19], &text[19..]].map(hex::decode);
        let (Some(time), Some(high), Some(low)) = (time, high, low) else { return Err(ParseIdError::Digit) };
        Ok(Self(u128::from(time) << RANDOM_BITS | u128::from(high) << u64::BITS | u128::from(low)))
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(hex::ascii(&self.encode()))
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceId({self})")
    }
}

/// Names one segment, subsegment or exception inside its trace.
///
/// The text form is 16 hex digits. It need be unique in its trace only (X-Ray Developer Guide, "Segment
/// documents"), so a fast generator makes it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentId(u64);

impl SegmentId {
    /// Length of the text form, in bytes.
    pub const LEN: usize = 16;

    /// A new id. Never zero.
    #[inline]
    #[must_use]
    pub fn random() -> Self {
        Self(fast_u64().max(1))
    }

    /// The text form as ASCII, without allocating.
    #[inline]
    #[must_use]
    pub fn encode(self) -> [u8; Self::LEN] {
        hex::encode(self.0)
    }

    /// W3C forbids such a parent, and other SDKs send one along with requests they don't record.
    pub(crate) const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl From<u64> for SegmentId {
    fn from(id: u64) -> Self {
        Self(id)
    }
}

impl From<SegmentId> for u64 {
    fn from(id: SegmentId) -> Self {
        id.0
    }
}

impl FromStr for SegmentId {
    type Err = ParseIdError;

    /// Takes 16 hex digits, of either case, and nothing else.
    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let digits: &[u8; Self::LEN] = text.as_bytes().try_into().map_err(|_| ParseIdError::Length)?;
        hex::decode(digits).map(Self).ok_or(ParseIdError::Digit)
    }
}

impl fmt::Display for SegmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(hex::ascii(&self.encode()))
    }
}

impl fmt::Debug for SegmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SegmentId({self})")
    }
}

/// Why a text is not an id. Whoever wrote the text is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseIdError {
    /// Too short or too long.
    Length,
    /// A trace id without its leading `1-`, or with something else than `-` between time and randomness.
    Form,
    /// Something else than a hex digit where one belongs.
    Digit,
    /// All zeros, where that is forbidden.
    Zero,
}

impl fmt::Display for ParseIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Length => "id has the wrong length",
            Self::Form => "trace id is not of the form 1-xxxxxxxx-xxxxxxxxxxxxxxxxxxxxxxxx",
            Self::Digit => "id holds something else than hex digits",
            Self::Zero => "id is all zeros",
        })
    }
}

impl std::error::Error for ParseIdError {}

/// Makes every thread take fresh randomness before its next id.
///
/// For a process that was copied while it ran: restored from a snapshot (Lambda SnapStart) or forked. Without
/// this, the copies would go on with the same buffered randomness and make the same ids. Other threads notice at
/// their next id, not in the middle of one.
pub fn reseed() {
    entropy::reseed();
}

/// A trace id's 128 bits without the 32 of its time.
const RANDOM_BITS: u32 = 96;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn trace_ids_are_read_strictly() {
        let good = TraceId(0x66f1_a2b3_0123_4567_89ab_cdef_0123_4567);
        for (text, expected) in [
            ("1-66f1a2b3-0123456789abcdef01234567", Ok(good)),
            ("1-66F1A2B3-0123456789ABCDEF01234567", Ok(good)),
            ("1-00000000-000000000000000000000000", Ok(TraceId(0))),
            ("", Err(ParseIdError::Length)),
            ("1-66f1a2b3-0123456789abcdef0123456", Err(ParseIdError::Length)),
            ("1-66f1a2b3-0123456789abcdef012345678", Err(ParseIdError::Length)),
            (" 1-66f1a2b3-0123456789abcdef01234567", Err(ParseIdError::Length)),
            ("2-66f1a2b3-0123456789abcdef01234567", Err(ParseIdError::Form)),
            ("1.66f1a2b3-0123456789abcdef01234567", Err(ParseIdError::Form)),
            ("1-66f1a2b30123456789abcdef-01234567", Err(ParseIdError::Form)),
            ("1-66f1a2b3-0123456789abcdef0123456g", Err(ParseIdError::Digit)),
            ("1-+6f1a2b3-0123456789abcdef01234567", Err(ParseIdError::Digit)),
            ("1-66f1a2b3-0123456789abcdef012345é", Err(ParseIdError::Digit)),
        ] {
            assert_eq!(text.parse::<TraceId>(), expected, "{text:?}");
        }
    }

    #[test]
    fn segment_ids_are_read_strictly() {
        for (text, expected) in [
            ("53995c3f42cd8ad8", Ok(SegmentId(0x5399_5c3f_42cd_8ad8))),
            ("53995C3F42CD8AD8", Ok(SegmentId(0x5399_5c3f_42cd_8ad8))),
            ("0000000000000000", Ok(SegmentId(0))),
            ("53995c3f42cd8ad", Err(ParseIdError::Length)),
            ("53995c3f42cd8ad88", Err(ParseIdError::Length)),
            ("0x995c3f42cd8ad8", Err(ParseIdError::Digit)),
            ("53995c3f42cd8a\u{e9}", Err(ParseIdError::Digit)),
        ] {
            assert_eq!(text.parse::<SegmentId>(), expected, "{text:?}");
        }
    }

    #[test]
    fn w3c_ids_are_the_same_digits() {
        let id: TraceId = "1-66f1a2b3-0123456789abcdef01234567".parse().unwrap();
        assert_eq!(&id.to_w3c(), b"66f1a2b30123456789abcdef01234567");
        assert_eq!(TraceId::from_w3c_hex("66f1a2b30123456789abcdef01234567"), Ok(id));
        assert_eq!(TraceId::from_w3c_hex("66f1a2b3-0123456789abcdef0123456"), Err(ParseIdError::Digit));
        assert_eq!(TraceId::from_w3c_hex(&"0".repeat(32)), Err(ParseIdError::Zero));
        assert_eq!(TraceId::from_w3c_hex("66f1"), Err(ParseIdError::Length));
    }

    #[test]
    fn debug_shows_the_text_form() {
        assert_eq!(format!("{:?}", TraceId(1)), "TraceId(1-00000000-000000000000000000000001)");
        assert_eq!(format!("{:?}", SegmentId(1)), "SegmentId(0000000000000001)");
        assert_eq!(format!("[{:>18}]", SegmentId(1)), "[  0000000000000001]");
    }

    #[test]
    fn trace_ids_carry_the_time_they_were_made_for() {
        for seconds in [0, 1, 0x66f1_a2b3, u32::MAX] {
            let id = TraceId::at(seconds);
            assert_eq!(id.epoch_seconds(), seconds);
            assert_ne!(u128::from(id) << 32, 0);
        }
    }

    proptest! {
        #[test]
        fn ids_read_back_as_they_were_written(trace in any::<u128>(), segment in any::<u64>()) {
            prop_assert_eq!(TraceId(trace).to_string().parse(), Ok(TraceId(trace)));
            prop_assert_eq!(TraceId(trace).to_string().to_uppercase().parse(), Ok(TraceId(trace)));
            prop_assert_eq!(SegmentId(segment).to_string().parse(), Ok(SegmentId(segment)));
            prop_assert_eq!(SegmentId(segment).to_string(), format!("{segment:016x}"));
            if trace != 0 {
                prop_assert_eq!(TraceId::from_w3c_hex(&format!("{trace:032x}")), Ok(TraceId(trace)));
            }
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = (text.parse::<TraceId>(), text.parse::<SegmentId>(), TraceId::from_w3c_hex(&text));
        }
    }
}
