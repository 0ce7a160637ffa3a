//! Requests over a socket by real clients, and the subsegments that they leave: with our integrations (`tower`,
//! `middleware`, `grpc`), by hand (`bare`), and with the spans of others (`others`). Here is what these have in
//! common: the rig's settings, a server that keeps the headers it got, and a segment to be inside of.

#![expect(clippy::unwrap_used, reason = "a test fails by it")]

mod bare;
mod grpc;
mod middleware;
mod others;
mod tower;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Request, Response};
use ecosystem::{Rig, flags, picture};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tracing::{Instrument, Span, info_span};
use xray_sdk::local::{Node, Trace};
use xray_sdk::sampling::{LocalRule, LocalRules};
use xray_sdk::{SamplingDecision, TraceHeader};

/// Keeps everything but what `GET`s below `/quiet`.
fn rig() -> Rig {
    Rig::with(|builder| {
        let quiet = LocalRule::new(0, 0.0).method("GET").path("/quiet/*");
        builder
            .sampler(LocalRules::new([quiet], LocalRule::new(0, 1.0)).unwrap())
            .record_request_headers(["x-tenant", "referer"])
            .record_response_headers(["location", "x-absent"])
            .annotate(["http.request.header.x-tenant"])
    })
}

/// What a `GET` of `/orders/7?token=secret` leaves, by whichever client.
#[track_caller]
fn assert_order_was_got(rig: &Rig, server: &Server) {
    let trace = rig.trace_of(2);
    assert_eq!(picture(&trace), "◆ shop\n└─ 127.0.0.1 [remote]  200 ok\n");
    let call = only_call(&trace);
    assert_eq!(
        call.json()["http"],
        json!({
            "request": {"method": "GET", "url": server.url("/orders/7")},
            "response": {"status": 200, "content_length": 8},
        })
    );
    assert_eq!((flags(call.json()), call.json().get("metadata")), (vec![], None));
    assert_told(server, &trace, &call);
}

/// Statuses, as paths of the server, and the flags that they set.
const STATUSES: [(&str, &[&str]); 3] =
    [("/404", &["error"]), ("/429", &["error", "throttle"]), ("/500", &["fault"])];

/// A segment that the sampler keeps.
fn shopping() -> Span {
    info_span!("shopping", http.request.method = "GET", url.path = "/loud")
}

/// One that it doesn't.
fn quiet() -> Span {
    info_span!("shopping", http.request.method = "GET", url.path = "/quiet/x")
}

/// A server for as long as the test's runtime runs. It answers with the status that the path names.
#[derive(Clone)]
struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<HeaderMap>>>,
    arrived: Arc<Notify>,
}

impl Server {
    async fn start() -> Self {
        Self::at("127.0.0.1:0").await.unwrap()
    }

    async fn at(address: &str) -> Option<Self> {
        let listener = TcpListener::bind(address).await.ok()?;
        let address = listener.local_addr().unwrap();
        let server = Self { address, seen: Arc::default(), arrived: Arc::default() };
        let app = Router::new().fallback(Self::answer).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Some(server)
    }

    async fn answer(State(server): State<Self>, request: Request<Body>) -> Response<Body> {
        let attempts = {
            let mut seen = server.seen.lock().unwrap();
            seen.push(request.headers().clone());
            seen.len()
        };
        server.arrived.notify_one();
        let status = match request.uri().path() {
            "/never" => std::future::pending().await,
            "/third" if attempts < 3 => 503,
            "/moved" => 302,
            "/404" => 404,
            "/429" => 429,
            "/500" => 500,
            _ => 200,
        };
        let response = Response::builder().status(status);
        let response = if status == 302 { response.header("location", "/") } else { response };
        response.body("an order".into()).unwrap()
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The trace headers that requests had so far, X-Ray's, which agrees with W3C's.
    fn headers(&self) -> Vec<TraceHeader> {
        self.seen.lock().unwrap().iter().map(header_of).collect()
    }
}

fn header_of(headers: &HeaderMap) -> TraceHeader {
    let text = |name| {
        let mut all = headers.get_all(name).into_iter();
        let first = all.next().unwrap().to_str().unwrap();
        assert_eq!(all.next(), None, "{name} once");
        first
    };
    let ours: TraceHeader = text("x-amzn-trace-id").parse().unwrap();
    let w3c = TraceHeader::from_traceparent(text("traceparent")).unwrap();
    assert_eq!((w3c.root(), w3c.parent(), w3c.sampled()), (ours.root(), ours.parent(), ours.sampled()));
    ours
}

/// The only header that the server got names this subsegment.
fn assert_told(server: &Server, trace: &Trace, call: &Node<'_>) {
    let headers = server.headers();
    let expected = format!("Root={};Parent={};Sampled=1", trace.id(), call.id());
    assert_eq!(headers.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
}

/// A port at which nobody listens.
fn nowhere() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Nothing of the work inside was recorded, and the server was told so.
async fn assert_unsampled(rig: &Rig, server: &Server, work: impl Future<Output = ()>) {
    let span = quiet();
    work.instrument(span.clone()).await;
    drop(span);
    assert_eq!(rig.received().documents().len(), 0);
    let headers = server.headers();
    assert_eq!(headers.len(), 1);
    assert_eq!(headers[0].sampled(), SamplingDecision::NotSampled);
    assert!(headers[0].parent().is_some());
}

/// Type and message of each exception.
fn exceptions(document: &Value) -> Vec<(&str, &str)> {
    let all = document["cause"]["exceptions"].as_array().map(Vec::as_slice).unwrap_or_default();
    all.iter().map(|e| (e["type"].as_str().unwrap(), e["message"].as_str().unwrap())).collect()
}

/// The only subsegment of the trace's only segment.
fn only_call(trace: &Trace) -> Node<'_> {
    let calls: Vec<_> = trace.nodes().filter(|node| node.depth() == 1).collect();
    assert_eq!(calls.len(), 1, "{}", picture(trace));
    calls[0]
}
