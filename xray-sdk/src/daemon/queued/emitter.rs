//! [`QueuedEmitter`]: a copy into memory on the caller's thread, and its counters.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::arena::Push;
use super::shared::Shared;
use crate::daemon::batch::LARGEST;
use crate::daemon::{EmitError, Emitter, EmitterProblem, EmitterStats, Packet};

/// Queues packets, and sends them to the daemon from a background thread.
///
/// Suits programs that close hundreds of root spans a second, or more. Below that rate,
/// [`UdpEmitter`](crate::UdpEmitter) costs as little and guarantees more.
///
/// The caller copies the packet into memory. The copy waits for no lock, does no system call, and allocates nothing once
/// the queue has been as full before. If every shard of the memory is locked by an interrupted thread, the caller yields
/// a few times and then drops the packet.
///
/// The background thread collects packets for a tenth of a second, or less when more come
/// ([`QueueBuilder::delay`](super::QueueBuilder::delay)). On Linux the thread sends many datagrams in one system
/// call, and paces itself, so that a burst does not overflow the daemon's receive buffer. After a second without packets
/// the thread parks, and the caller of the next one wakes it, with a system call.
///
/// Compared with `UdpEmitter`:
/// - [`emit`](Emitter::emit) returns `Ok` when the packet is queued. A process that crashes, is killed or calls
///   [`std::process::exit`] loses its queue.
/// - A packet that finds the queue full is lost, and counted as [`full`](EmitterStats::full).
/// - In Lambda, the process is frozen after its response, queue included. Use `UdpEmitter` there.
/// - After a `fork`, the child has no background thread. Create a new emitter in the child.
///
/// Packets of one thread are sent in order.
///
/// ```
/// use xray_sdk::{DaemonAddress, Emitter, Packet, QueuedEmitter};
///
/// # fn main() -> std::io::Result<()> {
/// let (emitter, _guard) = QueuedEmitter::start(&DaemonAddress::default())?;
/// let mut packet = Packet::new();
/// packet.start_document().put("{}");
/// emitter.emit(&packet).ok();
/// # Ok(())
/// # } // Here the guard is dropped: what is queued is sent, and the thread ends.
/// ```
#[derive(Clone)]
pub struct QueuedEmitter {
    pub(super) shared: Arc<Shared>,
}

impl QueuedEmitter {
    /// Returns the address that packets are sent to at present, or `None` while there is none.
    #[must_use]
    pub fn peer(&self) -> Option<SocketAddr> {
        self.shared.connection.peer()
    }

    #[cold]
    fn refuse(&self, why: EmitError) -> EmitError {
        self.shared.connection.counters().count(Err(why), 1, 0);
        why
    }
}

impl Emitter for QueuedEmitter {
    fn emit(&self, packet: &Packet) -> Result<(), EmitError> {
        let Shared { arena, wakeup, connection, largest, .. } = &*self.shared;
        let bytes = packet.as_bytes();
        if bytes.len() > largest.load(Ordering::Relaxed) {
            return Err(self.refuse(EmitError::TooLarge));
        }
        match arena.push(bytes) {
            Push::Taken => wakeup.after_push(),
            Push::Sealed => {
                wakeup.after_push();
                if arena.is_crowded() {
                    wakeup.cut_nap();
                }
            }
            Push::Full => {
                wakeup.cut_nap();
                return Err(self.refuse(EmitError::Full));
            }
            Push::Closed => return connection.emit(bytes),
        }
        Ok(())
    }

    /// Waits until each packet queued so far is in the kernel, or lost and counted.
    fn flush(&self, timeout: Duration) -> bool {
        self.shared.wakeup.flush(timeout)
    }

    /// Opens a new socket to the same address, and resolves a host name again. The queue is kept.
    fn reopen(&self) {
        self.shared.largest.store(LARGEST, Ordering::Relaxed);
        self.shared.connection.reopen();
    }

    fn stats(&self) -> EmitterStats {
        // In this order, so that a packet that passes meanwhile is not seen leaving before it came.
        let finished = self.shared.finished.load(Ordering::Relaxed);
        let queued = self.shared.arena.taken().saturating_sub(finished);
        EmitterStats { queued, ..self.shared.connection.counters().snapshot() }
    }

    fn problem(&self) -> Option<EmitterProblem> {
        let parent = self.shared.process;
        if parent != std::process::id() {
            return Some(EmitterProblem::NoThreadAfterFork { parent, queued: self.stats().queued });
        }
        self.shared.connection.problem()
    }
}

impl fmt::Debug for QueuedEmitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueuedEmitter").field("queue", &self.shared).finish()
    }
}
