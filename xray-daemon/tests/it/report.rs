//! What the daemon reports: metrics, health over HTTP and over the local socket, systemd, and the guide's lists.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use xray_daemon::counters::{Counters, Heartbeat, Reason};
use xray_daemon::relay::{Guard, RelayStats};
use xray_daemon::report::admin::{Admin, Pages};
use xray_daemon::report::health::Health;
use xray_daemon::report::health_socket::{HealthServer, HealthSocket, ask};
use xray_daemon::report::metrics::{Metrics, Sources, names};
use xray_daemon::upload::{Clock, Engine, Settings, Uploads};

use crate::edge::{aws, child, settings};

struct Daemon {
    counters: Arc<Counters>,
    health: Health,
    sources: Sources,
}

async fn daemon() -> Daemon {
    let client = aws(&settings("http://127.0.0.1:1")).await.client;
    let counters = Arc::new(Counters::default());
    let heartbeat = Arc::new(Heartbeat::default());
    let limits =
        Settings { memory: 1 << 24, concurrency: 8, max_age: Duration::from_secs(3600), spool: None };
    let uploads = Uploads::new(Engine::new(limits, None, Arc::clone(&counters), 1), Clock::start());
    let health = Health {
        uploads: uploads.clone(),
        counters: Arc::clone(&counters),
        heartbeat: Arc::clone(&heartbeat),
        credentials: Arc::clone(client.credentials()),
        relay_listens: true,
    };
    let relay = Arc::new(RelayStats::default());
    let sources = Sources { counters: Arc::clone(&counters), relay, client, uploads, heartbeat };
    Daemon { counters, health, sources }
}

#[tokio::test]
async fn metrics_have_the_counters_values() {
    let daemon = daemon().await;
    daemon.counters.update(|counts| {
        (counts.received, counts.sent, counts.rejected_header, counts.held) = (10, 5, 1, 1);
        counts.dropped.add(Reason::Memory, 3);
        counts.kernel_drops = Some(42);
        counts.errors.timeout = 2;
    });
    let text = Metrics::new(daemon.sources).text();
    for line in [
        "# TYPE xray_daemon_received counter",
        "xray_daemon_received_total 10",
        "xray_daemon_sent_total 5",
        "xray_daemon_rejected_total{by=\"header\"} 1",
        "xray_daemon_dropped_total{reason=\"memory\"} 3",
        "xray_daemon_dropped_total{reason=\"shutdown\"} 0",
        "xray_daemon_kernel_dropped_total 42",
        "xray_daemon_held 1.0",
        "xray_daemon_call_errors_total{class=\"timeout\"} 2",
        "xray_daemon_relay_requests_total{outcome=\"refused\"} 0",
        "# TYPE xray_daemon_call_seconds histogram",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
    assert!(!text.contains("last_success_age"), "unknown values are left out");
}

#[tokio::test]
async fn every_sample_is_of_a_metric_in_the_list() {
    let daemon = daemon().await;
    daemon.counters.update(|counts| {
        counts.kernel_drops = Some(0);
        counts.last_success = Some(0);
    });
    let text = Metrics::new(daemon.sources).text();
    let suffixes = ["_bucket", "_sum", "_count"];
    let shown: BTreeSet<String> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split(['{', ' ']).next().unwrap())
        .map(|name| suffixes.iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name).to_owned())
        .collect();
    // Credentials of the test don't expire, and nothing waits: these metrics are left out.
    let is_left_out = |name: &String| name.contains("credentials_expiry") || name.contains("oldest_age");
    let expected: BTreeSet<String> = names().into_iter().filter(|name| !is_left_out(name)).collect();
    assert_eq!(shown, expected);
}

async fn get(address: SocketAddr, request: &'static str) -> (u16, String) {
    tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn the_admin_server_shows_metrics_and_health() {
    let daemon = daemon().await;
    let counters = Arc::clone(&daemon.counters);
    let admin = Admin::bind("127.0.0.1:0").await.unwrap();
    let address = admin.local_addr().unwrap();
    let pages =
        Pages { metrics: Metrics::new(daemon.sources), health: daemon.health, guard: Guard::default() };
    let (_stop, stopped) = oneshot::channel::<()>();
    tokio::spawn(admin.serve(pages, async move { drop(stopped.await) }));
    let (status, answer) =
        get(address, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
    assert_eq!(status, 200);
    assert!(
        answer.contains("application/openmetrics-text") && answer.contains("xray_daemon_received_total 0"),
        "{answer}"
    );
    assert_eq!(get(address, "GET /healthz HTTP/1.0\r\n\r\n").await.0, 200);
    assert_eq!(get(address, "GET /readyz HTTP/1.0\r\n\r\n").await.0, 200);
    counters.update(|counts| counts.denied = true);
    let (status, answer) = get(address, "GET /readyz HTTP/1.0\r\n\r\n").await;
    assert_eq!(status, 503);
    assert!(answer.contains("not ready: X-Ray denies the calls"), "{answer}");
    assert_eq!(get(address, "GET /healthz HTTP/1.0\r\n\r\n").await.0, 200);
    assert_eq!(get(address, "GET /other HTTP/1.0\r\n\r\n").await.0, 404);
    assert_eq!(get(address, "POST /metrics HTTP/1.0\r\nContent-Length: 0\r\n\r\n").await.0, 405);
    let page = "GET /metrics HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    assert_eq!(get(address, page).await.0, 403);
}

#[test]
fn the_local_sockets_place_follows_from_the_port_alone() {
    let place = |address| HealthSocket::new(None, address).to_string();
    assert_eq!(place("127.0.0.1:2000"), place("0.0.0.0:2000"));
    assert_eq!(place("[::]:2000"), place(":2000"));
    assert_ne!(place("127.0.0.1:2000"), place("127.0.0.1:2001"));
}

#[cfg(unix)]
#[tokio::test]
async fn the_local_socket_answers_by_name_and_by_file() {
    let file = std::env::temp_dir().join(format!("xray-daemon-{}.sock", std::process::id()));
    let name = format!("127.0.0.1:{}", std::process::id());
    for socket in [HealthSocket::new(None, &name), HealthSocket::new(Some(&file), &name)] {
        assert!(ask(&socket, false).is_err(), "no daemon is there yet");
        let daemon = daemon().await;
        let server = HealthServer::bind(&socket).unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(server.serve(daemon.health, async move { drop(stopped.await) }));
        let question = |ready| {
            let socket = socket.clone();
            async move { tokio::task::spawn_blocking(move || ask(&socket, ready)).await.unwrap().unwrap() }
        };
        assert_eq!(question(false).await, (true, "healthy".into()));
        daemon.counters.update(|counts| counts.denied = true);
        let (is_good, words) = question(true).await;
        assert!(!is_good && words.starts_with("not ready: "), "{words}");
        drop(stop);
        serving.await.unwrap();
        assert!(ask(&socket, false).is_err());
    }
    // A file that a killed daemon left behind is replaced.
    let socket = HealthSocket::new(Some(&file), &name);
    drop(HealthServer::bind(&socket).unwrap());
    assert!(file.exists());
    drop(HealthServer::bind(&socket).unwrap());
    std::fs::remove_file(&file).unwrap();
    // Any other file stays as it is.
    std::fs::write(&file, "precious").unwrap();
    assert!(HealthServer::bind(&socket).is_err());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "precious");
    std::fs::remove_file(&file).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "runs in a process of its own"]
fn child_notifies() {
    use xray_daemon::report::notify;

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        notify::ready();
        notify::status("received 1");
        let health = daemon().await.health;
        notify::watch(health, tokio::time::sleep(Duration::from_millis(200))).await;
        notify::stopping();
    });
}

#[cfg(target_os = "linux")]
#[test]
fn systemd_is_notified() {
    let path = std::env::temp_dir().join(format!("xray-daemon-notify-{}", std::process::id()));
    let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    child::run(
        "report::child_notifies",
        &[("NOTIFY_SOCKET", path.to_str().unwrap()), ("WATCHDOG_USEC", "150000")],
    );
    socket.set_nonblocking(true).unwrap();
    let mut messages = Vec::new();
    let mut buffer = [0; 256];
    while let Ok(length) = socket.recv(&mut buffer) {
        messages.push(String::from_utf8_lossy(&buffer[..length]).trim().to_owned());
    }
    std::fs::remove_file(&path).unwrap();
    assert_eq!(messages[..3], ["READY=1", "STATUS=received 1", "WATCHDOG=1"]);
    assert_eq!(messages.last().unwrap(), "STOPPING=1");
}
