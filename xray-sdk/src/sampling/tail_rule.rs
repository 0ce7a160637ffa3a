//! [`TailRule`]: what a sampler asks of the tail decision. Plain values, read by the tracing layer.

use std::time::Duration;

/// The rule of a tail decision.
///
/// Made by [`KeepSlowAndFailed`](crate::sampling::KeepSlowAndFailed), read by the tracing layer. A sampler that wraps
/// another returns that one's rule from [`Sampler::tail`](crate::sampling::Sampler::tail).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TailRule {
    pub(super) slower_than: Option<Duration>,
    pub(super) client_errors: bool,
    pub(super) obeys_callers: bool,
    pub(super) max_open_traces: u32,
    pub(super) max_held_bytes: usize,
}

impl Default for TailRule {
    fn default() -> Self {
        Self {
            slower_than: None,
            client_errors: false,
            obeys_callers: false,
            max_open_traces: 1_000,
            max_held_bytes: 8 << 20,
        }
    }
}

impl TailRule {
    /// Returns whether a trace of this duration is kept for being slow.
    #[must_use]
    pub fn is_slow(&self, duration: Duration) -> bool {
        self.slower_than.is_some_and(|limit| duration > limit)
    }

    /// Returns whether errors of clients count as failures.
    #[must_use]
    pub const fn counts_client_errors(&self) -> bool {
        self.client_errors
    }

    /// Returns whether a caller's `Sampled=0` is final.
    #[must_use]
    pub const fn obeys_callers(&self) -> bool {
        self.obeys_callers
    }

    /// Returns the maximum of traces that wait.
    #[must_use]
    pub const fn max_open_traces(&self) -> u32 {
        self.max_open_traces
    }

    /// Returns the maximum of bytes that wait outside of their trace's first span.
    #[must_use]
    pub const fn max_held_bytes(&self) -> usize {
        self.max_held_bytes
    }
}
