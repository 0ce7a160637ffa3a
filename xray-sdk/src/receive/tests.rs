//! Runs of datagrams at a real socket, sent in one system call as `QueuedEmitter` sends them.

#![cfg(any(target_os = "linux", target_os = "android"))]
#![expect(clippy::disallowed_methods, reason = "tests send from sockets of their own")]

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use quinn_udp::{Transmit, UdpSockRef, UdpSocketState};

use super::{DatagramBuffer, ReceiveSocket};

/// Sends single datagrams and runs.
struct Sender {
    socket: UdpSocket,
    state: UdpSocketState,
    to: SocketAddr,
}

impl Sender {
    fn new(to: SocketAddr) -> Self {
        let socket = UdpSocket::bind(if to.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" }).unwrap();
        let state = UdpSocketState::new(UdpSockRef::from(&socket)).unwrap();
        Self { socket, state, to }
    }

    fn send(&self, datagram: &[u8]) {
        self.socket.send_to(datagram, self.to).unwrap();
    }

    fn send_run(&self, bytes: &[u8], size: usize) {
        let transmit = Transmit {
            destination: self.to,
            ecn: None,
            contents: bytes,
            segment_size: Some(size),
            src_ip: None,
        };
        self.state.try_send(UdpSockRef::from(&self.socket), &transmit).unwrap();
    }
}

/// Returns the datagrams that a socket has, and how many system calls it took to read them.
fn received(socket: &ReceiveSocket) -> (Vec<Vec<u8>>, usize) {
    socket.as_udp_socket().set_nonblocking(true).unwrap();
    let (mut buffer, mut all, mut calls) = (DatagramBuffer::new(), Vec::new(), 0);
    while let Ok(datagrams) = socket.recv(&mut buffer) {
        all.extend(datagrams.map(<[u8]>::to_vec));
        calls += 1;
    }
    (all, calls)
}

/// Sends what senders send: runs, the largest datagram and the largest run, empty and small ones between them.
fn send_mixture(to: SocketAddr) -> Vec<Vec<u8>> {
    let (runs, other) = (Sender::new(to), Sender::new(to));
    let largest = if to.is_ipv4() { 65_507 } else { 65_487 };
    let numbered = |number: u8, size: usize| vec![number; size];
    let mut expected = Vec::new();
    for (count, size, last) in [(50, 300, 300), (3, 1_250, 7), (64, 1_000, 1_000), (2, 32_000, 32_000)] {
        let run: Vec<_> =
            (1..=count).map(|number| numbered(number, if number == count { last } else { size })).collect();
        runs.send_run(&run.concat(), size);
        expected.extend(run);
        for alone in [numbered(101, size), Vec::new(), numbered(102, largest), numbered(103, 1)] {
            other.send(&alone);
            expected.push(alone);
        }
        let alone = numbered(104, size);
        runs.send(&alone);
        expected.push(alone);
    }
    expected
}

#[test]
fn runs_and_single_datagrams_arrive_as_they_were_sent_over_ipv4_ipv6_and_both() {
    for (bind, to) in
        [("127.0.0.1:0", "127.0.0.1"), ("[::1]:0", "::1"), ("[::]:0", "::1"), ("[::]:0", "127.0.0.1")]
    {
        let Ok(socket) = ReceiveSocket::bind(bind) else { continue };
        let to = SocketAddr::new(to.parse().unwrap(), socket.local_addr().unwrap().port());
        let expected = send_mixture(to);
        let (datagrams, calls) = received(&socket);
        assert!(datagrams == expected, "{bind}, {to}: {} of {}", datagrams.len(), expected.len());
        // Four runs and twenty single ones.
        assert_eq!(socket.gro.as_ref().map(|_| calls), Some(24), "{bind}, {to}");
    }
}

#[test]
fn where_the_kernel_refuses_runs_each_datagram_is_read_alone() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let socket = ReceiveSocket { socket, gro: None, buffer_size: 0, inode: None };
    let sender = Sender::new(socket.local_addr().unwrap());
    sender.send_run(&[b'x'; 1_000], 300);
    sender.send(b"");
    let (datagrams, calls) = received(&socket);
    assert_eq!(datagrams.iter().map(Vec::len).collect::<Vec<_>>(), [300, 300, 300, 100, 0]);
    assert_eq!(calls, 5);
}

#[test]
fn a_receiver_of_runs_waits_until_its_timeout_and_no_longer() {
    let socket = ReceiveSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let mut buffer = DatagramBuffer::new();
    let kind = socket.recv(&mut buffer).unwrap_err().kind();
    assert!(matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut), "{kind:?}");
    socket.set_read_timeout(None).unwrap();
    let sender = Sender::new(socket.local_addr().unwrap());
    sender.send_run(b"aab", 2);
    assert_eq!(socket.recv(&mut buffer).unwrap().collect::<Vec<_>>(), [b"aa", &b"b"[..]]);
}

/// The memory that a run takes is its own size and some hundred bytes, and not 840 more for each of its datagrams.
#[test]
fn a_buffer_takes_more_of_runs_read_whole_than_of_single_datagrams() {
    let count = |gro: bool| {
        let socket = ReceiveSocket::bind_with_buffer("127.0.0.1:0", 1).unwrap();
        let plain = UdpSocket::bind("127.0.0.1:0").unwrap();
        let to = if gro { socket.local_addr() } else { plain.local_addr() }.unwrap();
        let sender = Sender::new(to);
        (0..100).for_each(|_| sender.send_run(&[b'x'; 50 * 250], 250));
        if gro {
            return received(&socket).0.len();
        }
        plain.set_nonblocking(true).unwrap();
        std::iter::from_fn(|| plain.recv(&mut [0; 300]).ok()).count()
    };
    let (whole, single) = (count(true), count(false));
    assert!(single > 0 && whole >= 2 * single, "{whole} and {single}");
}
