//! A response, and the bounds of time and size that hold for one.

use std::time::Duration;

/// A response.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// The header `x-amzn-errortype`.
    pub(super) kind: Option<String>,
    pub(super) bytes: Vec<u8>,
}

/// Longest time for an answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// Bytes of an answer.
pub(super) const ANSWER: u64 = 256 * 1024 * 1024;
