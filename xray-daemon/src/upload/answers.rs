//! The engine's answers: what becomes of a batch whose call has ended.
//!
//! Accepted documents are done. Documents at fault are looked for by halves. Everything else is a reason to wait, for
//! all calls or for the one batch that fails alone.

use std::time::Duration;

use super::engine::{Engine, count_evicted};
use super::flights::{Flight, Writing};
use super::gate::{Opening, backoff};
use super::note::Note;
use super::settings::Now;
use super::verdict::{Unprocessed, Verdict};
use crate::hold::{Attempts, Batch, Evicted, Identity};

impl Engine {
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

    /// There was no answer.
    ///
    /// A batch that fails while others succeed has a document that X-Ray can't digest: it alone waits, ever longer,
    /// and is cut in halves.
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
            let failures = spool.failed(key, now.monotonic, self.last_success);
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
