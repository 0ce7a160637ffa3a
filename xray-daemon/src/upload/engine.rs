//! The engine: all documents in memory, and the decision what happens next.
//!
//! Documents come in by [`push`](Engine::push). The driver asks [`next`](Engine::next) until it says to wait, does what
//! it says, and reports by [`finished`](Engine::finished) and `disk_finished`. Each of these keeps the law of the
//! counters, and each takes the time as an argument.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::allowance::Allowance;
use super::flights::{Flight, Flights, Loaded, Writing};
use super::gate::{Gate, Opening};
use super::job::{DiskJob, DiskState};
use super::limit::Limit;
use super::note::Note;
use super::settings::{BATCH_DOCUMENTS, LINGER, Now, Settings};
use crate::counters::{Counters, Counts, Reason};
use crate::hold::{Attempts, Backlog, Batch, Evicted, Selection};
use crate::spool::Index;

/// An order to the driver.
#[derive(Debug)]
pub enum Next {
    /// Make this call, then ask again; its answer goes to `finished`.
    Send(Request),
    /// Do this on disk; the result goes to `disk_finished`. Ask again meanwhile.
    Disk(DiskJob),
    /// Wait until this time, a push that wakes, or a report.
    Wait(Option<Duration>),
    /// Everything has been sent or is on disk, and nothing more will come.
    Done,
}

/// A call of `PutTraceSegments`.
#[derive(Debug)]
pub struct Request {
    /// The call's number.
    pub id: u64,
    /// The request's body.
    pub body: Bytes,
}

/// The state of all uploads.
#[derive(Debug)]
pub struct Engine {
    pub(super) settings: Settings,
    pub(super) backlog: Backlog,
    pub(super) flights: Flights,
    pub(super) gate: Gate,
    pub(super) limit: Limit,
    pub(super) allowance: Allowance,
    pub(super) spool: Option<Index>,
    pub(super) disk: DiskState,
    pub(super) loaded: Option<Loaded>,
    /// Halves of a batch of the spool, which replace the entry of this number.
    pub(super) replacing: Vec<(u64, Vec<Writing>)>,
    pub(super) counters: Arc<Counters>,
    pub(super) rng: fastrand::Rng,
    pub(super) notes: Vec<Note>,
    pub(super) last_success: Option<Duration>,
    /// Nothing more is received.
    pub(super) draining: bool,
    /// Nothing more is sent: what is left goes to disk.
    pub(super) giving_up: bool,
    /// A push wakes the driver when this many documents are queued.
    wake_at: usize,
    /// A push wakes the driver when memory has become so full that documents should go to disk.
    wake_to_spill: bool,
    /// New batches that were preferred to one that failed often, in a row.
    preferred: u32,
    next_expiry: Duration,
}

impl Engine {
    /// An engine with nothing in memory, and what is on disk. `seed` is for the jitter.
    #[must_use]
    pub fn new(settings: Settings, spool: Option<Index>, counters: Arc<Counters>, seed: u64) -> Self {
        let engine = Self {
            backlog: Backlog::new(settings.waiting()),
            flights: Flights::default(),
            gate: Gate::default(),
            limit: Limit::new(settings.concurrency),
            allowance: Allowance::new(),
            disk: DiskState::default(),
            loaded: None,
            replacing: Vec::new(),
            rng: fastrand::Rng::with_seed(seed),
            notes: Vec::new(),
            last_success: None,
            draining: false,
            giving_up: false,
            wake_at: 1,
            wake_to_spill: true,
            preferred: 0,
            next_expiry: Duration::ZERO,
            settings,
            spool,
            counters,
        };
        let adopted = engine.spool.as_ref().map_or(0, Index::resting);
        engine.commit(|counts| counts.received += adopted);
        engine
    }

    /// Takes a document that was received. Returns whether the driver has to ask again.
    pub fn push(&mut self, document: &[u8], in_progress: bool, datagram: usize, now: Now) -> bool {
        let evicted = self.backlog.push(document, in_progress, now.monotonic);
        self.commit(|counts| {
            counts.received += 1;
            counts.received_bytes += datagram as u64;
            count_evicted(counts, evicted);
        });
        let queued = self.backlog.queued();
        let full = queued >= self.wake_at
            || self.wake_at != usize::MAX && self.backlog.queued_bytes() >= self.settings.batch_bytes();
        if full || self.wake_to_spill && self.wants_to_spill() {
            (self.wake_at, self.wake_to_spill) = (usize::MAX, false);
            return true;
        }
        false
    }

    /// Returns what the driver is to do now.
    pub fn next(&mut self, now: Now) -> Next {
        self.expire(now);
        if let Some(job) = self.disk_job(now) {
            self.commit(|_| {});
            return Next::Disk(job);
        }
        let request = if self.giving_up { None } else { self.send(now.monotonic) };
        self.commit(|_| {});
        if let Some(request) = request {
            return Next::Send(request);
        }
        if self.draining && self.is_done() {
            return Next::Done;
        }
        self.wake_at = self.wake_threshold(now.monotonic);
        self.wake_to_spill = !self.wants_to_spill();
        Next::Wait(self.deadline(now.monotonic))
    }

    /// Nothing more will be received: send what there is without waiting for more.
    pub fn drain(&mut self) {
        self.draining = true;
    }

    /// Returns the notes since the last call, for the log.
    pub fn take_notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    /// Returns how long the oldest document has been in memory and waits.
    #[must_use]
    pub fn oldest_age(&self, now: Now) -> Option<Duration> {
        self.backlog.oldest().map(|oldest| now.monotonic.saturating_sub(oldest))
    }

    /// Calls that may be under way as of now.
    fn allowed(&self, opening: Opening) -> usize {
        match opening {
            Opening::Open => self.limit.calls(),
            Opening::Probe => 1,
            Opening::Closed(_) => 0,
        }
    }

    /// Begins a call, if one may be begun and there is something to send.
    fn send(&mut self, now: Duration) -> Option<Request> {
        let opening = self.gate.opening(now);
        let allowed = self.allowed(opening);
        if self.flights.calls() >= allowed {
            return None;
        }
        let probing = opening == Opening::Probe;
        let may_repeat = probing || self.allowance.check(now).is_ok();
        // The first call may always be made, however large.
        let room = match self.flights.calls() {
            0 => usize::MAX,
            _ => self.settings.outside().saturating_sub(self.flights.charge()),
        };
        let failed = self.backlog.best_failed(|attempts, batch| {
            let due = probing || attempts.not_before <= now;
            due && (may_repeat || attempts.count == 0) && batch.charge() <= room
        });
        let new = self.new_is_ready(now, probing) && self.settings.batch_bytes() <= room;
        let share = match failed.is_some() || new {
            true => allowed / 4,
            false => allowed,
        };
        if self.loaded.is_some() && self.flights.replays() < share {
            let Loaded { key, batch } = self.loaded.take()?;
            return Some(self.begin(batch, Attempts::default(), Some(key), now));
        }
        let selection = match (failed, new) {
            (Some((selection, rank, oldest)), true) => {
                let older = self.backlog.oldest_queued().is_none_or(|queued| oldest <= queued);
                self.preferred += u32::from(rank > 0);
                if rank == 0 && older || self.preferred > PREFERRED {
                    self.preferred = 0;
                    selection
                } else {
                    Selection::New
                }
            }
            (Some((selection, ..)), false) => selection,
            (None, true) => Selection::New,
            (None, false) => return None,
        };
        let (batch, attempts) = self.backlog.take(selection, BATCH_DOCUMENTS, self.settings.batch_bytes())?;
        if attempts.count > 0 {
            self.allowance.spend();
        }
        self.flights.add(&batch);
        Some(self.begin(batch, attempts, None, now))
    }

    fn begin(&mut self, batch: Batch, attempts: Attempts, key: Option<u64>, now: Duration) -> Request {
        let body = batch.body();
        let id = self.flights.begin(Flight { batch, attempts, started: now, key });
        self.commit(|counts| {
            counts.calls += 1;
            counts.retries += u64::from(attempts.count > 0);
        });
        Request { id, body }
    }

    /// Returns whether a new batch is full, or has waited long enough.
    fn new_is_ready(&self, now: Duration, probing: bool) -> bool {
        let Some(oldest) = self.backlog.oldest_queued() else { return false };
        self.backlog.queued() >= BATCH_DOCUMENTS
            || self.backlog.queued_bytes() >= self.settings.batch_bytes()
            || oldest + LINGER <= now
            || probing
            || self.draining
    }

    fn expire(&mut self, now: Now) {
        if now.monotonic < self.next_expiry {
            return;
        }
        self.next_expiry = now.monotonic + EXPIRY;
        let limit = now.monotonic.checked_sub(self.settings.max_age);
        let in_memory = limit.map_or(0, |limit| self.backlog.expire(limit));
        let on_disk = self.spool.as_mut().map_or(0, |spool| spool.expire(now.unix));
        if in_memory + on_disk > 0 {
            self.commit(|counts| counts.dropped.add(Reason::Age, in_memory + on_disk));
        }
    }

    fn is_done(&self) -> bool {
        self.backlog.is_empty() && self.flights.documents() == 0 && self.disk_is_idle()
    }

    /// From how many queued documents on a push matters.
    fn wake_threshold(&self, now: Duration) -> usize {
        let opening = self.gate.opening(now);
        match opening {
            _ if self.flights.calls() >= self.allowed(opening) => usize::MAX,
            Opening::Probe => 1,
            _ if self.backlog.queued() == 0 => 1,
            _ => BATCH_DOCUMENTS,
        }
    }

    /// Returns when to ask again if nothing else happens.
    fn deadline(&mut self, now: Duration) -> Option<Duration> {
        let opening = self.gate.opening(now);
        let mut deadlines = [None; 5];
        if let Opening::Closed(until) = opening {
            deadlines[0] = Some(until);
        } else if self.flights.calls() < self.allowed(opening) {
            deadlines[1] = self.backlog.oldest_queued().map(|oldest| oldest + LINGER);
            let repeat = self.allowance.check(now).err();
            let due = self.backlog.attempts().map(|attempts| match (attempts.count, repeat) {
                (0, _) | (_, None) => attempts.not_before,
                (_, Some(repeat)) => attempts.not_before.max(repeat),
            });
            deadlines[2] = due.min();
        }
        // What is due and was not sent waits for a call under way to end.
        deadlines.iter_mut().for_each(|deadline| *deadline = deadline.filter(|deadline| *deadline > now));
        deadlines[3] = self.disk_deadline(now);
        // Once a minute at least, so that what is too old goes, and a moment that has passed is no reason to spin.
        deadlines[4] = Some(now + HEARTBEAT);
        deadlines.into_iter().flatten().min().map(|deadline| deadline.max(now + TICK))
    }

    /// Counts, and sets the gauges in the same step.
    pub(super) fn commit(&self, change: impl FnOnce(&mut Counts)) {
        let held = self.backlog.len() + self.flights.documents();
        let bytes = self.backlog.charge() + self.flights.charge();
        self.counters.update(|counts| {
            change(counts);
            counts.held = held as u64;
            counts.held_bytes = bytes as u64;
            counts.spooled = self.spool.as_ref().map_or(0, Index::resting);
            counts.spool_bytes = self.spool.as_ref().map_or(0, Index::bytes);
            counts.in_flight = self.flights.calls() as u64;
            counts.concurrency = self.limit.calls() as u64;
            counts.backing_off = self.gate.failures() > 0;
        });
    }
}

/// Counts documents that memory had no room for.
pub(super) fn count_evicted(counts: &mut Counts, evicted: Evicted) {
    counts.dropped.add(Reason::MemoryInProgress, evicted.in_progress);
    counts.dropped.add(Reason::Memory, evicted.oldest);
}

/// New batches in a row that are sent while one waits that failed often.
const PREFERRED: u32 = 4;
/// The time between two searches for documents that are too old.
const EXPIRY: Duration = Duration::from_secs(5);
const HEARTBEAT: Duration = Duration::from_secs(60);
/// The shortest wait.
const TICK: Duration = Duration::from_millis(1);
