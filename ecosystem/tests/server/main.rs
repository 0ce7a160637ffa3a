//! Requests over a socket to real servers, and the segments that they leave: with our layer (`requests`, `headers`,
//! `endings`), and with the spans of others (`others`). Here is what these have in common: the rig's settings, an
//! axum server, and a client that sends what a test wants sent, byte by byte if need be.

#![expect(clippy::unwrap_used, reason = "a test fails by it")]

mod endings;
mod headers;
mod others;
mod requests;

use std::net::SocketAddr;

use axum::Router;
use ecosystem::Rig;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use xray_sdk::local::Trace;
use xray_sdk::sampling::{LocalRule, LocalRules};

/// Keeps everything but `GET` requests to `quiet.example` below `/quiet`.
fn rig() -> Rig {
    Rig::with(|builder| {
        let quiet = LocalRule::new(0, 0.0).host("quiet.example").method("GET").path("/quiet/*");
        builder.sampler(LocalRules::new([quiet], LocalRule::new(0, 1.0)).unwrap())
    })
}

/// Serves on a free port, for as long as the test's runtime runs.
async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// Sends the lines of a request, and reads all that comes back.
async fn exchange(address: SocketAddr, lines: &str) -> String {
    let mut stream = send(address, lines).await;
    let mut answer = String::new();
    // A server that gives up resets the connection, which is an answer, too.
    let _ = stream.read_to_string(&mut answer).await;
    answer
}

/// Sends the lines of a request, for a host that is always the same unless the lines name one.
async fn send(address: SocketAddr, lines: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut request: String = lines.lines().map(|line| format!("{}\r\n", line.trim())).collect();
    if !request.contains("Host:") {
        request += "Host: shop.example\r\n";
    }
    request += "Connection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// The segment of a trace that is nothing but one.
fn only_segment(trace: &Trace) -> &Value {
    let roots: Vec<_> = trace.roots().collect();
    assert_eq!(roots.len(), 1, "{}", ecosystem::picture(trace));
    roots[0].json()
}
