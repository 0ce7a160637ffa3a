//! The full checker, beside the intake: what X-Ray would drop of documents that it accepts.
//!
//! A check takes ten times what accepting a document takes. So documents are looked at on a thread of their own, a
//! share of them: at most [`PER_MINUTE`] of each service and minute, which [`Quota`] counts during the intake, and at
//! most a tenth of a core. The others are counted.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use xray_sdk::local::{Severity, check};

use super::job::{Incoming, Job};
use super::live::{Live, ToChecker};
use super::problems::{Harm, Trouble, excerpt};
use crate::ingest;
use crate::model::Time;

/// Documents of one service that are checked in a minute.
const PER_MINUTE: u32 = 100;

/// Time for checks in each [`WINDOW`].
const BUDGET: Duration = Duration::from_millis(100);
const WINDOW: Duration = Duration::from_secs(1);

/// Batches that may wait.
const WAITING: usize = 4;

/// Services whose documents are counted.
const SERVICES: usize = 10_000;

/// Makes the way and its end.
pub(super) fn channel() -> (ToChecker, Receiver<Vec<Incoming>>) {
    sync_channel(WAITING)
}

/// Starts the thread, which ends with the last sender.
pub(super) fn start(
    batches: Receiver<Vec<Incoming>>,
    live: Weak<Live>,
    jobs: std::sync::mpsc::Sender<Job>,
) -> std::io::Result<()> {
    let run = move || {
        let mut checker = Checker::default();
        for batch in batches {
            let Some(live) = live.upgrade() else { break };
            for document in batch {
                checker.look_at(&document, &live, &jobs);
            }
        }
    };
    thread::Builder::new().name("xray-local-checker".to_owned()).spawn(run).map(drop)
}

/// Count of the documents of each service in the present minute.
#[derive(Debug, Default)]
pub(super) struct Quota {
    minute: i64,
    services: HashMap<String, u32>,
}

impl Quota {
    /// Counts a document. Returns whether the checker is to look at it.
    pub(super) fn take(&mut self, service: &str, received: Time) -> bool {
        let minute = received.epoch_minute();
        if minute != self.minute || self.services.len() >= SERVICES {
            self.minute = minute;
            self.services.clear();
        }
        match self.services.get_mut(service) {
            Some(count) => {
                *count += 1;
                *count <= PER_MINUTE
            }
            None => {
                self.services.insert(service.to_owned(), 1);
                true
            }
        }
    }
}

struct Checker {
    window: Instant,
    spent: Duration,
}

impl Default for Checker {
    fn default() -> Self {
        Self { window: Instant::now(), spent: Duration::ZERO }
    }
}

impl Checker {
    fn look_at(&mut self, document: &Incoming, live: &Arc<Live>, jobs: &std::sync::mpsc::Sender<Job>) {
        let begun = Instant::now();
        if begun.duration_since(self.window) >= WINDOW {
            (self.window, self.spent) = (begun, Duration::ZERO);
        }
        if self.spent >= BUDGET {
            live.counters.unchecked.fetch_add(1, Ordering::Relaxed);
            return;
        }
        for problem in check(&document.bytes) {
            let harm = if problem.severity == Severity::Reject { Harm::Refused } else { Harm::Dropped };
            let trouble = Trouble {
                at: document.received,
                door: document.door,
                // X-Ray took the document, by the rules of the intake; another receiver may not.
                harm: if harm == Harm::Refused { Harm::Remark } else { harm },
                code: String::new(),
                path: problem.path,
                message: problem.message,
                service: ingest::service_name(&document.bytes).unwrap_or_default(),
                trace: ingest::trace_id(&document.bytes),
                excerpt: excerpt(&document.bytes),
            };
            let _ = jobs.send(Job::Trouble(Box::new(trouble)));
        }
        live.counters.checked.fetch_add(1, Ordering::Relaxed);
        self.spent += begun.elapsed();
    }
}
