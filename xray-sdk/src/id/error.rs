//! [`ParseIdError`]: why a string is not an id.

use std::fmt;

/// The reason why a string is not an id. The sender of the string is at fault.
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
            Self::Length => {
                "id has the wrong length, expected 35 characters for a trace and 16 for a segment"
            }
            Self::Form => "trace id is not of the form 1-xxxxxxxx-xxxxxxxxxxxxxxxxxxxxxxxx",
            Self::Digit => "id contains a character that is not a hex digit",
            Self::Zero => "id is all zeros, which is reserved",
        })
    }
}

impl std::error::Error for ParseIdError {}
