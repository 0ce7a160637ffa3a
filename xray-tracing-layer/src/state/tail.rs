//! Traces that are held back until the tail decision at their end, and the bounds on what they hold.
//!
//! The state of such a trace is in the record of its root. What is held is documents, ready to be sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use xray_sdk::document::internal::Body;
use xray_sdk::sampling::TailRule;

/// The rule of the tail decision, and what all traces hold.
#[derive(Debug)]
pub(crate) struct Tail {
    pub(crate) rule: TailRule,
    /// The number of traces that are held back.
    open: AtomicU32,
    /// The bytes of their documents, apart from those of the roots.
    bytes: AtomicUsize,
}

/// A trace that is held back.
#[derive(Debug)]
pub(crate) struct HeldTrace {
    tail: Arc<Tail>,
    documents: Vec<HeldDocument>,
    bytes: usize,
    /// Set if a span inside failed.
    pub(crate) failed: bool,
    /// The decision, once it is made.
    pub(crate) kept: Option<bool>,
    /// The documents that there was no room for: spans of their own, and spans inside of these.
    pub(crate) lost: (u64, u64),
}

/// A document that waits.
#[derive(Debug)]
pub(crate) struct HeldDocument {
    pub(crate) document: Vec<u8>,
    /// The number of spans folded into it.
    pub(crate) folded: u32,
    /// Set if the document is that of a span which was not folded.
    pub(crate) is_own: bool,
}

impl Tail {
    pub(crate) fn new(rule: TailRule) -> Arc<Self> {
        Arc::new(Self { rule, open: AtomicU32::new(0), bytes: AtomicUsize::new(0) })
    }

    /// Returns the state of a new trace, unless there are too many.
    pub(crate) fn begin(self: &Arc<Self>) -> Option<Box<HeldTrace>> {
        if self.open.fetch_add(1, Relaxed) >= self.rule.max_open_traces() {
            self.open.fetch_sub(1, Relaxed);
            return None;
        }
        Some(Box::new(HeldTrace {
            tail: Arc::clone(self),
            documents: Vec::new(),
            bytes: 0,
            failed: false,
            kept: None,
            lost: (0, 0),
        }))
    }

    /// Returns whether a span of this body makes its trace a failed one.
    pub(crate) fn is_failure(&self, body: &Body) -> bool {
        body.is_faulty() || self.rule.counts_client_errors() && body.has_failed()
    }
}

impl HeldTrace {
    /// Adds a document, or counts it as lost if there is no room.
    pub(crate) fn push(&mut self, held: HeldDocument) {
        let size = held.document.len();
        if self.tail.bytes.fetch_add(size, Relaxed) + size > self.tail.rule.max_held_bytes() {
            self.tail.bytes.fetch_sub(size, Relaxed);
            self.lost.0 += u64::from(held.is_own);
            self.lost.1 += u64::from(held.folded);
            return;
        }
        self.bytes += size;
        self.documents.push(held);
    }

    /// Returns the number of spans in the documents.
    pub(crate) fn spans(&self) -> u64 {
        self.documents.iter().map(|held| u64::from(held.folded) + u64::from(held.is_own)).sum()
    }

    /// Takes all documents out.
    pub(crate) fn take_documents(&mut self) -> Vec<HeldDocument> {
        self.tail.bytes.fetch_sub(std::mem::take(&mut self.bytes), Relaxed);
        std::mem::take(&mut self.documents)
    }

    /// Decides, at the end of the root: returns why the trace is kept, if it is.
    pub(crate) fn decide(&mut self, root: &Body, duration: Duration) -> Option<&'static str> {
        let reason = if self.failed || self.tail.is_failure(root) {
            Some("failed")
        } else {
            self.tail.rule.is_slow(duration).then_some("slow")
        };
        self.kept = Some(reason.is_some());
        reason
    }
}

/// Gives back what the trace took of the bounds.
impl Drop for HeldTrace {
    fn drop(&mut self) {
        self.take_documents();
        self.tail.open.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use xray_sdk::sampling::{KeepSlowAndFailed, Never, Sampler};

    fn document(size: usize) -> HeldDocument {
        HeldDocument { document: vec![b'x'; size], folded: 2, is_own: true }
    }

    #[test]
    fn what_a_trace_takes_is_bounded_and_given_back() {
        let rule = KeepSlowAndFailed::new(Never).max_open_traces(2).max_held_bytes(100).tail().unwrap();
        let tail = Tail::new(rule);
        let (mut one, two) = (tail.begin().unwrap(), tail.begin());
        assert!(two.is_some() && tail.begin().is_none(), "two are open");
        one.push(document(60));
        one.push(document(60));
        one.push(document(40));
        assert_eq!((one.lost, one.bytes), ((1, 2), 100));
        assert_eq!(one.take_documents().len(), 2);
        one.push(document(100));
        assert_eq!(one.lost, (1, 2));
        drop(one);
        assert!(tail.begin().is_some());
        assert_eq!(tail.bytes.load(Relaxed), 0);
    }
}
