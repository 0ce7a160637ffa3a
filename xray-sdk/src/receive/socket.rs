//! A listening UDP socket with the largest receive buffer that the kernel grants.
//!
//! The buffer decides what a burst loses: the default of Linux holds 166 datagrams of 250 bytes, or three of
//! 60 KB. No loop that reads faster makes up for a buffer that is too small. No threads and no protocol here.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs, UdpSocket};
use std::time::Duration;

use rustix::net::sockopt;

use super::datagrams::{DatagramBuffer, Datagrams};
use super::gro::Gro;
use super::kernel;

/// A UDP socket of a daemon: bound, with a large receive buffer, and with the kernel's count of drops.
#[derive(Debug)]
pub struct ReceiveSocket {
    pub(super) socket: UdpSocket,
    /// `None` where the kernel hands over single datagrams only.
    pub(super) gro: Option<Gro>,
    pub(super) buffer_size: usize,
    /// The number of this socket in `/proc/net/udp`. `None` where there is no such file.
    pub(super) inode: Option<u64>,
}

impl ReceiveSocket {
    /// Binds to an address, IPv4 or IPv6, and asks for a receive buffer of [`RECEIVE_BUFFER`] bytes.
    ///
    /// Port 0 takes a free port. See [`bind_with_buffer`](Self::bind_with_buffer) for how the buffer is asked for.
    ///
    /// # Errors
    /// If the address can't be resolved, is taken, or is not one of this machine.
    pub fn bind(addr: impl ToSocketAddrs) -> io::Result<Self> {
        Self::bind_with_buffer(addr, RECEIVE_BUFFER)
    }

    /// Binds to an address and asks for a receive buffer of `bytes`.
    ///
    /// Linux is first asked by `SO_RCVBUFFORCE`, which takes `CAP_NET_ADMIN` and ignores `net.core.rmem_max`.
    /// If the kernel refuses, `SO_RCVBUF` is asked for, which Linux caps at that setting. A system that refuses
    /// instead of capping is asked for half as much until it agrees. A buffer that is larger from the start stays.
    /// [`buffer_size`](Self::buffer_size) says what came of it.
    ///
    /// # Errors
    /// If the address can't be resolved, is taken, or is not one of this machine. A refused buffer is no error.
    pub fn bind_with_buffer(addr: impl ToSocketAddrs, bytes: usize) -> io::Result<Self> {
        let (socket, gro) = open(addr)?;
        let buffer_size = enlarge(&socket, bytes);
        let inode = kernel::inode(&socket);
        Ok(Self { socket, gro, buffer_size, inode })
    }

    /// The address that the socket listens on, with the port it was given.
    ///
    /// # Errors
    /// If the operating system can't say.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// The size of the receive buffer in bytes, as the kernel reports it; 0 if the kernel doesn't.
    ///
    /// Linux reports, and uses, twice of what it was asked for: half of it pays for the kernel's own bookkeeping.
    #[must_use]
    pub fn buffer_size(&self) -> usize {
        self.buffer_size
    }

    /// Datagrams that the kernel dropped at this socket so far, since its receive buffer was full.
    ///
    /// Read from `/proc/net/udp` or `/proc/net/udp6` on Linux, where the count has 32 bits. `None` means not known:
    /// on other systems, and where `/proc` is hidden. Linux counts a run that was sent in one system call as one, whatever
    /// the number of its datagrams.
    #[must_use]
    pub fn kernel_drops(&self) -> Option<u64> {
        kernel::drops(self.inode?, self.local_addr().ok()?.is_ipv6())
    }

    /// Receives datagrams into `buffer` by one system call.
    ///
    /// Most calls return one datagram. On Linux, a run of datagrams that its sender sent in one system call comes whole
    /// (`UDP_GRO`): up to 64 datagrams, 64 KB together. The receive buffer holds two to four times as many that way.
    ///
    /// # Errors
    /// As [`UdpSocket::recv`]; `WouldBlock` or `TimedOut` when the read timeout passed.
    pub fn recv<'a>(&self, buffer: &'a mut DatagramBuffer) -> io::Result<Datagrams<'a>> {
        let (length, size) = match &self.gro {
            Some(gro) => gro.recv(&self.socket, buffer.as_mut_slice())?,
            // Not `recv`: Windows demands a connected socket for it.
            None => self.socket.recv_from(buffer.as_mut_slice()).map(|(length, _)| (length, length))?,
        };
        Ok(buffer.datagrams(length, size))
    }

    /// Sets how long [`recv`](Self::recv) waits. `None`, the default, waits for ever.
    ///
    /// # Errors
    /// If the duration is zero.
    pub fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.socket.set_read_timeout(timeout)
    }

    /// The socket itself, for what this type has no method for.
    ///
    /// Not for receiving: the standard library's methods return a run of datagrams as if it were one.
    #[must_use]
    pub fn as_udp_socket(&self) -> &UdpSocket {
        &self.socket
    }
}

/// Binds a socket that is handed runs of datagrams, or a plain one where the kernel refuses that.
#[expect(clippy::disallowed_methods, reason = "a daemon owns its listening socket")]
fn open(addr: impl ToSocketAddrs) -> io::Result<(UdpSocket, Option<Gro>)> {
    let socket = UdpSocket::bind(&addr)?;
    if let Some(gro) = Gro::new(&socket) {
        return Ok((socket, Some(gro)));
    }
    // What was set before the refusal must not stay: a run would be read as one datagram.
    drop(socket);
    Ok((UdpSocket::bind(&addr)?, None))
}

/// Enlarges the receive buffer and returns its size as the kernel reports it.
fn enlarge(socket: &UdpSocket, bytes: usize) -> usize {
    let effective = || sockopt::socket_recv_buffer_size(socket).unwrap_or(0);
    // Linux takes an `int`.
    let wanted = bytes.min(i32::MAX as usize / 2);
    if effective() >= wanted || force(socket, wanted) {
        return effective();
    }
    let mut asked = wanted;
    while asked > effective() && sockopt::set_socket_recv_buffer_size(socket, asked).is_err() {
        asked /= 2;
    }
    effective()
}

#[cfg(target_os = "linux")]
fn force(socket: &UdpSocket, bytes: usize) -> bool {
    sockopt::set_socket_recv_buffer_size_force(socket, bytes).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn force(_: &UdpSocket, _: usize) -> bool {
    false
}

/// The receive buffer that [`ReceiveSocket::bind`] asks for: 8 MB, for 13,000 datagrams of 250 bytes where Linux
/// grants it by force.
pub const RECEIVE_BUFFER: usize = 8 * 1024 * 1024;

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests send from sockets of their own")]
mod tests {
    use super::*;

    fn sender(to: &ReceiveSocket) -> UdpSocket {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(to.local_addr().unwrap()).unwrap();
        socket
    }

    #[test]
    fn the_buffer_is_larger_than_the_default_and_its_size_is_the_kernels() {
        let default = UdpSocket::bind("127.0.0.1:0").unwrap();
        let default = sockopt::socket_recv_buffer_size(&default).unwrap();
        let socket = ReceiveSocket::bind("127.0.0.1:0").unwrap();
        assert!(socket.buffer_size() > default, "{} > {default}", socket.buffer_size());
        assert_eq!(sockopt::socket_recv_buffer_size(&socket.socket).unwrap(), socket.buffer_size());
    }

    #[test]
    fn a_small_wish_does_not_shrink_the_buffer() {
        let default = UdpSocket::bind("127.0.0.1:0").unwrap();
        let default = sockopt::socket_recv_buffer_size(&default).unwrap();
        assert_eq!(ReceiveSocket::bind_with_buffer("127.0.0.1:0", 1).unwrap().buffer_size(), default);
    }

    #[test]
    fn an_address_that_is_taken_is_an_error() {
        let first = ReceiveSocket::bind("127.0.0.1:0").unwrap();
        let second = ReceiveSocket::bind(first.local_addr().unwrap());
        assert_eq!(second.unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn the_largest_datagram_arrives_whole() {
        let socket = ReceiveSocket::bind("127.0.0.1:0").unwrap();
        sender(&socket).send(&vec![b'x'; 65_507]).unwrap();
        let mut buffer = DatagramBuffer::new();
        let datagrams = socket.recv(&mut buffer).unwrap();
        assert_eq!(datagrams.map(<[u8]>::len).collect::<Vec<_>>(), [65_507]);
    }

    /// Every datagram was either received or is among the kernel's drops.
    #[cfg(target_os = "linux")]
    #[test]
    fn what_overflows_the_buffer_is_in_the_kernels_count() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(socket) = ReceiveSocket::bind_with_buffer(address, 100_000) else { continue };
            assert_eq!(socket.kernel_drops(), Some(0));
            let to = socket.local_addr().unwrap();
            let from = UdpSocket::bind(address).unwrap();
            let sent = 200;
            for _ in 0..sent {
                from.send_to(&[b'x'; 8_000], to).unwrap();
            }
            socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
            let mut buffer = DatagramBuffer::new();
            let mut received = 0;
            while let Ok(datagrams) = socket.recv(&mut buffer) {
                received += datagrams.len() as u64;
            }
            let drops = socket.kernel_drops().unwrap();
            assert!(drops > 0, "200 datagrams of 8,000 bytes overflow {} bytes", socket.buffer_size());
            assert_eq!(received + drops, sent, "{address}");
        }
    }
}
