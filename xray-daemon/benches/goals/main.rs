//! What the daemon has to reach, measured: a paced sender on loopback, the program itself, an endpoint that fails.
//!
//! ```text
//! cargo bench -p xray-daemon                    all, about five minutes
//! cargo bench -p xray-daemon -- paced memory    some of them
//! cargo bench -p xray-daemon -- soak 3600       memory and descriptors over an hour
//! ```
//!
//! Sender, daemon and endpoint share the machine. A line for each goal: what was measured, and what is wanted.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a measurement that fails may panic"
)]
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program that prints, with its own clock"
)]
#![allow(dead_code, reason = "the tests' helpers have more than is needed here")]

#[path = "../../tests/it/edge/daemon.rs"]
mod daemon;
#[path = "../../tests/it/edge/law.rs"]
mod law;

mod endpoint;

use std::net::{TcpListener, UdpSocket};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use daemon::Daemon;
use endpoint::{CUTTING, Endpoint, FAILING, FINE, HALF, HANGING, SLOW, THROTTLING};
use law::Law;
use xray_sdk::{DaemonAddress, Emitter, Packet, QueuedEmitter, UdpEmitter};

const GOALS: [(&str, fn()); 13] = [
    ("paced", paced),
    ("burst", burst),
    ("unprivileged", unprivileged),
    ("runs", runs),
    ("bursts", bursts),
    ("forward", forward),
    ("forward_runs", forward_runs),
    ("memory", memory),
    ("idle", idle),
    ("down", down),
    ("throttled", throttled),
    ("moods", moods),
    ("stop", stop),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if arguments.iter().any(|argument| argument == "--test") {
        return burst();
    }
    if let Some(at) = arguments.iter().position(|argument| argument == "soak") {
        let seconds = arguments.get(at + 1).and_then(|seconds| seconds.parse().ok()).unwrap_or(300);
        return soak(Duration::from_secs(seconds));
    }
    for (name, goal) in GOALS {
        if arguments.is_empty() || arguments.iter().any(|argument| argument == name) {
            goal();
        }
    }
}

fn report(what: &str, measured: &str, wanted: &str) {
    println!("{what:<50} {measured:<52} wanted: {wanted}");
}

fn start(url: &str, arguments: &[&str]) -> Daemon {
    let daemon = Daemon::start(url, &[&["--admin", "127.0.0.1:0"], arguments].concat());
    daemon.admin();
    daemon.line("Using credentials");
    daemon
}

/// A datagram of `size` bytes.
fn datagram(size: usize) -> Vec<u8> {
    let head = "{\"format\":\"json\",\"version\":1}\n{\"id\":\"70de5b6f19ff9a0a\",\"trace_id\":\
                \"1-581cf771-a006649127e371903a2de979\",\"name\":\"";
    let tail = "\",\"start_time\":1478293361.271,\"end_time\":1478293361.449}";
    format!("{head}{:x<width$}{tail}", "", width = size.saturating_sub(head.len() + tail.len())).into_bytes()
}

/// Sends `rate` datagrams a second in bursts of `burst`, and returns how many and in what time.
fn send(daemon: &Daemon, size: usize, rate: u64, burst: u64, time: Duration) -> (u64, Duration) {
    let (socket, to, datagram) = (UdpSocket::bind("127.0.0.1:0").unwrap(), daemon.udp(), datagram(size));
    socket.connect(to).unwrap();
    let begin = Instant::now();
    let mut sent = 0;
    while begin.elapsed() < time {
        let due = (begin.elapsed().as_secs_f64() * rate as f64) as u64 / burst * burst + burst;
        // A sender that was kept from running does not make up for it all at once.
        let due = due.min(sent + 4 * burst);
        while sent < due {
            if socket.send(&datagram).is_ok() {
                sent += 1;
            }
        }
        let next = Duration::from_secs_f64(sent as f64 / rate as f64);
        thread::sleep(next.saturating_sub(begin.elapsed()).min(Duration::from_millis(100)));
    }
    (sent, begin.elapsed())
}

/// Waits until nothing is held, and says what got lost on the way.
fn losses(daemon: &Daemon, endpoint: &Endpoint, sent: u64) -> String {
    let law = Law::wait(daemon, "end of all uploads", |law| {
        law.received + law.kernel_dropped >= sent && law.held == 0
    });
    let lost = sent - endpoint.documents().min(sent);
    format!("{lost} of {sent} lost (kernel {}, memory {})", law.kernel_dropped, law.dropped)
}

fn paced() {
    let endpoint = Endpoint::default();
    let daemon = start(&endpoint.listen(), &[]);
    let (sent, time) = send(&daemon, 250, 40_000, 40, Duration::from_secs(5));
    let rate = sent as f64 / time.as_secs_f64();
    let losses = losses(&daemon, &endpoint, sent);
    report("250 B, 40,000/s paced", &format!("{losses}, {rate:.0}/s"), "0 lost");
}

fn burst() {
    let endpoint = Endpoint::default();
    let daemon = start(&endpoint.listen(), &[]);
    let (socket, to, datagram) = (UdpSocket::bind("127.0.0.1:0").unwrap(), daemon.udp(), datagram(250));
    for _ in 0..5_000 {
        socket.send_to(&datagram, to).unwrap();
    }
    report("5,000 of 250 B at once", &losses(&daemon, &endpoint, 5_000), "0 lost");
}

/// Bursts without the privilege to force the buffer's size, and what the buffer takes while no one reads.
fn unprivileged() {
    // What Linux grants by default, what one sysctl line grants, and what the daemon asks for.
    for kilobytes in ["208", "1024", "8192"] {
        let endpoint = Endpoint::default();
        let url = endpoint.listen();
        let daemon = without_privilege(&url, &["--receive-buffer-kb", kilobytes]);
        let granted = daemon.line("Listening on UDP ");
        let granted = granted.rsplit_once(" of ").unwrap().1.to_owned();
        let (socket, to, datagram) = (UdpSocket::bind("127.0.0.1:0").unwrap(), daemon.udp(), datagram(250));
        daemon.signal("STOP");
        for _ in 0..10_000 {
            socket.send_to(&datagram, to).unwrap();
        }
        daemon.signal("CONT");
        let asleep = Law::wait(&daemon, "end of all uploads", |law| {
            law.received + law.kernel_dropped == 10_000 && law.held == 0
        });
        for _ in 0..1_600 {
            socket.send_to(&datagram, to).unwrap();
        }
        let awake = Law::wait(&daemon, "end of all uploads", |law| {
            law.received + law.kernel_dropped == 11_600 && law.held == 0
        });
        let measured = format!(
            "{granted}: takes {} asleep; {} of 1,600 lost awake",
            asleep.received,
            awake.kernel_dropped - asleep.kernel_dropped
        );
        report(&format!("no privilege, {kilobytes} KB asked"), &measured, "0 of 1,600 lost with 1,024 KB");
    }
}

/// What the buffer takes while no one reads, of documents that our emitter sends in runs.
fn runs() {
    for kilobytes in ["208", "8192"] {
        for size in [250, 1_250] {
            let endpoint = Endpoint::default();
            let daemon = without_privilege(&endpoint.listen(), &["--receive-buffer-kb", kilobytes]);
            let emitter = UdpEmitter::new(&DaemonAddress::from(daemon.udp()));
            let packets = vec![packet(size); 50];
            let send = || (0..200).for_each(|_| emitter.emit_all(&packets, &mut |_, sent| sent.unwrap()));
            daemon.signal("STOP");
            send();
            daemon.signal("CONT");
            let asleep = settled(&daemon);
            send();
            let awake = settled(&daemon);
            let measured = format!(
                "takes {} of 10,000 asleep, {} awake",
                asleep.received,
                awake.received - asleep.received
            );
            report(&format!("{size} B in runs, {kilobytes} KB asked"), &measured, "more than of single ones");
        }
    }
}

/// Waits until nothing comes any more and nothing is held.
fn settled(daemon: &Daemon) -> Law {
    let mut last = Law::of(daemon.admin());
    loop {
        thread::sleep(Duration::from_millis(1_500));
        let law = Law::of(daemon.admin());
        if law.received == last.received && law.held == 0 {
            return law;
        }
        last = law;
    }
}

/// A packet of `size` bytes.
fn packet(size: usize) -> Packet {
    let datagram = datagram(size);
    let document = datagram.strip_prefix(Packet::HEADER.as_bytes()).unwrap();
    let mut packet = Packet::new();
    packet.start_document().put(str::from_utf8(document).unwrap());
    packet
}

/// A daemon that may not go beyond `net.core.rmem_max`, even if the measurement runs as root.
fn without_privilege(url: &str, arguments: &[&str]) -> Daemon {
    let command =
        daemon::command(&[&daemon::usual(url)[..], &["--admin", "127.0.0.1:0"], arguments].concat());
    let mut outer = std::process::Command::new("setpriv");
    outer.args(["--inh-caps=-net_admin", "--bounding-set=-net_admin"]);
    outer.arg(command.get_program()).args(command.get_args()).current_dir("/");
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => outer.env(name, value),
            None => outer.env_remove(name),
        };
    }
    let daemon = Daemon::spawn(outer);
    daemon.admin();
    daemon.line("Using credentials");
    daemon
}

fn bursts() {
    let endpoint = Endpoint::default();
    let daemon = start(&endpoint.listen(), &[]);
    let (sent, _) = send(&daemon, 250, 10_000, 500, Duration::from_secs(5));
    report("250 B, 10,000/s in bursts of 500", &losses(&daemon, &endpoint, sent), "0 lost");
}

/// Documents for each second of the daemon's own processor time.
fn forward() {
    let endpoint = Endpoint::default();
    let daemon = start(&endpoint.listen(), &[]);
    let before = cpu(&daemon);
    let (sent, _) = send(&daemon, 250, 40_000, 400, Duration::from_secs(5));
    let losses = losses(&daemon, &endpoint, sent);
    let used = cpu(&daemon) - before;
    let measured = format!("{:.0} documents per CPU-second, {losses}", sent as f64 / used);
    report("250 B, forwarded", &measured, "100,000 per core");
}

/// The same for documents that our emitter sends in runs, from a queue that never runs full.
fn forward_runs() {
    let endpoint = Endpoint::default();
    let daemon = start(&endpoint.listen(), &[]);
    let (emitter, guard) = QueuedEmitter::start(&DaemonAddress::from(daemon.udp())).unwrap();
    let (before, packet, begin, mut sent) = (cpu(&daemon), packet(250), Instant::now(), 0);
    while begin.elapsed() < Duration::from_secs(5) {
        for _ in 0..400 {
            sent += u64::from(emitter.emit(&packet).is_ok());
        }
        let next = Duration::from_secs_f64(sent as f64 / 40_000.0);
        thread::sleep(next.saturating_sub(begin.elapsed()));
    }
    drop(guard);
    let losses = losses(&daemon, &endpoint, sent);
    let used = cpu(&daemon) - before;
    let measured = format!("{:.0} documents per CPU-second, {losses}", sent as f64 / used);
    report("250 B in runs, forwarded", &measured, "100,000 per core");
}

fn memory() {
    let endpoint = Endpoint::default();
    endpoint.mood.store(HANGING, Ordering::SeqCst);
    let daemon = start(&endpoint.listen(), &["-m", "240"]);
    let (sent, _) = send(&daemon, 60_000, 3_000, 30, Duration::from_secs(10));
    let law = Law::of(daemon.admin());
    let measured =
        format!("{} MiB at most ({sent} sent, {} held)", resident(&daemon, "VmHWM") >> 10, law.held);
    report("60 KB, 3,000/s, -m 240, endpoint hangs", &measured, "255 MiB");
}

fn idle() {
    let endpoint = Endpoint::default();
    let daemon = start(&endpoint.listen(), &[]);
    thread::sleep(Duration::from_secs(3));
    let measured = format!("{:.1} MiB", resident(&daemon, "VmRSS") as f64 / 1024.0);
    report("idle", &measured, "10 MiB");
}

/// An endpoint that is not there for a minute.
fn down() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let endpoint = Endpoint::default();
    let daemon = start(&format!("http://{address}"), &["-m", "100"]);
    let (first, _) = send(&daemon, 1_000, 1_000, 10, Duration::from_secs(3));
    let calls = Law::of(daemon.admin()).value("calls_total");
    let (more, time) = send(&daemon, 1_000, 1_000, 10, Duration::from_secs(57));
    let probes = (Law::of(daemon.admin()).value("calls_total") - calls) / time.as_secs_f64();
    endpoint.serve(TcpListener::bind(address).unwrap());
    let losses = losses(&daemon, &endpoint, first + more);
    report(
        "1 KB, 1,000/s, -m 100, endpoint down 60 s",
        &format!("{losses}, {probes:.2} probes/s"),
        "0 lost, 1 probe/s",
    );
}

fn throttled() {
    let endpoint = Endpoint::default();
    endpoint.mood.store(THROTTLING, Ordering::SeqCst);
    let daemon = start(&endpoint.listen(), &["-m", "100"]);
    let (first, _) = send(&daemon, 1_000, 1_000, 10, Duration::from_secs(3));
    let calls = endpoint.calls.load(Ordering::SeqCst);
    let (more, time) = send(&daemon, 1_000, 1_000, 10, Duration::from_secs(27));
    let probes = (endpoint.calls.load(Ordering::SeqCst) - calls) as f64 / time.as_secs_f64();
    endpoint.mood.store(FINE, Ordering::SeqCst);
    let losses = losses(&daemon, &endpoint, first + more);
    report(
        "1 KB, 1,000/s, -m 100, 429 for 30 s",
        &format!("{losses}, {probes:.2} probes/s"),
        "0 lost, 1 probe/s",
    );
}

/// Every way to fail, five seconds each, and five good ones between them.
fn moods() {
    let endpoint = Endpoint::default();
    let daemon = start(&endpoint.listen(), &["-m", "100"]);
    let mut sent = 0;
    for mood in [SLOW, FAILING, THROTTLING, CUTTING, HALF, HANGING] {
        for mood in [mood, FINE] {
            endpoint.mood.store(mood, Ordering::SeqCst);
            sent += send(&daemon, 1_000, 1_000, 10, Duration::from_secs(5)).0;
        }
    }
    let losses = losses(&daemon, &endpoint, sent);
    report("1 KB, 1,000/s, slow, 503, 429, cut, half, hanging", &losses, "0 lost");
}

fn stop() {
    let endpoint = Endpoint::default();
    endpoint.mood.store(HANGING, Ordering::SeqCst);
    let mut daemon = start(&endpoint.listen(), &["--shutdown-seconds", "10"]);
    let (sent, _) = send(&daemon, 250, 1_000, 10, Duration::from_secs(3));
    daemon.signal("TERM");
    let begin = Instant::now();
    daemon.ended();
    let time = begin.elapsed().as_secs_f64();
    let last = daemon.line("Shutdown finished: ");
    let counted = last.contains(&format!("received {sent}, sent 0, rejected 0, dropped {sent} (shutdown)"));
    let measured = format!("{time:.1} s, {}", if counted { "all counted" } else { last.as_str() });
    report("SIGTERM, endpoint hangs, 10 s allowed", &measured, "10 s, all counted");
}

/// Memory and descriptors, a line every half a minute.
fn soak(time: Duration) {
    let endpoint = Endpoint::default();
    let daemon = start(&endpoint.listen(), &["-m", "100"]);
    let begin = Instant::now();
    let mut sent = 0;
    while begin.elapsed() < time {
        // Half a minute of traffic, of which the endpoint throttles five seconds.
        sent += send(&daemon, 1_000, 2_000, 20, Duration::from_secs(25)).0;
        endpoint.mood.store(THROTTLING, Ordering::SeqCst);
        sent += send(&daemon, 1_000, 2_000, 20, Duration::from_secs(5)).0;
        endpoint.mood.store(FINE, Ordering::SeqCst);
        let descriptors = std::fs::read_dir(format!("/proc/{}/fd", daemon.id())).unwrap().count();
        let resident = resident(&daemon, "VmRSS") >> 10;
        println!(
            "{:>5} s: {resident} MiB, {descriptors} descriptors, {sent} sent",
            begin.elapsed().as_secs()
        );
    }
    report("soak", &losses(&daemon, &endpoint, sent), "0 lost");
}

/// Kilobytes, from `/proc`.
fn resident(daemon: &Daemon, what: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(':')).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Seconds of processor time that the daemon has used.
fn cpu(daemon: &Daemon) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", daemon.id())).unwrap();
    let (_, rest) = stat.rsplit_once(") ").unwrap();
    let ticks: u64 = rest.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    // `USER_HZ` is 100 on all that Linux runs on.
    ticks as f64 / 100.0
}
