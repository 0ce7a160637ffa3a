//! One connected socket, and what its errors mean. The only place where the library opens a socket; when to open
//! one is decided above.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
#[cfg(feature = "queued-emitter")]
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, Ordering};

#[cfg(feature = "queued-emitter")]
use super::gauge::Gauge;
#[cfg(feature = "queued-emitter")]
use super::gso::Gso;
#[cfg(feature = "queued-emitter")]
use super::payload::Level;
use super::payload::{SendError, Transmit};
use super::system::System;

/// A socket that never blocks, connected to `peer`.
pub(super) struct Socket {
    socket: UdpSocket,
    peer: SocketAddr,
    /// The system's number of the latest error that broke the socket; 0 if none did.
    broken: AtomicI32,
    /// Opened by the first run; `None` inside where there can be none.
    #[cfg(feature = "queued-emitter")]
    gso: OnceLock<Option<Gso>>,
    /// Opened by the first question; `None` inside where there can be none.
    #[cfg(feature = "queued-emitter")]
    gauge: OnceLock<Option<Gauge>>,
}

impl Socket {
    pub(super) fn open(peer: SocketAddr) -> io::Result<Self> {
        Ok(Self {
            socket: connect(peer)?,
            peer,
            broken: AtomicI32::new(0),
            #[cfg(feature = "queued-emitter")]
            gso: OnceLock::new(),
            #[cfg(feature = "queued-emitter")]
            gauge: OnceLock::new(),
        })
    }

    pub(super) fn peer(&self) -> SocketAddr {
        self.peer
    }

    #[inline]
    pub(super) fn send(&self, transmit: Transmit<'_>, system: &dyn System) -> Result<(), SendError> {
        if transmit.is_run() {
            return self.send_gso(transmit, system);
        }
        #[cfg(test)]
        if let Some(err) = system.refusal(transmit.bytes) {
            return Err(self.meaning_of(&err));
        }
        self.socket.send(transmit.bytes).map(drop).map_err(|err| self.meaning_of(&err))
    }

    #[cold]
    fn meaning_of(&self, err: &io::Error) -> SendError {
        let meaning = SendError::from(err);
        if meaning == SendError::Broken {
            self.broken.store(err.raw_os_error().unwrap_or_default(), Ordering::Relaxed);
        }
        meaning
    }

    /// Returns the error that broke the socket.
    pub(super) fn broken_by(&self) -> Option<io::Error> {
        let code = self.broken.load(Ordering::Relaxed);
        (code != 0).then(|| io::Error::from_raw_os_error(code))
    }

    /// Returns whether the kernel has reported, since the last send, that a datagram met no listener. The next send
    /// does not report it again.
    pub(super) fn was_refused(&self) -> bool {
        let pending = self.socket.take_error().ok().flatten();
        pending.is_some_and(|err| matches!(SendError::from(&err), SendError::Refused { .. }))
    }

    #[cfg(feature = "queued-emitter")]
    fn send_gso(&self, transmit: Transmit<'_>, system: &dyn System) -> Result<(), SendError> {
        self.gso().map_or(Err(SendError::NoGso), |gso| gso.send(transmit, self.peer, system))
    }

    #[cfg(not(feature = "queued-emitter"))]
    fn send_gso(&self, _: Transmit<'_>, _: &dyn System) -> Result<(), SendError> {
        Err(SendError::NoGso)
    }

    #[cfg(feature = "queued-emitter")]
    pub(super) fn largest_in_run(&self) -> usize {
        self.gso().map_or(0, Gso::largest)
    }

    #[cfg(feature = "queued-emitter")]
    fn gso(&self) -> Option<&Gso> {
        self.gso.get_or_init(|| Gso::new(connect(self.peer).ok()?, self.peer)).as_ref()
    }

    /// Returns how full the receiver's buffer is, where the kernel says so.
    #[cfg(feature = "queued-emitter")]
    pub(super) fn receiver(&self) -> Option<Level> {
        let gauge = self.gauge.get_or_init(|| Gauge::new(self.socket.local_addr().ok()?, self.peer));
        gauge.as_ref()?.read()
    }
}

#[expect(clippy::disallowed_methods, reason = "the room where sockets are opened")]
fn connect(peer: SocketAddr) -> io::Result<UdpSocket> {
    let any: IpAddr =
        if peer.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0))?;
    socket.set_nonblocking(true)?;
    socket.connect(peer)?;
    Ok(socket)
}
