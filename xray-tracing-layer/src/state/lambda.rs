//! What the layer knows of being a Lambda function: where an invocation's header comes from, whether the process
//! may have been copied from a snapshot, and which spans are open.
//!
//! Nothing here exists, and nothing here is locked, in a process that is no function. Placement is `open`'s,
//! leaving is `leave`'s.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use xray_sdk::TraceHeader;

/// Where the header of an invocation comes from when no span carries it.
pub(crate) type LambdaHeader = fn() -> Option<TraceHeader>;

#[derive(Debug)]
pub(crate) struct LambdaFunction {
    header: LambdaHeader,
    /// Whether the first invocation may run in a copy of the process that the layer was built in.
    snapshot: AtomicBool,
    /// The registry's ids of the recorded spans that are open. Few, and the last one usually closes first.
    open: Mutex<Vec<u64>>,
}

impl LambdaFunction {
    pub(crate) fn new(header: LambdaHeader, from_snapshot: bool) -> Self {
        Self { header, snapshot: AtomicBool::new(from_snapshot), open: Mutex::default() }
    }

    /// The header of the invocation that the process is in, if only one can be.
    pub(crate) fn header(&self) -> Option<TraceHeader> {
        (self.header)()
    }

    /// Whether this is the first invocation after a snapshot was restored. Answers `true` once.
    pub(crate) fn take_snapshot_restored(&self) -> bool {
        self.snapshot.load(Relaxed) && self.snapshot.swap(false, Relaxed)
    }

    pub(crate) fn note_open(&self, id: u64) {
        self.spans().push(id);
    }

    pub(crate) fn note_closed(&self, id: u64) {
        let mut open = self.spans();
        if let Some(at) = open.iter().rposition(|open| *open == id) {
            open.remove(at);
        }
    }

    /// The recorded spans that are open now, parents before their children.
    pub(crate) fn open(&self) -> Vec<u64> {
        self.spans().clone()
    }

    fn spans(&self) -> MutexGuard<'_, Vec<u64>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
