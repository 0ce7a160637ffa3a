//! Jobs for the disk, and their results, as values.
//!
//! The engine gives one job at a time, the driver runs it on a thread that may block and brings the result back. No
//! file and no decision here.

use std::time::Duration;

use super::flights::Writing;
use crate::spool::Stored;

/// Work for the disk: one transaction, and a read after it.
#[derive(Debug)]
pub struct DiskJob {
    /// Entries to delete. One that is not there is no error.
    pub delete: Vec<u64>,
    /// Entries to write, with their bytes.
    pub write: Vec<(Stored, Vec<u8>)>,
    /// An entry to read.
    pub load: Option<u64>,
}

/// The result of a [`DiskJob`].
#[derive(Debug)]
pub struct DiskResult {
    /// `Ok` if the transaction is on disk, else the disk's words.
    pub written: Result<(), String>,
    /// The bytes of the entry that was to be read.
    pub loaded: Option<Result<Vec<u8>, LoadError>>,
}

impl DiskResult {
    /// A job that was not done at all.
    pub(super) fn failed(why: &str) -> Self {
        Self { written: Err(why.to_owned()), loaded: None }
    }
}

/// The reason why an entry could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// The entry is not there, or not what was written: reading it again is of no use.
    Lost(String),
    /// The disk has a problem that may pass.
    Disk(String),
}

/// The disk as the engine knows it.
#[derive(Debug, Default)]
pub(super) struct DiskState {
    pub(super) job: Option<Job>,
    pub(super) failed_until: Duration,
}

/// The job under way, as far as its end concerns the engine.
#[derive(Debug, Default)]
pub(super) struct Job {
    pub(super) delete: Vec<u64>,
    pub(super) write: Vec<Writing>,
    pub(super) load: Option<u64>,
    /// The entry that `write` replaces.
    pub(super) replaces: Option<u64>,
}
