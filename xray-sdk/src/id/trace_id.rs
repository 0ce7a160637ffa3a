//! [`TraceId`]: 32 bits of time and 96 of randomness, in X-Ray's form and in W3C's.

use std::fmt;
use std::str::FromStr;

use super::clock::epoch_time;
use super::error::ParseIdError;
use super::{entropy, hex};
use crate::text::text_form;

/// Names one trace, across all services that take part in it.
///
/// The string form has 35 characters: `1-`, eight hex digits of Unix time in seconds, `-`, and 24 hex digits of
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
    /// Length of the string form, in bytes.
    pub const LEN: usize = 35;

    /// The id of no trace. The official SDKs for Go and Python give it to traces that are not sampled.
    pub const ZERO: Self = Self(0);

    /// Creates the id of a trace that begins now, by the wall clock.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a default that differs each time would surprise")]
    pub fn new() -> Self {
        let now = epoch_time();
        entropy::stir(now.as_nanos() as u64);
        Self::at(now.as_secs() as u32)
    }

    /// Creates the id of a trace that begins at a given time, in seconds since 1970.
    ///
    /// The other 96 bits come from the system's cryptographic generator, since trace ids are shown to clients
    /// and should not be guessable.
    #[must_use]
    pub fn at(epoch_seconds: u32) -> Self {
        // All zeros are not an id: W3C says so, and other SDKs write that for "not recorded".
        let random = u128::from_be_bytes(entropy::trace_bits()).max(1);
        Self(u128::from(epoch_seconds) << RANDOM_BITS | random)
    }

    /// Returns the time part: the trace's start in seconds since 1970, if the id was made by X-Ray's rules.
    #[must_use]
    pub const fn epoch_seconds(self) -> u32 {
        (self.0 >> RANDOM_BITS) as u32
    }

    /// Returns the string form as ASCII, without allocating.
    #[inline]
    #[must_use]
    pub fn encode(self) -> [u8; Self::LEN] {
        let digits = self.to_w3c();
        let mut text = *b"1-________-________________________";
        text[2..10].copy_from_slice(&digits[..8]);
        text[11..].copy_from_slice(&digits[8..]);
        text
    }

    /// Returns the form of W3C Trace Context and OpenTelemetry: 32 hex digits, as ASCII.
    #[inline]
    #[must_use]
    pub fn to_w3c(self) -> [u8; 32] {
        let mut digits = [0; 32];
        digits[..16].copy_from_slice(&hex::encode_apart((self.0 >> 64) as u64));
        digits[16..].copy_from_slice(&hex::encode_apart(self.0 as u64));
        digits
    }

    /// Parses 32 hex digits, of either case.
    ///
    /// # Errors
    /// The string has another length, a character that is not a hex digit, or only zeros, which W3C forbids.
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

    /// Parses the 35-character form and nothing else: no blanks, no missing digits.
    ///
    /// All zeros are accepted, since other SDKs write them for traces they don't record.
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

/// A trace id's 128 bits without the 32 of its time.
const RANDOM_BITS: u32 = 96;

text_form!(TraceId, ParseIdError, "a trace id: 1-<8 hex digits>-<24 hex digits>");
