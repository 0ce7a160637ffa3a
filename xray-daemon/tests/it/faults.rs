//! The law after every fault: what the sender sent, what the endpoint took, and what the daemon says of it agree.

use std::net::UdpSocket;
use std::thread;
use std::time::{Duration, Instant};

use crate::edge::daemon::{Daemon, named, segment};
use crate::edge::endpoint::Endpoint;
use crate::edge::law::Law;
use crate::edge::xray::{Answer, error, status};

fn start(endpoint: &Endpoint, arguments: &[&str]) -> Daemon {
    Daemon::start(&endpoint.url(), &[&["--admin", "127.0.0.1:0", "-m", "16"], arguments].concat())
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
    daemon.send_all((0..500).map(segment));
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

/// Each call takes the daemon's five seconds.
#[test]
fn an_endpoint_that_hangs_costs_nothing() {
    let (.., law) = passing(|| Answer::Hang);
    assert!(law.value("call_errors_total{class=\"timeout\"}") >= 2.0);
}

#[test]
fn an_endpoint_that_answers_half_costs_nothing() {
    let (.., law) = passing(|| Answer::HangInBody);
    assert!(law.value("call_errors_total{class=\"timeout\"}") >= 2.0);
}

#[test]
fn an_answer_that_is_not_x_rays_costs_nothing() {
    passing(|| status(200, "<html>Please log in</html>"));
    passing(|| status(400, "<html>Bad request</html>"));
    passing(|| status(404, "not found"));
}

/// The place where credentials are looked for has none at first.
#[test]
fn credentials_that_come_late_cost_nothing() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use crate::edge::daemon::{command, usual};
    use crate::edge::xray::{XRay, ok};

    let are_there = Arc::new(AtomicBool::new(false));
    let there = Arc::clone(&are_there);
    let container = XRay::start(move |_| match there.load(Ordering::SeqCst) {
        true => ok(
            r#"{"AccessKeyId":"AKLATE","SecretAccessKey":"s","Token":"t","Expiration":"4000-01-01T00:00:00Z"}"#,
        ),
        false => error(404, "NotThere"),
    });
    let endpoint = Endpoint::start();
    let mut command = command(&[&usual(&endpoint.url())[..], &["--admin", "127.0.0.1:0"]].concat());
    command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    command.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}/credentials", container.url()));
    let daemon = Daemon::spawn(command);
    daemon.send_all((0..100).map(segment));
    let law = Law::wait(&daemon, "failures", |law| {
        law.held == 100 && law.value("call_errors_total{class=\"other\"}") >= 2.0
    });
    assert_eq!((law.sent, law.value("denied")), (0, 1.0));
    are_there.store(true, Ordering::SeqCst);
    settled(&daemon, &endpoint, 100, 0);
    daemon.line("Using credentials from container credentials endpoint: AKLATE");
    assert!(endpoint.xray.requests().iter().all(|request| request.header("authorization").is_some()));
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
    daemon.send_all((0..100).map(segment));
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
    daemon.send_all((0..10).map(segment));
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
        daemon.send_all((0..50).map(|number| named(number, if number == 17 { "poison" } else { "good" })));
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
    daemon
        .send_all((0..50).map(|number| named(number, if number % 10 == 3 { "unprocessed" } else { "good" })));
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
    daemon.send_all([segment(1)]);
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
        daemon.send_all((0..100).map(segment));
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
    daemon.send_all((0..60).map(segment));
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
    daemon.send_all([segment(1_000)]);
    Law::wait(&daemon, "an answer", |law| law.value("call_errors_total{class=\"http_4xx\"}") == 1.0);
    endpoint.heal();
    let padding = "x".repeat(10_000);
    let document = |number: usize, more: &str| {
        let text = String::from_utf8(segment(number)).unwrap();
        text.replace("\"name\":\"shop\"", &format!("\"name\":\"shop\",\"padding\":\"{padding}\"{more}"))
            .into_bytes()
    };
    daemon.send_all((0..20).map(|number| document(number, ",\"in_progress\":true")));
    daemon.send_all((20..400).map(|number| document(number, "")));
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

/// Memory is full of documents that can't be sent; the process takes at most 15 MB more than its budget.
#[cfg(target_os = "linux")]
#[test]
fn the_process_takes_little_more_than_its_budget() {
    let endpoint = Endpoint::start();
    endpoint.fail(|_| Some(Answer::Hang));
    let daemon = Daemon::start(&endpoint.url(), &["--admin", "127.0.0.1:0", "-m", "40"]);
    let padding = "x".repeat(50_000);
    let document =
        |number: usize| String::from_utf8(segment(number)).unwrap().replace("shop", &padding).into_bytes();
    for first in (0..1_500).step_by(10) {
        daemon.send_all((first..first + 10).map(document));
        Law::wait(&daemon, "datagrams", |law| law.received + law.kernel_dropped >= first as u64 + 10);
    }
    let law = Law::wait(&daemon, "a full memory", |law| law.dropped > 0);
    assert!(law.value("held_bytes") <= f64::from(40 << 20) && law.held > 500, "{law:?}");
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.id())).unwrap();
    // Without the pages of the program itself, which are the larger the less it is optimized.
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(kilobytes < (40 + 15) << 10, "{kilobytes} KB for a budget of 40 MB");
}
