//! [`ParseIdError`]: why a string is not an id.

use std::fmt;

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
