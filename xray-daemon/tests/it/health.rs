//! Reports of the running program: health, metrics, the log.

use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::edge::daemon::{Daemon, command, output};
use crate::edge::xray::{XRay, error, ok};
use crate::program::scratch;

#[test]
fn health_is_asked_by_the_program_itself() {
    let xray = XRay::start(|_| ok("{}"));
    let daemon = Daemon::start(&xray.url(), &[]);
    daemon.line("Using credentials from environment variables: AKIDEXAMPLE");
    let udp = daemon.udp().to_string();
    let ready = daemon.wait("readiness", || {
        let (status, out, _) = output(command(&["health", "--ready", "-b", &udp]));
        (status == 0).then_some(out)
    });
    assert_eq!(ready, "ready\n");
    drop(daemon);
    let (status, out, _) = output(command(&["health", "-b", &udp]));
    assert_eq!(status, 1);
    assert!(out.starts_with("no daemon answers at "), "{out}");
}

#[test]
fn denied_calls_make_the_daemon_unready_until_they_are_allowed() {
    let is_allowed = Arc::new(AtomicBool::new(false));
    let allowed = Arc::clone(&is_allowed);
    let xray = XRay::start(move |_| match allowed.load(Ordering::SeqCst) {
        true => ok("{}"),
        false => error(403, "AccessDeniedException"),
    });
    let daemon = Daemon::start(&xray.url(), &[]);
    daemon.send(1);
    daemon.line("X-Ray denies PutTraceSegments");
    let udp = daemon.udp().to_string();
    let ready = || output(command(&["health", "--ready", "-b", &udp]));
    daemon.wait("denial", || ready().1.contains("X-Ray denies the calls").then_some(()));
    is_allowed.store(true, Ordering::SeqCst);
    daemon.wait("readiness", || (ready().0 == 0).then_some(()));
    daemon.line("Sending segment batches succeeds again");
}

fn get(address: std::net::SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn metrics_show_the_traffic() {
    let xray = XRay::start(|_| ok("{}"));
    let daemon = Daemon::start(&xray.url(), &["--admin", "127.0.0.1:0"]);
    let admin = daemon.admin();
    daemon.send(7);
    UdpSocket::bind("127.0.0.1:0").unwrap().send_to(b"no header", daemon.udp()).unwrap();
    let metrics = daemon.wait("metrics", || {
        let metrics = get(admin, "/metrics");
        metrics.contains("xray_daemon_sent_total 7\n").then_some(metrics)
    });
    for line in [
        "xray_daemon_received_total 8\n",
        "xray_daemon_rejected_total{by=\"header\"} 1\n",
        "xray_daemon_call_seconds_count ",
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
    assert!(get(admin, "/healthz").ends_with("healthy"));
    daemon.line("Missing header or segment: no header");
}

#[cfg(unix)]
#[test]
fn the_log_goes_to_the_file_in_the_originals_form() {
    let log = scratch("xray.log");
    let xray = XRay::start(|_| ok("{}"));
    let arguments =
        ["-o", "-n", "eu-central-1", "-b", "127.0.0.1:0", "-t", "127.0.0.1:0", "--endpoint", &xray.url()];
    let mut daemon =
        Daemon::spawn(command(&[&arguments[..], &["-f", log.to_str().unwrap(), "-l", "debug"]].concat()));
    let read = || std::fs::read_to_string(&log).unwrap_or_default();
    daemon.wait("start", || read().contains("Starting proxy http server on ").then_some(()));
    daemon.signal("TERM");
    assert_eq!(daemon.ended().code(), Some(0));
    let text = read();
    for line in text.lines() {
        let (time, rest) = line.split_once(' ').unwrap();
        assert!(time.parse::<jiff::Timestamp>().is_ok(), "{line}");
        let level =
            ["[Debug] ", "[Info] ", "[Warn] ", "[Error] "].iter().find(|level| rest.starts_with(**level));
        assert!(level.is_some(), "{line}");
    }
    assert!(text.contains("[Info] Initializing AWS X-Ray daemon "), "{text}");
    assert!(text.contains("[Debug] Fetch region eu-central-1 from commandline/config file"), "{text}");
    assert!(text.contains("[Info] Using buffer memory limit of "), "{text}");
    assert!(daemon.lines().is_empty(), "nothing on standard output: {:?}", daemon.lines());
    std::fs::remove_file(log).unwrap();
}
