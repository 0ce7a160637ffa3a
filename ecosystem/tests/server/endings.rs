//! Ends of a request other than a short response: a body that takes its time, fails, or is dropped; a panic; a client
//! that does not wait.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use ecosystem::{find, flags, picture};
use http_body::Frame;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};
use tracing::info_span;
use xray_tracing_layer::XrayHttpLayer;

use super::{exchange, rig, send, serve};

type Piece = Result<Bytes, io::Error>;

/// What a handler or a body holds: it has something to do when it is let go.
struct Held;

impl Drop for Held {
    fn drop(&mut self) {
        drop(info_span!("let go"));
    }
}

/// A body of what the test sends, with a span for each piece. An empty piece is a panic.
struct Pieces(mpsc::UnboundedReceiver<Piece>, #[expect(dead_code, reason = "for its drop")] Option<Held>);

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let piece = std::task::ready!(self.0.poll_recv(cx));
        drop(info_span!("piece"));
        if let Some(Ok(bytes)) = &piece {
            assert!(!bytes.is_empty(), "the stream broke");
        }
        Poll::Ready(piece.map(|piece| piece.map(Frame::data)))
    }
}

/// A server with one answer, of which the test sends the pieces.
fn streaming() -> (Router, mpsc::UnboundedSender<Piece>) {
    let (pieces, body) = mpsc::unbounded_channel();
    let body = Arc::new(std::sync::Mutex::new(Some(body)));
    let answer = move || async move {
        Response::new(Body::new(Pieces(body.lock().unwrap().take().unwrap(), Some(Held))))
    };
    (Router::new().route("/", get(answer)).layer(XrayHttpLayer::new()), pieces)
}

/// Asks, and reads the answer as far as its body's first piece.
async fn first_piece(app: Router, pieces: &mpsc::UnboundedSender<Piece>) -> (TcpStream, String) {
    let address = serve(app).await;
    pieces.send(Ok("one".into())).unwrap();
    let mut stream = send(address, "GET / HTTP/1.1").await;
    let mut seen = String::new();
    while !seen.contains("one") {
        seen.push(char::from(stream.read_u8().await.unwrap()));
    }
    (stream, seen)
}

fn exception(segment: &Value) -> (&str, &str) {
    let exceptions = segment["cause"]["exceptions"].as_array().unwrap();
    assert_eq!(exceptions.len(), 1, "{segment}");
    (exceptions[0]["type"].as_str().unwrap(), exceptions[0]["message"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_streaming_body_is_part_of_the_request_to_its_last_piece() {
    let rig = rig();
    let (app, pieces) = streaming();
    let (mut stream, mut seen) = first_piece(app, &pieces).await;
    assert_eq!(rig.received().documents().len(), 0, "the answer has begun, and the request goes on");
    pieces.send(Ok("two".into())).unwrap();
    drop(pieces);
    stream.read_to_string(&mut seen).await.unwrap();
    assert!(seen.contains("two"));
    let trace = rig.trace_of(5);
    assert_eq!(picture(&trace), "◆ shop  200 ok\n├─ piece\n├─ piece\n├─ piece\n└─ let go\n");
    let segment = find(&trace, "shop");
    assert_eq!(segment.json()["http"]["response"], json!({"status": 200, "content_length": 6}));
    assert_eq!(flags(segment.json()), [""; 0]);
    let last = segment.children().last().unwrap();
    assert!(last.end() <= segment.end(), "the end of the stream is seen inside");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_servers_dont_read_to_their_end_are_whole() {
    let declared = || async {
        let (pieces, body) = mpsc::unbounded_channel();
        pieces.send(Ok("four".into())).unwrap();
        // Still open when the declared length is reached.
        std::mem::forget(pieces);
        Response::builder().header("content-length", 4).body(Body::new(Pieces(body, None))).unwrap()
    };
    let app = Router::new()
        .route("/declared", get(declared))
        .route("/none", get(|| async { StatusCode::NO_CONTENT }))
        .route("/same", get(|| async { (StatusCode::NOT_MODIFIED, "never sent") }))
        .route("/text", get(|| async { "text" }))
        .layer(XrayHttpLayer::new());
    for (line, status, length) in [
        ("GET /declared HTTP/1.1", 200, 4),
        ("GET /none HTTP/1.1", 204, 0),
        ("GET /same HTTP/1.1", 304, 10),
        ("HEAD /text HTTP/1.1", 200, 4),
        ("HEAD /declared HTTP/1.1", 200, 4),
    ] {
        let rig = rig();
        let address = serve(app.clone()).await;
        exchange(address, line).await;
        let trace = rig.trace_of(1);
        let segment = trace.roots().next().unwrap().json();
        assert_eq!(
            segment["http"]["response"],
            json!({"status": status, "content_length": length}),
            "{line}"
        );
        assert_eq!((flags(segment), segment.get("cause")), (vec![], None), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_fails_is_an_error_with_its_cause() {
    let rig = rig();
    let (app, pieces) = streaming();
    let address = serve(app).await;
    pieces.send(Ok("one".into())).unwrap();
    pieces.send(Err(io::Error::other("the disk is gone"))).unwrap();
    exchange(address, "GET / HTTP/1.1").await;
    let trace = rig.trace_of(4);
    assert_eq!(picture(&trace), "◆ shop  200 error\n├─ piece\n├─ piece\n└─ let go\n");
    let segment = find(&trace, "shop").json();
    assert_eq!(flags(segment), ["error"]);
    assert_eq!(exception(segment), ("axum_core::error::Error", "the disk is gone"));
    assert_eq!(segment["http"]["response"], json!({"status": 200, "content_length": 3}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_a_handler_is_a_fault_with_its_message() {
    let rig = rig();
    async fn broken() -> &'static str {
        let _held = Held;
        panic!("no order {}", 7)
    }
    let address = serve(Router::new().route("/", get(broken)).layer(XrayHttpLayer::new())).await;
    assert_eq!(exchange(address, "GET / HTTP/1.1").await, "", "it went on its way");
    let trace = rig.trace_of(2);
    let segment = find(&trace, "shop").json();
    assert_eq!((flags(segment), exception(segment)), (vec!["fault"], ("panic", "no order 7")));
    assert_eq!(segment["http"].get("response"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_a_body_is_a_fault_with_its_message() {
    let rig = rig();
    let (app, pieces) = streaming();
    let address = serve(app).await;
    pieces.send(Ok(Bytes::new())).unwrap();
    exchange(address, "GET / HTTP/1.1").await;
    let trace = rig.trace_of(3);
    assert_eq!(picture(&trace), "◆ shop  200 fault\n├─ piece\n└─ let go\n");
    let segment = find(&trace, "shop").json();
    assert_eq!((flags(segment), exception(segment)), (vec!["fault"], ("panic", "the stream broke")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_wait_for_the_answer_is_an_error_without_a_status() {
    let rig = rig();
    let arrived = Arc::new(Notify::new());
    let told = Arc::clone(&arrived);
    let never = move || {
        let told = Arc::clone(&told);
        async move {
            let _held = Held;
            told.notify_one();
            std::future::pending::<Infallible>().await;
        }
    };
    let address = serve(Router::new().route("/", get(never)).layer(XrayHttpLayer::new())).await;
    let stream = send(address, "GET / HTTP/1.1").await;
    arrived.notified().await;
    assert_eq!(rig.received().documents().len(), 0);
    drop(stream);
    let trace = rig.trace_of(2);
    assert_eq!(
        picture(&trace),
        "◆ shop  error\n└─ let go\n",
        "what the handler held is dropped first, and inside"
    );
    let segment = find(&trace, "shop").json();
    assert_eq!(
        (flags(segment), exception(segment)),
        (vec!["error"], ("Cancelled", "dropped before the answer"))
    );
    assert_eq!(segment["http"].get("response"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_hangs_up_inside_the_body_is_an_error_beside_its_status() {
    let rig = rig();
    let (app, pieces) = streaming();
    let (stream, _) = first_piece(app, &pieces).await;
    drop(stream);
    let trace = rig.trace_of(3);
    assert_eq!(picture(&trace), "◆ shop  200 error\n├─ piece\n└─ let go\n");
    let segment = find(&trace, "shop").json();
    assert_eq!(
        (flags(segment), exception(segment)),
        (vec!["error"], ("Cancelled", "dropped before the end of the body"))
    );
    assert_eq!(segment["http"]["response"]["status"], 200);
    drop(pieces);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_is_left_behind_does_not_make_the_request_longer() {
    let rig = rig();
    let (done, mut wait) = mpsc::channel::<()>(1);
    let done = Arc::new(std::sync::Mutex::new(Some(done)));
    let release = Arc::new(Notify::new());
    let until = Arc::clone(&release);
    let handler = move || async move {
        let (span, done) = (info_span!("task"), done.lock().unwrap().take());
        tokio::spawn(async move {
            until.notified().await;
            drop((span, done));
        });
        "later"
    };
    let address = serve(Router::new().route("/", get(handler)).layer(XrayHttpLayer::new())).await;
    exchange(address, "GET / HTTP/1.1").await;
    release.notify_one();
    assert!(wait.recv().await.is_none());
    let trace = rig.trace_of(2);
    let (segment, task) = (find(&trace, "shop"), find(&trace, "task"));
    assert!(segment.end() < task.end());
    assert_eq!(flags(segment.json()), [""; 0]);
}
