//! `traceparent`, W3C Trace Context's form of what [`TraceHeader`] says, for services that don't speak X-Ray's.
//! By level 1 of the recommendation (<https://www.w3.org/TR/trace-context-1/#traceparent-header>). `tracestate`
//! is not read: nothing in it is meant for us.

use std::fmt;

use super::decision::SamplingDecision;
use super::trace_header::TraceHeader;
use crate::id::{SegmentId, TraceId};

impl TraceHeader {
    /// Reads a `traceparent`: `00-<32 hex>-<16 hex>-<2 hex>`, lower case. Blanks around it are trimmed.
    ///
    /// Versions after 00 are read as far as 00 goes, as the recommendation asks.
    ///
    /// # Errors
    /// The string breaks the recommendation, by which the receiver then begins a new trace.
    pub fn from_traceparent(text: &str) -> Result<Self, ParseTraceparentError> {
        let text = text.trim_ascii();
        // In bytes until it is known to be ASCII: indexing text inside a character panics.
        let formed = text.len() >= LEN
            && text.bytes().take(LEN).enumerate().all(|(i, byte)| match i {
                2 | 35 | 52 => byte == b'-',
                _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            });
        if !formed {
            return Err(ParseTraceparentError::Form);
        }
        let (known, rest) = text.split_at(LEN);
        let version = &known[..2];
        if version == "ff" {
            return Err(ParseTraceparentError::Version);
        }
        if !rest.is_empty() && (version == "00" || !rest.starts_with('-')) {
            return Err(ParseTraceparentError::Form);
        }
        let root = TraceId::from_w3c_hex(&known[3..35]).map_err(|_| ParseTraceparentError::TraceId)?;
        let parent: SegmentId = known[36..52].parse().map_err(|_| ParseTraceparentError::ParentId)?;
        if parent.is_zero() {
            return Err(ParseTraceparentError::ParentId);
        }
        let sampled = u8::from_str_radix(&known[53..], 16).is_ok_and(|flags| flags & SAMPLED == SAMPLED);
        Ok(Self::new(root).with_parent(parent).with_sampled(SamplingDecision::from(sampled)))
    }

    /// Converts the header into a `traceparent`, or returns `None` without a parent: W3C has no form for that.
    ///
    /// An open decision becomes "not sampled". Extras are left out.
    #[must_use]
    pub fn traceparent(&self) -> Option<Traceparent> {
        let parent = self.parent().filter(|parent| !parent.is_zero() && !self.root().is_zero())?;
        let mut text = *b"00-________________________________-________________-00";
        text[3..35].copy_from_slice(&self.root().to_w3c());
        text[36..52].copy_from_slice(&parent.encode());
        if self.sampled() == SamplingDecision::Sampled {
            text[54] = b'1';
        }
        Some(Traceparent { text })
    }
}

/// A `traceparent`: 55 bytes of ASCII, on the stack.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Traceparent {
    text: [u8; LEN],
}

impl Traceparent {
    /// Name of the HTTP field.
    pub const NAME: &'static str = "traceparent";

    /// Returns the string form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // We wrote nothing but ASCII, so this can't fail; if it did, no text is better than a panic.
        std::str::from_utf8(&self.text).unwrap_or_default()
    }
}

impl fmt::Display for Traceparent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Traceparent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Traceparent({self})")
    }
}

/// The reason why a string is not a `traceparent`. The sender is at fault; begin a new trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseTraceparentError {
    /// Length, dashes or digits are wrong. Upper-case digits are.
    Form,
    /// Version `ff`, which is forbidden.
    Version,
    /// A trace id of all zeros, which is forbidden.
    TraceId,
    /// A parent id of all zeros, which is forbidden.
    ParentId,
}

impl fmt::Display for ParseTraceparentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "traceparent is not of the form 00-<32 hex>-<16 hex>-<2 hex>",
            Self::Version => "traceparent has version ff, expected 00 to fe",
            Self::TraceId => "traceparent's trace id is all zeros, which is reserved",
            Self::ParentId => "traceparent's parent id is all zeros, which is reserved",
        })
    }
}

impl std::error::Error for ParseTraceparentError {}

/// The one flag that level 1 knows.
const SAMPLED: u8 = 0b1;

/// Length of version 00: two digits, 32, 16, two, and three dashes.
const LEN: usize = 2 + 1 + 32 + 1 + 16 + 1 + 2;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn traceparents_are_read_by_the_recommendation() {
        const IDS: &str = "66f1a2b30123456789abcdef01234567-53995c3f42cd8ad8";
        const HEADER: &str = "Root=1-66f1a2b3-0123456789abcdef01234567;Parent=53995c3f42cd8ad8";
        use ParseTraceparentError::{Form, ParentId, TraceId, Version};
        for (text, expected) in [
            (format!("00-{IDS}-01"), Ok(";Sampled=1")),
            (format!("00-{IDS}-00"), Ok(";Sampled=0")),
            (format!("00-{IDS}-02"), Ok(";Sampled=0")),
            (format!("00-{IDS}-03"), Ok(";Sampled=1")),
            (format!("00-{IDS}-ff"), Ok(";Sampled=1")),
            (format!("00-{IDS}-fe"), Ok(";Sampled=0")),
            (format!(" 00-{IDS}-01\t"), Ok(";Sampled=1")),
            (format!("00-{IDS}-01-"), Err(Form)),
            (format!("00-{IDS}-011"), Err(Form)),
            (format!("00-{IDS}-0"), Err(Form)),
            (format!("00-{IDS}-0g"), Err(Form)),
            (format!("01-{IDS}-01"), Ok(";Sampled=1")),
            (format!("cc-{IDS}-01-what-the-future-is-like"), Ok(";Sampled=1")),
            (format!("cc-{IDS}-01.what-the-future-is-like"), Err(Form)),
            (format!("ff-{IDS}-01"), Err(Version)),
            (format!("ff-{IDS}-01-x"), Err(Version)),
            (format!("0-{IDS}-01"), Err(Form)),
            (format!("00-{}-01", IDS.to_uppercase()), Err(Form)),
            (format!("00-{IDS}_01"), Err(Form)),
            (format!("00-{}-53995c3f42cd8ad8-01", "0".repeat(32)), Err(TraceId)),
            (format!("00-66f1a2b30123456789abcdef01234567-{}-01", "0".repeat(16)), Err(ParentId)),
            (format!("00-{IDS}-0é"), Err(Form)),
            (format!("00-{IDS}-\u{e9}"), Err(Form)),
            (String::new(), Err(Form)),
        ] {
            let read = TraceHeader::from_traceparent(&text).map(|header| header.to_string());
            assert_eq!(read, expected.map(|sampled| format!("{HEADER}{sampled}")), "{text:?}");
        }
    }

    #[test]
    fn a_traceparent_needs_ids_that_w3c_allows() {
        let root = TraceId::from(1);
        assert_eq!(TraceHeader::new(root).traceparent(), None);
        assert_eq!(TraceHeader::new(root).with_parent(SegmentId::from(0)).traceparent(), None);
        assert_eq!(TraceHeader::new(TraceId::from(0)).with_parent(SegmentId::from(1)).traceparent(), None);
    }

    proptest! {
        #[test]
        fn traceparents_read_back_as_they_were_written(root in 1_u128.., parent in 1_u64.., sampled: bool) {
            let header = TraceHeader::new(TraceId::from(root))
                .with_parent(SegmentId::from(parent))
                .with_sampled(SamplingDecision::from(sampled));
            let text = header.traceparent().unwrap().to_string();
            prop_assert_eq!(&text, &format!("00-{root:032x}-{parent:016x}-0{}", u8::from(sampled)));
            prop_assert_eq!(TraceHeader::from_traceparent(&text), Ok(header));
        }

        #[test]
        fn no_text_panics(text in any::<String>(), like in "[0-9a-f-é]{50,60}") {
            let _ = (TraceHeader::from_traceparent(&text), TraceHeader::from_traceparent(&like));
        }
    }
}
