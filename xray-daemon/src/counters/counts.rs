//! The daemon's counters, and the law that they obey.
//!
//! `received == sent + rejected + dropped + spooled + held`. The first three sorts are counted where a document
//! meets its fate; `spooled` and `held` are the sizes of the real containers, set by these. None is computed from
//! the others, so that a document that gets lost on the way breaks the law. A transition is one
//! [`update`](Counters::update), and so a [`snapshot`](Counters::snapshot) never shows half of one.

use std::fmt;
use std::sync::{Mutex, PoisonError};

/// The counters, shared by all rooms.
#[derive(Debug, Default)]
pub struct Counters(Mutex<Counts>);

impl Counters {
    /// Changes counters as one step.
    ///
    /// `change` runs under a lock: it adds numbers and calls nothing.
    pub fn update<T>(&self, change: impl FnOnce(&mut Counts) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns all counters as of one moment.
    #[must_use]
    pub fn snapshot(&self) -> Counts {
        self.update(|counts| counts.clone())
    }
}

/// All counters as of one moment.
///
/// Numbers of documents unless said otherwise, since the start of the process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Datagrams that were not empty, and documents adopted from the spool at start.
    pub received: u64,
    /// Bytes of these datagrams.
    pub received_bytes: u64,
    /// Documents that X-Ray accepted.
    pub sent: u64,
    /// Datagrams without a valid header or document.
    pub rejected_header: u64,
    /// Documents that X-Ray refused: unprocessed, or alone in a request that was not valid.
    pub rejected_by_service: u64,
    /// Documents thrown away, by reason.
    pub dropped: Dropped,
    /// Documents on disk and nowhere else. A gauge.
    pub spooled: u64,
    /// Bytes of the spool's documents, those being sent included. A gauge.
    pub spool_bytes: u64,
    /// Documents in memory: waiting, under way, or waiting for another try. A gauge.
    pub held: u64,
    /// Bytes that these take of the budget. A gauge.
    pub held_bytes: u64,
    /// Datagrams that the kernel dropped, not among `received`.
    ///
    /// A run that its sender sent in one system call counts as one. `None` where this isn't known.
    pub kernel_drops: Option<u64>,
    /// Calls of `PutTraceSegments` that were begun, retries included.
    pub calls: u64,
    /// Calls that were begun since an earlier one with the same documents failed.
    pub retries: u64,
    /// Calls under way. A gauge.
    pub in_flight: u64,
    /// Calls that may be under way at once, as of now. A gauge.
    pub concurrency: u64,
    /// Failures of calls.
    pub errors: CallErrors,
    /// Seconds since the start at which X-Ray last accepted a document, by the process's own clock.
    pub last_success: Option<u64>,
    /// `true` if the last call failed in a way that a retry can cure.
    pub backing_off: bool,
    /// `true` if X-Ray denied the last call: no permission, or credentials that it doesn't take.
    pub denied: bool,
}

impl Counts {
    /// Documents and datagrams that were refused, here or by X-Ray.
    #[must_use]
    pub fn rejected(&self) -> u64 {
        self.rejected_header + self.rejected_by_service
    }

    /// Returns whether every document received is in one of the other terms.
    #[must_use]
    pub fn law_holds(&self) -> bool {
        self.received == self.sent + self.rejected() + self.dropped.total() + self.spooled + self.held
    }
}

/// Documents thrown away, by reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dropped([u64; Reason::ALL.len()]);

impl Dropped {
    /// Counts documents thrown away.
    pub fn add(&mut self, reason: Reason, documents: u64) {
        self.0[reason as usize] += documents;
    }

    /// Returns the documents thrown away for one reason.
    #[must_use]
    pub fn of(&self, reason: Reason) -> u64 {
        self.0[reason as usize]
    }

    /// Returns the documents thrown away for any reason.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

/// The reason why a document was thrown away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The budget of bytes was full, and the document was in progress.
    MemoryInProgress,
    /// The budget of bytes was full, and the document was the oldest.
    Memory,
    /// The document became older than is of use.
    Age,
    /// The spool was full, and the document was its oldest.
    SpoolSize,
    /// The spool could not be read or written.
    SpoolError,
    /// The deadline of a shutdown passed.
    Shutdown,
}

impl Reason {
    /// All reasons, in the order of their numbers.
    pub const ALL: [Self; 6] =
        [Self::MemoryInProgress, Self::Memory, Self::Age, Self::SpoolSize, Self::SpoolError, Self::Shutdown];

    /// The reason's name in metrics and log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MemoryInProgress => "memory_in_progress",
            Self::Memory => "memory",
            Self::Age => "age",
            Self::SpoolSize => "spool_size",
            Self::SpoolError => "spool_error",
            Self::Shutdown => "shutdown",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Failures of calls, in the classes of X-Ray's telemetry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallErrors {
    /// Answers with a status of 400 to 499.
    pub http_4xx: u64,
    /// Answers with a status of 500 to 599.
    pub http_5xx: u64,
    /// Nothing listened.
    pub refused: u64,
    /// No answer in time.
    pub timeout: u64,
    /// The endpoint's name was not known.
    pub unknown_host: u64,
    /// Anything else: no credentials, TLS, a cut connection, an answer that can't be read.
    pub other: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_numbered_in_the_order_of_all() {
        for (number, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, number, "{reason}");
        }
    }

    #[test]
    fn the_law_counts_every_term() {
        let mut counts = Counts { received: 21, sent: 1, rejected_header: 2, ..Counts::default() };
        (counts.rejected_by_service, counts.spooled, counts.held) = (3, 4, 5);
        counts.dropped.add(Reason::Age, 2);
        counts.dropped.add(Reason::Memory, 4);
        assert!(counts.law_holds());
        counts.held -= 1;
        assert!(!counts.law_holds());
    }
}
