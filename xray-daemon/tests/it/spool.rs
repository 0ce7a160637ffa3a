//! The spool from outside: an endpoint that is down, a crash, a disk that is full.

use std::net::UdpSocket;
use std::path::PathBuf;
use std::time::Duration;

use crate::edge::daemon::{Daemon, segment};
use crate::edge::endpoint::Endpoint;
use crate::edge::law::Law;
use crate::edge::xray::status;

fn scratch(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("xray-daemon-spooling-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    path
}

/// Sends no faster than the disk can write, however slow it is.
fn send_slowly(daemon: &Daemon, documents: std::ops::Range<usize>) {
    let mut first = documents.start;
    while first < documents.end {
        let next = (first + 10).min(documents.end);
        send(daemon, first..next);
        Law::wait(daemon, "room", |law| {
            // A batch that failed is held beside those that wait, until its next attempt as well.
            let under_way = if law.value("calls_total") > 0.0 { UNDER_WAY } else { 0.0 };
            law.received + law.kernel_dropped >= next as u64 && law.value("held_bytes") < ROOM + under_way
        });
        first = next;
    }
}

/// Bytes that wait in memory while none go to disk: four fifths of what a budget of 3 MB leaves for waiting.
const ROOM: f64 = 1_890_000.0;
/// Bytes of the largest batch under such a budget.
const UNDER_WAY: f64 = 390_000.0;

/// Documents of ten kilobytes, so that a small budget is soon full.
fn send(daemon: &Daemon, documents: std::ops::Range<usize>) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let to = daemon.udp();
    let padding = format!("\"name\":\"shop\",\"padding\":\"{}\"", "x".repeat(10_000));
    for number in documents {
        let text = String::from_utf8(segment(number)).unwrap().replace("\"name\":\"shop\"", &padding);
        socket.send_to(text.as_bytes(), to).unwrap();
        std::thread::sleep(Duration::from_micros(500));
    }
}

fn start(endpoint: &Endpoint, spool: &std::path::Path, arguments: &[&str]) -> Daemon {
    let usual = ["--admin", "127.0.0.1:0", "-m", "3", "--spool", spool.to_str().unwrap()];
    Daemon::start(&endpoint.url(), &[&usual, arguments].concat())
}

#[test]
fn what_memory_cannot_hold_goes_to_disk_and_comes_back() {
    let spool = scratch("back");
    let endpoint = Endpoint::start();
    endpoint.fail(|_| Some(status(503, "")));
    let daemon = start(&endpoint, &spool, &[]);
    send_slowly(&daemon, 0..500);
    let law = Law::wait(&daemon, "documents on disk", |law| {
        law.received + law.kernel_dropped == 500 && law.spooled > 200
    });
    assert_eq!(law.dropped, 0, "{law:?}");
    endpoint.heal();
    let law = Law::wait(&daemon, "end of all uploads", |law| law.held == 0 && law.spooled == 0);
    assert_eq!((law.sent, law.dropped), (law.received, 0));
    assert_eq!((endpoint.distinct() as u64, endpoint.confirmed() as u64), (law.sent, law.sent));
    drop(daemon);
    std::fs::remove_dir_all(spool).unwrap();
}

#[cfg(unix)]
#[test]
fn what_is_on_disk_survives_kill_9_and_counts_as_received_by_the_next() {
    let spool = scratch("crash");
    let endpoint = Endpoint::start();
    endpoint.fail(|_| Some(status(503, "")));
    let mut daemon = start(&endpoint, &spool, &[]);
    send_slowly(&daemon, 0..500);
    let before = Law::wait(&daemon, "documents on disk", |law| {
        law.received + law.kernel_dropped == 500 && law.spooled > 200
    });
    daemon.signal("KILL");
    daemon.ended();
    let daemon = start(&endpoint, &spool, &[]);
    let adopted = Law::wait(&daemon, "adopted documents", |law| law.received > 0);
    assert!(adopted.received >= before.spooled, "{adopted:?} after {before:?}");
    daemon.line(&format!(" {} documents wait.", adopted.received));
    endpoint.heal();
    let law = Law::wait(&daemon, "end of all uploads", |law| law.held == 0 && law.spooled == 0);
    assert_eq!((law.sent, law.dropped), (adopted.received, 0));
    assert_eq!(endpoint.distinct() as u64, law.sent);
    drop(daemon);
    std::fs::remove_dir_all(spool).unwrap();
}

#[test]
fn a_poison_document_from_disk_is_found() {
    let spool = scratch("poison");
    let endpoint = Endpoint::start();
    endpoint.fail(|_| Some(status(503, "")));
    let daemon = start(&endpoint, &spool, &[]);
    send_slowly(&daemon, 0..500);
    Law::wait(&daemon, "documents on disk", |law| {
        law.received + law.kernel_dropped == 500 && law.spooled > 200
    });
    let poison = format!("\"id\":\"{:016x}\"", 5);
    endpoint.fail(move |documents| {
        let is_poisoned = documents.iter().any(|document| document.contains(&poison));
        is_poisoned.then(|| crate::edge::xray::error(400, "InvalidRequestException"))
    });
    let law = Law::wait(&daemon, "end of all uploads", |law| law.held == 0 && law.spooled == 0);
    assert_eq!((law.rejected, law.dropped, law.sent), (1, 0, law.received - 1));
    assert_eq!(endpoint.distinct() as u64, law.sent);
    drop(daemon);
    std::fs::remove_dir_all(spool).unwrap();
}

#[test]
fn a_spool_that_is_full_gives_up_its_oldest_and_counts_them() {
    let spool = scratch("full");
    let endpoint = Endpoint::start();
    endpoint.fail(|_| Some(status(503, "")));
    let daemon = start(&endpoint, &spool, &["--spool-max-mb", "2"]);
    send_slowly(&daemon, 0..600);
    let law = Law::wait(&daemon, "a full spool", |law| {
        law.received + law.kernel_dropped == 600 && law.value("dropped_total{reason=\"spool_size\"}") > 0.0
    });
    assert!(law.value("spool_bytes") <= f64::from(2 << 20), "{law:?}");
    endpoint.heal();
    let law = Law::wait(&daemon, "end of all uploads", |law| law.held == 0 && law.spooled == 0);
    assert_eq!(law.sent, endpoint.confirmed() as u64);
    drop(daemon);
    std::fs::remove_dir_all(spool).unwrap();
}

/// A disk of its own, of four megabytes. Only root can mount one.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_full_costs_only_what_memory_cannot_hold() {
    let disk = scratch("tmpfs");
    std::fs::create_dir_all(&disk).unwrap();
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=4m", "tmpfs", disk.to_str().unwrap()])
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        eprintln!("skipped: a file system can't be mounted here");
        return;
    }
    let endpoint = Endpoint::start();
    endpoint.fail(|_| Some(status(503, "")));
    let daemon = start(&endpoint, &disk, &[]);
    send(&daemon, 0..1_500);
    let law = Law::wait(&daemon, "all datagrams", |law| {
        law.received + law.kernel_dropped == 1_500 && law.dropped > 0
    });
    daemon.line("The spool failed: ");
    assert!(law.spooled > 0 && law.held > 0, "{law:?}");
    endpoint.heal();
    let law = Law::wait(&daemon, "end of all uploads", |law| law.held == 0 && law.spooled == 0);
    assert_eq!(law.sent, endpoint.confirmed() as u64);
    assert_eq!(law.received, law.sent + law.dropped);
    drop(daemon);
    assert!(std::process::Command::new("umount").arg(&disk).status().unwrap().success());
    std::fs::remove_dir_all(disk).unwrap();
}

#[test]
fn a_spool_of_another_process_is_refused() {
    let spool = scratch("second");
    let endpoint = Endpoint::start();
    let first = start(&endpoint, &spool, &[]);
    first.admin();
    let mut second = start(&endpoint, &spool, &[]);
    assert_eq!(second.ended().code(), Some(1));
    second.line("is used by another process");
    drop(first);
    std::fs::remove_dir_all(spool).unwrap();
}
