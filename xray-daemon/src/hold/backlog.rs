//! Everything that waits in memory: documents that were never sent, and batches that failed.
//!
//! The backlog is the one place where documents give way to others. Those in progress go first, since a complete
//! document follows; then the oldest goes, be it in a queue or in a batch. `upload` decides what is sent when.

use std::time::Duration;

use super::batch::Batch;
use super::queue::Queue;

/// Documents and batches that wait, within a limit of bytes.
#[derive(Debug)]
pub struct Backlog {
    complete: Queue,
    in_progress: Queue,
    failed: Vec<Failed>,
    failed_documents: usize,
    failed_charge: usize,
    limit: usize,
}

/// A batch that waits for another try.
#[derive(Debug)]
struct Failed {
    batch: Batch,
    attempts: Attempts,
}

/// The history of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attempts {
    /// Failed calls.
    pub count: u32,
    /// The time at which the last of them failed.
    pub last: Duration,
    /// No call before this.
    pub not_before: Duration,
}

/// Documents that gave way to others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evicted {
    /// Documents in progress.
    pub in_progress: u64,
    /// The oldest complete ones, or the new one if nothing else could give way.
    pub oldest: u64,
}

/// The batch that is the next to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    /// A new batch, cut from the queues.
    New,
    /// A batch that failed before, by its number.
    Failed(usize),
}

impl Backlog {
    /// A backlog that takes at most `limit` bytes of memory.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        // Large enough that little is left over at its end, small enough that many fit.
        let block_size = (limit / 64).clamp(64 << 10, 256 << 10);
        Self {
            complete: Queue::new(block_size),
            in_progress: Queue::new(block_size),
            failed: Vec::new(),
            failed_documents: 0,
            failed_charge: 0,
            limit,
        }
    }

    /// Documents, those of failed batches included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.queued() + self.failed_documents
    }

    /// Returns whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Documents in the queues.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.complete.len() + self.in_progress.len()
    }

    /// Bytes of the documents in the queues.
    #[must_use]
    pub fn queued_bytes(&self) -> usize {
        self.complete.bytes() + self.in_progress.bytes()
    }

    /// Bytes of memory that everything takes.
    #[must_use]
    pub fn charge(&self) -> usize {
        self.complete.charge() + self.in_progress.charge() + self.failed_charge
    }

    /// The most bytes of memory that everything may take.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Returns when the oldest document of the queues was received.
    #[must_use]
    pub fn oldest_queued(&self) -> Option<Duration> {
        let (complete, in_progress) = (self.complete.front(), self.in_progress.front());
        complete.into_iter().chain(in_progress).map(|(_, received)| received).min()
    }

    /// Returns when the oldest document of all was received.
    #[must_use]
    pub fn oldest(&self) -> Option<Duration> {
        self.oldest_queued().into_iter().chain(self.failed.iter().map(|failed| failed.batch.oldest())).min()
    }

    /// Takes a document, and makes room for it if need be.
    pub fn push(&mut self, document: &[u8], in_progress: bool, now: Duration) -> Evicted {
        let mut evicted = Evicted::default();
        loop {
            let queue = if in_progress { &mut self.in_progress } else { &mut self.complete };
            let cost = queue.cost(document.len());
            if self.charge() + cost <= self.limit {
                let queue = if in_progress { &mut self.in_progress } else { &mut self.complete };
                queue.push(document, now);
                return evicted;
            }
            if !self.evict(&mut evicted) {
                evicted.oldest += 1;
                return evicted;
            }
        }
    }

    /// Takes a batch back that failed, and makes room for it if need be.
    pub fn put_back(&mut self, batch: Batch, attempts: Attempts) -> Evicted {
        self.put_back_unbounded(batch, attempts);
        let mut evicted = Evicted::default();
        while self.charge() > self.limit && self.evict(&mut evicted) {}
        evicted
    }

    /// Takes a batch back, and lets nothing give way: for the end, when nothing else comes in.
    pub fn put_back_unbounded(&mut self, batch: Batch, attempts: Attempts) {
        self.failed_documents += batch.len();
        self.failed_charge += batch.charge();
        self.failed.push(Failed { batch, attempts });
    }

    /// Throws away the one that matters least. Returns whether there was one.
    fn evict(&mut self, evicted: &mut Evicted) -> bool {
        if self.in_progress.pop() {
            evicted.in_progress += 1;
            return true;
        }
        let queued = self.complete.front().map(|(_, received)| received);
        let failed = self.failed.iter().enumerate().min_by_key(|(_, failed)| failed.batch.oldest());
        match (queued, failed) {
            (Some(queued), Some((_, failed))) if queued < failed.batch.oldest() => {}
            (_, Some((number, _))) => {
                evicted.oldest += self.remove(number).0.len() as u64;
                return true;
            }
            (None, None) => return false,
            (Some(_), None) => {}
        }
        evicted.oldest += 1;
        self.complete.pop()
    }

    /// Throws away what was received before `limit`, and returns how many documents this was.
    pub fn expire(&mut self, limit: Duration) -> u64 {
        let mut expired = 0;
        for queue in [&mut self.complete, &mut self.in_progress] {
            while queue.front().is_some_and(|(_, received)| received < limit) {
                queue.pop();
                expired += 1;
            }
        }
        while let Some(number) = self.failed.iter().position(|failed| failed.batch.oldest() < limit) {
            expired += self.remove(number).0.len() as u64;
        }
        expired
    }

    /// Returns the failed batch to be sent next, of those that `may` be sent.
    ///
    /// One that failed less often comes first, then an older one. With it, its rank, which is 0 for a batch that didn't
    /// fail often, and when its oldest document was received.
    pub fn best_failed(&self, may: impl Fn(&Attempts, &Batch) -> bool) -> Option<(Selection, u32, Duration)> {
        let candidates =
            self.failed.iter().enumerate().filter(|(_, failed)| may(&failed.attempts, &failed.batch));
        candidates
            .map(|(number, failed)| {
                (Selection::Failed(number), failed.attempts.count / PATIENCE, failed.batch.oldest())
            })
            .min_by_key(|&(_, rank, oldest)| (rank, oldest))
    }

    /// The failed batches' attempts.
    pub fn attempts(&mut self) -> impl Iterator<Item = &mut Attempts> {
        self.failed.iter_mut().map(|failed| &mut failed.attempts)
    }

    /// Takes a batch out: of at most `documents` and a body of at most `bytes` if it is a new one.
    pub fn take(
        &mut self,
        selection: Selection,
        documents: usize,
        bytes: usize,
    ) -> Option<(Batch, Attempts)> {
        match selection {
            Selection::Failed(number) => (number < self.failed.len()).then(|| self.remove(number)),
            Selection::New => self.cut(documents, bytes).map(|batch| (batch, Attempts::default())),
        }
    }

    fn remove(&mut self, number: usize) -> (Batch, Attempts) {
        let Failed { batch, attempts } = self.failed.swap_remove(number);
        self.failed_documents -= batch.len();
        self.failed_charge -= batch.charge();
        (batch, attempts)
    }

    fn cut(&mut self, documents: usize, bytes: usize) -> Option<Batch> {
        let expected = self.queued_bytes() / self.queued().max(1) * documents.min(self.queued());
        let mut builder = Batch::with_capacity(expected.min(bytes));
        while builder.len() < documents {
            let (complete, in_progress) = (self.complete.front(), self.in_progress.front());
            let ((document, received), from_complete) = match (complete, in_progress) {
                (Some(complete), Some(in_progress)) if in_progress.1 <= complete.1 => (in_progress, false),
                (Some(complete), _) => (complete, true),
                (None, Some(in_progress)) => (in_progress, false),
                (None, None) => break,
            };
            if !builder.add(document, received, bytes) {
                break;
            }
            if from_complete {
                self.complete.pop()
            } else {
                self.in_progress.pop()
            };
        }
        (builder.len() > 0).then(|| builder.build())
    }

    /// Takes out the oldest batch of all, failed or new.
    pub fn take_oldest(&mut self, documents: usize, bytes: usize) -> Option<Batch> {
        let failed = self.failed.iter().enumerate().min_by_key(|(_, failed)| failed.batch.oldest());
        match (failed, self.oldest_queued()) {
            (Some((_, failed)), Some(queued)) if queued < failed.batch.oldest() => self.cut(documents, bytes),
            (Some((number, _)), _) => Some(self.remove(number).0),
            (None, _) => self.cut(documents, bytes),
        }
    }
}

/// The failures that put a batch behind those that failed less.
///
/// An outage fails them all; a batch that only X-Ray can't digest must not keep the others waiting.
const PATIENCE: u32 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    const KB: usize = 1 << 10;

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn documents(batch: &Batch) -> Vec<String> {
        (0..batch.len()).map(|number| batch.document(number)).collect()
    }

    fn cut(backlog: &mut Backlog) -> Batch {
        backlog.take(Selection::New, 50, usize::MAX).unwrap().0
    }

    #[test]
    fn a_batch_is_cut_in_order_of_arrival_from_both_queues() {
        let mut backlog = Backlog::new(1 << 20);
        for n in 0..60 {
            backlog.push(n.to_string().as_bytes(), n % 3 == 0, at(n));
        }
        let expected: Vec<String> = (0..50).map(|n| n.to_string()).collect();
        assert_eq!(documents(&cut(&mut backlog)), expected);
        assert_eq!((backlog.queued(), backlog.oldest()), (10, Some(at(50))));
    }

    #[test]
    fn documents_in_progress_give_way_first_then_the_oldest() {
        let mut backlog = Backlog::new(256 * KB);
        let big = vec![b'x'; 60 * KB];
        // Blocks of 64 KB, each for one document: three fit.
        assert_eq!(backlog.push(&big, false, at(1)), Evicted::default());
        assert_eq!(backlog.push(&big, true, at(2)), Evicted::default());
        assert_eq!(backlog.push(&big, false, at(3)), Evicted::default());
        assert_eq!(backlog.push(&big, false, at(4)), Evicted { in_progress: 1, oldest: 0 });
        assert_eq!(backlog.push(&big, false, at(5)), Evicted { in_progress: 0, oldest: 1 });
        assert_eq!((backlog.len(), backlog.oldest()), (3, Some(at(3))));
        assert!(backlog.charge() <= backlog.limit());
    }

    #[test]
    fn a_failed_batch_gives_way_when_it_is_the_oldest() {
        let mut backlog = Backlog::new(250 * KB);
        let big = vec![b'x'; 60 * KB];
        backlog.push(&big, false, at(1));
        let batch = cut(&mut backlog);
        assert_eq!(backlog.put_back(batch, Attempts { count: 1, ..Attempts::default() }), Evicted::default());
        backlog.push(&big, false, at(2));
        backlog.push(&big, false, at(3));
        assert_eq!(backlog.push(&big, false, at(4)), Evicted { in_progress: 0, oldest: 1 });
        assert_eq!((backlog.len(), backlog.oldest()), (3, Some(at(2))));
    }

    #[test]
    fn a_document_larger_than_everything_is_not_taken() {
        let mut backlog = Backlog::new(10 * KB);
        assert_eq!(backlog.push(&[b'x'; 100], false, at(1)), Evicted { in_progress: 0, oldest: 1 });
        assert!(backlog.is_empty());
    }

    #[test]
    fn what_is_too_old_goes_whatever_its_place() {
        let mut backlog = Backlog::new(1 << 20);
        backlog.push(b"old", false, at(1));
        let batch = cut(&mut backlog);
        backlog.put_back(batch, Attempts::default());
        backlog.push(b"old", false, at(2));
        backlog.push(b"old", true, at(3));
        backlog.push(b"new", false, at(10));
        assert_eq!((backlog.expire(at(10)), backlog.len()), (3, 1));
    }

    #[test]
    fn a_batch_that_failed_often_waits_behind_the_others() {
        let mut backlog = Backlog::new(1 << 20);
        for (name, count) in [("often", 6), ("twice", 2), ("once", 1)] {
            backlog.push(name.as_bytes(), false, at(name.len() as u64));
            let batch = cut(&mut backlog);
            backlog.put_back(batch, Attempts { count, ..Attempts::default() });
        }
        let mut order = Vec::new();
        while let Some((selection, ..)) = backlog.best_failed(|_, _| true) {
            order.extend(documents(&backlog.take(selection, 50, usize::MAX).unwrap().0));
        }
        assert_eq!(order, ["once", "twice", "often"]);
        assert_eq!((backlog.charge(), backlog.len()), (0, 0));
    }

    #[test]
    fn the_oldest_batch_is_taken_from_wherever_it_is() {
        let mut backlog = Backlog::new(1 << 20);
        backlog.push(b"second", false, at(2));
        let batch = cut(&mut backlog);
        backlog.put_back(batch, Attempts::default());
        backlog.push(b"third", false, at(3));
        assert_eq!(documents(&backlog.take_oldest(50, usize::MAX).unwrap()), ["second"]);
        assert_eq!(documents(&backlog.take_oldest(50, usize::MAX).unwrap()), ["third"]);
        assert!(backlog.take_oldest(50, usize::MAX).is_none());
    }
}
