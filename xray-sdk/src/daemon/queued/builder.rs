//! [`QueueBuilder`]: settings of a queue, and its start.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::thread;
use std::time::Duration;

use super::arena::Arena;
use super::emitter::QueuedEmitter;
use super::guard::QueueGuard;
use super::sender::Sender;
use super::shared::Shared;
use super::wakeup::Wakeup;
use crate::daemon::DaemonAddress;
use crate::daemon::batch::LARGEST;
use crate::daemon::receive_buffer;
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
        QueueBuilder { capacity: CAPACITY, receive_buffer: receive_buffer::DEFAULT, delay: DELAY }
    }
}

/// Settings of a [`QueuedEmitter`].
///
/// ```
/// use std::time::Duration;
/// use xray_sdk::{DaemonAddress, QueuedEmitter};
///
/// let queue = QueuedEmitter::builder().capacity(16 << 20).delay(Duration::from_millis(20));
/// let (emitter, guard) = queue.start(&DaemonAddress::default())?;
/// // … the guard's drop sends what is queued
/// # drop((emitter, guard));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct QueueBuilder {
    capacity: usize,
    receive_buffer: usize,
    delay: Duration,
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
    /// On Linux, the kernel reports the size of a daemon's buffer at a loopback address, and how full it is. This setting
    /// counts elsewhere, and until the first burst. Defaults to 212,992, the default of Linux.
    pub fn receive_buffer(mut self, bytes: usize) -> Self {
        self.receive_buffer = bytes;
        self
    }

    /// Sets how long a packet may wait for others, so that they are sent together: from one millisecond to ten seconds.
    ///
    /// A longer delay makes a document cheaper where few come at a time. [`Emitter::flush`] and the end of the guard
    /// don't wait for it, nor does a queue that is a quarter full. A packet that is left over when others fill a system
    /// call may wait for twice as long. Defaults to 100 milliseconds.
    ///
    /// [`Emitter::flush`]: crate::Emitter::flush
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay.clamp(Duration::from_millis(1), Duration::from_secs(10));
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
        let sender = Sender::new(Arc::clone(&shared), self.receive_buffer, self.delay);
        let thread = thread::Builder::new().name("xray-sender".to_owned()).spawn(|| sender.work())?;
        shared.wakeup.introduce(thread.thread().clone());
        Ok((QueuedEmitter { shared: Arc::clone(&shared) }, QueueGuard::new(shared, thread)))
    }
}

/// Some 6,500 documents of 600 bytes: what 600,000 spans a second, five in each, leave behind in 50 ms, and what the
/// sender carries away in a third of a second.
const CAPACITY: usize = 4 << 20;

/// Makes a document that comes alone as cheap as one of a batch from some hundred a second on.
const DELAY: Duration = Duration::from_millis(100);
