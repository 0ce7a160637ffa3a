//! The numbers by which uploads are decided, and the moment at which they are.
//!
//! Plain values. Defaults are here; what a user can change comes from the configuration.

use std::time::Duration;

use crate::config::Config;

/// The numbers by which uploads are decided.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Bytes for everything that holds a document.
    pub memory: usize,
    /// The most calls at a time.
    pub concurrency: usize,
    /// The age at which a document is dropped.
    pub max_age: Duration,
    /// The disk behind the memory, if there is one.
    pub spool: Option<SpoolLimits>,
}

/// The bounds of the spool.
#[derive(Clone, Copy, Debug)]
pub struct SpoolLimits {
    /// The most bytes of documents on disk.
    pub max_bytes: u64,
    /// The age at which a document on disk is dropped.
    pub max_age: Duration,
}

impl Settings {
    /// The numbers that a configuration asks for.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self {
            memory: config.buffer_memory,
            concurrency: config.concurrency,
            max_age: config.max_age,
            spool: config
                .spool
                .as_ref()
                .map(|spool| SpoolLimits { max_bytes: spool.max_bytes, max_age: spool.max_age }),
        }
    }

    /// Bytes for documents that are not waiting: under way, or being written to disk.
    pub(super) fn outside(&self) -> usize {
        (self.memory / 4).min((self.concurrency + 2) * BATCH_BYTES)
    }

    /// Bytes for documents that wait.
    pub(super) fn waiting(&self) -> usize {
        self.memory - self.outside()
    }

    /// The largest body of a batch with more than one document.
    pub(super) fn batch_bytes(&self) -> usize {
        BATCH_BYTES.min(self.outside() / 2)
    }
}

/// A moment, by a clock that never jumps and by the wall clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct Now {
    /// Since the process started.
    pub monotonic: Duration,
    /// Seconds since 1970.
    pub unix: u64,
}

/// The most documents of a call, by X-Ray's API.
pub(super) const BATCH_DOCUMENTS: usize = 50;
/// The largest body: a megabyte.
///
/// X-Ray documents no limit; 50 documents of 64 KB would take seconds on a slow link.
pub(super) const BATCH_BYTES: usize = 1 << 20;
/// The time that a document waits for others to share its call.
pub(super) const LINGER: Duration = Duration::from_secs(1);
