//! Documents of traces that were written lately, so that a trace that arrives in pieces is not read back each time.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::model::TraceKey;

/// Bytes of documents that are kept.
const KEPT: usize = 24 * 1024 * 1024;

/// Documents by trace, the latest traces only.
#[derive(Debug, Default)]
pub(super) struct Recent {
    documents: HashMap<TraceKey, Vec<Arc<[u8]>>>,
    order: VecDeque<(TraceKey, usize)>,
    bytes: usize,
}

impl Recent {
    /// Takes a trace's documents out, if they are there.
    pub(super) fn take(&mut self, key: TraceKey) -> Option<Vec<Arc<[u8]>>> {
        self.documents.remove(&key)
    }

    /// Keeps a trace's documents, and forgets older ones beyond the bound.
    pub(super) fn keep(&mut self, key: TraceKey, documents: Vec<Arc<[u8]>>) {
        let bytes = documents.iter().map(|document| document.len() + OVERHEAD).sum();
        self.documents.insert(key, documents);
        self.order.push_back((key, bytes));
        self.bytes += bytes;
        while self.bytes > KEPT {
            let Some((oldest, bytes)) = self.order.pop_front() else { break };
            self.bytes -= bytes;
            // A trace that was kept again since has a later entry, which keeps it.
            if !self.order.iter().take(LOOK_AHEAD).any(|(key, _)| *key == oldest) {
                self.documents.remove(&oldest);
            }
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Cost of an entry beside its bytes.
const OVERHEAD: usize = 64;

/// Entries among which a later one of the same trace is looked for; one that is farther is read from the file.
const LOOK_AHEAD: usize = 64;
