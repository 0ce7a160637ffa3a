//! The program as it is run: flags, messages, exit codes, signals, log, health, telemetry, against an endpoint on loopback.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::edge::daemon::{Daemon, command, output, segment, usual};
use crate::edge::tls::Authority;
use crate::edge::xray::{Answer, XRay, error, ok};

/// The sum of a member over all telemetry records.
fn telemetry(xray: &XRay, member: &str) -> u64 {
    let bodies = xray.requests().into_iter().filter(|request| request.path == "/TelemetryRecords");
    bodies
        .map(|request| {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            let records = body["TelemetryRecords"].as_array().unwrap();
            records.iter().map(|record| record[member].as_u64().unwrap()).sum::<u64>()
        })
        .sum()
}

pub(crate) fn scratch(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("xray-daemon-program-{}-{name}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let _ = std::fs::remove_dir_all(&path);
    path
}

#[test]
fn version_and_help_end_with_0_and_an_unknown_flag_with_2() {
    for flag in ["-v", "--version", "-version"] {
        let (status, out, _) = output(command(&[flag]));
        assert_eq!(status, 0);
        assert!(out.starts_with("AWS X-Ray daemon version: "), "{out}");
    }
    for flag in ["-h", "--help"] {
        let (status, out, _) = output(command(&[flag]));
        assert_eq!(status, 0);
        assert!(out.contains("--bind-tcp") && out.contains("--spool"), "{out}");
    }
    let (status, _, err) = output(command(&["-x"]));
    assert_eq!(status, 2);
    assert!(err.contains("flag provided but not defined: -x"), "{err}");
}

#[test]
fn a_configuration_that_cannot_be_used_ends_with_1_in_the_form_of_the_log() {
    let file = scratch("bad.yaml");
    let log = scratch("bad.log");
    for (content, message) in [
        ("Region: x\n", "Config Version is missing."),
        ("Version: 7\n", "Config Version Setting is not correct."),
        ("Version: 2\nMemoryLimit: 3\n", "MemoryLimit flag is not supported."),
        ("Version: 2\nSocket:\n  BufferSizeKB: 3\n", "Socket.BufferSizeKB flag is not supported any more."),
        ("Version: 2\nABCDE: 3\n", "ABCDE flag is invalid."),
    ] {
        std::fs::write(&file, content).unwrap();
        let (status, _, err) = output(command(&["-c", file.to_str().unwrap(), "-f", log.to_str().unwrap()]));
        assert_eq!(status, 1, "{content}");
        let in_log = std::fs::read_to_string(&log).unwrap();
        for text in [&err, &in_log] {
            assert!(text.lines().last().unwrap().contains(&format!("[Error] {message}")), "{text}");
        }
    }
    std::fs::remove_file(file).unwrap();
    std::fs::remove_file(log).unwrap();
}

#[test]
fn what_the_daemon_cannot_start_with_ends_it_with_1() {
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let free = ["-o", "-b", "127.0.0.1:0", "-t", "127.0.0.1:0"];
    let region = ["-n", "eu-central-1"];
    let cases: [(Vec<&str>, &str); 6] = [
        (free.to_vec(), "Cannot fetch region variable from config file, environment variables"),
        ([&free[..], &region, &["-b", &taken]].concat(), "can't be listened on"),
        ([&free[..], &region, &["-b", "nonsense"]].concat(), "`nonsense` can't be listened on"),
        ([&free[..], &region, &["-t", "nonsense"]].concat(), "TCP address `nonsense` can't be used"),
        ([&free[..], &region, &["-p", "http://a b.com/"]].concat(), "Bad proxy URL: "),
        (
            [&free[..], &region, &["--endpoint", "ftp://x"]].concat(),
            "unable to parse xray endpoint: `ftp://x`",
        ),
    ];
    for (arguments, message) in cases {
        let (status, out, err) = output(command(&arguments));
        assert_eq!(status, 1, "{arguments:?}\n{out}{err}");
        assert!(out.contains("[Error]") && out.contains(message), "{arguments:?}\n{out}");
    }
    let file = scratch("no-directory");
    std::fs::write(&file, "").unwrap();
    let below = file.join("below");
    let below = below.to_str().unwrap();
    let (status, out, _) = output(command(&[&free[..], &region, &["--spool", below]].concat()));
    assert_eq!(status, 1, "{out}");
    assert!(out.contains(below) && out.contains("its directory can't be made: "), "{out}");
    let (status, _, err) = output(command(&[&free[..], &region, &["-f", below]].concat()));
    assert_eq!(status, 1, "{err}");
    assert!(err.contains(&format!("The log {below} can't be written: ")), "{err}");
    std::fs::remove_file(file).unwrap();
}

#[test]
fn segments_reach_x_ray_byte_for_byte() {
    let xray = XRay::start(|_| ok("{}"));
    let daemon = Daemon::start(&xray.url(), &[]);
    daemon.send(120);
    daemon.wait("documents", || (xray.documents().len() == 120).then_some(()));
    let first = String::from_utf8(segment(0)).unwrap();
    let (_, document) = first.split_once('\n').unwrap();
    assert!(xray.documents().iter().any(|sent| sent == document));
    assert!(xray.requests().iter().all(|request| request.header("authorization").is_some()));
}

#[cfg(unix)]
#[test]
fn sigterm_sends_what_waits_then_the_telemetry_and_ends_with_0() {
    for signal in ["TERM", "INT", "HUP"] {
        let xray = XRay::start(|_| ok("{}"));
        let mut daemon = Daemon::start(&xray.url(), &[]);
        daemon.line("Starting proxy http server on ");
        daemon.send(30);
        daemon.signal(signal);
        assert_eq!(daemon.ended().code(), Some(0));
        assert_eq!(xray.documents().len(), 30);
        assert_eq!(telemetry(&xray, "SegmentsReceivedCount"), 30);
        assert_eq!(
            telemetry(&xray, "SegmentsSentCount"),
            30,
            "the last record is sent after the last upload"
        );
        let last = daemon.line("Shutdown finished: ");
        assert!(last.contains("received 30, sent 30, rejected 0"), "{last}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn under_nohup_the_daemon_outlives_its_terminal() {
    let xray = XRay::start(|_| ok("{}"));
    let usual = command(&usual(&xray.url()));
    let mut nohup = std::process::Command::new("nohup");
    nohup.arg(usual.get_program()).args(usual.get_args()).stdin(std::process::Stdio::null());
    for (name, value) in usual.get_envs() {
        match value {
            Some(value) => nohup.env(name, value),
            None => nohup.env_remove(name),
        };
    }
    let mut daemon = Daemon::spawn(nohup);
    daemon.line("Starting proxy http server on ");
    daemon.signal("HUP");
    daemon.send(30);
    daemon.wait("documents", || (xray.documents().len() == 30).then_some(()));
    daemon.signal("TERM");
    assert_eq!(daemon.ended().code(), Some(0));
    assert!(daemon.lines().iter().all(|line| !line.contains("SIGHUP")), "{:?}", daemon.lines());
}

#[cfg(unix)]
#[test]
fn with_an_endpoint_that_hangs_the_end_comes_within_the_deadline() {
    let xray = XRay::start(|_| Answer::Hang);
    let mut daemon = Daemon::start(&xray.url(), &["--shutdown-seconds", "4"]);
    daemon.line("Starting proxy http server on ");
    daemon.send(10);
    daemon.signal("TERM");
    let start = Instant::now();
    assert_eq!(daemon.ended().code(), Some(0));
    assert!(start.elapsed() < Duration::from_secs(30));
    let last = daemon.line("Shutdown finished: ");
    assert!(last.contains("received 10, sent 0, rejected 0, dropped 10 (shutdown)"), "{last}");
}

#[cfg(unix)]
#[test]
fn a_second_signal_ends_the_waiting() {
    let xray = XRay::start(|_| Answer::Hang);
    let mut daemon = Daemon::start(&xray.url(), &["--shutdown-seconds", "600"]);
    daemon.line("Starting proxy http server on ");
    daemon.send(10);
    daemon.signal("TERM");
    daemon.line("Got SIGTERM: stopping within 600 s");
    daemon.signal("INT");
    assert_eq!(daemon.ended().code(), Some(0));
    daemon.line("Got SIGINT again: stopping now");
}

#[cfg(unix)]
#[test]
fn what_a_stop_cannot_send_goes_to_the_spool_and_comes_back() {
    let spool = scratch("spool");
    let arguments = ["--spool", spool.to_str().unwrap(), "--shutdown-seconds", "4"];
    let hanging = XRay::start(|_| Answer::Hang);
    let mut daemon = Daemon::start(&hanging.url(), &arguments);
    daemon.line("Starting proxy http server on ");
    daemon.send(40);
    daemon.signal("TERM");
    assert_eq!(daemon.ended().code(), Some(0));
    let last = daemon.line("Shutdown finished: ");
    assert!(last.contains("on disk 40"), "{last}");
    let xray = XRay::start(|_| ok("{}"));
    let mut daemon = Daemon::start(&xray.url(), &arguments);
    daemon.line("which has 40 documents");
    daemon.wait("documents", || (xray.documents().len() >= 40).then_some(()));
    daemon.signal("TERM");
    assert_eq!(daemon.ended().code(), Some(0));
    std::fs::remove_dir_all(spool).unwrap();
}

#[test]
fn a_tcp_port_that_is_taken_leaves_udp_working_and_the_daemon_unready() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let xray = XRay::start(|_| ok("{}"));
    let address = taken.local_addr().unwrap().to_string();
    let daemon = Daemon::start(&xray.url(), &["-t", &address]);
    daemon.line("[Error] proxy http server failed to listen: ");
    daemon.send(3);
    daemon.wait("documents", || (xray.documents().len() == 3).then_some(()));
    let udp = daemon.udp().to_string();
    let (status, out, _) = output(command(&["health", "-b", &udp]));
    assert_eq!((status, out.as_str()), (0, "healthy\n"));
    let (status, out, _) = output(command(&["health", "--ready", "-b", &udp]));
    assert_eq!(status, 1);
    assert!(out.contains("the TCP proxy does not listen"), "{out}");
}

#[test]
fn the_check_shows_settings_region_endpoint_and_credentials() {
    let (status, out, _) =
        output(command(&["config", "check", "-o", "-n", "eu-west-1", "--endpoint", "http://127.0.0.1:1"]));
    assert_eq!(status, 0, "{out}");
    for line in [
        "Region = eu-west-1 (flag)\n",
        "region: eu-west-1 (from commandline/config file)\n",
        "endpoint: http://127.0.0.1:1 (from Endpoint)\n",
        "credentials: AKIDEXAMPLE (from environment variables)\n",
    ] {
        assert!(out.contains(line), "{line}\n{out}");
    }
    for (flag, address) in [("-b", "nope"), ("-t", "127.0.0.1"), ("--admin", "127.0.0.1:99999")] {
        let (status, out, _) = output(command(&["config", "check", "-o", "-n", "eu-west-1", flag, address]));
        assert_eq!(status, 1, "{out}");
        assert!(out.contains(&format!("`{address}` can't be listened on: ")), "{out}");
    }
    let mut without =
        command(&["config", "check", "-o", "-n", "eu-west-1", "--endpoint", "http://127.0.0.1:1"]);
    without.env_remove("AWS_ACCESS_KEY_ID");
    assert_eq!(output(without).0, 1);
}

#[test]
fn the_relay_of_the_program_signs() {
    let xray = XRay::start(|_| ok(r#"{"SamplingRuleRecords":[]}"#));
    let daemon = Daemon::start(&xray.url(), &["--allow-path", "/GetSamplingRules"]);
    let ask = |path: &str| {
        let mut stream = TcpStream::connect(daemon.tcp()).unwrap();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{{}}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    assert!(ask("/GetSamplingRules").ends_with(r#"{"SamplingRuleRecords":[]}"#));
    assert!(ask("/Traces").starts_with("HTTP/1.1 403"));
    let asked = xray.requests();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].header("authorization").unwrap().contains("/eu-central-1/xray/aws4_request"));
}

#[test]
fn a_bad_certificate_is_refused_and_reported_and_documents_are_sent_when_it_is_replaced() {
    let authority = Authority::new();
    let expired = XRay::start_tls(authority.server("localhost", true), |_| ok("{}"));
    let (address, url) = (expired.address().to_string(), expired.url_by_name());
    let arguments =
        ["-o", "-n", "eu-central-1", "-b", "127.0.0.1:0", "-t", "127.0.0.1:0", "--endpoint", &url];
    let mut trusting = command(&arguments);
    trusting.env("AWS_CA_BUNDLE", &authority.file);
    let daemon = Daemon::spawn(trusting);
    daemon.send(5);
    let line = daemon.line("Sending segment batches fails, and is repeated: TLS: ");
    assert!(line.contains("expired"), "{line}");
    assert!(expired.requests().is_empty());
    drop(expired);
    let good = XRay::start_at(&address, Some(authority.server("localhost", false)), |_| ok("{}"));
    daemon.wait("documents", || (good.documents().len() == 5).then_some(()));
}

#[test]
fn no_verify_ssl_of_the_file_accepts_any_certificate_and_says_so() {
    let file = scratch("no-verify.yaml");
    std::fs::write(&file, "Version: 2\nNoVerifySSL: true\n").unwrap();
    let xray = XRay::start_tls(Authority::new().server("elsewhere", true), |_| ok("{}"));
    let daemon = Daemon::start(&xray.url_by_name(), &["-c", file.to_str().unwrap()]);
    daemon.send(1);
    daemon.wait("documents", || (xray.documents().len() == 1).then_some(()));
    daemon.line("[Warn] NoVerifySSL: certificates are not verified");
    std::fs::remove_file(file).unwrap();
}

#[test]
fn without_credentials_nothing_is_sent_and_the_reason_is_logged_once() {
    let xray = XRay::start(|_| ok("{}"));
    let arguments =
        ["-o", "-n", "eu-central-1", "-b", "127.0.0.1:0", "-t", "127.0.0.1:0", "--endpoint", &xray.url()];
    let mut without = command(&arguments);
    without.env_remove("AWS_ACCESS_KEY_ID");
    let daemon = Daemon::spawn(without);
    daemon.send(1);
    daemon.line("[Error] Unable to retrieve credentials: ");
    let udp = daemon.udp().to_string();
    daemon.wait("unreadiness", || {
        output(command(&["health", "--ready", "-b", &udp])).1.contains("no credentials: ").then_some(())
    });
    assert!(xray.requests().is_empty());
    let lines = daemon.lines().iter().filter(|line| line.contains("Unable to retrieve credentials")).count();
    assert_eq!(lines, 1);
    daemon.line("Nothing is sent without credentials");
    assert!(!daemon.lines().iter().any(|line| line.contains("X-Ray denies")), "X-Ray was not asked");
}

#[test]
fn credentials_that_x_ray_does_not_know_are_no_question_of_the_policy() {
    let xray = XRay::start(|_| error(403, "InvalidSignatureException"));
    let daemon = Daemon::start(&xray.url(), &[]);
    daemon.send(1);
    daemon.line("[Error] X-Ray does not accept the credentials: InvalidSignatureException: as the script says (status 403)");
}
