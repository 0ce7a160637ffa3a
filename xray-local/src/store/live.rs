//! State that the handle, the writer's thread and the checker's share.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, RwLock};

use tokio::sync::broadcast;

use super::counters::Counters;
use super::job::{Incoming, Matcher, Stored};
use crate::model::Refused;

/// The way to the checker's thread.
pub(super) type ToChecker = SyncSender<Vec<Incoming>>;

/// State that the handle and the threads share.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) counters: Counters,
    /// Bytes of documents that wait for the writer.
    pub(super) queued: AtomicUsize,
    /// Refused datagrams that wait for the writer.
    pub(super) refusals: AtomicUsize,
    pub(super) tail: broadcast::Sender<Stored>,
    pub(super) matcher: RwLock<Option<Arc<dyn Matcher>>>,
    pub(super) to_checker: ToChecker,
}

impl Live {
    /// Hands accepted documents to the checker, or counts them if it is busy.
    pub(super) fn check(&self, documents: Vec<Incoming>, verdicts: &[Option<Refused>]) {
        let accepted: Vec<Incoming> = documents
            .into_iter()
            .zip(verdicts)
            .filter_map(|(document, refused)| refused.is_none().then_some(document))
            .collect();
        let count = accepted.len() as u64;
        if count > 0 && self.to_checker.try_send(accepted).is_err() {
            self.counters.unchecked.fetch_add(count, Ordering::Relaxed);
        }
    }
}
