//! The knobs of a queue, and its start.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::thread;

use super::arena::Arena;
use super::batch::LARGEST;
use super::emitter::QueuedEmitter;
use super::guard::QueueGuard;
use super::sender::Sender;
use super::shared::Shared;
use super::wakeup::Wakeup;
use crate::daemon::DaemonAddress;
use crate::daemon::udp::{Connection, RealSystem, System};

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
        self.start_in(address, Arc::new(RealSystem::new()))
    }

    pub(super) fn start_in(
        self,
        address: &DaemonAddress,
        system: Arc<dyn System>,
    ) -> io::Result<(QueuedEmitter, QueueGuard)> {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let shared = Arc::new(Shared {
            arena: Arena::new(self.capacity, threads),
            wakeup: Wakeup::default(),
            connection: Connection::new(address, system),
            largest: AtomicUsize::new(LARGEST),
            finished: AtomicU64::new(0),
        });
        let sender = Sender::new(Arc::clone(&shared), self.receive_buffer);
        let thread = thread::Builder::new().name("xray-sender".to_owned()).spawn(|| sender.work())?;
        shared.wakeup.introduce(thread.thread().clone());
        Ok((QueuedEmitter { shared: Arc::clone(&shared) }, QueueGuard::new(shared, thread)))
    }
}

/// Some 6,500 documents of 600 bytes: what 600,000 spans a second, five in each, leave behind in 50 ms, and what the
/// sender carries away in a third of a second.
const CAPACITY: usize = 4 << 20;

/// `net.core.rmem_default` of Linux on 64-bit machines: 256 small datagrams, by its own counting.
const RECEIVE_BUFFER: usize = 212_992;
