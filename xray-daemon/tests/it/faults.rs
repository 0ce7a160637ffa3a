//! The law after every fault: what the sender sent, what the endpoint took, and what the daemon says of it agree.

use std::net::UdpSocket;
use std::thread;
use std::time::{Duration, Instant};

use crate::edge::daemon::{Daemon, segment};
use crate::edge::endpoint::Endpoint;
use crate::edge::law::Law;
use crate::edge::xray::{Answer, error, status};

fn start(endpoint: &Endpoint, arguments: &[&str]) -> Daemon {
    Daemon::start(&endpoint.url(), &[&["--admin", "127.0.0.1:0", "-m", "16"], arguments].concat())
}

/// Sends documents, a few at a time so that the kernel loses none even without privilege.
fn send(daemon: &Daemon, datagrams: impl IntoIterator<Item = Vec<u8>>) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let to = daemon.udp();
    for (number, datagram) in datagrams.into_iter().enumerate() {
        socket.send_to(&datagram, to).unwrap();
        if number % 50 == 49 {
            thread::sleep(Duration::from_millis(2));
        }
    }
}

fn named(number: usize, name: &str) -> Vec<u8> {
    String::from_utf8(segment(number)).unwrap().replace("shop", name).into_bytes()
}

/// Everything that was sent is settled: the endpoint's count, the sender's and the daemon's agree.
fn settled(daemon: &Daemon, endpoint: &Endpoint, sender: u64, rejected: u64) -> Law {
    let law = Law::wait(daemon, "end of all uploads", |law| {
        law.received + law.kernel_dropped >= sender && law.held == 0 && law.spooled == 0
    });
    assert_eq!(law.received + law.kernel_dropped, sender);
    assert_eq!(law.sent, endpoint.confirmed() as u64);
    assert_eq!((law.rejected, law.dropped), (rejected, 0));
    assert_eq!(law.sent, law.received - rejected);
    law
}

/// A fault that passes: while it lasts nothing is lost, and afterwards everything arrives.
fn passing(answer: impl Fn() -> Answer + Send + 'static) -> (Daemon, Endpoint, Law) {
    let endpoint = Endpoint::start();
    endpoint.fail(move |_| Some(answer()));
    let daemon = start(&endpoint, &[]);
    send(&daemon, (0..500).map(segment));
    Law::wait(&daemon, "failures", |law| law.received == 500 && law.value("calls_total") >= 3.0);
    let law = Law::of(daemon.admin());
    assert_eq!((law.sent, law.held), (0, 500));
    endpoint.heal();
    let law = settled(&daemon, &endpoint, 500, 0);
    assert_eq!(endpoint.distinct(), 500);
    (daemon, endpoint, law)
}

#[test]
fn status_500_503_and_429_cost_nothing() {
    for code in [500, 503, 429] {
        let (.., law) = passing(move || status(code, ""));
        let class = if code == 429 { "http_4xx" } else { "http_5xx" };
        assert!(law.value(&format!("call_errors_total{{class=\"{class}\"}}")) >= 2.0, "{code}");
    }
}

#[test]
fn connections_that_are_cut_cost_nothing() {
    let (.., law) = passing(|| Answer::Cut);
    assert!(law.value("call_errors_total{class=\"other\"}") >= 2.0);
}

#[test]
fn an_answer_that_is_not_x_rays_costs_nothing() {
    passing(|| status(200, "<html>Please log in</html>"));
    passing(|| status(400, "<html>Bad request</html>"));
    passing(|| status(404, "not found"));
}

#[test]
fn an_expired_token_costs_nothing() {
    passing(|| error(403, "ExpiredTokenException"));
}

#[test]
fn a_role_that_is_denied_and_then_granted_costs_nothing_and_is_reported_once() {
    let (daemon, ..) = passing(|| error(403, "AccessDeniedException"));
    daemon.line("Sending segment batches succeeds again");
    let lines = daemon.lines();
    let denials: Vec<&String> = lines.iter().filter(|line| line.contains("denies")).collect();
    assert_eq!(denials.len(), 1, "{lines:?}");
    assert!(denials[0].contains("xray:PutTraceSegments") && denials[0].contains("AWSXRayDaemonWriteAccess"));
}

#[test]
fn an_endpoint_that_is_not_there_costs_nothing_once_it_is() {
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let daemon = Daemon::start(&format!("http://{address}"), &["--admin", "127.0.0.1:0"]);
    send(&daemon, (0..100).map(segment));
    Law::wait(&daemon, "refused connections", |law| {
        law.held == 100 && law.value("call_errors_total{class=\"refused\"}") >= 2.0
    });
    let taken = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = std::sync::Arc::clone(&taken);
    let _xray = crate::edge::xray::XRay::start_at(&address.to_string(), None, move |request| {
        let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        let documents = body["TraceSegmentDocuments"].as_array().map_or(0, Vec::len);
        count.fetch_add(documents, std::sync::atomic::Ordering::SeqCst);
        crate::edge::xray::ok("{}")
    });
    let law = Law::wait(&daemon, "uploads", |law| law.held == 0);
    assert_eq!((law.sent, taken.load(std::sync::atomic::Ordering::SeqCst)), (100, 100));
}

#[test]
fn a_name_that_is_not_known_is_counted_as_such_and_nothing_is_lost() {
    let daemon = Daemon::start("http://no-such-host.invalid", &["--admin", "127.0.0.1:0"]);
    send(&daemon, (0..10).map(segment));
    let law =
        Law::wait(&daemon, "failures", |law| law.value("call_errors_total{class=\"unknown_host\"}") >= 1.0);
    assert_eq!((law.held, law.dropped), (10, 0));
}

#[test]
fn a_poison_document_among_fifty_is_found_and_the_others_are_sent() {
    for answer in [|| error(400, "InvalidRequestException"), || status(413, "too large")] {
        let endpoint = Endpoint::start();
        endpoint
            .fail(move |documents| documents.iter().any(|document| document.contains("poison")).then(answer));
        let daemon = start(&endpoint, &[]);
        send(&daemon, (0..50).map(|number| named(number, if number == 17 { "poison" } else { "good" })));
        settled(&daemon, &endpoint, 50, 1);
        assert_eq!(endpoint.distinct(), 49);
        // Two for each of the six halvings of fifty, and the first. A slow machine may begin with a smaller batch.
        assert!(endpoint.calls().len() <= 14, "{} calls", endpoint.calls().len());
        let line = daemon.line("Unprocessed trace 1-5f84c7a1-");
        assert!(line.contains(&format!("segment: {:016x}", 17)), "{line}");
    }
}

#[test]
fn unprocessed_documents_are_named_and_not_counted_as_sent() {
    let endpoint = Endpoint::start();
    let daemon = start(&endpoint, &[]);
    send(&daemon, (0..50).map(|number| named(number, if number % 10 == 3 { "unprocessed" } else { "good" })));
    settled(&daemon, &endpoint, 50, 5);
    daemon.line("Unprocessed segments");
    let expected = format!("Unprocessed trace 1-5f84c7a1-{0:024x}, segment: {0:016x}", 13);
    let line = daemon.line(&expected);
    assert!(line.ends_with("ParseError: as the script says"), "{line}");
}

fn throttled(after: &str) -> Answer {
    let headers =
        vec![("retry-after", after.to_owned()), ("x-amzn-errortype", "ThrottledException".to_owned())];
    Answer::Reply { status: 429, headers, body: "{}".to_owned() }
}

#[test]
fn retry_after_is_obeyed() {
    let endpoint = Endpoint::start();
    endpoint.fail(|_| Some(throttled("3")));
    let daemon = start(&endpoint, &[]);
    send(&daemon, [segment(1)]);
    daemon.wait("a call", || (!endpoint.calls().is_empty()).then_some(()));
    endpoint.heal();
    settled(&daemon, &endpoint, 1, 0);
    let calls = endpoint.calls();
    assert_eq!(calls.len(), 2);
    assert!(calls[1] - calls[0] >= Duration::from_secs(3), "{:?}", calls[1] - calls[0]);
}

/// From the second failure on, calls are at least a second apart.
#[test]
fn an_endpoint_that_fails_is_asked_at_most_once_a_second() {
    let endpoint = Endpoint::start();
    endpoint.fail(|_| Some(status(503, "")));
    let daemon = start(&endpoint, &[]);
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(8) {
        send(&daemon, (0..100).map(segment));
        thread::sleep(Duration::from_millis(100));
    }
    let calls = endpoint.calls();
    let late: Vec<Instant> =
        calls.iter().copied().filter(|call| call.duration_since(begin) > Duration::from_secs(3)).collect();
    for pair in late.windows(2) {
        // The endpoint's own clock: what lies between two arrivals may be a little less.
        assert!(pair[1] - pair[0] > Duration::from_millis(900), "{:?}", pair[1] - pair[0]);
    }
}

#[test]
fn a_clock_that_is_off_by_an_hour_is_corrected() {
    use crate::edge::xray::XRay;

    let ahead = std::time::SystemTime::now() + Duration::from_secs(3_600);
    let begin = Instant::now();
    let xray = XRay::start(move |request| {
        let now = ahead + begin.elapsed();
        let seconds = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let mut answer = match request.signed_at().abs_diff(seconds) {
            0..300 => crate::edge::xray::ok("{}"),
            _ => error(403, "InvalidSignatureException"),
        };
        if let Answer::Reply { headers, .. } = &mut answer {
            headers.push(("date", httpdate::fmt_http_date(now)));
        }
        answer
    });
    let daemon = Daemon::start(&xray.url(), &["--admin", "127.0.0.1:0"]);
    send(&daemon, (0..60).map(segment));
    let law = Law::wait(&daemon, "uploads", |law| law.sent == 60);
    assert_eq!((law.held, law.dropped), (0, 0));
    assert!((3_500.0..3_700.0).contains(&law.value("clock_correction_seconds")));
}

/// A budget of three megabytes, and an endpoint that wants to be left alone: documents in progress go first, and all
/// are counted.
#[test]
fn a_full_memory_drops_what_is_in_progress_first_and_counts_it() {
    let endpoint = Endpoint::start();
    endpoint.fail(|_| Some(throttled("20")));
    let daemon = Daemon::start(&endpoint.url(), &["--admin", "127.0.0.1:0", "-m", "3"]);
    send(&daemon, [segment(1_000)]);
    Law::wait(&daemon, "an answer", |law| law.value("call_errors_total{class=\"http_4xx\"}") == 1.0);
    endpoint.heal();
    let padding = "x".repeat(10_000);
    let document = |number: usize, more: &str| {
        let text = String::from_utf8(segment(number)).unwrap();
        text.replace("\"name\":\"shop\"", &format!("\"name\":\"shop\",\"padding\":\"{padding}\"{more}"))
            .into_bytes()
    };
    send(&daemon, (0..20).map(|number| document(number, ",\"in_progress\":true")));
    send(&daemon, (20..400).map(|number| document(number, "")));
    let law = Law::wait(&daemon, "all datagrams", |law| law.received + law.kernel_dropped == 401);
    assert!(law.dropped > 100 && law.held > 100, "{law:?}");
    assert_eq!(law.value("dropped_total{reason=\"memory_in_progress\"}"), 20.0, "{law:?}");
    assert!(law.value("held_bytes") <= f64::from(3 << 20));
    let law = Law::wait(&daemon, "end of all uploads", |law| law.held == 0);
    assert_eq!(law.sent, endpoint.confirmed() as u64);
}

/// More than the buffer of the kernel holds, while the daemon can't read: what was sent is received or the kernel's.
#[cfg(target_os = "linux")]
#[test]
fn what_the_kernel_drops_is_counted_beside_the_law() {
    let endpoint = Endpoint::start();
    let mut daemon = start(&endpoint, &["--receive-buffer-kb", "64"]);
    daemon.admin();
    daemon.signal("STOP");
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let to = daemon.udp();
    for number in 0..2_000 {
        socket.send_to(&segment(number), to).unwrap();
    }
    daemon.signal("CONT");
    daemon.signal("TERM");
    assert_eq!(daemon.ended().code(), Some(0));
    let last = daemon.line("Shutdown finished: ");
    let number = |before: &str| {
        let rest = last.split_once(before).unwrap_or_else(|| panic!("no {before} in {last}")).1;
        rest.split([',', ';']).next().unwrap().parse::<usize>().unwrap()
    };
    let (received, sent, kernel) = (number("received "), number("sent "), number("dropped by the kernel "));
    assert!(kernel > 0, "{last}");
    assert_eq!((received + kernel, sent), (2_000, received), "{last}");
    assert_eq!(endpoint.confirmed(), sent);
}

/// SIGTERM during each fault: the end comes in time, and every document is counted.
#[cfg(unix)]
#[test]
fn a_shutdown_during_any_fault_counts_every_document() {
    let faults: [fn() -> Answer; 6] = [
        || Answer::Hang,
        || Answer::HangInBody,
        || Answer::Cut,
        || status(503, ""),
        || error(429, "ThrottledException"),
        || error(403, "AccessDeniedException"),
    ];
    let daemons: Vec<(Endpoint, Daemon)> = faults
        .into_iter()
        .map(|fault| {
            let endpoint = Endpoint::start();
            endpoint.fail(move |_| Some(fault()));
            let daemon = start(&endpoint, &["--shutdown-seconds", "4"]);
            send(&daemon, (0..70).map(segment));
            Law::wait(&daemon, "a call", |law| law.received == 70 && law.value("calls_total") >= 1.0);
            (endpoint, daemon)
        })
        .collect();
    daemons.iter().for_each(|(_, daemon)| daemon.signal("TERM"));
    for (endpoint, mut daemon) in daemons {
        assert_eq!(daemon.ended().code(), Some(0));
        let last = daemon.line("Shutdown finished: ");
        assert!(last.contains("received 70, sent 0, rejected 0, dropped 70 (shutdown); waiting 0"), "{last}");
        assert_eq!(endpoint.confirmed(), 0);
    }
}
