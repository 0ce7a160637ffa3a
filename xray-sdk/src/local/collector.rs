//! The socket, the thread that empties it, and the wait for what arrives.
//!
//! The thread does nothing but move datagrams from the kernel into the inbox, so that a burst has the whole of the
//! socket's buffer; judging them waits until [`Collector::received`] is called. No protocol knowledge here.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::received::Received;
use super::trace::Trace;
use super::waiting::TracesMissing;
use crate::receive::{DatagramBuffer, ReceiveSocket};

/// Listens on UDP as the X-Ray daemon does, and keeps what it gets.
///
/// Point an SDK at [`daemon_address`](Self::daemon_address), wait for what it sends, and look at it:
///
/// ```
/// # use std::time::Duration;
/// # fn main() -> std::io::Result<()> {
/// let collector = xray_sdk::local::Collector::start()?;
/// // ... code under test sends to collector.daemon_address() ...
/// # let wait = Duration::ZERO;
/// collector.wait_for_documents(1, wait);
/// assert_eq!(collector.received().problems(), Vec::<String>::new());
/// # Ok(())
/// # }
/// ```
///
/// Dropping it stops its thread and closes its socket. UDP gives no guarantee even within a machine: a burst that is
/// larger than the socket's receive buffer loses datagrams. The collector asks for a buffer of
/// [`RECEIVE_BUFFER`](crate::receive::RECEIVE_BUFFER) bytes; with the buffer of AWS's daemon, 200 datagrams at once
/// are already too many.
#[derive(Debug)]
pub struct Collector {
    shared: Arc<Shared>,
    socket: Arc<ReceiveSocket>,
    address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Datagrams that are not judged yet. The receiving thread holds this lock for one push.
    inbox: Mutex<Vec<Vec<u8>>>,
    arrived: Condvar,
    /// Always locked before the inbox, so that datagrams enter it in order of arrival.
    received: Mutex<Received>,
    stopped: AtomicBool,
}

impl Collector {
    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// If the socket can't be opened.
    pub fn start() -> io::Result<Self> {
        Self::bind((Ipv4Addr::LOCALHOST, 0))
    }

    /// Listens on an address of choice, IPv4 or IPv6. Port 0 takes a free one; 2000 is the daemon's own.
    ///
    /// # Errors
    /// If the address can't be resolved or is taken, or the socket can't be set up.
    pub fn bind(addr: impl ToSocketAddrs) -> io::Result<Self> {
        let socket = Arc::new(ReceiveSocket::bind(addr)?);
        socket.set_read_timeout(Some(STOP_CHECK))?;
        let (address, shared, receiver) =
            (socket.local_addr()?, Arc::<Shared>::default(), Arc::clone(&socket));
        let thread = thread::Builder::new().name("xray-local-collector".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || shared.receive(&receiver)
        })?;
        Ok(Self { shared, socket, address, thread: Some(thread) })
    }

    /// The address it listens on, with the port it was given.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address in the form that `AWS_XRAY_DAEMON_ADDRESS` takes: `127.0.0.1:40123`, `[::1]:40123`.
    #[must_use]
    pub fn daemon_address(&self) -> String {
        reachable(self.address).to_string()
    }

    /// Waits until what was received satisfies `until`, for at most `timeout`; `false` when time ran out.
    ///
    /// `until` is asked at once, and again after each arrival.
    pub fn wait_for(&self, timeout: Duration, mut until: impl FnMut(&Received) -> bool) -> bool {
        let started = Instant::now();
        loop {
            if until(&self.received()) {
                return true;
            }
            let mut inbox = lock(&self.shared.inbox);
            while inbox.is_empty() {
                let Some(left) = timeout.checked_sub(started.elapsed()).filter(|left| !left.is_zero()) else {
                    return false;
                };
                inbox =
                    self.shared.arrived.wait_timeout(inbox, left).unwrap_or_else(PoisonError::into_inner).0;
            }
        }
    }

    /// Waits until at least `count` documents passed, for at most `timeout`; `false` when time ran out.
    ///
    /// A rejected document does not count: when this is `false`, [`Received::problems`] may say why.
    pub fn wait_for_documents(&self, count: usize, timeout: Duration) -> bool {
        self.wait_for(timeout, |received| received.documents().len() >= count)
    }

    /// Waits until at least `count` traces are complete, for at most `timeout`, and returns all that are.
    ///
    /// # Errors
    /// [`TracesMissing`] when time ran out; its message says what was received instead.
    pub fn wait_for_traces(&self, count: usize, timeout: Duration) -> Result<Vec<Trace>, TracesMissing> {
        self.wait_for(timeout, |received| received.complete_traces().len() >= count);
        let received = self.received();
        let traces = received.complete_traces();
        if traces.len() >= count { Ok(traces) } else { Err(TracesMissing::new(count, timeout, received)) }
    }

    /// Returns what was received since the last call, and forgets it.
    #[must_use]
    pub fn drain(&self) -> Received {
        let received = self.received();
        lock(&self.shared.received).forget();
        received
    }

    /// Keeps the newest `documents` documents and as many rejected datagrams from now on. Defaults to all of them.
    ///
    /// For a collector that lives as long as its process. [`Received::datagrams`] counts what is forgotten, too.
    pub fn keep_last(&self, documents: usize) {
        lock(&self.shared.received).keep_last(documents);
    }

    /// Returns what was received so far.
    #[must_use]
    pub fn received(&self) -> Received {
        let mut received = lock(&self.shared.received);
        let arrived = std::mem::take(&mut *lock(&self.shared.inbox));
        for datagram in arrived {
            received.add(datagram);
        }
        received.clone()
    }

    /// Forgets everything received so far. What is still under way in the kernel is not affected.
    pub fn clear(&self) {
        let mut received = lock(&self.shared.received);
        lock(&self.shared.inbox).clear();
        received.forget();
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Release);
        // Wakes the thread. Should it get lost, the thread looks again after its read timeout.
        let _ = self.socket.as_udp_socket().send_to(&[], reachable(self.address));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// Moves datagrams from the socket to the inbox until the collector is dropped.
    fn receive(&self, socket: &ReceiveSocket) {
        let mut buffer = DatagramBuffer::new();
        while !self.stopped.load(Ordering::Acquire) {
            match socket.recv(&mut buffer) {
                Ok(datagrams) => {
                    // An empty one only wakes this thread.
                    let datagrams = datagrams.filter(|datagram| !datagram.is_empty());
                    lock(&self.inbox).extend(datagrams.map(<[u8]>::to_vec));
                    self.arrived.notify_all();
                }
                // Windows reports here what became of answers we never sent.
                Err(err) if matches!(err.kind(), ErrorKind::ConnectionReset | ErrorKind::Interrupted) => {}
                Err(err) if matches!(err.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(_) => return,
            }
        }
    }
}

/// Returns how to reach a socket bound to `address` from this machine: one can bind to 0.0.0.0, but not send to it
/// everywhere.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// A panic of someone's `until` never happens under a lock, and the data are whole between any two statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The longest wait of a drop, should the datagram that wakes the thread get lost.
const STOP_CHECK: Duration = Duration::from_millis(200);
