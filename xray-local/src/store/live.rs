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
    /// Hands the documents that are due to the checker, or counts them if it is busy. The others are counted, too.
    pub(super) fn check(&self, documents: Vec<Incoming>, verdicts: &[Option<Refused>], due: &[bool]) {
        let accepted = verdicts.iter().filter(|verdict| verdict.is_none()).count();
        let due: Vec<Incoming> =
            documents.into_iter().zip(due).filter_map(|(document, due)| due.then_some(document)).collect();
        let mut unchecked = accepted.saturating_sub(due.len()) as u64;
        let count = due.len() as u64;
        if count > 0 && self.to_checker.try_send(due).is_err() {
            unchecked += count;
        }
        self.counters.unchecked.fetch_add(unchecked, Ordering::Relaxed);
    }
}
