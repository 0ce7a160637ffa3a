//! What the queued emitter does to a machine: these look at time, at system calls and at memory, so they run one
//! after the other and without other tests beside them.
#![cfg(target_os = "linux")]
#![expect(clippy::disallowed_methods, reason = "the daemon's end of the wire, and a test that starts itself")]
#![expect(clippy::unwrap_used, reason = "helpers may panic where tests may")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use xray_sdk::{DaemonAddress, Emitter, Packet, QueueGuard, QueuedEmitter};

/// Long enough never to run out on a busy machine: no test waits for it unless it fails.
const PATIENCE: Duration = Duration::from_secs(20);

fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A daemon that reads as fast as it can, into a receive buffer of the default size, and counts.
struct Reader {
    address: SocketAddr,
    count: Arc<AtomicU64>,
}

impl Reader {
    fn start() -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let (address, count) = (socket.local_addr().unwrap(), Arc::new(AtomicU64::new(0)));
        let counter = Arc::clone(&count);
        // Ends with the process.
        thread::spawn(move || {
            let mut datagram = vec![0; 1 << 16];
            while socket.recv(&mut datagram).is_ok() {
                counter.fetch_add(1, Ordering::Release);
            }
        });
        Self { address, count }
    }

    fn queue(&self) -> (QueuedEmitter, QueueGuard) {
        QueuedEmitter::start(&DaemonAddress::from(self.address)).unwrap()
    }

    /// Whether so many arrive. What is in the kernel has to be read only.
    fn gets(&self, count: u64) -> bool {
        let start = Instant::now();
        while self.count.load(Ordering::Acquire) < count && start.elapsed() < Duration::from_secs(1) {
            thread::sleep(Duration::from_millis(5));
        }
        self.count.load(Ordering::Acquire) == count
    }
}

fn packet(bytes: usize) -> Packet {
    let mut packet = Packet::new();
    packet.start_document().put(&"x".repeat(bytes - Packet::HEADER.len()));
    packet
}

/// How often the queue's thread went to sleep so far, or `None` while there is no such thread.
fn sleeps() -> Option<u64> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let path = tasks.map(|task| task.unwrap().path()).find(|task| {
        std::fs::read_to_string(task.join("comm")).is_ok_and(|name| name.trim_end() == "xray-sender")
    })?;
    let status = std::fs::read_to_string(path.join("status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
    line.trim().parse().ok()
}

/// 10,000 documents a second in bursts of 500: twice what the daemon's buffer holds, every 50 ms.
#[test]
fn bursts_do_not_overflow_a_default_receive_buffer() {
    let _alone = alone();
    // `BURST_SECONDS=10` for the long one.
    let seconds: u64 = std::env::var("BURST_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    // On a machine that runs other things, too, the reader may be kept from reading for longer than its buffer
    // lasts. That is not the queue's doing, and does not happen each time.
    let all_arrived = |attempt: u32| {
        let (reader, packet) = (Reader::start(), packet(600));
        let (emitter, _guard) = reader.queue();
        let start = Instant::now();
        for burst in 0..seconds as u32 * 20 {
            thread::sleep((Duration::from_millis(50) * burst).saturating_sub(start.elapsed()));
            (0..500).for_each(|_| emitter.emit(&packet).unwrap());
        }
        assert!(emitter.flush(PATIENCE));
        let (stats, sent) = (emitter.stats(), seconds * 10_000);
        assert_eq!((stats.sent, stats.full, stats.queued), (sent, 0, 0));
        let all = reader.gets(sent);
        println!("{attempt}: {} of {sent}", reader.count.load(Ordering::Acquire));
        all
    };
    assert!((1..=30).any(all_arrived));
}

/// The kernel says that there is room. By a guess, 36 naps of four milliseconds would be taken.
#[cfg(all(target_os = "linux", feature = "receive"))]
#[test]
fn a_receiver_with_room_is_sent_a_large_burst_without_naps() {
    let _alone = alone();
    // It does not read.
    let socket = xray_sdk::receive::ReceiveSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    if socket.buffer_size() < 8 << 20 {
        println!("skipped: a receive buffer of {} bytes", socket.buffer_size());
        return;
    }
    let address = DaemonAddress::from(socket.local_addr().unwrap());
    let (emitter, _guard) = QueuedEmitter::start(&address).unwrap();
    let packet = packet(600);
    emitter.emit(&packet).unwrap();
    assert!(emitter.flush(PATIENCE), "by now the thread has its name");
    let before = sleeps().unwrap();
    (0..3_000).for_each(|_| emitter.emit(&packet).unwrap());
    assert!(emitter.flush(PATIENCE));
    let naps = sleeps().unwrap() - before;
    assert!(naps < 18, "{naps} naps");
    let stats = emitter.stats();
    assert_eq!((stats.sent, stats.full, socket.kernel_drops()), (3_001, 0, Some(0)));
}

#[test]
fn the_thread_ends_with_the_guard_and_sleeps_for_good_when_nothing_comes() {
    let _alone = alone();
    assert_eq!(sleeps(), None, "no thread before it is asked for");
    let reader = Reader::start();
    let (emitter, guard) = reader.queue();
    emitter.emit(&packet(100)).unwrap();
    assert!(reader.gets(1), "by now the thread has its name");
    // Until it parks: a second, and as long as a busy machine takes.
    let settled = || {
        let before = sleeps().unwrap();
        thread::sleep(Duration::from_millis(300));
        sleeps().unwrap() == before
    };
    assert!((0..20).any(|_| settled()));
    assert!(settled(), "and it stays asleep");
    emitter.emit(&packet(100)).unwrap();
    assert!(reader.gets(2), "but a packet wakes it");
    drop(guard);
    assert_eq!(sleeps(), None);
}

#[test]
fn emitting_allocates_nothing_once_the_queue_has_been_as_full_before() {
    let _alone = alone();
    let reader = Reader::start();
    let (emitter, _guard) = reader.queue();
    let packets = [packet(300), packet(600), packet(5000)];
    let round = || {
        for i in 0..300 {
            emitter.emit(&packets[i % 3]).unwrap();
        }
    };
    // The sender's flush gives the blocks back.
    for _ in 0..3 {
        round();
        assert!(emitter.flush(PATIENCE));
    }
    let measured = allocation_counter::measure(round);
    assert_eq!(measured.count_total, 0);
}

/// As Lambda does, and a container that is checkpointed.
#[test]
fn after_a_freeze_the_thread_goes_on() {
    const DAEMON: &str = "QUEUE_TEST_DAEMON";
    if let Ok(address) = std::env::var(DAEMON) {
        // The process that gets frozen: queues one packet for each line that it reads.
        let (emitter, _guard) = QueuedEmitter::start(&address.parse().unwrap()).unwrap();
        for line in std::io::stdin().lines() {
            assert!(line.is_ok() && emitter.emit(&packet(100)).is_ok());
        }
        return;
    }
    let _alone = alone();
    let reader = Reader::start();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["after_a_freeze_the_thread_goes_on", "--exact", "--nocapture"])
        .env(DAEMON, reader.address.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    output.read_line(&mut String::new()).unwrap();
    let signal = |name: &str| {
        assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
    };
    for frozen in 1..=3_u64 {
        input.write_all(b"before\n").unwrap();
        assert!(reader.gets(frozen * 2 - 1));
        signal("-STOP");
        input.write_all(b"meanwhile\n").unwrap();
        // Longer than a nap, and than the pace remembers.
        thread::sleep(Duration::from_millis(50));
        signal("-CONT");
        assert!(reader.gets(frozen * 2));
    }
    drop(input);
    output.read_to_end(&mut Vec::new()).unwrap();
    assert!(child.wait().unwrap().success());
}
