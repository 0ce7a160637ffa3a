//! [`QueueBuilder`]: settings of a queue, and its start.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::thread;

use super::arena::Arena;
use super::emitter::QueuedEmitter;
use super::guard::QueueGuard;
use super::sender::Sender;
use super::shared::Shared;
use super::wakeup::Wakeup;
use crate::daemon::DaemonAddress;
use crate::daemon::batch::LARGEST;
use crate::daemon::udp::{Connection, RealSystem, System};

impl QueuedEmitter {
    /// Starts a queue with default settings. Its thread sends to the UDP endpoint of `address` and ends with the guard.
    ///
    /// # Errors
    /// Returns the system's error if no thread can be spawned.
    pub fn start(address: &DaemonAddress) -> io::Result<(Self, QueueGuard)> {
        Self::builder().start(address)
    }

    /// Returns a builder for a queue with other settings.
    ///
    /// ```
    /// # use xray_sdk::{DaemonAddress, QueuedEmitter};
    /// # fn main() -> std::io::Result<()> {
    /// let builder = QueuedEmitter::builder().capacity(1 << 20);
    /// let (emitter, _guard) = builder.start(&DaemonAddress::default())?;
    /// # Ok(())
    /// # }
    /// ```
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
    /// Sets how many bytes of packets may wait, at least 256 KiB. Defaults to 4 MiB.
    ///
    /// Memory is allocated on demand, and freed when the queue is idle.
    pub fn capacity(mut self, bytes: usize) -> Self {
        self.capacity = bytes;
        self
    }

    /// Sets the size of the daemon's receive buffer in bytes: `net.core.rmem_default` on its machine.
    ///
    /// A larger buffer permits larger bursts and a higher rate, and makes a document cheaper for the thread that sends.
    /// Defaults to 212,992, the default of Linux.
    pub fn receive_buffer(mut self, bytes: usize) -> Self {
        self.receive_buffer = bytes;
        self
    }

    /// Starts the queue. Its thread sends to the UDP endpoint of `address` and ends with the guard.
    ///
    /// # Errors
    /// Returns the system's error if no thread can be spawned.
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
            process: std::process::id(),
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
