//! The queue among kernels that refuse runs. What any kernel shows is tested in `tests/it`.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::QueuedEmitter;
use crate::daemon::udp::{RealSystem, System};
use crate::daemon::{DaemonAddress, EmitError, Emitter, Packet};

/// Refuses runs of datagrams a number of times, with an error of the kernel's.
struct Refusing {
    system: RealSystem,
    code: i32,
    times: u32,
    calls: Mutex<u32>,
}

impl System for Refusing {
    fn now(&self) -> Duration {
        self.system.now()
    }
    fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        self.system.resolve(host, port)
    }
    fn spawn(&self, job: Box<dyn FnOnce() + Send>) -> bool {
        self.system.spawn(job)
    }
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn send_gso(&self, call: &dyn Fn() -> io::Result<()>) -> io::Result<()> {
        let mut calls = self.calls.lock().unwrap();
        *calls += 1;
        if *calls > self.times { call() } else { Err(io::Error::from_raw_os_error(self.code)) }
    }
}

#[expect(clippy::disallowed_methods, reason = "the daemon's end")]
fn listener() -> (UdpSocket, DaemonAddress) {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.set_nonblocking(true).unwrap();
    let address = DaemonAddress::from(socket.local_addr().unwrap());
    (socket, address)
}

fn packet(length: usize) -> Packet {
    let mut packet = Packet::new();
    packet.start_document().put(&"x".repeat(length));
    packet
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn where_runs_are_refused_each_packet_goes_alone() {
    const EIO: i32 = 5;
    const EINVAL: i32 = 22;
    const EMSGSIZE: i32 = 90;
    for code in [EIO, EINVAL, EMSGSIZE] {
        let (daemon, address) = listener();
        let refusing =
            Arc::new(Refusing { system: RealSystem::new(), code, times: u32::MAX, calls: Mutex::default() });
        let (emitter, _guard) = QueuedEmitter::builder().start_in(&address, refusing.clone()).unwrap();
        let mut datagram = [0; 4096];
        for round in 1..=4 {
            // Small ones are tried after large ones were refused, and then none any more.
            let length = if round == 1 { 2000 } else { 500 };
            (0..10).for_each(|_| emitter.emit(&packet(length)).unwrap());
            assert!(emitter.flush(Duration::from_secs(10)));
            let received: Vec<_> = std::iter::from_fn(|| daemon.recv(&mut datagram).ok()).collect();
            assert_eq!(received, [Packet::HEADER.len() + length; 10], "round {round}");
        }
        let stats = emitter.stats();
        assert_eq!((stats.sent, stats.too_large, stats.full, stats.unavailable), (40, 0, 0, 0));
        // Ten packets may leave in two parts, if the sender looked in between.
        assert!((2..=3).contains(&*refusing.calls.lock().unwrap()));
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
const EAGAIN: i32 = 11;

#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn a_kernel_without_room_for_a_moment_gets_the_same_again() {
    let (daemon, address) = listener();
    let system = RealSystem::new();
    let busy = Arc::new(Refusing { system, code: EAGAIN, times: 3, calls: Mutex::default() });
    let (emitter, _guard) = QueuedEmitter::builder().start_in(&address, busy.clone()).unwrap();
    (0..10).for_each(|_| emitter.emit(&packet(500)).unwrap());
    assert!(emitter.flush(Duration::from_secs(10)));
    assert_eq!(std::iter::from_fn(|| daemon.recv(&mut [0; 4096]).ok()).count(), 10);
    assert_eq!((emitter.stats().sent, emitter.stats().full), (10, 0));
    assert!(*busy.calls.lock().unwrap() > 3);
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn a_queue_that_nobody_empties_ends_with_its_guard_and_counts_what_it_held() {
    const PACKETS: u64 = 2_000;
    let (_daemon, address) = listener();
    let system = RealSystem::new();
    let full = Arc::new(Refusing { system, code: EAGAIN, times: u32::MAX, calls: Mutex::default() });
    let (emitter, guard) = QueuedEmitter::builder().capacity(8 << 20).start_in(&address, full).unwrap();
    (0..PACKETS).for_each(|_| emitter.emit(&packet(1_000)).unwrap());
    // Each run is tried for a tenth of a second, of which the guard waits for a few.
    drop(guard);
    let stats = emitter.stats();
    assert_eq!((stats.sent + stats.full, stats.queued), (PACKETS, 0), "{stats:?}");
    assert!(stats.full > PACKETS / 2, "{stats:?}");
}

#[test]
fn one_shard_and_one_block_are_enough_to_work() {
    let (daemon, address) = listener();
    let (emitter, guard) = QueuedEmitter::builder().capacity(0).receive_buffer(0).start(&address).unwrap();
    (0..3).for_each(|_| emitter.emit(&packet(1000)).unwrap());
    drop(guard);
    assert_eq!(std::iter::from_fn(|| daemon.recv(&mut [0; 4096]).ok()).count(), 3);
}

/// Takes no datagram larger than a kilobyte.
#[cfg(any(target_os = "linux", target_os = "android"))]
struct Narrow(RealSystem);

#[cfg(any(target_os = "linux", target_os = "android"))]
impl System for Narrow {
    fn now(&self) -> Duration {
        self.0.now()
    }
    fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        self.0.resolve(host, port)
    }
    fn spawn(&self, job: Box<dyn FnOnce() + Send>) -> bool {
        self.0.spawn(job)
    }
    fn refusal(&self, datagram: &[u8]) -> Option<io::Error> {
        const EMSGSIZE: i32 = 90;
        (datagram.len() > 1024).then(|| io::Error::from_raw_os_error(EMSGSIZE))
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn a_packet_that_was_too_large_for_the_kernel_is_refused_from_then_on() {
    let (daemon, address) = listener();
    let (emitter, _guard) =
        QueuedEmitter::builder().start_in(&address, Arc::new(Narrow(RealSystem::new()))).unwrap();
    let flush = || assert!(emitter.flush(Duration::from_secs(10)));
    assert_eq!(emitter.emit(&packet(2_000)), Ok(()), "the kernel was not asked yet");
    flush();
    assert_eq!(emitter.emit(&packet(2_000)), Err(EmitError::TooLarge));
    assert_eq!(emitter.emit(&packet(1_999)), Ok(()));
    flush();
    assert_eq!(emitter.emit(&packet(500)), Ok(()));
    flush();
    assert_eq!(std::iter::from_fn(|| daemon.recv(&mut [0; 4096]).ok()).count(), 1);
    let stats = emitter.stats();
    assert_eq!((stats.sent, stats.too_large), (1, 3));
    // Another machine's limit may be another.
    emitter.reopen();
    assert_eq!(emitter.emit(&packet(2_000)), Ok(()));
}
