//! [`QueueGuard`]: dropping it ends the queue.

use std::fmt;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use super::shared::Shared;

/// Ends the queue's thread on drop, after the queued packets are sent.
///
/// Sending takes at most two seconds. Packets left then are lost, and counted as
/// [`full`](crate::EmitterStats::full). Keep the guard until the end of `main`. Once the guard is dropped, the emitter
/// sends each document at once, as [`UdpEmitter`](crate::UdpEmitter) does.
#[must_use = "dropping the guard ends the queue: bind it to a name such as `_guard`"]
pub struct QueueGuard {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl QueueGuard {
    pub(super) fn new(shared: Arc<Shared>, thread: JoinHandle<()>) -> Self {
        Self { shared, thread: Some(thread) }
    }
}

impl Drop for QueueGuard {
    fn drop(&mut self) {
        let wakeup = &self.shared.wakeup;
        let ended = wakeup.stop(LAST_FLUSH) || wakeup.abandon(LAST_WORD);
        if let Some(thread) = self.thread.take().filter(|_| ended) {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for QueueGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueueGuard").field("queue", &self.shared).finish_non_exhaustive()
    }
}

/// A full queue of the default size is sent in less than half a second; containers are given ten or more to end.
const LAST_FLUSH: Duration = Duration::from_secs(2);

/// For counting what is lost.
const LAST_WORD: Duration = Duration::from_millis(200);
