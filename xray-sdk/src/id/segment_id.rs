//! [`SegmentId`]: 64 random bits, unique within one trace.

use std::fmt;
use std::str::FromStr;

use super::entropy::{fast_u64, fast_u64_apart};
use super::error::ParseIdError;
use super::hex;
use crate::text::text_form;

/// Names one segment, subsegment or exception inside its trace.
///
/// The string form is 16 hex digits. An id need be unique in its trace only (X-Ray Developer Guide, "Segment
/// documents"), so a fast generator makes it.
///
/// ```
/// use xray_sdk::SegmentId;
///
/// let id: SegmentId = "53995c3f42cd8ad8".parse()?;
/// assert_eq!(id.to_string(), "53995c3f42cd8ad8");
/// assert_ne!(SegmentId::random(), SegmentId::random());
/// # Ok::<(), xray_sdk::id::ParseIdError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentId(u64);

impl SegmentId {
    /// Length of the string form, in bytes.
    pub const LEN: usize = 16;

    /// Creates a new id, which is never zero.
    #[inline]
    #[must_use]
    pub fn random() -> Self {
        Self(fast_u64().max(1))
    }

    /// Creates an id as [`random`](Self::random) does, out of line: the code stands once.
    pub(crate) fn random_apart() -> Self {
        Self(fast_u64_apart().max(1))
    }

    /// Returns the string form as ASCII, without allocating.
    #[inline]
    #[must_use]
    pub fn encode(self) -> [u8; Self::LEN] {
        hex::encode(self.0)
    }

    /// Encodes as [`encode`](Self::encode) does, out of line: the code stands once.
    pub(crate) fn encode_apart(self) -> [u8; Self::LEN] {
        hex::encode_apart(self.0)
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

    /// Parses 16 hex digits, of either case, and nothing else.
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

text_form!(SegmentId, ParseIdError, "a segment id: 16 hex digits");
