//! The emitter among manual surroundings: the clock stands still until a test moves it, names are what a test
//! says, and a lookup is over when `spawn` returns. Sockets are real. What needs no manual clock is in `tests/it`.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::UdpEmitter;
use super::system::System;
use crate::daemon::{DaemonAddress, EmitError, Emitter, EmitterProblem, Packet};

#[derive(Default)]
struct Stage {
    now: Mutex<Duration>,
    addresses: Mutex<Vec<SocketAddr>>,
    lookups: AtomicU32,
    no_threads: AtomicBool,
    /// Whether the kernel takes no runs.
    no_runs: AtomicBool,
    /// The errors of the next sends, the last one first.
    refusals: Mutex<Vec<i32>>,
    /// How often callers made way.
    yields: AtomicU32,
}

impl Stage {
    fn with(addresses: &[SocketAddr]) -> Arc<Self> {
        let stage = Arc::new(Self::default());
        stage.move_to(addresses);
        stage
    }

    fn emitter(self: &Arc<Self>) -> UdpEmitter {
        UdpEmitter::with_system(&"daemon:2000".parse().unwrap(), self.clone())
    }

    fn move_to(&self, addresses: &[SocketAddr]) {
        *self.addresses.lock().unwrap() = addresses.to_vec();
    }

    fn pass(&self, seconds: u64) {
        *self.now.lock().unwrap() += Duration::from_secs(seconds);
    }

    fn lookups(&self) -> u32 {
        self.lookups.load(Ordering::Relaxed)
    }
}

impl System for Stage {
    fn now(&self) -> Duration {
        *self.now.lock().unwrap()
    }

    fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        assert_eq!((host, port), ("daemon", 2000));
        self.lookups.fetch_add(1, Ordering::Relaxed);
        let addresses = self.addresses.lock().unwrap().clone();
        if addresses.is_empty() { Err(io::ErrorKind::NotFound.into()) } else { Ok(addresses) }
    }

    fn spawn(&self, job: Box<dyn FnOnce() + Send>) -> bool {
        let spawned = !self.no_threads.load(Ordering::Relaxed);
        if spawned {
            job();
        }
        spawned
    }

    fn refusal(&self, _: &[u8]) -> Option<io::Error> {
        self.refusals.lock().unwrap().pop().map(io::Error::from_raw_os_error)
    }

    fn make_way(&self) {
        self.yields.fetch_add(1, Ordering::Relaxed);
    }

    #[cfg(all(feature = "queued-emitter", any(target_os = "linux", target_os = "android")))]
    fn send_gso(&self, call: &dyn Fn() -> io::Result<()>) -> io::Result<()> {
        if self.no_runs.load(Ordering::Relaxed) { Err(io::Error::from_raw_os_error(5)) } else { call() }
    }
}

#[expect(clippy::disallowed_methods, reason = "the daemon's end")]
fn listener() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.set_nonblocking(true).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// An address where nobody listens. The socket keeps other tests away from it; being connected to a stranger, it
/// takes nothing from anyone else.
fn nobody() -> (UdpSocket, SocketAddr) {
    let (socket, address) = listener();
    socket.connect((Ipv4Addr::LOCALHOST, 9)).unwrap();
    (socket, address)
}

fn received(socket: &UdpSocket) -> usize {
    std::iter::from_fn(|| socket.recv(&mut [0; 100]).ok()).count()
}

#[test]
fn a_name_that_moves_is_followed_within_a_minute() {
    let ((old, old_address), (new, new_address)) = (listener(), listener());
    let stage = Stage::with(&[old_address]);
    let emitter = stage.emitter();
    emitter.emit(&Packet::new()).unwrap();
    stage.move_to(&[new_address]);
    stage.pass(59);
    emitter.emit(&Packet::new()).unwrap();
    assert_eq!((received(&old), received(&new), stage.lookups()), (2, 0, 1));
    stage.pass(1);
    emitter.emit(&Packet::new()).unwrap();
    assert_eq!((received(&old), received(&new), stage.lookups()), (0, 1, 2));
    assert_eq!(emitter.peer(), Some(new_address));
}

#[test]
fn an_address_that_is_still_among_them_stays_in_use() {
    let ((_old, old_address), (_new, new_address)) = (listener(), listener());
    let stage = Stage::with(&[old_address]);
    let emitter = stage.emitter();
    stage.move_to(&[new_address, old_address]);
    stage.pass(60);
    emitter.emit(&Packet::new()).unwrap();
    assert_eq!((emitter.peer(), stage.lookups()), (Some(old_address), 2));
    stage.move_to(&[]);
    stage.pass(60);
    emitter.emit(&Packet::new()).unwrap();
    assert_eq!(
        (emitter.peer(), stage.lookups()),
        (Some(old_address), 3),
        "a failed lookup takes nothing away"
    );
}

#[test]
fn the_next_address_gets_its_turn_when_nobody_listens_at_the_first() {
    // As `localhost` does, which is ::1 first, while the daemon listens on 127.0.0.1 only.
    let (daemon, address) = listener();
    let (_nobody, first) = nobody();
    let emitter = Stage::with(&[first, address]).emitter();
    for _ in 0..3 {
        emitter.emit(&Packet::new()).unwrap();
    }
    assert_eq!(received(&daemon), 2);
    let stats = emitter.stats();
    assert_eq!((stats.sent, stats.resent, stats.unavailable), (3, 1, 1));
}

#[test]
fn addresses_take_turns_once_a_second_at_most() {
    let ((_one, one), (_two, two)) = (nobody(), nobody());
    let stage = Stage::with(&[one, two]);
    let emitter = stage.emitter();
    let emit = || (0..4).for_each(|_| assert_eq!(emitter.emit(&Packet::new()), Ok(())));
    emit();
    assert_eq!(emitter.peer(), Some(two));
    emit();
    assert_eq!(emitter.peer(), Some(two));
    stage.pass(1);
    emit();
    assert_eq!(emitter.peer(), Some(one));
}

#[test]
fn refused_packets_bring_the_next_lookup_forward() {
    let (daemon, address) = listener();
    let (_nobody, empty) = nobody();
    let stage = Stage::with(&[empty]);
    let emitter = stage.emitter();
    emitter.emit(&Packet::new()).unwrap();
    emitter.emit(&Packet::new()).unwrap();
    stage.move_to(&[address]);
    stage.pass(4);
    emitter.emit(&Packet::new()).unwrap();
    assert_eq!(received(&daemon), 0);
    stage.pass(1);
    emitter.emit(&Packet::new()).unwrap();
    assert_eq!((received(&daemon), stage.lookups()), (1, 2));
}

#[test]
fn packets_before_the_name_resolves_are_counted() {
    let (daemon, address) = listener();
    let stage = Stage::with(&[]);
    let emitter = stage.emitter();
    assert_eq!(emitter.peer(), None);
    assert_eq!(emitter.emit(&Packet::new()), Err(EmitError::Unavailable));
    stage.move_to(&[address]);
    stage.pass(4);
    assert_eq!(emitter.emit(&Packet::new()), Err(EmitError::Unavailable));
    stage.pass(1);
    assert_eq!(emitter.emit(&Packet::new()), Ok(()));
    let stats = emitter.stats();
    assert_eq!((received(&daemon), stats.sent, stats.unavailable, stats.resent), (1, 1, 2, 0));
}

#[test]
fn without_threads_lookups_are_tried_again() {
    let (daemon, address) = listener();
    let stage = Stage::with(&[address]);
    stage.no_threads.store(true, Ordering::Relaxed);
    let emitter = stage.emitter();
    assert_eq!(emitter.emit(&Packet::new()), Err(EmitError::Unavailable));
    stage.no_threads.store(false, Ordering::Relaxed);
    stage.pass(5);
    assert_eq!(emitter.emit(&Packet::new()), Ok(()));
    assert_eq!(received(&daemon), 1);
}

#[test]
fn reopening_looks_a_name_up_at_once() {
    let ((_old, old_address), (new, new_address)) = (listener(), listener());
    let stage = Stage::with(&[old_address]);
    let emitter = stage.emitter();
    stage.move_to(&[new_address]);
    emitter.reopen();
    assert_eq!((emitter.peer(), stage.lookups()), (Some(new_address), 2));
    emitter.emit(&Packet::new()).unwrap();
    assert_eq!(received(&new), 1);
}

#[test]
fn an_address_is_never_looked_up() {
    let (daemon, address) = listener();
    let stage = Stage::with(&[]);
    let emitter = UdpEmitter::with_system(&DaemonAddress::from(address), stage.clone());
    stage.pass(3600);
    emitter.emit(&Packet::new()).unwrap();
    emitter.reopen();
    emitter.emit(&Packet::new()).unwrap();
    assert_eq!((received(&daemon), stage.lookups()), (2, 0));
}

#[test]
fn packets_that_come_together_arrive_in_order_whether_the_kernel_takes_runs_or_not() {
    for no_runs in [false, true] {
        let (daemon, address) = listener();
        let stage = Stage::with(&[address]);
        stage.no_runs.store(no_runs, Ordering::Relaxed);
        let emitter = stage.emitter();
        let document = |i: usize| format!("{i} {}", "x".repeat(if i == 12 { 5_000 } else { 200 + 7 * i }));
        let packets: Vec<Packet> = (0..30)
            .map(|i| {
                let mut packet = Packet::new();
                packet.start_document().put(&document(i));
                packet
            })
            .collect();
        let mut reported = Vec::new();
        emitter.emit_all(&packets, &mut |index, result| reported.push((index, result)));
        assert_eq!(reported, (0..30).map(|i| (i, Ok(()))).collect::<Vec<_>>());
        let mut datagram = [0; 8_192];
        for i in 0..30 {
            let length = daemon.recv(&mut datagram).unwrap();
            let text = std::str::from_utf8(&datagram[..length]).unwrap();
            let (header, received) = text.split_once('\n').unwrap();
            assert_eq!((header.replace(' ', "").len() + 1, received), (Packet::HEADER.len(), &*document(i)));
        }
        let stats = emitter.stats();
        assert_eq!((stats.sent, stats.unavailable, stats.full, stats.too_large), (30, 0, 0, 0));
    }
}

#[test]
fn more_than_a_burst_makes_way_for_the_receiver() {
    let (daemon, address) = listener();
    let stage = Stage::with(&[address]);
    let emitter = stage.emitter();
    let mut packet = Packet::new();
    packet.start_document().put(&"x".repeat(600));
    let packets = vec![packet; 50];
    let yields_of = || {
        let before = stage.yields.load(Ordering::Relaxed);
        emitter.emit_all(&packets, &mut |_, result| assert_eq!(result, Ok(())));
        received(&daemon);
        stage.yields.load(Ordering::Relaxed) - before
    };
    assert_eq!(yields_of(), 0, "50 are less than a burst");
    assert_ne!(yields_of(), 0, "100 at once are not");
    stage.pass(1);
    assert_eq!(yields_of(), 0, "a second later, all are read");
    assert_ne!(yields_of(), 0);
    stage.pass(3_600);
    assert_eq!(yields_of(), 0);
}

#[test]
fn packets_that_come_together_and_meet_no_listener_are_counted_once() {
    let (_nobody, empty) = nobody();
    let emitter = Stage::with(&[empty]).emitter();
    let packets = [const { 0 }; 5].map(|_| Packet::new());
    let mut accepted = 0;
    for _ in 0..3 {
        emitter.emit_all(&packets, &mut |_, result| accepted += u64::from(result.is_ok()));
    }
    let stats = emitter.stats();
    assert_eq!((accepted, stats.sent), (15, 15));
    // The kernel has not reported on the last call yet.
    assert!((10..=14).contains(&stats.unavailable), "{stats:?}");
}

#[cfg(any(target_os = "linux", target_os = "android"))]
const EPERM: i32 = 1;

#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn a_socket_that_breaks_is_replaced_once_a_second_and_its_reason_is_a_problem() {
    let (daemon, address) = listener();
    let stage = Stage::with(&[address]);
    let emitter = stage.emitter();
    *stage.refusals.lock().unwrap() = vec![EPERM];
    assert_eq!(emitter.emit(&Packet::new()), Ok(()));
    let reason = io::Error::from_raw_os_error(EPERM).to_string();
    let problem = EmitterProblem::Unreachable { peer: address, reason };
    assert_eq!(emitter.problem().as_ref(), Some(&problem));
    *stage.refusals.lock().unwrap() = vec![EPERM];
    assert_eq!(emitter.emit(&Packet::new()), Err(EmitError::Unavailable), "in the same second");
    (0..3).for_each(|_| emitter.emit(&Packet::new()).unwrap());
    assert_eq!((received(&daemon), emitter.problem()), (4, None));
    // The fresh socket is no better.
    stage.pass(1);
    *stage.refusals.lock().unwrap() = vec![EPERM; 2];
    assert_eq!(emitter.emit(&Packet::new()), Err(EmitError::Unavailable));
    assert_eq!(emitter.problem(), Some(problem));
    let stats = emitter.stats();
    assert_eq!((stats.sent, stats.resent, stats.unavailable), (4, 0, 2));
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn a_send_that_is_refused_twice_reports_two_packets_before_it() {
    const ECONNREFUSED: i32 = 111;
    let (daemon, address) = listener();
    let stage = Stage::with(&[address]);
    let emitter = stage.emitter();
    (0..2).for_each(|_| emitter.emit(&Packet::new()).unwrap());
    // Another thread's packet went out between the two.
    *stage.refusals.lock().unwrap() = vec![ECONNREFUSED; 2];
    assert_eq!(emitter.emit(&Packet::new()), Err(EmitError::Unavailable));
    let stats = emitter.stats();
    assert_eq!((received(&daemon), stats.sent, stats.resent, stats.unavailable), (2, 2, 0, 3));
}
