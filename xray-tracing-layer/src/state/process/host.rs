//! The host of the process: any machine, or a Lambda function.
//!
//! In a Lambda function the platform sends the segment and freezes the process between invocations. [`Host`] says
//! whether that is so, and keeps what has to be known of the function. Nothing here is locked on other machines.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use xray_sdk::TraceHeader;

use crate::state::record::{LambdaState, SpanRecord};

/// The source of an invocation's header when no span carries it.
pub(crate) type LambdaHeader = fn() -> Option<TraceHeader>;

/// The host of the process, as far as it changes what happens to spans.
#[derive(Debug)]
pub(crate) enum Host {
    /// Any machine: local roots are segments.
    Machine,
    /// A Lambda function, whose segment the platform sends: local roots are subsegments of it.
    Lambda(LambdaFunction),
}

impl Host {
    #[inline]
    pub(crate) fn is_lambda(&self) -> bool {
        matches!(self, Self::Lambda(_))
    }

    #[inline]
    pub(crate) fn lambda(&self) -> Option<&LambdaFunction> {
        match self {
            Self::Lambda(function) => Some(function),
            Self::Machine => None,
        }
    }

    /// Called when a span opens and its record is complete.
    #[inline]
    pub(crate) fn on_open(&self, record: &mut SpanRecord, id: u64) {
        if let Self::Lambda(function) = self {
            record.lambda_state = LambdaState::default();
            if record.context.role.is_recorded() {
                function.note_open(id);
            }
        }
    }

    /// Called when a span opens inside of `parent`.
    #[inline]
    pub(crate) fn on_child_open(&self, parent: &mut SpanRecord) {
        if self.is_lambda() {
            parent.lambda_state.open_children += 1;
        }
    }

    /// Called when a span closes, or is not recorded after all.
    #[inline]
    pub(crate) fn on_close(&self, id: u64) {
        if let Self::Lambda(function) = self {
            function.note_closed(id);
        }
    }
}

#[derive(Debug)]
pub(crate) struct LambdaFunction {
    header: LambdaHeader,
    /// Set if the first invocation may run in a copy of the process that built the layer.
    snapshot: AtomicBool,
    /// The registry's ids of the recorded spans that are open. Few, and the last one usually closes first.
    open: Mutex<Vec<u64>>,
}

impl LambdaFunction {
    pub(crate) fn new(header: LambdaHeader, from_snapshot: bool) -> Self {
        Self { header, snapshot: AtomicBool::new(from_snapshot), open: Mutex::default() }
    }

    /// Returns the header of the current invocation, if there can be only one.
    pub(crate) fn header(&self) -> Option<TraceHeader> {
        (self.header)()
    }

    /// Returns `true` once: at the first invocation after SnapStart restored the process.
    pub(crate) fn take_snapshot_restored(&self) -> bool {
        self.snapshot.load(Relaxed) && self.snapshot.swap(false, Relaxed)
    }

    #[inline(never)]
    fn note_open(&self, id: u64) {
        self.spans().push(id);
    }

    #[inline(never)]
    fn note_closed(&self, id: u64) {
        let mut open = self.spans();
        if let Some(at) = open.iter().rposition(|open| *open == id) {
            open.remove(at);
        }
    }

    /// Returns the recorded spans that are open, parents before their children.
    pub(crate) fn open(&self) -> Vec<u64> {
        self.spans().clone()
    }

    fn spans(&self) -> MutexGuard<'_, Vec<u64>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
