//! The emitter over real sockets: daemons that come late, names, IPv6, sizes. What needs a manual clock is tested
//! beside the emitter.
#![expect(clippy::disallowed_methods, reason = "the daemon's end of the wire is opened here")]
#![expect(clippy::unwrap_used, reason = "helpers may panic where tests may")]

use std::collections::HashSet;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use xray_sdk::{DaemonAddress, EmitError, Emitter, Packet, UdpEmitter};

use crate::support::{daemon_at, local_daemon, packet, packet_of};

/// A port that is taken, so that no other test gets it, but by a socket that listens to one stranger only: for
/// everyone else nobody is there.
fn reserved_port() -> (UdpSocket, SocketAddr) {
    let (socket, address) = local_daemon();
    socket.connect((Ipv4Addr::LOCALHOST, 9)).unwrap();
    (socket, address)
}

/// What has arrived: on loopback a datagram is there when its send returns.
fn received(socket: &UdpSocket) -> Vec<String> {
    let mut datagram = vec![0; 1 << 16];
    std::iter::from_fn(|| {
        let length = socket.recv(&mut datagram).ok()?;
        let text = std::str::from_utf8(&datagram[..length]).unwrap();
        Some(text.strip_prefix(Packet::HEADER).unwrap().to_owned())
    })
    .collect()
}

#[test]
fn a_daemon_that_comes_late_misses_nothing_that_was_sent_after_it_came() {
    for before in 0..6_u64 {
        let (reserved, address) = reserved_port();
        let emitter = UdpEmitter::new(&DaemonAddress::from(address));
        for i in 0..before {
            assert_eq!(emitter.emit(&packet(&format!("early {i}"))), Ok(()));
        }
        drop(reserved);
        let daemon = daemon_at(address);
        let sent: Vec<_> = (0..10).map(|i| format!("late {i}")).collect();
        for document in &sent {
            assert_eq!(emitter.emit(&packet(document)), Ok(()));
        }
        assert_eq!(received(&daemon), sent, "in order, none missing, none twice");
        let stats = emitter.stats();
        assert_eq!(stats.sent, before + 10);
        assert_eq!(stats.unavailable, before, "each packet that met no listener");
        assert_eq!(stats.resent, before, "each packet that told of one before it");
    }
}

#[test]
fn a_daemon_that_restarts_loses_only_what_was_sent_while_it_was_away() {
    let (daemon, address) = local_daemon();
    let emitter = UdpEmitter::new(&DaemonAddress::from(address));
    emitter.emit(&packet("first")).unwrap();
    assert_eq!(received(&daemon), ["first"]);
    drop(daemon);
    emitter.emit(&packet("lost")).unwrap();
    let daemon = daemon_at(address);
    emitter.emit(&packet("second")).unwrap();
    assert_eq!(received(&daemon), ["second"]);
    let stats = emitter.stats();
    assert_eq!((stats.sent, stats.resent, stats.unavailable), (3, 1, 1));
}

#[test]
fn ipv6_daemons_are_reached() {
    let Ok(daemon) = UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)) else {
        return; // This machine has no IPv6.
    };
    daemon.set_nonblocking(true).unwrap();
    let address = format!("[::1]:{}", daemon.local_addr().unwrap().port());
    let emitter = UdpEmitter::new(&address.parse().unwrap());
    emitter.emit(&packet("six")).unwrap();
    assert_eq!(received(&daemon), ["six"]);
}

#[test]
fn host_names_are_resolved_before_the_first_packet() {
    let (daemon, address) = local_daemon();
    let emitter = UdpEmitter::new(&format!("localhost:{}", address.port()).parse().unwrap());
    // Where the name means ::1 first, one refusal moves the emitter on to 127.0.0.1.
    for document in ["zero", "one", "two"] {
        emitter.emit(&packet(document)).unwrap();
    }
    let received = received(&daemon);
    assert!(received.ends_with(&["one".to_owned(), "two".to_owned()]), "{received:?}");
    assert_eq!(received.len() as u64 + emitter.stats().unavailable, 3);
}

#[test]
fn names_that_do_not_resolve_neither_block_nor_fail_and_are_counted() {
    let start = Instant::now();
    let emitter = UdpEmitter::new(&"no-such-host.invalid:2000".parse().unwrap());
    // Half a second at most, and as much again for a busy machine.
    assert!(start.elapsed() < Duration::from_secs(1));
    assert_eq!(emitter.peer(), None);
    let start = Instant::now();
    for _ in 0..1000 {
        assert_eq!(emitter.emit(&packet("x")), Err(EmitError::Unavailable));
    }
    emitter.reopen();
    assert!(start.elapsed() < Duration::from_secs(1));
    let stats = emitter.stats();
    assert_eq!((stats.sent, stats.sent_bytes, stats.unavailable), (0, 0, 1000));
}

#[cfg(target_os = "linux")]
#[test]
fn the_largest_datagram_goes_and_a_larger_one_is_too_large() {
    const LARGEST: usize = 65_507;
    let (daemon, address) = local_daemon();
    let emitter = UdpEmitter::new(&DaemonAddress::from(address));
    assert_eq!(emitter.emit(&packet_of(LARGEST)), Ok(()));
    assert_eq!(emitter.emit(&packet_of(LARGEST + 1)), Err(EmitError::TooLarge));
    assert_eq!(emitter.emit(&packet("small")), Ok(()), "the socket is as good as before");
    let lengths: Vec<_> =
        received(&daemon).iter().map(|document| Packet::HEADER.len() + document.len()).collect();
    assert_eq!(lengths, [LARGEST, packet("small").as_bytes().len()]);
    let stats = emitter.stats();
    assert_eq!((stats.sent, stats.too_large), (2, 1));
    assert_eq!(stats.sent_bytes, lengths.iter().sum::<usize>() as u64);
}

#[test]
fn a_reopened_emitter_sends_from_a_fresh_socket() {
    let (daemon, address) = local_daemon();
    let emitter = UdpEmitter::new(&DaemonAddress::from(address));
    let sender = || {
        emitter.emit(&packet("x")).unwrap();
        daemon.recv_from(&mut [0; 100]).unwrap().1
    };
    let before = sender();
    emitter.reopen();
    assert_ne!(sender(), before);
}

#[test]
fn all_threads_send_through_one_emitter() {
    let (daemon, address) = local_daemon();
    let emitter = &UdpEmitter::new(&DaemonAddress::from(address));
    let documents: HashSet<_> = (0..80).map(|i| format!("{i}")).collect();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            scope.spawn(move || {
                for i in thread * 10..thread * 10 + 10 {
                    emitter.emit(&packet(&format!("{i}"))).unwrap();
                    // In between, as a snapshot's restoration would.
                    emitter.reopen();
                }
            });
        }
    });
    // Eighty small datagrams fit into a default receive buffer.
    let received = received(&daemon);
    assert_eq!(received.len(), 80);
    assert_eq!(received.into_iter().collect::<HashSet<_>>(), documents);
    assert_eq!(emitter.stats().sent, 80);
}
