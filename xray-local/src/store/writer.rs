//! The thread that writes: gathers jobs into batches and commits each batch as one transaction.
//!
//! A batch ends at once when a job in it has an asker who waits, and otherwise [`BATCH`] after its first datagram.

use std::sync::{Arc, RwLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{broadcast, mpsc};

use super::jobs::{Job, Matcher, Report, Stored};
use super::{Options, StoreError};

/// How long a datagram waits for others at most, before they are committed together.
pub const BATCH: Duration = Duration::from_millis(200);

/// What the writer's thread owns.
pub(super) struct Writer {
    connection: Connection,
    _options: Options,
    _tail: broadcast::Sender<Stored>,
    _matcher: Arc<RwLock<Option<Arc<dyn Matcher>>>>,
}

impl Writer {
    pub(super) fn new(
        connection: Connection,
        options: Options,
        tail: broadcast::Sender<Stored>,
        matcher: Arc<RwLock<Option<Arc<dyn Matcher>>>>,
    ) -> Self {
        Self { connection, _options: options, _tail: tail, _matcher: matcher }
    }

    /// Runs a batch. Returns whether it was the last one.
    fn batch(&mut self, jobs: &mut Vec<Job>) -> bool {
        let mut last = false;
        let mut reports: Vec<(bool, Report)> = Vec::new();
        let begun = self.connection.execute_batch("BEGIN IMMEDIATE");
        for job in jobs.drain(..) {
            match job {
                Job::Close => last = true,
                Job::Offer(_) | Job::Put(..) => {}
                Job::Write(change) => {
                    let _ = self.connection.execute_batch("SAVEPOINT change");
                    let (succeeded, report) = change(&self.connection);
                    let end = if succeeded { "RELEASE change" } else { "ROLLBACK TO change; RELEASE change" };
                    let _ = self.connection.execute_batch(end);
                    reports.push((succeeded, report));
                }
            }
        }
        let committed =
            begun.and_then(|()| self.connection.execute_batch("COMMIT")).map_err(StoreError::from);
        if committed.is_err() {
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        for (succeeded, report) in reports {
            report(if succeeded { committed.clone() } else { Ok(()) });
        }
        last
    }
}

/// Starts the thread.
pub(super) fn start(
    mut writer: Writer,
    mut queue: mpsc::UnboundedReceiver<Job>,
) -> std::io::Result<JoinHandle<()>> {
    thread::Builder::new().name("xray-local-writer".to_owned()).spawn(move || {
        let mut jobs = Vec::new();
        while let Some(job) = queue.blocking_recv() {
            jobs.push(job);
            while let Ok(job) = queue.try_recv() {
                jobs.push(job);
            }
            if writer.batch(&mut jobs) {
                break;
            }
        }
    })
}
