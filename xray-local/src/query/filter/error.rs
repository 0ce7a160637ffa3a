//! Errors of filter expressions, with their position.
//!
//! The parser raises [`FilterError`]. Its sentence fits on one line, since SDKs print a service's message on one line;
//! the console draws a caret from the parts. No rule of the language lives here.

use std::fmt;

/// An expression that was refused. The caller wrote it; nothing was searched.
///
/// Prints as `Invalid filter expression at character 16: expected a number after "responsetime >", found "fast"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// Characters before the faulty part, from 0.
    pub offset: usize,
    /// Characters of the faulty part. 0 where something is missing at the end.
    pub len: usize,
    /// The problem in words, without position and hint.
    pub problem: String,
    /// Everything that is accepted at this position.
    pub expected: Vec<String>,
    /// The faulty part as it was written. Empty at the end of the expression.
    pub found: String,
    /// Probable meaning of the expression.
    pub hint: Option<String>,
}

impl FilterError {
    /// An error about `text[start..end]`, in bytes.
    pub(super) fn new(text: &str, start: usize, end: usize, problem: String) -> Self {
        let (before, found) = (text.get(..start).unwrap_or(text), text.get(start..end).unwrap_or_default());
        let len = found.chars().count();
        let found = match found.char_indices().nth(LONGEST_FOUND) {
            Some((cut, _)) => format!("{}...", &found[..cut]),
            None => found.to_owned(),
        };
        Self { offset: before.chars().count(), len, problem, expected: Vec::new(), found, hint: None }
    }

    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(super) fn with_expected(mut self, expected: Vec<String>) -> Self {
        self.expected = expected;
        self
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Invalid filter expression at character {}: {}", self.offset + 1, self.problem)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for FilterError {}

/// Characters of the faulty part that an error repeats.
const LONGEST_FOUND: usize = 60;
