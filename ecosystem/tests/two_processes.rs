//! Two services in two processes of their own, and what becomes of a trace on its way from one to the other: directly,
//! through a hop that speaks W3C's form alone, and where nobody is to record it.
//!
//! ```text
//!  a test ──► front ──► back        both are this binary once more, started by the test, and send to its collector
//!  a test ──► front ──► hop ──► back
//! ```

#![expect(clippy::unwrap_used, reason = "a test fails by it")]

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::get;
use ecosystem::{find, picture};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tracing_subscriber::Registry;
use tracing_subscriber::prelude::*;
use xray_sdk::SegmentId;
use xray_sdk::local::{Collector, Trace};
use xray_sdk::sampling::Always;
use xray_tracing_layer::{XrayHttpLayer, XrayMiddleware};

/// What a service is told by its environment, beside the daemon's address.
const NAME: &str = "TWO_PROCESSES_NAME";
const NEXT: &str = "TWO_PROCESSES_NEXT";

/// A service in a process of its own, which ends with the test.
struct Service {
    process: Child,
    address: SocketAddr,
}

impl Service {
    fn start(name: &str, collector: &Collector, next: Option<SocketAddr>) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "service", "--ignored", "--nocapture"])
            .env(NAME, name)
            .env(NEXT, next.map(|next| format!("http://{next}/order")).unwrap_or_default())
            .env("AWS_XRAY_DAEMON_ADDRESS", collector.daemon_address())
            .env_remove("AWS_XRAY_TRACING_NAME")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let address = lines.map_while(Result::ok).find_map(|line| {
            // The test's own output may stand before it in the line.
            line.split_once(LISTENING).map(|(_, address)| address.parse().unwrap())
        });
        Self { process, address: address.unwrap() }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const LISTENING: &str = "listening at ";

/// The process: the layer as any service installs it, a server, and a client for the next one.
#[test]
#[ignore = "a process of its own, which the other tests start"]
fn service() {
    #[expect(clippy::disallowed_methods, reason = "it is told who it is by its environment")]
    let (Ok(name), Ok(next)) = (std::env::var(NAME), std::env::var(NEXT)) else { return };
    let layer = xray_tracing_layer::builder().service_name(&name).sampler(Always);
    tracing_subscriber::registry().with(layer.build::<Registry>().unwrap()).init();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.spawn(async move {
        let client = ClientBuilder::new(reqwest::Client::new()).with(XrayMiddleware::new()).build();
        let app = Router::new().route("/order", get(order)).layer(XrayHttpLayer::new());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        // Whoever started it waits for this.
        println!("{LISTENING}{}", listener.local_addr().unwrap());
        axum::serve(listener, app.with_state((client, next))).await
    });
    // Until the test is gone, however it ended.
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

/// Answers with the trace headers that the last service got.
async fn order(State((client, next)): State<(ClientWithMiddleware, String)>, headers: HeaderMap) -> String {
    if !next.is_empty() {
        return client.get(next).send().await.unwrap().text().await.unwrap();
    }
    let text = |name| headers.get(name).map_or("", |value| value.to_str().unwrap());
    format!("{} {}", text("x-amzn-trace-id"), text("traceparent"))
}

/// A client that traces nothing.
async fn ask(address: SocketAddr, path: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: shop.example\r\n{headers}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

/// A participant of W3C's: it passes on `traceparent` alone, with an id of its own for the parent.
async fn hop(to: SocketAddr) -> SocketAddr {
    let pass_on = move |headers: HeaderMap| async move {
        let traceparent = headers["traceparent"].to_str().unwrap();
        let parts: Vec<_> = traceparent.split('-').collect();
        assert!(parts.len() == 4 && parts[2] != HOP, "{traceparent}");
        let (trace, flags) = (parts[1], parts[3]);
        ask(to, "/order", &format!("traceparent: 00-{trace}-{HOP}-{flags}\r\n")).await
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().route("/order", get(pass_on));
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

const HOP: &str = "00f067aa0ba902b7";

fn trace_of(collector: &Collector, spans: usize) -> Trace {
    let whole = |traces: Vec<Trace>| traces.into_iter().find(|trace| trace.span_count() >= spans);
    let come = collector.wait_for(Duration::from_secs(10), |received| whole(received.traces()).is_some());
    let received = collector.received();
    assert_eq!(received.problems(), [""; 0], "every document is valid");
    let pictures: String = received.traces().iter().map(picture).collect();
    assert!(come, "no trace of {spans} spans came:\n{pictures}");
    assert_eq!(received.traces().len(), 1, "{pictures}");
    whole(received.traces()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_through_two_services_is_one_trace() {
    let collector = Collector::start().unwrap();
    let back = Service::start("back", &collector, None);
    let front = Service::start("front", &collector, Some(back.address));
    let told = ask(front.address, "/order", "").await;
    let trace = trace_of(&collector, 3);
    assert_eq!(picture(&trace), "◆ front  200 ok\n└─ 127.0.0.1 [remote]  200 ok\n   └─ ◆ back  200 ok\n");
    let (call, back) = (find(&trace, "127.0.0.1"), find(&trace, "back"));
    assert_eq!(back.parent_id(), Some(call.id()));
    let (root, parent) = (trace.id(), call.id());
    let w3c = root.replacen("1-", "", 1).replace('-', "");
    assert_eq!(told, format!("Root={root};Parent={parent};Sampled=1 00-{w3c}-{parent}-01"));
    assert_eq!(trace.missing_parents(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_goes_on_behind_a_hop_that_speaks_only_w3cs_form() {
    let collector = Collector::start().unwrap();
    let back = Service::start("back", &collector, None);
    let front = Service::start("front", &collector, Some(hop(back.address).await));
    let told = ask(front.address, "/order", "").await;
    assert!(told.starts_with(" 00-") && told.ends_with(&format!("-{HOP}-01")), "{told}");
    let trace = trace_of(&collector, 3);
    let back = find(&trace, "back");
    assert_eq!(back.parent_id(), Some(HOP), "the hop's, as nobody else knows who called it");
    assert_eq!(trace.missing_parents(), [HOP]);
    assert_ne!(find(&trace, "127.0.0.1").id(), HOP);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_that_is_not_sampled_is_recorded_by_none_and_told_to_all() {
    const ROOT: &str = "1-5759e988-bd862e3fe1be46a994272793";
    const W3C: &str = "00-5759e988bd862e3fe1be46a994272793";
    let collector = Collector::start().unwrap();
    let back = Service::start("back", &collector, None);
    let front = Service::start("front", &collector, Some(back.address));
    let behind = Service::start("front", &collector, Some(hop(back.address).await));
    let ours = format!("X-Amzn-Trace-Id: Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=0\r\n");
    let w3c = format!("traceparent: {W3C}-53995c3f42cd8ad8-00\r\n");
    for headers in [&ours, &w3c] {
        let told = ask(front.address, "/order", headers).await;
        let (xray, traceparent) = told.split_once(' ').unwrap();
        let parent = xray.strip_prefix(&format!("Root={ROOT};Parent=")).unwrap();
        let parent = parent.strip_suffix(";Sampled=0").unwrap();
        assert!(parent.parse::<SegmentId>().is_ok() && parent != "53995c3f42cd8ad8", "{told}");
        assert_eq!(traceparent, format!("{W3C}-{parent}-00"));
        let told = ask(behind.address, "/order", headers).await;
        assert_eq!(told, format!(" {W3C}-{HOP}-00"));
    }
    // Whatever they had sent would be here before this one, which is the only one.
    ask(front.address, "/order", "").await;
    let trace = trace_of(&collector, 3);
    assert_ne!(trace.id(), ROOT);
}
