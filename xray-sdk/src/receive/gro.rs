//! [`Gro`]: many datagrams in one system call, UDP's receive offload ("GRO"), through `quinn-udp`.
//!
//! A sender that sends a run in one call has the kernel cut it apart again for a receiver that reads single datagrams.
//! A socket with this option is handed the run whole, with the size of its datagrams. Linux and Android only: elsewhere,
//! and where the kernel refuses the option, there is no `Gro`, and each datagram is read alone.

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) use self::offload::Gro;

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) use self::none::Gro;

#[cfg(any(target_os = "linux", target_os = "android"))]
mod offload {
    use std::io::{self, IoSliceMut};
    use std::net::UdpSocket;

    use quinn_udp::{RecvMeta, UdpSockRef, UdpSocketState};

    #[derive(Debug)]
    pub(in super::super) struct Gro {
        state: UdpSocketState,
    }

    impl Gro {
        /// Switches the option on. With `None`, the socket may be left with some options set, and is to be replaced.
        pub(in super::super) fn new(socket: &UdpSocket) -> Option<Self> {
            let state = UdpSocketState::new(UdpSockRef::from(socket)).ok()?;
            // `quinn-udp` makes the socket one that never blocks, for an executor.
            socket.set_nonblocking(false).ok()?;
            (state.gro_segments() > 1).then_some(Self { state })
        }

        /// Receives one datagram or one run. Returns its length, and that of each datagram but the last.
        pub(in super::super) fn recv(
            &self,
            socket: &UdpSocket,
            buffer: &mut [u8],
        ) -> io::Result<(usize, usize)> {
            let mut meta = [RecvMeta::default()];
            self.state.recv(UdpSockRef::from(socket), &mut [IoSliceMut::new(buffer)], &mut meta)?;
            let [RecvMeta { len, stride, .. }] = meta;
            Ok((len, stride))
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod none {
    use std::io;
    use std::net::UdpSocket;

    /// Never made.
    #[derive(Debug)]
    pub(in super::super) enum Gro {}

    impl Gro {
        pub(in super::super) fn new(_: &UdpSocket) -> Option<Self> {
            None
        }

        pub(in super::super) fn recv(&self, _: &UdpSocket, _: &mut [u8]) -> io::Result<(usize, usize)> {
            match *self {}
        }
    }
}
