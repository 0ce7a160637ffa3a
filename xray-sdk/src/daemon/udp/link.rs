//! One connected socket, and what its errors mean. The only place where the library opens a socket; when to open
//! one is decided above.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// A socket that never blocks, connected to `peer`.
pub(super) struct Link {
    socket: UdpSocket,
    peer: SocketAddr,
}

impl Link {
    #[expect(clippy::disallowed_methods, reason = "the room where sockets are opened")]
    pub(super) fn open(peer: SocketAddr) -> io::Result<Self> {
        let any: IpAddr =
            if peer.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let socket = UdpSocket::bind((any, 0))?;
        socket.set_nonblocking(true)?;
        socket.connect(peer)?;
        Ok(Self { socket, peer })
    }

    pub(super) fn peer(&self) -> SocketAddr {
        self.peer
    }

    #[inline]
    pub(super) fn send(&self, datagram: &[u8]) -> Result<(), Trouble> {
        self.socket.send(datagram).map(drop).map_err(|err| Trouble::from(&err))
    }
}

/// Why a datagram was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// An earlier datagram met no listener. The send that reports it transmits nothing itself.
    Refused,
    /// No room in the socket's buffer or in the kernel.
    Full,
    /// Larger than the transport carries.
    TooLarge,
    /// Anything else: no route, no permission, a socket that a snapshot broke.
    Broken,
}

impl From<&io::Error> for Trouble {
    fn from(err: &io::Error) -> Self {
        match (err.kind(), err.raw_os_error()) {
            (ErrorKind::ConnectionRefused, _) => Self::Refused,
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
            (ErrorKind::ConnectionRefused.into(), Trouble::Refused),
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
