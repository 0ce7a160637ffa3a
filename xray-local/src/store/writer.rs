//! The thread that writes: gathers jobs into batches and commits each batch as one transaction.
//!
//! A batch ends at once when a job in it has an asker who waits, and otherwise [`BATCH`] after its first datagram.
//! A batch that can't be committed is undone as a whole: its askers get the error, its datagrams are counted as lost.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::counters::{self, Counts};
use super::job::{Change, Incoming, Job, Report, Stored, Verdicts};
use super::live::Live;
use super::problems::{Harm, Problems, Trouble, excerpt};
use super::retention::{self, Retention};
use super::traces::{Taken, Traces};
use super::{Options, StoreError};
use crate::ingest;
use crate::model::{Refused, now};

/// Longest time that a datagram waits for others, before they are committed together.
pub const BATCH: Duration = Duration::from_millis(200);

/// Bytes of documents at which a batch ends early.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// Documents that are read at once. All parts of a larger batch together would leave the processor's caches before
/// their rows are written.
const CHUNK: usize = 4_096;

/// Time between two searches for old traces.
const HOUSEKEEPING: Duration = Duration::from_secs(1);

/// Time that one round of deletions takes at most, while others wait.
const ROUND: Duration = Duration::from_millis(100);

/// State of the writer's thread.
pub(super) struct Writer {
    connection: Connection,
    traces: Traces,
    problems: Problems,
    retention: Retention,
    saved: Counts,
    live: Arc<Live>,
    last_round: Instant,
    more_to_delete: bool,
}

/// Documents of one asker, or of none: how many, and where the answer goes.
struct Asker(usize, Option<oneshot::Sender<Result<Verdicts, StoreError>>>);

/// A batch, sorted by kind.
#[derive(Default)]
struct Batch {
    documents: Vec<Incoming>,
    askers: Vec<Asker>,
    changes: Vec<Change>,
    last: bool,
}

impl Writer {
    pub(super) fn new(connection: Connection, options: &Options, live: Arc<Live>) -> Self {
        Self {
            connection,
            traces: Traces::new(options.limits),
            problems: Problems::default(),
            retention: Retention::new(options.keep, options.max_size),
            saved: Counts::default(),
            live,
            last_round: Instant::now(),
            more_to_delete: false,
        }
    }

    fn run(mut self, queue: &Receiver<Job>) {
        loop {
            let batch = self.gather(queue);
            let last = batch.last;
            self.commit(batch);
            if last {
                break;
            }
            self.keep_house();
        }
        // Everything in the one file, for those who copy it; readers that are still open may prevent that.
        let _ = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }

    /// Waits for jobs, for [`HOUSEKEEPING`] at most.
    fn gather(&mut self, queue: &Receiver<Job>) -> Batch {
        let mut batch = Batch::default();
        let wait = if self.more_to_delete { Duration::ZERO } else { HOUSEKEEPING };
        let mut deadline = Instant::now() + wait;
        let (mut bytes, mut begun) = (0, false);
        loop {
            let rest = deadline.saturating_duration_since(Instant::now());
            match queue.recv_timeout(rest) {
                Ok(job) => {
                    if !begun {
                        (begun, deadline) = (true, Instant::now() + BATCH);
                    }
                    if self.sort(job, &mut batch, &mut bytes) {
                        // An asker waits: what is queued already comes along, nothing else.
                        deadline = Instant::now();
                    }
                    if bytes >= BATCH_BYTES || batch.last {
                        return batch;
                    }
                }
                Err(RecvTimeoutError::Timeout) => return batch,
                Err(RecvTimeoutError::Disconnected) => {
                    batch.last = true;
                    return batch;
                }
            }
        }
    }

    /// Returns whether an asker waits for the job.
    fn sort(&mut self, job: Job, batch: &mut Batch, bytes: &mut usize) -> bool {
        match job {
            Job::Offer(incoming) => {
                *bytes += incoming.bytes.len();
                batch.documents.push(incoming);
                match batch.askers.last_mut() {
                    Some(Asker(count, None)) => *count += 1,
                    _ => batch.askers.push(Asker(1, None)),
                }
                false
            }
            Job::Put(documents, sender) => {
                *bytes += documents.iter().map(|document| document.bytes.len()).sum::<usize>();
                batch.askers.push(Asker(documents.len(), Some(sender)));
                batch.documents.extend(documents);
                true
            }
            Job::Write(change) => {
                batch.changes.push(change);
                true
            }
            Job::Trouble(trouble) => {
                self.problems.add(*trouble);
                false
            }
            Job::Refusal(trouble) => {
                self.live.refusals.fetch_sub(1, Ordering::Relaxed);
                self.problems.add(*trouble);
                false
            }
            Job::Close => {
                batch.last = true;
                true
            }
        }
    }

    fn commit(&mut self, batch: Batch) {
        let Batch { documents, askers, changes, .. } = batch;
        let mut reports: Vec<(bool, Report)> = Vec::new();
        let outcome = self.transaction(&documents, changes, &mut reports);
        let count = documents.len() as u64;
        self.live
            .queued
            .fetch_sub(documents.iter().map(|document| document.bytes.len()).sum(), Ordering::Relaxed);
        let counters = &self.live.counters;
        let (verdicts, stored, due) = match outcome {
            Ok(taken) => {
                let refused = taken.verdicts.iter().flatten().count() as u64;
                counters.refused.fetch_add(refused, Ordering::Relaxed);
                counters.repeated.fetch_add(taken.repeated, Ordering::Relaxed);
                counters.stored.fetch_add(count - refused - taken.repeated, Ordering::Relaxed);
                (Ok(taken.verdicts), taken.stored, taken.due)
            }
            Err(err) => {
                counters.lost.fetch_add(count, Ordering::Relaxed);
                (Err(err), Vec::new(), Vec::new())
            }
        };
        self.answer(askers, reports, &verdicts);
        if let Ok(verdicts) = verdicts {
            self.live.check(documents, &verdicts, &due);
        }
        stored.into_iter().for_each(|stored| self.announce(stored));
    }

    /// Everything of a batch in one transaction, and its commit.
    fn transaction(
        &mut self,
        documents: &[Incoming],
        changes: Vec<Change>,
        reports: &mut Vec<(bool, Report)>,
    ) -> Result<Taken, StoreError> {
        let counts = self.live.counters.snapshot();
        if documents.is_empty() && changes.is_empty() && self.problems.is_empty() && counts == self.saved {
            return Ok(Taken::default());
        }
        let begun = self.connection.execute_batch("BEGIN IMMEDIATE");
        for change in changes {
            reports.push(self.change(change, begun.as_ref().err()));
        }
        let outcome = begun.and_then(|()| {
            let taken = self.take(documents)?;
            self.traces.finish(&self.connection)?;
            self.problems.save(&self.connection)?;
            counters::save(&self.connection, &self.saved, &counts)?;
            self.connection.execute_batch("COMMIT")?;
            self.saved = counts;
            Ok(taken)
        });
        outcome.map_err(|err| {
            // SQLite may have undone the transaction itself; then there is nothing to undo.
            let _ = self.connection.execute_batch("ROLLBACK");
            self.traces.forget();
            self.problems.forget();
            StoreError::from(err)
        })
    }

    /// Runs a change, and undoes it if it fails. Outside of a transaction it does not run.
    fn change(&self, change: Change, failed: Option<&rusqlite::Error>) -> (bool, Report) {
        if let Some(err) = failed {
            return change(Err(StoreError::from_sqlite(err)));
        }
        if self.connection.is_autocommit() {
            return change(Err(StoreError::Full));
        }
        let _ = self.connection.execute_batch("SAVEPOINT change");
        let (succeeded, report) = change(Ok(&self.connection));
        let end = if succeeded { "RELEASE change" } else { "ROLLBACK TO change; RELEASE change" };
        let ended = self.connection.execute_batch(end).is_ok();
        (succeeded && ended, report)
    }

    fn take(&mut self, documents: &[Incoming]) -> rusqlite::Result<Taken> {
        // After an error such as a full disk, SQLite undoes the transaction on its own. What came next would be
        // committed row by row.
        if self.connection.is_autocommit() {
            return Err(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL),
                None,
            ));
        }
        let matcher = self.live.matcher.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut taken = Taken::default();
        for chunk in documents.chunks(CHUNK) {
            taken.append(self.traces.take(&self.connection, chunk, matcher.as_deref())?);
        }
        for (document, refused) in documents.iter().zip(&taken.verdicts) {
            if let Some(refused) = refused {
                self.problems.add(trouble(document, refused));
            }
        }
        Ok(taken)
    }

    fn answer(
        &self,
        askers: Vec<Asker>,
        reports: Vec<(bool, Report)>,
        verdicts: &Result<Verdicts, StoreError>,
    ) {
        let mut at = 0;
        for Asker(count, sender) in askers {
            if let Some(sender) = sender {
                let own = verdicts.as_ref().map(|all| all[at..at + count].to_vec()).map_err(Clone::clone);
                let _ = sender.send(own);
            }
            at += count;
        }
        for (succeeded, report) in reports {
            report(match verdicts {
                Err(err) if succeeded => Err(err.clone()),
                _ => Ok(()),
            });
        }
    }

    fn announce(&self, stored: Stored) {
        // An error means that the tail has no reader.
        let _ = self.live.tail.send(stored);
    }

    /// Deletes what is too old or too much.
    fn keep_house(&mut self) {
        let begun = Instant::now();
        if !self.more_to_delete && begun.duration_since(self.last_round) < HOUSEKEEPING {
            return;
        }
        self.last_round = begun;
        self.more_to_delete = true;
        while self.more_to_delete && begun.elapsed() < ROUND {
            let step = self.connection.execute_batch("BEGIN IMMEDIATE").and_then(|()| {
                let more = self.retention.step(&self.connection, &mut self.traces, now())?;
                self.connection.execute_batch("COMMIT")?;
                Ok(more)
            });
            self.more_to_delete = step.unwrap_or_else(|_| {
                let _ = self.connection.execute_batch("ROLLBACK");
                self.traces.forget();
                false
            });
        }
        // A failure leaves free pages in the file, which is no harm.
        let _ = retention::shrink(&self.connection);
    }
}

fn trouble(document: &Incoming, refused: &Refused) -> Trouble {
    Trouble {
        at: document.received,
        door: document.door,
        harm: Harm::Refused,
        code: refused.code.to_owned(),
        path: String::new(),
        message: refused.message.clone(),
        service: ingest::service_name(&document.bytes).unwrap_or_default(),
        trace: ingest::trace_id(&document.bytes),
        excerpt: excerpt(&document.bytes),
    }
}

/// Starts the thread.
pub(super) fn start(writer: Writer, queue: Receiver<Job>) -> std::io::Result<JoinHandle<()>> {
    thread::Builder::new().name("xray-local-writer".to_owned()).spawn(move || writer.run(&queue))
}
