//! The thread itself: receives, judges the header, hands over, and stops when it is asked to.
//!
//! A stop first empties what the kernel still has, since senders believe that it has arrived.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use xray_sdk::receive::{DatagramBuffer, Datagrams, ReceiveSocket, document};

use super::complaints::Complaints;
use crate::counters::{Counters, Heartbeat};
use crate::hold::is_in_progress;
use crate::upload::Uploads;

/// The receiving thread.
#[derive(Debug)]
pub struct Receiver {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

/// The end of the thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Everything that the kernel had was received.
    Empty,
    /// Datagrams came faster than they could be received, to the end.
    Busy,
}

#[derive(Debug)]
struct Shared {
    socket: ReceiveSocket,
    stop: AtomicBool,
    busy: AtomicBool,
    heartbeat: Arc<Heartbeat>,
    counters: Arc<Counters>,
    uploads: Uploads,
}

impl Receiver {
    /// Starts the thread on a socket.
    ///
    /// # Errors
    /// If the thread can't be started, or the socket can't be set up.
    pub fn start(
        socket: ReceiveSocket,
        uploads: Uploads,
        counters: Arc<Counters>,
        heartbeat: Arc<Heartbeat>,
    ) -> io::Result<Self> {
        socket.set_read_timeout(Some(BEAT))?;
        let (stop, busy) = (AtomicBool::new(false), AtomicBool::new(false));
        let shared = Arc::new(Shared { socket, stop, busy, heartbeat, counters, uploads });
        shared.count_kernel_drops();
        let thread = thread::Builder::new().name("receive".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || shared.run()
        })?;
        Ok(Self { shared, thread })
    }

    /// The address that the socket listens on.
    ///
    /// # Errors
    /// If the operating system can't say.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.shared.socket.local_addr()
    }

    /// Asks the kernel how many datagrams it dropped, and counts them.
    pub fn count_kernel_drops(&self) {
        self.shared.count_kernel_drops();
    }

    /// Empties the socket and ends the thread, and with it the socket.
    ///
    /// Blocks, for at most a little over a second.
    pub fn stop(self) -> Stopped {
        let Self { shared, thread } = self;
        shared.stop.store(true, Ordering::Release);
        if let Ok(address) = shared.socket.local_addr() {
            // Wakes the thread. Should it get lost, the thread looks again after its read timeout.
            let _ = shared.socket.as_udp_socket().send_to(&[], reachable(address));
        }
        let _ = thread.join();
        shared.count_kernel_drops();
        if shared.busy.load(Ordering::Acquire) { Stopped::Busy } else { Stopped::Empty }
    }
}

impl Shared {
    fn run(&self) {
        let mut buffer = DatagramBuffer::new();
        let mut complaints = Complaints::new();
        while !self.stop.load(Ordering::Acquire) {
            self.heartbeat.beat();
            match self.socket.recv(&mut buffer) {
                Ok(datagrams) => self.take_all(datagrams, &mut complaints),
                Err(err) if is_timeout(&err) => complaints.catch_up(),
                Err(err) if is_harmless(&err) => {}
                Err(err) => {
                    log::error!("daemon: net: err: {err}");
                    thread::sleep(AFTER_ERROR);
                }
            }
        }
        self.empty(&mut buffer, &mut complaints);
    }

    /// Receives what the kernel still has.
    fn empty(&self, buffer: &mut DatagramBuffer, complaints: &mut Complaints) {
        if self.socket.as_udp_socket().set_nonblocking(true).is_err() {
            return;
        }
        let started = Instant::now();
        loop {
            match self.socket.recv(buffer) {
                Ok(datagrams) => self.take_all(datagrams, complaints),
                Err(err) if is_timeout(&err) => return,
                Err(err) if is_harmless(&err) => {}
                Err(_) => return,
            }
            if started.elapsed() > EMPTYING {
                return self.busy.store(true, Ordering::Release);
            }
        }
    }

    fn take_all(&self, datagrams: Datagrams<'_>, complaints: &mut Complaints) {
        datagrams.for_each(|datagram| self.take(datagram, complaints));
    }

    fn take(&self, datagram: &[u8], complaints: &mut Complaints) {
        if datagram.is_empty() {
            return;
        }
        match document(datagram) {
            Ok(document) => self.uploads.push(document, is_in_progress(document), datagram.len()),
            Err(why) => {
                self.counters.update(|counts| {
                    counts.received += 1;
                    counts.received_bytes += datagram.len() as u64;
                    counts.rejected_header += 1;
                });
                complaints.add(datagram, why);
            }
        }
    }

    fn count_kernel_drops(&self) {
        let drops = self.socket.kernel_drops();
        self.counters.update(|counts| counts.kernel_drops = drops.or(counts.kernel_drops));
    }
}

fn is_timeout(err: &io::Error) -> bool {
    matches!(err.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// A signal; on Windows, what became of datagrams that this socket sent.
fn is_harmless(err: &io::Error) -> bool {
    matches!(err.kind(), ErrorKind::Interrupted | ErrorKind::ConnectionReset)
}

/// Returns where a socket bound to `address` can be reached from this machine.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// The time between two signs of life.
const BEAT: Duration = Duration::from_secs(1);
/// The longest that a socket is emptied at the end.
const EMPTYING: Duration = Duration::from_secs(1);
const AFTER_ERROR: Duration = Duration::from_millis(100);
