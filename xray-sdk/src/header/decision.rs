//! [`SamplingDecision`]: the header's `Sampled` part. Deciding is the work of [`sampling`](crate::sampling).

use std::fmt;
use std::str::FromStr;

/// The decision whether a trace is recorded, as far as the sender of a header knows.
///
/// Exhaustive: the header has these four forms (X-Ray Developer Guide, "Tracing header") and no others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SamplingDecision {
    /// `Sampled=1`: the trace is recorded.
    Sampled,
    /// `Sampled=0`: the trace is not recorded, here or in the services that are called.
    NotSampled,
    /// `Sampled=?`: the receiver decides, and reports its decision in the response's header.
    Requested,
    /// No `Sampled` part, or an invalid one: the receiver decides. The default.
    #[default]
    Unknown,
}

impl SamplingDecision {
    /// Returns the decision, or `None` if the receiver is to decide.
    #[must_use]
    pub const fn decided(self) -> Option<bool> {
        match self {
            Self::Sampled => Some(true),
            Self::NotSampled => Some(false),
            Self::Requested | Self::Unknown => None,
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Sampled => "1",
            Self::NotSampled => "0",
            Self::Requested => "?",
            Self::Unknown => "",
        }
    }
}

/// `true` is [`Sampled`](SamplingDecision::Sampled).
impl From<bool> for SamplingDecision {
    fn from(sampled: bool) -> Self {
        if sampled { Self::Sampled } else { Self::NotSampled }
    }
}

impl FromStr for SamplingDecision {
    type Err = ParseDecisionError;

    /// Takes the value of a `Sampled` part: exactly `1`, `0` or `?`.
    fn from_str(text: &str) -> Result<Self, ParseDecisionError> {
        match text {
            "1" => Ok(Self::Sampled),
            "0" => Ok(Self::NotSampled),
            "?" => Ok(Self::Requested),
            _ => Err(ParseDecisionError),
        }
    }
}

/// Writes `1`, `0`, `?`, or nothing for [`Unknown`](SamplingDecision::Unknown).
impl fmt::Display for SamplingDecision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A `Sampled` value that is none of `1`, `0`, `?`. The sender is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseDecisionError;

impl fmt::Display for ParseDecisionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid sampling decision, expected `1`, `0` or `?`")
    }
}

impl std::error::Error for ParseDecisionError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_read_back_and_nothing_else_is_one() {
        for (text, decision, decided) in [
            ("1", SamplingDecision::Sampled, Some(true)),
            ("0", SamplingDecision::NotSampled, Some(false)),
            ("?", SamplingDecision::Requested, None),
        ] {
            assert_eq!(text.parse(), Ok(decision));
            assert_eq!(decision.to_string(), text);
            assert_eq!(decision.decided(), decided);
        }
        for text in ["", "2", "true", " 1", "01", "1,0"] {
            assert!(text.parse::<SamplingDecision>().is_err(), "{text:?}");
        }
        assert_eq!(SamplingDecision::default().to_string(), "");
    }
}
