//! One connected socket, and what its errors mean. The only place where the library opens a socket; when to open
//! one is decided above.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
#[cfg(feature = "queue")]
use std::sync::OnceLock;

#[cfg(feature = "queue")]
use super::runs::Runs;
use super::surroundings::Surroundings;
use crate::daemon::EmitError;

/// What goes out in one call: a datagram, or a run of them that the kernel cuts apart.
#[derive(Clone, Copy, Debug)]
pub(in crate::daemon) struct Load<'a> {
    bytes: &'a [u8],
    /// Of each datagram. The last one may be shorter.
    size: usize,
}

impl<'a> Load<'a> {
    pub(in crate::daemon) fn one(bytes: &'a [u8]) -> Self {
        Self { bytes, size: bytes.len() }
    }

    #[cfg(feature = "queue")]
    pub(in crate::daemon) fn run(bytes: &'a [u8], size: usize) -> Self {
        Self { bytes, size }
    }

    pub(in crate::daemon) fn count(&self) -> u64 {
        if self.is_run() { self.bytes.len().div_ceil(self.size) as u64 } else { 1 }
    }

    pub(super) fn is_run(&self) -> bool {
        self.size < self.bytes.len() && self.size != 0
    }

    #[cfg(feature = "queue")]
    pub(in crate::daemon) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    #[cfg(feature = "queue")]
    pub(in crate::daemon) fn size(&self) -> usize {
        self.size
    }
}

/// A socket that never blocks, connected to `peer`.
pub(super) struct Link {
    socket: UdpSocket,
    peer: SocketAddr,
    /// Opened by the first run; `None` inside where there can be none.
    #[cfg(feature = "queue")]
    runs: OnceLock<Option<Runs>>,
}

impl Link {
    pub(super) fn open(peer: SocketAddr) -> io::Result<Self> {
        Ok(Self {
            socket: connect(peer)?,
            peer,
            #[cfg(feature = "queue")]
            runs: OnceLock::new(),
        })
    }

    pub(super) fn peer(&self) -> SocketAddr {
        self.peer
    }

    #[inline]
    pub(super) fn send(&self, load: Load<'_>, surroundings: &dyn Surroundings) -> Result<(), Trouble> {
        if load.is_run() {
            return self.send_run(load, surroundings);
        }
        self.socket.send(load.bytes).map(drop).map_err(|err| Trouble::from(&err))
    }

    #[cfg(feature = "queue")]
    fn send_run(&self, load: Load<'_>, surroundings: &dyn Surroundings) -> Result<(), Trouble> {
        self.runs().map_or(Err(Trouble::NoRuns), |runs| runs.send(load, self.peer, surroundings))
    }

    #[cfg(not(feature = "queue"))]
    fn send_run(&self, _: Load<'_>, _: &dyn Surroundings) -> Result<(), Trouble> {
        Err(Trouble::NoRuns)
    }

    #[cfg(feature = "queue")]
    pub(super) fn largest_in_run(&self) -> usize {
        self.runs().map_or(0, Runs::largest)
    }

    #[cfg(feature = "queue")]
    fn runs(&self) -> Option<&Runs> {
        self.runs.get_or_init(|| Runs::new(connect(self.peer).ok()?, self.peer)).as_ref()
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

/// Why a load was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::daemon) enum Trouble {
    /// So many earlier datagrams met no listener. The send that reports it transmits nothing itself.
    Refused { earlier: u64 },
    /// No room in the socket's buffer or in the kernel.
    Full,
    /// Larger than the transport carries.
    TooLarge,
    /// This can't go as a run, but its datagrams may go one by one.
    NoRuns,
    /// Anything else: no route, no permission, a socket that a snapshot broke.
    Broken,
}

impl From<Trouble> for EmitError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Full => Self::Full,
            Trouble::TooLarge => Self::TooLarge,
            Trouble::Refused { .. } | Trouble::NoRuns | Trouble::Broken => Self::Unavailable,
        }
    }
}

impl From<&io::Error> for Trouble {
    fn from(err: &io::Error) -> Self {
        match (err.kind(), err.raw_os_error()) {
            (ErrorKind::ConnectionRefused, _) => Self::Refused { earlier: 1 },
            (ErrorKind::WouldBlock | ErrorKind::OutOfMemory, _) => Self::Full,
            (_, Some(code)) if NO_BUFFERS.contains(&code) => Self::Full,
            (_, Some(code)) if MESSAGE_SIZE.contains(&code) => Self::TooLarge,
            _ => Self::Broken,
        }
    }
}

// Two errors that the standard library has no kinds for, by their numbers on Linux, on macOS and the BSDs, and on
// Windows. Where another system gives one of these numbers to something else, that is nothing a send reports.

/// `ENOBUFS`, `WSAENOBUFS`.
const NO_BUFFERS: [i32; 3] = [105, 55, 10055];

/// `EMSGSIZE`, `WSAEMSGSIZE`.
const MESSAGE_SIZE: [i32; 3] = [90, 40, 10040];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_apart() {
        for (err, trouble) in [
            (ErrorKind::ConnectionRefused.into(), Trouble::Refused { earlier: 1 }),
            (ErrorKind::WouldBlock.into(), Trouble::Full),
            (io::Error::from_raw_os_error(105), Trouble::Full),
            (io::Error::from_raw_os_error(90), Trouble::TooLarge),
            (ErrorKind::HostUnreachable.into(), Trouble::Broken),
            (ErrorKind::PermissionDenied.into(), Trouble::Broken),
            (io::Error::other("?"), Trouble::Broken),
        ] {
            assert_eq!(Trouble::from(&err), trouble, "{err}");
        }
    }
}
