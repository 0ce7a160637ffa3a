//! Batches that are out of the backlog: under way to X-Ray, being written to disk, or back from there.
//!
//! Keeps the sum of their documents and bytes, which are held and count against the budget like those that wait.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::hold::{Attempts, Batch};

/// A call under way.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) batch: Batch,
    pub(super) attempts: Attempts,
    pub(super) started: Duration,
    /// The entry of the spool that the batch is a copy of.
    pub(super) key: Option<u64>,
}

/// A batch that is to be on disk.
#[derive(Debug)]
pub(super) struct Writing {
    pub(super) key: u64,
    pub(super) batch: Batch,
    pub(super) unix: u64,
}

/// A batch that came back from disk and waits for its call.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) key: u64,
    pub(super) batch: Batch,
}

/// All of them, with their sums.
#[derive(Debug, Default)]
pub(super) struct Flights {
    calls: BTreeMap<u64, Flight>,
    replays: usize,
    next_id: u64,
    documents: usize,
    charge: usize,
}

impl Flights {
    /// Calls under way.
    pub(super) fn calls(&self) -> usize {
        self.calls.len()
    }

    /// Calls under way with batches of the spool.
    pub(super) fn replays(&self) -> usize {
        self.replays
    }

    /// Documents of all batches outside.
    pub(super) fn documents(&self) -> usize {
        self.documents
    }

    /// Bytes of memory of all batches outside.
    pub(super) fn charge(&self) -> usize {
        self.charge
    }

    /// A batch is outside from now on.
    pub(super) fn add(&mut self, batch: &Batch) {
        self.documents += batch.len();
        self.charge += batch.charge();
    }

    /// A batch is no longer outside.
    pub(super) fn subtract(&mut self, batch: &Batch) {
        self.documents -= batch.len();
        self.charge -= batch.charge();
    }

    /// A batch that is outside already is under way. Returns the call's number.
    pub(super) fn begin(&mut self, flight: Flight) -> u64 {
        self.next_id += 1;
        self.replays += usize::from(flight.key.is_some());
        self.calls.insert(self.next_id, flight);
        self.next_id
    }

    /// A call has ended. The batch is still outside.
    pub(super) fn end(&mut self, id: u64) -> Option<Flight> {
        let flight = self.calls.remove(&id)?;
        self.replays -= usize::from(flight.key.is_some());
        Some(flight)
    }

    /// Ends the first of the calls under way.
    pub(super) fn end_first(&mut self) -> Option<Flight> {
        let id = *self.calls.keys().next()?;
        self.end(id)
    }
}
