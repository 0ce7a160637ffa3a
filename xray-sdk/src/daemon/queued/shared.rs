//! [`Shared`]: the state of one queue, held by emitters, the guard and the sender.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize};

use super::arena::Arena;
use super::wakeup::Wakeup;
use crate::daemon::udp::Connection;

/// The state of one queue.
pub(super) struct Shared {
    pub(super) arena: Arena,
    pub(super) wakeup: Wakeup,
    pub(super) connection: Arc<Connection>,
    /// The process in which the sender runs.
    pub(super) process: u32,
    /// The largest datagram that is known to be possible.
    pub(super) largest: AtomicUsize,
    /// Packets that left the queue, sent or lost.
    pub(super) finished: AtomicU64,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("peer", &self.connection.peer()).finish_non_exhaustive()
    }
}
