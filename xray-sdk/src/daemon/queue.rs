//! [`QueuedEmitter`]: documents wait in memory and leave from a thread of their own, many in one system call.
//!
//! This file is the contract with whoever emits and the knobs. Below it, `arena` is the memory where documents wait,
//! made of `block`s; `sender` is the thread, `bell` how it sleeps and is woken; `run` says which documents go out
//! together, `pace` when. Sockets, addresses and what a send's errors mean are the same as for the emitter without
//! a queue: the line in `udp`.

mod arena;
mod bell;
mod block;
mod guard;
mod pace;
mod run;
mod sender;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use self::arena::{Arena, Push};
use self::bell::Bell;
pub use self::guard::QueueGuard;
use self::sender::Sender;
use super::udp::{Line, Surroundings, System};
use super::{DaemonAddress, EmitError, Emitter, EmitterStats, Packet};

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
    shared: Arc<Shared>,
}

impl QueuedEmitter {
    /// Starts the thread that sends to the UDP endpoint of `address`. It ends with the guard.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(address: &DaemonAddress) -> io::Result<(Self, QueueGuard)> {
        Self::builder().start(address)
    }

    /// Starts a queue of which something is not the default.
    pub fn builder() -> QueueBuilder {
        QueueBuilder { capacity: CAPACITY, receive_buffer: RECEIVE_BUFFER }
    }

    /// The address that packets go to at present; `None` while there is none.
    #[must_use]
    pub fn peer(&self) -> Option<SocketAddr> {
        self.shared.line.peer()
    }

    #[cold]
    fn refuse(&self, why: EmitError) -> EmitError {
        self.shared.line.counters().count(Err(why), 1, 0);
        why
    }
}

impl Emitter for QueuedEmitter {
    fn emit(&self, packet: &Packet) -> Result<(), EmitError> {
        let Shared { arena, bell, line, largest, .. } = &*self.shared;
        let bytes = packet.as_bytes();
        if bytes.len() > largest.load(Ordering::Relaxed) {
            return Err(self.refuse(EmitError::TooLarge));
        }
        match arena.push(bytes) {
            Push::Taken => bell.after_push(),
            Push::Sealed => {
                bell.after_push();
                if arena.fill() >= CUT_NAP {
                    bell.cut_nap();
                }
            }
            Push::Full => return Err(self.refuse(EmitError::Full)),
            Push::Closed => return line.emit(bytes),
        }
        Ok(())
    }

    /// Waits until all that was taken before is in the kernel, or lost and counted.
    fn flush(&self, timeout: Duration) -> bool {
        self.shared.bell.flush(timeout)
    }

    /// Opens a fresh socket to the same address, and looks a host name up again. What is queued stays queued.
    fn reopen(&self) {
        self.shared.largest.store(LARGEST, Ordering::Relaxed);
        self.shared.line.reopen();
    }

    fn stats(&self) -> EmitterStats {
        // In this order, so that a packet that passes meanwhile is not seen leaving before it came.
        let finished = self.shared.finished.load(Ordering::Relaxed);
        let queued = self.shared.arena.taken().saturating_sub(finished);
        EmitterStats { queued, ..self.shared.line.counters().snapshot() }
    }
}

impl fmt::Debug for QueuedEmitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueuedEmitter").field("queue", &self.shared).finish()
    }
}

/// Settings of a [`QueuedEmitter`].
#[derive(Clone, Debug)]
#[must_use]
pub struct QueueBuilder {
    capacity: usize,
    receive_buffer: usize,
}

impl QueueBuilder {
    /// Bounds the memory in which packets wait, in bytes; 256 KiB at least. It is allocated as it is needed, and
    /// freed when nothing comes for a while. Defaults to 4 MiB.
    pub fn capacity(mut self, bytes: usize) -> Self {
        self.capacity = bytes;
        self
    }

    /// Says how large the daemon's receive buffer is, in bytes, as its kernel counts them: `net.core.rmem_default`
    /// on its machine. More is sent at once, and in total, where it is larger. Defaults to 212,992, which is Linux's
    /// own default.
    pub fn receive_buffer(mut self, bytes: usize) -> Self {
        self.receive_buffer = bytes;
        self
    }

    /// Starts the thread that sends to the UDP endpoint of `address`. It ends with the guard.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(self, address: &DaemonAddress) -> io::Result<(QueuedEmitter, QueueGuard)> {
        self.start_in(address, Arc::new(System::new()))
    }

    fn start_in(
        self,
        address: &DaemonAddress,
        surroundings: Arc<dyn Surroundings>,
    ) -> io::Result<(QueuedEmitter, QueueGuard)> {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let shared = Arc::new(Shared {
            arena: Arena::new(self.capacity, threads),
            bell: Bell::default(),
            line: Line::new(address, surroundings),
            largest: AtomicUsize::new(LARGEST),
            finished: AtomicU64::new(0),
        });
        let sender = Sender::new(Arc::clone(&shared), self.receive_buffer);
        let thread = thread::Builder::new().name("xray-sender".to_owned()).spawn(|| sender.work())?;
        shared.bell.introduce(thread.thread().clone());
        Ok((QueuedEmitter { shared: Arc::clone(&shared) }, QueueGuard::new(shared, thread)))
    }
}

/// What emitters, the guard and the sender have in common.
struct Shared {
    arena: Arena,
    bell: Bell,
    line: Arc<Line>,
    /// The largest datagram that is known to be possible.
    largest: AtomicUsize,
    /// Packets that left the queue, sent or lost.
    finished: AtomicU64,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("peer", &self.line.peer()).finish_non_exhaustive()
    }
}

/// Some 6,500 documents of 600 bytes: what 600,000 spans a second, five in each, leave behind in 50 ms, and what the
/// sender carries away in a third of a second.
const CAPACITY: usize = 4 << 20;

/// `net.core.rmem_default` of Linux on 64-bit machines: 256 small datagrams, by its own counting.
const RECEIVE_BUFFER: usize = 212_992;

/// The largest UDP/IPv4 payload: 65,535 less the headers of IP and UDP.
const LARGEST: usize = 65_535 - 20 - 8;

/// A queue that is a quarter full, in 1,024ths, does not wait for the end of the sender's nap. At each full block
/// before that, waking it would cost more than it gains: the pace sets in after two of them anyway.
const CUT_NAP: u32 = 256;

#[cfg(test)]
mod tests;
