//! What the tests of the emitters have in common: a socket in the daemon's place, and packets.

#![expect(clippy::disallowed_methods, reason = "the daemon's end of the wire is opened here")]
#![expect(clippy::unwrap_used, reason = "helpers may panic where tests may")]

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

use xray_sdk::Packet;

pub(crate) fn daemon_at(address: impl Into<SocketAddr>) -> UdpSocket {
    let socket = UdpSocket::bind(address.into()).unwrap();
    socket.set_nonblocking(true).unwrap();
    socket
}

pub(crate) fn local_daemon() -> (UdpSocket, SocketAddr) {
    let socket = daemon_at((Ipv4Addr::LOCALHOST, 0));
    let address = socket.local_addr().unwrap();
    (socket, address)
}

pub(crate) fn packet(document: &str) -> Packet {
    let mut packet = Packet::new();
    packet.start_document().put(document);
    packet
}

pub(crate) fn packet_of(bytes: usize) -> Packet {
    packet(&" ".repeat(bytes - Packet::HEADER.len()))
}
