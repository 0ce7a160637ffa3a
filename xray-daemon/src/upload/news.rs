//! The engine's notes as lines of the log, each no more often than a person can read.
//!
//! A failure that passes is of no interest; one that lasts is a line at its start, one a minute, and one at its end.

use std::time::Duration;

use super::note::Note;
use crate::counters::Counters;

/// The lines that were written already.
#[derive(Debug, Default)]
pub(super) struct News {
    failing: bool,
    denied: Option<Denial>,
    next_failure: Duration,
    next_spool: Duration,
    window: Duration,
    in_window: u32,
    left_out: u64,
}

impl News {
    /// Writes notes to the log.
    pub(super) fn write(&mut self, notes: Vec<Note>, now: Duration, counters: &Counters) {
        if now >= self.window {
            if self.left_out > 0 {
                log::error!("{} more documents were refused by X-Ray", self.left_out);
            }
            (self.window, self.in_window, self.left_out) = (now + WINDOW, 0, 0);
        }
        for note in notes {
            match note {
                Note::Sent { documents, unprocessed } => {
                    log::info!(
                        "Sent batch of {documents} segments but had {unprocessed} Unprocessed segments"
                    );
                }
                Note::Rejected { trace_id, id, bytes, why } => self.rejected(trace_id, id, bytes, &why),
                Note::Bisected { documents, why } => {
                    log::debug!("A document of {documents} is at fault, sending them in halves: {why}");
                }
                Note::Denied { why } => self.denied(&why),
                Note::Failed { documents, failures, why } => {
                    self.failed(documents, failures, &why, now, counters);
                }
                Note::Recovered => self.recovered(),
                Note::SpoolFailed { why } => {
                    if now >= self.next_spool {
                        log::error!("The spool failed: {why}");
                        self.next_spool = now + REPEAT;
                    }
                }
            }
        }
    }

    fn rejected(&mut self, trace_id: Option<String>, id: Option<String>, bytes: Option<usize>, why: &str) {
        self.in_window += 1;
        if self.in_window > IN_WINDOW {
            self.left_out += 1;
            return;
        }
        let trace_id = trace_id.as_deref().unwrap_or("unknown");
        let id = id.as_deref().unwrap_or("unknown");
        let size = bytes.map(|bytes| format!(" ({bytes} bytes)")).unwrap_or_default();
        log::error!("Unprocessed trace {trace_id}, segment: {id}{size}: {why}");
    }

    fn denied(&mut self, why: &str) {
        let denial = Denial::of(why);
        if self.denied.replace(denial) == Some(denial) {
            return;
        }
        match denial {
            Denial::NoCredentials => log::warn!("Nothing is sent without credentials. Documents are kept."),
            Denial::NoPermission => log::error!(
                "X-Ray denies PutTraceSegments: {why}. The daemon's role needs xray:PutTraceSegments, which the \
                 managed policy AWSXRayDaemonWriteAccess grants. Documents are kept, and X-Ray is asked again."
            ),
            Denial::BadCredentials => log::error!(
                "X-Ray does not accept the credentials: {why}. Documents are kept, and X-Ray is asked again."
            ),
        }
    }

    fn failed(&mut self, documents: usize, failures: u32, why: &str, now: Duration, counters: &Counters) {
        if failures < LASTING || now < self.next_failure {
            return log::debug!("Sending {documents} segments failed, and will be repeated: {why}");
        }
        self.next_failure = now + REPEAT;
        self.failing = true;
        if self.denied.is_some() {
            return;
        }
        let counts = counters.snapshot();
        let waiting = counts.held + counts.spooled;
        log::warn!("Sending segment batches fails, and is repeated: {why}. {waiting} documents wait.");
    }

    fn recovered(&mut self) {
        if self.failing || self.denied.is_some() {
            log::info!("Sending segment batches succeeds again");
        }
        (self.failing, self.denied, self.next_failure) = (false, None, Duration::ZERO);
    }
}

/// The reason why calls are denied, as far as the advice differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Denial {
    NoCredentials,
    NoPermission,
    BadCredentials,
}

impl Denial {
    fn of(why: &str) -> Self {
        const PERMISSION: [&str; 4] =
            ["AccessDenied", "UnauthorizedOperation", "NotAuthorized", "status 403"];
        if why.starts_with("no credentials") {
            Self::NoCredentials
        } else if PERMISSION.iter().any(|word| why.starts_with(word)) {
            Self::NoPermission
        } else {
            Self::BadCredentials
        }
    }
}

/// Failures in a row that are worth a line.
const LASTING: u32 = 2;
/// The least time between two lines on the same.
const REPEAT: Duration = Duration::from_secs(60);
/// Refused documents that are named, in each window.
const IN_WINDOW: u32 = 20;
const WINDOW: Duration = Duration::from_secs(10);
