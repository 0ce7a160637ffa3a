//! A relay on a port of its own.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use xray_daemon::aws::Aws;
use xray_daemon::relay::{Guard, Relay, RelayOutcome, RelaySettings, RelayStats};

/// A relay on a port of its own, until it is dropped.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) stats: Arc<RelayStats>,
    pub(crate) _stop: oneshot::Sender<()>,
}

impl Running {
    pub(crate) async fn start(aws: Aws) -> Self {
        Self::start_with(aws, |_| ()).await
    }

    pub(crate) async fn start_with(aws: Aws, change: impl FnOnce(&mut RelaySettings)) -> Self {
        let mut settings = RelaySettings {
            address: "127.0.0.1:0".into(),
            guard: Guard::default(),
            timeout: Duration::from_secs(30),
            max_body: 1 << 20,
            body_timeout: Duration::from_secs(10),
        };
        change(&mut settings);
        let stats = Arc::new(RelayStats::default());
        let relay = Relay::bind(settings, Arc::clone(&stats)).await.unwrap();
        let address = relay.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(relay.serve(aws.client, async move { drop(stopped.await) }));
        Self { address, stats, _stop: stop }
    }

    /// Sends bytes as they are, and returns status and the whole answer.
    pub(crate) async fn send(&self, request: impl Into<Vec<u8>>) -> (u16, String) {
        let (address, request) = (self.address, request.into());
        tokio::task::spawn_blocking(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
            stream.write_all(&request).unwrap();
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer);
            let answer = String::from_utf8_lossy(&answer).into_owned();
            let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
            (status, answer)
        })
        .await
        .unwrap()
    }

    pub(crate) async fn post(&self, path: &str, headers: &str, body: &str) -> (u16, String) {
        let length = body.len();
        let host = if headers.to_ascii_lowercase().contains("host:") {
            String::new()
        } else {
            format!("Host: {}\r\n", self.address)
        };
        self.send(format!("POST {path} HTTP/1.1\r\n{host}Connection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}")).await
    }

    pub(crate) fn count(&self, outcome: RelayOutcome) -> u64 {
        self.stats.of(outcome)
    }
}
