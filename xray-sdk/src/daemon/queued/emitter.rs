//! The contract with whoever emits: a copy into memory, and what became of it.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::arena::Push;
use super::batch::LARGEST;
use super::shared::Shared;
use crate::daemon::{EmitError, Emitter, EmitterStats, Packet};

/// Queues packets, and sends them to the daemon from a thread of its own. For programs that close thousands of root
/// spans a second; below that, [`UdpEmitter`](crate::UdpEmitter) is as good and promises more.
///
/// Taking a packet is a copy into memory: no lock that others wait for, no allocation once the queue has been as full
/// before, and no system call, unless every place in memory is held by a thread that was interrupted there: then this
/// one makes way a few times before it gives up. The queue's thread gathers for ten milliseconds at most, lets the
/// kernel cut runs of packets into datagrams where it can (Linux), and leaves the daemon time to read, so that a burst
/// does not overflow its receive buffer. It parks after a tenth of a second without packets; the one that comes next wakes it.
///
/// What it promises less:
/// - [`emit`](Emitter::emit) is `Ok` when the packet is queued. It reaches the kernel a little later, so a process
///   that crashes, is killed or calls [`std::process::exit`] loses what is queued.
/// - A packet that finds the queue full is lost whole, and counted as [`full`](EmitterStats::full).
/// - Not for Lambda: there the process is frozen as soon as it has answered, with the queue as it is. What it holds
///   leaves with a later invocation, or never.
/// - After a `fork` the child has no such thread. Its packets are queued and not sent; let it make its own emitter.
///
/// Packets of one thread leave in order.
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
    /// The address that packets go to at present; `None` while there is none.
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
                if arena.fill() >= CUT_NAP {
                    wakeup.cut_nap();
                }
            }
            Push::Full => return Err(self.refuse(EmitError::Full)),
            Push::Closed => return connection.emit(bytes),
        }
        Ok(())
    }

    /// Waits until all that was taken before is in the kernel, or lost and counted.
    fn flush(&self, timeout: Duration) -> bool {
        self.shared.wakeup.flush(timeout)
    }

    /// Opens a fresh socket to the same address, and looks a host name up again. What is queued stays queued.
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
}

impl fmt::Debug for QueuedEmitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueuedEmitter").field("queue", &self.shared).finish()
    }
}

/// A queue that is a quarter full, in 1,024ths, does not wait for the end of the sender's nap. At each full block
/// before that, waking it would cost more than it gains: the pace sets in after two of them anyway.
const CUT_NAP: u32 = 256;
