//! The engine's dealings with the disk: when documents go there, and when they come back.
//!
//! One job at a time, each a transaction: what is obsolete goes, batches are written, an entry is read. Documents go
//! to disk when memory is four fifths full, and all of them when a shutdown can't send them.

use std::time::Duration;

use super::engine::{Engine, count_evicted};
use super::flights::{Loaded, Writing};
use super::gate::Opening;
use super::job::{DiskJob, DiskResult, Job, LoadError};
use super::note::Note;
use super::settings::{BATCH_DOCUMENTS, Now};
use crate::counters::Reason;
use crate::hold::{Attempts, Batch, Evicted};
use crate::spool::{Index, Stored, room};

impl Engine {
    /// Nothing more will be sent: ends all calls, and brings what is left to disk, or counts it as dropped.
    pub fn give_up(&mut self, now: Now) {
        self.draining = true;
        self.giving_up = true;
        while let Some(flight) = self.flights.end_first() {
            self.flights.subtract(&flight.batch);
            match (flight.key, &mut self.spool) {
                (Some(key), Some(spool)) => {
                    spool.rest(key);
                }
                // Beyond the backlog's limit for a moment, but nothing else comes in now.
                _ => self.backlog.put_back_unbounded(flight.batch, Attempts::default()),
            }
        }
        if let Some(Loaded { key, batch }) = self.loaded.take() {
            self.flights.subtract(&batch);
            self.spool.iter_mut().for_each(|spool| {
                spool.rest(key);
            });
        }
        self.commit(|_| {});
        if self.spool.is_none() {
            self.abandon(now);
        }
    }

    /// Counts what is still in memory as dropped.
    ///
    /// Whether a job under way has succeeded is never known.
    pub fn abandon(&mut self, _: Now) {
        let mut dropped = 0;
        while let Some(batch) = self.backlog.take_oldest(BATCH_DOCUMENTS, usize::MAX) {
            dropped += batch.len() as u64;
        }
        let job = self.disk.job.take().map(|job| (job.replaces, job.write));
        let replacing =
            std::mem::take(&mut self.replacing).into_iter().map(|(key, halves)| (Some(key), halves));
        for (replaces, writing) in job.into_iter().chain(replacing) {
            for Writing { batch, .. } in writing {
                self.flights.subtract(&batch);
                dropped += if replaces.is_none() { batch.len() as u64 } else { 0 };
            }
            if let (Some(key), Some(spool)) = (replaces, &mut self.spool) {
                spool.rest(key);
            }
        }
        self.commit(|counts| counts.dropped.add(Reason::Shutdown, dropped));
    }

    /// A job has ended.
    pub fn disk_finished(&mut self, result: DiskResult, now: Now) {
        let Some(job) = self.disk.job.take() else { return };
        let Some(spool) = &mut self.spool else { return };
        let (mut evicted, mut lost) = (Evicted::default(), 0);
        if let Err(why) = &result.written {
            self.notes.push(Note::SpoolFailed { why: why.clone() });
            self.disk.failed_until = now.monotonic + PAUSE;
            spool.keep_obsolete(job.delete);
        }
        for Writing { key, batch, unix } in job.write {
            self.flights.subtract(&batch);
            match (&result.written, job.replaces) {
                (Ok(()), _) => spool.insert(stored(key, &batch, unix)),
                // The whole is still on disk.
                (Err(_), Some(_)) => {}
                (Err(_), None) if self.giving_up => lost += batch.len() as u64,
                (Err(_), None) => {
                    let again = self.backlog.put_back(batch, Attempts::default());
                    evicted.in_progress += again.in_progress;
                    evicted.oldest += again.oldest;
                }
            }
        }
        match (job.replaces, &result.written) {
            (Some(key), Ok(())) => spool.forget(key),
            (Some(key), Err(_)) => {
                spool.rest(key);
                spool.postpone(key, now.monotonic + PAUSE);
            }
            (None, _) => {}
        }
        if let Some(key) = job.load {
            let read = result.loaded.unwrap_or_else(|| Err(LoadError::Disk("it was not read".to_owned())));
            let batch = read.and_then(|bytes| {
                Batch::from_bytes(&bytes, now.monotonic).map_err(|err| LoadError::Lost(err.to_string()))
            });
            match batch {
                Ok(batch) => {
                    if spool.loaded(key).is_some() {
                        self.flights.add(&batch);
                        self.loaded = Some(Loaded { key, batch });
                    }
                }
                Err(LoadError::Lost(why)) => {
                    lost += spool.documents(key);
                    spool.remove(key);
                    self.notes.push(Note::SpoolFailed { why });
                }
                Err(LoadError::Disk(why)) => {
                    spool.rest(key);
                    spool.postpone(key, now.monotonic + PAUSE);
                    self.disk.failed_until = now.monotonic + PAUSE;
                    self.notes.push(Note::SpoolFailed { why });
                }
            }
        }
        self.commit(|counts| {
            count_evicted(counts, evicted);
            counts.dropped.add(Reason::SpoolError, lost);
        });
        if self.giving_up {
            // What was read in the last moment rests again.
            if let Some(Loaded { key, batch }) = self.loaded.take() {
                self.flights.subtract(&batch);
                self.spool.iter_mut().for_each(|spool| {
                    spool.rest(key);
                });
                self.commit(|_| {});
            }
        }
    }

    /// The next job for the disk, if it is idle and there is something to do.
    pub(super) fn disk_job(&mut self, now: Now) -> Option<DiskJob> {
        self.spool.as_ref()?;
        if self.disk.job.is_some() || now.monotonic < self.disk.failed_until && !self.giving_up {
            return None;
        }
        // A shutdown does not wait for an endpoint that is down if there is a disk.
        if self.draining && !self.giving_up && self.gate.failures() >= DOWN {
            self.give_up(now);
        }
        let mut job = Job::default();
        if let Some((key, halves)) = self.replacing.pop() {
            (job.replaces, job.write) = (Some(key), halves);
        } else if self.wants_to_spill() {
            job.write = self.spill(now);
        } else {
            job.load = self.load(now);
        }
        let spool = self.spool.as_mut()?;
        if job.write.is_empty() && job.load.is_none() && !spool.has_obsolete() {
            return None;
        }
        job.delete = spool.take_obsolete();
        let order = DiskJob {
            delete: job.delete.iter().copied().chain(job.replaces).collect(),
            write: job
                .write
                .iter()
                .map(|Writing { key, batch, unix }| (stored(*key, batch, *unix), batch.to_bytes()))
                .collect(),
            load: job.load,
        };
        self.disk.job = Some(job);
        Some(order)
    }

    /// Returns whether memory is so full that documents should go to disk.
    pub(super) fn wants_to_spill(&self) -> bool {
        let full = self.backlog.charge() > self.backlog.limit() / 5 * 4;
        self.spool.is_some()
            && self.disk.job.is_none()
            && (self.giving_up && !self.backlog.is_empty() || full)
    }

    /// Takes the oldest documents out of the backlog, as many as one job writes.
    fn spill(&mut self, now: Now) -> Vec<Writing> {
        let mut writing = Vec::new();
        let most = (self.settings.outside() / 2).min(JOB_BYTES);
        let (mut taken, mut pending, mut given_up, mut too_large) = (0, 0, 0, 0);
        while taken < most && (writing.is_empty() || self.wants_to_spill()) {
            let Some(batch) = self.backlog.take_oldest(BATCH_DOCUMENTS, self.settings.batch_bytes()) else {
                break;
            };
            let Some(spool) = &mut self.spool else { break };
            let unix = now.unix.saturating_sub(now.monotonic.saturating_sub(batch.oldest()).as_secs());
            let room = room(batch.charge() as u64);
            let (documents, fits) = spool.make_room(pending + room);
            given_up += documents;
            if fits {
                (taken, pending) = (taken + batch.charge(), pending + room);
                self.flights.add(&batch);
                writing.push(Writing { key: spool.next_key(), batch, unix });
            } else {
                too_large += batch.len() as u64;
            }
        }
        self.commit(|counts| counts.dropped.add(Reason::SpoolSize, given_up + too_large));
        writing
    }

    /// An entry to be sent again, if X-Ray answers and none waits already.
    fn load(&mut self, now: Now) -> Option<u64> {
        let may = self.may_load(now.monotonic);
        let room = self.flights.charge() + self.settings.batch_bytes() <= self.settings.outside();
        if may && room { self.spool.as_mut()?.load(now.monotonic) } else { None }
    }

    fn may_load(&self, now: Duration) -> bool {
        let answers = match self.gate.opening(now) {
            Opening::Open => true,
            Opening::Probe => self.flights.calls() == 0,
            Opening::Closed(_) => false,
        };
        !self.draining && self.loaded.is_none() && answers
    }

    /// Returns when the disk should be thought of again.
    pub(super) fn disk_deadline(&self, now: Duration) -> Option<Duration> {
        let spool = self.spool.as_ref()?;
        if self.disk.job.is_some() {
            return None;
        }
        let waiting = spool.has_obsolete() || self.wants_to_spill() || !self.replacing.is_empty();
        let load = spool.next_load().map(|load| load.max(now)).filter(|load| self.may_load(*load));
        let wanted = if waiting { Some(now) } else { load }?;
        // What is due and was not begun waits for a call under way to end.
        Some(wanted.max(self.disk.failed_until)).filter(|wanted| *wanted > now)
    }

    pub(super) fn disk_is_idle(&self) -> bool {
        let obsolete = self.spool.as_ref().is_some_and(Index::has_obsolete);
        // At the end, entries that could not be deleted are left for the next start: they are sent twice.
        self.disk.job.is_none() && (!obsolete || self.disk.failed_until > Duration::ZERO)
    }
}

fn stored(key: u64, batch: &Batch, unix: u64) -> Stored {
    Stored { key, documents: batch.len() as u64, bytes: batch.charge() as u64, unix }
}

/// The pause after a failure of the disk.
const PAUSE: Duration = Duration::from_secs(5);
/// The most bytes that one transaction writes.
const JOB_BYTES: usize = 8 << 20;
/// Failures in a row after which an endpoint counts as down.
const DOWN: u32 = 2;
