//! The queued emitter over real sockets. What needs the machine for itself is in `tests/quiet.rs`.
#![expect(clippy::unwrap_used, reason = "helpers may panic where tests may")]

use std::collections::HashSet;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use xray_sdk::local::{Collector, Document};
use xray_sdk::{DaemonAddress, EmitError, Emitter, Packet, QueueGuard, QueuedEmitter};

use crate::support::{daemon_at, local_daemon, packet, packet_of};

/// Long enough never to run out on a busy machine: no test waits for it unless it fails.
const PATIENCE: Duration = Duration::from_secs(20);

fn queue_to(address: SocketAddr) -> (QueuedEmitter, QueueGuard) {
    QueuedEmitter::start(&DaemonAddress::from(address)).unwrap()
}

/// The document, and how many blanks its header line was filled up with.
fn open(datagram: &[u8]) -> (String, usize) {
    let text = std::str::from_utf8(datagram).unwrap();
    let (header, document) = text.split_once('\n').unwrap();
    let blanks =
        header.strip_prefix("{\"format\":\"json\",\"version\":1").unwrap().strip_suffix('}').unwrap();
    assert!(blanks.bytes().all(|byte| byte == b' '));
    (document.to_owned(), blanks.len())
}

/// What has arrived: on loopback a datagram is there when its send returns.
fn received(socket: &UdpSocket) -> Vec<String> {
    let mut datagram = vec![0; 1 << 16];
    std::iter::from_fn(|| socket.recv(&mut datagram).ok().map(|length| open(&datagram[..length]).0)).collect()
}

/// Says in the end that everything was read.
struct ReadAll<'a>(&'a AtomicU64);

impl Drop for ReadAll<'_> {
    fn drop(&mut self) {
        self.0.store(u64::MAX / 2, Ordering::Relaxed);
    }
}

#[test]
fn of_100_000_documents_none_is_lost_or_sent_twice_and_each_thread_s_leave_in_order() {
    const THREADS: u64 = 4;
    const EACH: u64 = 25_000;
    // So many small datagrams fit into a default receive buffer, whatever the reader does meanwhile.
    const IN_FLIGHT: u64 = 120;
    let (daemon, address) = local_daemon();
    daemon.set_nonblocking(false).unwrap();
    daemon.set_read_timeout(Some(PATIENCE)).unwrap();
    let (emitter, _guard) = queue_to(address);
    let (claimed, read, refused) = (&AtomicU64::new(0), &AtomicU64::new(0), &AtomicU64::new(0));
    let text = |thread: u64, number: u64| format!("{thread} {number} {}", "y".repeat((number % 60) as usize));
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let emitter = emitter.clone();
            scope.spawn(move || {
                for number in 0..EACH {
                    let place = claimed.fetch_add(1, Ordering::Relaxed);
                    while place >= read.load(Ordering::Relaxed) + IN_FLIGHT {
                        emitter.flush(Duration::from_millis(1));
                    }
                    // On a busy machine, every shard may be locked by a thread that does not run.
                    while emitter.emit(&packet(&text(thread, number))).is_err() {
                        refused.fetch_add(1, Ordering::Relaxed);
                        thread::sleep(Duration::from_millis(1));
                    }
                }
            });
        }
        // If this fails, the others must not wait for it.
        let _read_all = ReadAll(read);
        let (mut next, mut datagram, mut padded) = ([0; THREADS as usize], [0; 1000], 0);
        for _ in 0..THREADS * EACH {
            let length = daemon.recv(&mut datagram).unwrap();
            let (document, blanks) = open(&datagram[..length]);
            let thread: u64 = document.split(' ').next().unwrap().parse().unwrap();
            assert_eq!(document, text(thread, next[thread as usize]));
            next[thread as usize] += 1;
            padded += usize::from(blanks > 0);
            read.fetch_add(1, Ordering::Relaxed);
        }
        assert!(padded > 0 || !cfg!(target_os = "linux"), "some went out together");
    });
    assert!(emitter.flush(PATIENCE));
    daemon.set_nonblocking(true).unwrap();
    assert!(daemon.recv(&mut [0; 1000]).is_err(), "nothing more");
    let stats = emitter.stats();
    let expected = (THREADS * EACH, refused.load(Ordering::Relaxed), 0);
    assert_eq!((stats.sent, stats.full, stats.queued), expected);
}

#[test]
fn documents_pass_the_collector_without_the_blanks_that_made_them_equal() {
    let collector = Collector::start().unwrap();
    let (emitter, _guard) = queue_to(collector.address());
    let document = |id: u64| {
        format!(
            r#"{{"id":"{id:016x}","trace_id":"1-66f1a2b3-0123456789abcdef01234567","name":"{}","start_time":100,"end_time":101,"aws":{{"xray":{{}}}}}}"#,
            "n".repeat(id as usize * 10)
        )
    };
    let documents: Vec<_> = (1..=15).map(document).collect();
    documents.iter().for_each(|document| emitter.emit(&packet(document)).unwrap());
    assert!(emitter.flush(PATIENCE));
    assert!(collector.wait_for_documents(15, PATIENCE));
    let received = collector.received();
    assert_eq!(received.problems(), Vec::<String>::new());
    assert_eq!(received.documents().iter().map(Document::text).collect::<Vec<_>>(), documents);
    let plain: usize = documents.iter().map(|document| packet(document).as_bytes().len()).sum();
    assert!(received.bytes() > plain || !cfg!(target_os = "linux"), "there were blanks");
}

#[test]
fn a_full_queue_drops_whole_documents_counts_them_and_recovers() {
    let (daemon, address) = local_daemon();
    let builder = QueuedEmitter::builder().capacity(1 << 18);
    let (emitter, _guard) = builder.start(&DaemonAddress::from(address)).unwrap();
    let large = packet_of(40_000);
    let outcomes: Vec<_> = (0..200).map(|_| emitter.emit(&large)).collect();
    let full = outcomes.iter().filter(|outcome| **outcome == Err(EmitError::Full)).count() as u64;
    let taken = outcomes.iter().filter(|outcome| outcome.is_ok()).count() as u64;
    assert!(full > 0 && taken >= 4, "{full} {taken}");
    assert_eq!(full + taken, 200);
    assert!(emitter.flush(PATIENCE));
    let stats = emitter.stats();
    assert_eq!((stats.sent, stats.full, stats.queued), (taken, full, 0));
    // What arrived is whole. Nobody read meanwhile, so some did not.
    assert!(received(&daemon).iter().all(|document| Packet::HEADER.len() + document.len() == 40_000));
    emitter.emit(&packet("again")).unwrap();
    assert!(emitter.flush(PATIENCE));
    assert_eq!(received(&daemon), ["again"]);
}

#[test]
fn flush_tells_whether_everything_is_in_the_kernel() {
    let (daemon, address) = local_daemon();
    let (emitter, _guard) = queue_to(address);
    assert!(emitter.flush(PATIENCE), "nothing to wait for");
    // 50 of them take the place of more than ten bursts, each of which waits for some milliseconds.
    (0..50).for_each(|_| emitter.emit(&packet_of(40_000)).unwrap());
    assert!(!emitter.flush(Duration::ZERO));
    assert!(!emitter.flush(Duration::from_millis(1)));
    assert!(emitter.stats().queued > 0);
    assert!(emitter.flush(PATIENCE));
    received(&daemon);
    for i in 0..20 {
        emitter.emit(&packet(&format!("{i}"))).unwrap();
        assert!(emitter.flush(PATIENCE));
        assert_eq!(received(&daemon), [format!("{i}")]);
    }
    assert_eq!((emitter.stats().sent, emitter.stats().queued), (70, 0));
}

#[test]
fn dropping_the_guard_sends_what_is_queued_and_what_comes_later_goes_at_once() {
    let (daemon, address) = local_daemon();
    let (emitter, guard) = queue_to(address);
    let documents: Vec<_> = (0..50).map(|i| format!("{i}")).collect();
    documents.iter().for_each(|document| emitter.emit(&packet(document)).unwrap());
    drop(guard);
    assert_eq!(received(&daemon), documents);
    emitter.emit(&packet("late")).unwrap();
    assert_eq!(received(&daemon), ["late"]);
    assert!(emitter.flush(Duration::ZERO), "nothing is held back any more");
    assert_eq!((emitter.stats().sent, emitter.stats().queued), (51, 0));
}

#[test]
fn a_daemon_that_comes_late_misses_nothing_that_was_queued_after_it_came() {
    for before in 0..4_u64 {
        let (reserved, address) = local_daemon();
        // For everyone else nobody is there.
        reserved.connect((Ipv4Addr::LOCALHOST, 9)).unwrap();
        let (emitter, _guard) = queue_to(address);
        for i in 0..before * 20 {
            emitter.emit(&packet(&format!("early {i}"))).unwrap();
            if i % 20 == 19 {
                assert!(emitter.flush(PATIENCE));
            }
        }
        drop(reserved);
        let daemon = daemon_at(address);
        let documents: Vec<_> = (0..10).map(|i| format!("late {i}")).collect();
        documents.iter().for_each(|document| emitter.emit(&packet(document)).unwrap());
        assert!(emitter.flush(PATIENCE));
        assert_eq!(received(&daemon), documents, "in order, none missing, none twice");
        let stats = emitter.stats();
        assert_eq!((stats.sent, stats.queued), (before * 20 + 10, 0));
        if before > 0 {
            assert!(stats.resent > 0);
        }
    }
}

/// Longer than it takes to emit a few documents.
const DELAY: Duration = Duration::from_secs(1);

/// A delay in which no other test ends.
const LONG: Duration = Duration::from_secs(10);

#[test]
fn documents_wait_for_others_and_leave_together() {
    let (daemon, address) = local_daemon();
    let (emitter, _guard) = QueuedEmitter::builder().delay(DELAY).start(&address.into()).unwrap();
    let documents: Vec<_> = (0..20).map(|i| format!("{i}")).collect();
    for (number, document) in documents.iter().enumerate() {
        emitter.emit(&packet(document)).unwrap();
        // The first wakes the thread, which has time to send it alone, and does not.
        thread::sleep(Duration::from_millis(if number == 0 { 50 } else { 0 }));
    }
    daemon.set_nonblocking(false).unwrap();
    daemon.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut datagram = [0; 1000];
    let came = documents.iter().map(|_| {
        let (length, sender) = daemon.recv_from(&mut datagram).unwrap();
        (open(&datagram[..length]).0, sender)
    });
    let (came, senders): (Vec<_>, HashSet<_>) = came.unzip();
    assert_eq!(came, documents);
    // Runs have a socket of their own. A thread that woke for each document would have used the other as well.
    assert_eq!(senders.len(), 1);
}

#[test]
fn neither_a_flush_nor_the_guard_s_end_waits_for_the_delay() {
    let (daemon, address) = local_daemon();
    let (emitter, guard) = QueuedEmitter::builder().delay(LONG).start(&address.into()).unwrap();
    let start = Instant::now();
    for number in 0..3 {
        emitter.emit(&packet(&format!("{number}"))).unwrap();
        assert!(emitter.flush(LONG));
        assert_eq!(received(&daemon), [format!("{number}")]);
    }
    emitter.emit(&packet("last")).unwrap();
    drop(guard);
    assert_eq!(received(&daemon), ["last"]);
    assert!(start.elapsed() < LONG);
}

#[test]
fn a_queue_that_fills_up_does_not_wait_for_the_delay() {
    let (daemon, address) = local_daemon();
    let builder = QueuedEmitter::builder().capacity(1 << 20).delay(LONG);
    let (emitter, _guard) = builder.start(&address.into()).unwrap();
    let start = Instant::now();
    // A third of the queue.
    (0..6).for_each(|_| emitter.emit(&packet_of(60_000)).unwrap());
    daemon.set_nonblocking(false).unwrap();
    daemon.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(daemon.recv(&mut [0; 1 << 16]).unwrap(), 60_000);
    assert!(start.elapsed() < LONG);
}

#[test]
fn packets_to_nobody_are_counted_and_do_not_stay() {
    let (reserved, address) = local_daemon();
    reserved.connect((Ipv4Addr::LOCALHOST, 9)).unwrap();
    let (emitter, _guard) = queue_to(address);
    for _ in 0..10 {
        (0..20).for_each(|_| emitter.emit(&packet("x")).unwrap());
        assert!(emitter.flush(PATIENCE));
    }
    let stats = emitter.stats();
    assert_eq!((stats.sent, stats.full, stats.queued), (200, 0, 0));
    // A report comes with the next send through the same socket.
    assert!((100..200).contains(&stats.unavailable), "{stats:?}");
    let (emitter, _guard) = QueuedEmitter::start(&"no-such-host.invalid:2000".parse().unwrap()).unwrap();
    (0..20).for_each(|_| emitter.emit(&packet("x")).unwrap());
    assert!(emitter.flush(PATIENCE));
    assert_eq!((emitter.stats().unavailable, emitter.peer()), (20, None));
}

#[test]
fn what_no_datagram_holds_is_refused_at_once() {
    let (daemon, address) = local_daemon();
    let (emitter, _guard) = queue_to(address);
    assert_eq!(emitter.emit(&packet_of(65_508)), Err(EmitError::TooLarge));
    assert_eq!(emitter.stats().too_large, 1);
    if cfg!(target_os = "linux") {
        emitter.emit(&packet_of(65_507)).unwrap();
        assert!(emitter.flush(PATIENCE));
        assert_eq!(received(&daemon).len(), 1);
    }
}

#[test]
fn a_reopened_queue_sends_from_a_fresh_socket() {
    let (daemon, address) = local_daemon();
    let (emitter, _guard) = queue_to(address);
    // One packet leaves by another socket than many together.
    for count in [1, 10] {
        let senders = || {
            (0..count).for_each(|_| emitter.emit(&packet("x")).unwrap());
            assert!(emitter.flush(PATIENCE));
            (0..count).map(|_| daemon.recv_from(&mut [0; 100]).unwrap().1).collect::<HashSet<_>>()
        };
        let before = senders();
        emitter.reopen();
        assert!(senders().is_disjoint(&before));
    }
}
