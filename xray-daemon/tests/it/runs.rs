//! Datagrams that a sender sends in one system call beside single ones: each document is forwarded once, as it was sent.

use std::net::UdpSocket;
use std::time::Duration;

use xray_sdk::{DaemonAddress, Emitter, Packet, QueuedEmitter};

use crate::edge::daemon::Daemon;
use crate::edge::law::Law;
use crate::edge::xray::{XRay, ok};

#[test]
fn documents_of_mixed_senders_are_forwarded_once_each() {
    const ROUNDS: usize = 100;
    let xray = XRay::start(|_| ok("{}"));
    let daemon = Daemon::start(&xray.url(), &["--admin", "127.0.0.1:0"]);
    let (emitter, _guard) = QueuedEmitter::start(&DaemonAddress::from(daemon.udp())).unwrap();
    let other = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut expected = Vec::new();
    let mut packet = Packet::new();
    for round in 0..ROUNDS {
        // Of several sizes, so that runs end in the middle.
        for part in 0..10 {
            let document =
                format!("{{\"name\":\"{round} {part} {}\"}}", "x".repeat(round * part * 7 % 2_000));
            packet.start_document().put(&document);
            emitter.emit(&packet).unwrap();
            expected.push(document);
        }
        let document = format!("{{\"name\":\"alone {round}\"}}");
        let datagram = format!("{}{document}", Packet::HEADER);
        for datagram in [datagram.as_bytes(), b"", b"no header"] {
            other.send_to(datagram, daemon.udp()).unwrap();
        }
        expected.push(document);
        assert!(emitter.flush(Duration::from_secs(60)));
    }
    let (documents, junk) = (expected.len() as u64, ROUNDS as u64);
    let law = Law::wait(&daemon, "uploads", |law| law.sent == documents && law.rejected == junk);
    assert_eq!(law.received, documents + junk, "an empty datagram is not counted");
    let mut forwarded = xray.documents();
    forwarded.sort();
    expected.sort();
    assert!(forwarded == expected, "{} of {}", forwarded.len(), expected.len());
}
