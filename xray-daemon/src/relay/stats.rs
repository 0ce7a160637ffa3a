//! The outcomes of the relay's requests, counted for `/metrics`.
//!
//! Each request is counted once, when its answer begins. `report` reads.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts by outcome, since the start.
#[derive(Debug, Default)]
pub struct RelayStats([AtomicU64; RelayOutcome::ALL.len()]);

/// The outcome of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RelayOutcome {
    /// X-Ray answered with a status below 400.
    Success,
    /// X-Ray answered with a status of 400 to 499.
    ClientError,
    /// X-Ray answered with another status.
    ServerError,
    /// The request was refused: host, origin, path, method.
    Refused,
    /// The body was larger than is taken, or did not come.
    BadBody,
    /// There were no credentials to sign with.
    NoCredentials,
    /// X-Ray did not answer in time.
    Timeout,
    /// X-Ray could not be reached.
    Unreachable,
}

impl RelayOutcome {
    /// All outcomes, in the order of their numbers.
    pub const ALL: [Self; 8] = [
        Self::Success,
        Self::ClientError,
        Self::ServerError,
        Self::Refused,
        Self::BadBody,
        Self::NoCredentials,
        Self::Timeout,
        Self::Unreachable,
    ];

    /// The label's value.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::ClientError => "client_error",
            Self::ServerError => "server_error",
            Self::Refused => "refused",
            Self::BadBody => "bad_body",
            Self::NoCredentials => "no_credentials",
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
        }
    }
}

impl RelayOutcome {
    /// Returns the error code for AWS's SDKs, which show a message only beside a code.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Success | Self::ClientError | Self::ServerError => "",
            Self::Refused => "RelayRefused",
            Self::BadBody => "RelayBadBody",
            Self::NoCredentials => "RelayNoCredentials",
            Self::Timeout => "RelayTimeout",
            Self::Unreachable => "RelayUnreachable",
        }
    }
}

impl RelayStats {
    pub(super) fn count(&self, outcome: RelayOutcome) {
        self.0[outcome as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the number of requests with an outcome.
    #[must_use]
    pub fn of(&self, outcome: RelayOutcome) -> u64 {
        self.0[outcome as usize].load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_numbered_in_the_order_of_all() {
        let stats = RelayStats::default();
        for (number, outcome) in RelayOutcome::ALL.into_iter().enumerate() {
            assert_eq!(outcome as usize, number);
            stats.count(outcome);
            assert_eq!(stats.of(outcome), 1);
        }
    }
}
