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
use super::gate::{Gate, Opening, backoff};
use super::limit::Limit;
use super::note::Note;
use super::settings::{BATCH_DOCUMENTS, LINGER, Now, Settings};
use super::spooling::{DiskJob, DiskState};
use super::verdict::{Unprocessed, Verdict};
use crate::hold::{Attempts, Backlog, Batch, Evicted, Identity, Selection};
use crate::report::counters::{Counters, Counts, Reason};
use crate::spool::Index;

/// What the driver is to do.
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
    limit: Limit,
    allowance: Allowance,
    pub(super) spool: Option<Index>,
    pub(super) disk: DiskState,
    pub(super) loaded: Option<Loaded>,
    /// Halves of a batch of the spool, which replace the entry of this number.
    pub(super) replacing: Vec<(u64, Vec<Writing>)>,
    pub(super) counters: Arc<Counters>,
    pub(super) rng: fastrand::Rng,
    pub(super) notes: Vec<Note>,
    last_success: Option<Duration>,
    /// Nothing more is received.
    pub(super) draining: bool,
    /// Nothing more is sent: what is left goes to disk.
    pub(super) giving_up: bool,
    /// A push wakes the driver when so many documents are queued.
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

    /// Says what the driver is to do now.
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

    /// What a person should hear; each note is returned once.
    pub fn take_notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    /// How long the oldest document has been in memory and waits.
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

    /// Whether a new batch is full, or has waited long enough.
    fn new_is_ready(&self, now: Duration, probing: bool) -> bool {
        let Some(oldest) = self.backlog.oldest_queued() else { return false };
        self.backlog.queued() >= BATCH_DOCUMENTS
            || self.backlog.queued_bytes() >= self.settings.batch_bytes()
            || oldest + LINGER <= now
            || probing
            || self.draining
    }

    /// A call has ended. Answers to calls that are not under way are ignored.
    pub fn finished(&mut self, id: u64, verdict: Verdict, now: Now) {
        let full = self.flights.calls() >= self.limit.calls();
        let Some(flight) = self.flights.end(id) else { return };
        self.flights.subtract(&flight.batch);
        let started = flight.started;
        let answered = matches!(verdict, Verdict::Accepted(_) | Verdict::Invalid(_));
        if answered {
            if self.gate.succeeded(started) {
                self.notes.push(Note::Recovered);
                for attempts in self.backlog.attempts().filter(|attempts| attempts.count <= FEW) {
                    attempts.not_before = now.monotonic;
                }
            }
            self.last_success = Some(now.monotonic);
            self.counters.update(|counts| counts.denied = false);
        }
        match verdict {
            Verdict::Accepted(unprocessed) => {
                self.limit.succeeded(now.monotonic.saturating_sub(started), full);
                self.allowance.earn();
                self.accepted(flight, unprocessed, now);
            }
            Verdict::Invalid(why) => self.invalid(flight, why, now),
            Verdict::Throttled(after, why) => {
                self.limit.failed(started, now.monotonic);
                self.failed(flight, after, CAP, why, now);
            }
            Verdict::Unavailable(after, why) => self.unavailable(flight, after, why, now),
            Verdict::Expired(why) | Verdict::Skewed(_, why) => self.failed(flight, None, CAP, why, now),
            Verdict::Denied(why) => {
                self.counters.update(|counts| counts.denied = true);
                self.notes.push(Note::Denied { why: why.clone() });
                self.failed(flight, None, CAP_DENIED, why, now);
            }
        }
        self.commit(|_| {});
    }

    fn accepted(&mut self, flight: Flight, unprocessed: Vec<Unprocessed>, now: Now) {
        let batch = &flight.batch;
        let refused = unprocessed.len().min(batch.len());
        let (mut again, mut rejected) = (Vec::new(), Vec::new());
        for item in unprocessed.into_iter().take(refused) {
            let number = item.id.as_deref().and_then(|id| find(batch, id));
            match number.filter(|number| item.may_be_repeated() && !again.contains(number)) {
                Some(number) => again.push(number),
                None => rejected.push((item, number)),
            }
        }
        if refused > 0 {
            self.notes.push(Note::Sent { documents: batch.len(), unprocessed: refused });
        }
        for (item, number) in &rejected {
            let why = format!(
                "{}: {}",
                item.error_code.as_deref().unwrap_or("no code"),
                item.message.as_deref().unwrap_or("no message")
            );
            let note = match number {
                Some(number) => rejection(batch, *number, why),
                None => Note::Rejected { trace_id: None, id: item.id.clone(), bytes: None, why },
            };
            self.notes.push(note);
        }
        if let (Some(key), Some(spool)) = (flight.key, &mut self.spool) {
            spool.remove(key);
        }
        let evicted = if again.is_empty() {
            Evicted::default()
        } else {
            let count = flight.attempts.count + 1;
            let wait = backoff(count, CAP, &mut self.rng);
            let attempts = Attempts { count, last: now.monotonic, not_before: now.monotonic + wait };
            self.backlog.put_back(batch.select(again.iter().copied()), attempts)
        };
        let sent = batch.len() - refused;
        self.commit(|counts| {
            counts.sent += sent as u64;
            counts.rejected_by_service += rejected.len() as u64;
            counts.last_success = Some(now.monotonic.as_secs());
            count_evicted(counts, evicted);
        });
    }

    /// A document of the batch is at fault, or all of them: halves are sent until each stands alone.
    fn invalid(&mut self, flight: Flight, why: String, now: Now) {
        let batch = flight.batch;
        if batch.len() == 1 {
            self.notes.push(rejection(&batch, 0, why));
            if let (Some(key), Some(spool)) = (flight.key, &mut self.spool) {
                spool.remove(key);
            }
            return self.commit(|counts| counts.rejected_by_service += 1);
        }
        self.notes.push(Note::Bisected { documents: batch.len(), why });
        match flight.key {
            Some(key) => self.replace(key, &batch),
            None => self.put_back(batch.halves(), Attempts { last: now.monotonic, ..Attempts::default() }),
        }
    }

    /// Halves go back to disk first, so that a crash finds either the whole or both.
    fn replace(&mut self, key: u64, batch: &Batch) {
        let Some(spool) = &mut self.spool else { return };
        let unix = spool.loaded(key).map_or(0, |stored| stored.unix);
        let halves = batch.halves().map(|batch| Writing { key: spool.next_key(), batch, unix });
        halves.iter().for_each(|half| self.flights.add(&half.batch));
        self.replacing.push((key, halves.into()));
    }

    /// There was no answer. A batch that fails while others succeed has a document that X-Ray can't digest: it alone
    /// waits, ever longer, and is cut in halves.
    fn unavailable(&mut self, flight: Flight, after: Option<Duration>, why: String, now: Now) {
        let attempts = flight.attempts;
        let alone = attempts.count >= ALONE
            && self.last_success.is_some_and(|last| last > attempts.last)
            && self.gate.opening(now.monotonic) == Opening::Open;
        if alone && flight.key.is_none() {
            let count = attempts.count + 1;
            let wait = backoff(count, CAP_ALONE, &mut self.rng);
            let attempts = Attempts { count, last: now.monotonic, not_before: now.monotonic + wait };
            self.notes.push(Note::Bisected { documents: flight.batch.len(), why });
            return match flight.batch.len() {
                1 => self.put_back([flight.batch], attempts),
                _ => self.put_back(flight.batch.halves(), attempts),
            };
        }
        self.limit.failed(flight.started, now.monotonic);
        self.failed(flight, after, CAP, why, now);
    }

    /// A call failed in a way that says nothing of its documents: all calls wait.
    fn failed(&mut self, flight: Flight, after: Option<Duration>, cap: Duration, why: String, now: Now) {
        let Flight { batch, mut attempts, started, key } = flight;
        self.gate.failed(started, now.monotonic, after, cap, &mut self.rng);
        self.notes.push(Note::Failed { documents: batch.len(), failures: self.gate.failures(), why });
        if let (Some(key), Some(spool)) = (key, &mut self.spool) {
            // The copy in memory is no longer needed.
            let failures = spool.rest(key);
            return spool.postpone(key, now.monotonic + backoff(failures, CAP_ALONE, &mut self.rng));
        }
        attempts.count += 1;
        attempts.last = now.monotonic;
        attempts.not_before = now.monotonic + backoff(attempts.count, cap, &mut self.rng);
        self.put_back([batch], attempts);
    }

    fn put_back(&mut self, batches: impl IntoIterator<Item = Batch>, attempts: Attempts) {
        let evicted: Vec<Evicted> =
            batches.into_iter().map(|batch| self.backlog.put_back(batch, attempts)).collect();
        self.commit(|counts| evicted.into_iter().for_each(|evicted| count_evicted(counts, evicted)));
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

    /// When to ask again if nothing else happens.
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

pub(super) fn count_evicted(counts: &mut Counts, evicted: Evicted) {
    counts.dropped.add(Reason::MemoryInProgress, evicted.in_progress);
    counts.dropped.add(Reason::Memory, evicted.oldest);
}

/// The number of the document with this id.
fn find(batch: &Batch, id: &str) -> Option<usize> {
    (0..batch.len()).find(|&number| {
        let document = batch.document(number);
        Identity::of(document.as_bytes()).is_some_and(|identity| identity.id.as_deref() == Some(id))
    })
}

fn rejection(batch: &Batch, number: usize, why: String) -> Note {
    let document = batch.document(number);
    let identity = Identity::of(document.as_bytes()).unwrap_or_default();
    Note::Rejected {
        trace_id: identity.trace_id.map(Into::into),
        id: identity.id.map(Into::into),
        bytes: Some(document.len()),
        why,
    }
}

/// The longest wait after a failure.
pub(super) const CAP: Duration = Duration::from_secs(10);
/// The longest wait while X-Ray refuses the credentials or the role, which only a person can cure.
const CAP_DENIED: Duration = Duration::from_secs(30);
/// The longest wait of a batch that fails alone.
const CAP_ALONE: Duration = Duration::from_secs(300);
/// Failures after which a batch may be said to fail alone.
const ALONE: u32 = 2;
/// Failures up to which a batch is sent again at once when X-Ray has recovered.
const FEW: u32 = 3;
/// New batches in a row that are sent while one waits that failed often.
const PREFERRED: u32 = 4;
/// How often documents that are too old are looked for.
const EXPIRY: Duration = Duration::from_secs(5);
const HEARTBEAT: Duration = Duration::from_secs(60);
/// The shortest wait.
const TICK: Duration = Duration::from_millis(1);
