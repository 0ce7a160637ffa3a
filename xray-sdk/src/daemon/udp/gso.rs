//! Gso of datagrams in one system call: UDP's segmentation offload ("GSO"), through `quinn-udp`. Knows which sizes
//! the kernel takes, and stops asking when it refuses. Linux and Android only: elsewhere there are no runs, and
//! each datagram goes alone.
//!
//! A run has a socket of its own. `quinn-udp` forbids fragmentation on the sockets it is given, which is right for
//! QUIC; a document larger than the path's packets needs to be fragmented, and goes through the plain socket.

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) use self::offload::Gso;

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) use self::none::Gso;

#[cfg(any(target_os = "linux", target_os = "android"))]
mod offload {
    use std::io;
    use std::net::{SocketAddr, UdpSocket};
    use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

    use quinn_udp::{Transmit as GsoTransmit, UdpSockRef, UdpSocketState};

    use super::super::payload::{SendError, Transmit};
    use super::super::system::System;

    pub(in super::super) struct Gso {
        socket: UdpSocket,
        state: UdpSocketState,
        /// The largest datagram in a run; 0 when the kernel takes no runs.
        largest: AtomicUsize,
        /// Datagrams in the last run. The kernel reports on all of them when nothing listened.
        last: AtomicU64,
    }

    impl Gso {
        pub(in super::super) fn new(socket: UdpSocket, peer: SocketAddr) -> Option<Self> {
            let state = UdpSocketState::new(UdpSockRef::from(&socket)).ok()?;
            let largest = match state.max_gso_segments() {
                0 | 1 => 0,
                // Loopback's packets hold the largest datagram that there is.
                _ if peer.ip().is_loopback() => usize::MAX,
                _ => FITS_EVERYWHERE,
            };
            Some(Self { socket, state, largest: AtomicUsize::new(largest), last: AtomicU64::new(0) })
        }

        /// The largest datagram that may be part of a run; 0 for none.
        pub(in super::super) fn largest(&self) -> usize {
            self.largest.load(Ordering::Relaxed)
        }

        pub(in super::super) fn send(
            &self,
            transmit: Transmit<'_>,
            peer: SocketAddr,
            system: &dyn System,
        ) -> Result<(), SendError> {
            if transmit.size() > self.largest() {
                return Err(SendError::NoGso);
            }
            let gso_transmit = GsoTransmit {
                destination: peer,
                ecn: None,
                contents: transmit.bytes(),
                segment_size: Some(transmit.size()),
                src_ip: None,
            };
            let call = || self.state.try_send(UdpSockRef::from(&self.socket), &gso_transmit);
            match system.send_gso(&call) {
                Ok(()) => {
                    self.last.store(transmit.count(), Ordering::Relaxed);
                    Ok(())
                }
                Err(err) => Err(self.send_error(&err, transmit.size())),
            }
        }

        /// Classifies an error for runs: those that speak of sizes or of the call itself are no news about a
        /// datagram that goes alone.
        fn send_error(&self, err: &io::Error, size: usize) -> SendError {
            match SendError::from(err) {
                // A run without a listener is reported once per run here and per datagram elsewhere; it is lost once.
                SendError::Refused { .. } => {
                    SendError::Refused { earlier: self.last.swap(0, Ordering::Relaxed) }
                }
                SendError::Full => SendError::Full,
                _ => {
                    // Smaller ones may still fit; after those there is nothing left to try. (`quinn-udp` turns
                    // its `max_gso_segments` down at the first such error, and goes on sending what it is given.)
                    let less = if size > FITS_EVERYWHERE { FITS_EVERYWHERE } else { 0 };
                    self.largest.store(less, Ordering::Relaxed);
                    SendError::NoGso
                }
            }
        }
    }

    /// IPv6's least packet, 1,280 bytes (RFC 8200, section 5), without its header and UDP's.
    const FITS_EVERYWHERE: usize = 1280 - 40 - 8;
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod none {
    use std::net::{SocketAddr, UdpSocket};

    use super::super::payload::{SendError, Transmit};
    use super::super::system::System;

    /// Never made.
    pub(in super::super) enum Gso {}

    impl Gso {
        pub(in super::super) fn new(_: UdpSocket, _: SocketAddr) -> Option<Self> {
            None
        }

        pub(in super::super) fn largest(&self) -> usize {
            match *self {}
        }

        pub(in super::super) fn send(
            &self,
            _: Transmit<'_>,
            _: SocketAddr,
            _: &dyn System,
        ) -> Result<(), SendError> {
            match *self {}
        }
    }
}
