//! Requests through the HTTP layer where a clock has to be moved, or the process to be a Lambda function. With real
//! servers they are tried among other people's crates.

use std::sync::Mutex;

use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use ::http::{Request, Response};
use http_body::{Body, Frame};
use tower_layer::Layer;
use tower_service::Service;
use tracing::Span;

use super::at_once::{AtOnce, answer};
use super::*;
use crate::XrayHttpLayer;
use crate::integrations::http::{XrayHttpBody, XrayHttpService};

/// Opens a span, works, and answers with a body of so many frames.
fn shop<R>(frames: u32, work: impl Fn() + Clone) -> AtOnce<impl Fn(Request<R>) -> Response<Frames> + Clone> {
    AtOnce(move |_| {
        drop(info_span!("work"));
        work();
        Response::new(Frames(frames))
    })
}

#[derive(Debug)]
struct Frames(u32);

impl Body for Frames {
    type Data = &'static [u8];
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<&'static [u8]>, Infallible>>> {
        let Some(left) = self.0.checked_sub(1) else { return Poll::Ready(None) };
        self.0 = left;
        drop(info_span!("frame"));
        Poll::Ready(Some(Ok(Frame::data(b"frame"))))
    }
}

fn served(frames: u32) -> XrayHttpService<AtOnce<impl Fn(Request<()>) -> Response<Frames> + Clone>> {
    XrayHttpLayer::new().layer(shop(frames, || ()))
}

fn answered(
    service: &mut impl Service<Request<()>, Response = Response<XrayHttpBody<Frames>>>,
    request: Request<()>,
) -> XrayHttpBody<Frames> {
    answer(service, request).into_body()
}

fn take_frame(body: Pin<&mut impl Body>) -> bool {
    matches!(body.poll_frame(&mut Context::from_waker(Waker::noop())), Poll::Ready(Some(Ok(_))))
}

fn request() -> Request<()> {
    Request::get("http://shop.example/orders/7").header("x-amzn-trace-id", SAMPLED).body(()).unwrap()
}

#[test]
fn a_request_lasts_as_long_as_its_body() {
    let rig = Rig::new(|b| b);
    rig.run(|| {
        let mut service = served(2);
        let mut body = pin!(answered(&mut service, request()));
        rig.pass(1_000);
        assert!(take_frame(body.as_mut()) && take_frame(body.as_mut()));
        rig.pass(1_000);
        assert_eq!(rig.sent(), [0; 0]);
        assert!(!take_frame(body.as_mut()));
        let sent = rig.sent();
        assert_eq!(names(&sent), ["shop"], "the body is still there, but at its end");
        assert_eq!(sent[0]["end_time"].as_f64(), Some(1_800_000_000.002));
        assert_eq!(sent[0]["parent_id"], "53995c3f42cd8ad8");
        let inside = sent[0]["subsegments"].as_array().unwrap();
        assert_eq!(names(inside), ["work", "frame", "frame"]);
        assert_eq!(sent[0]["http"]["response"], serde_json::json!({"status": 200, "content_length": 10}));
    });
}

#[test]
fn an_ignored_request_leaves_nothing_and_nothing_inside_of_it_does() {
    let layer = XrayHttpLayer::new()
        .ignore_health_checks()
        .ignore(|request| request.headers().contains_key("x-quiet") || panics(request.uri().path()));
    let rig = Rig::new(|b| b);
    rig.run(|| {
        let mut service = layer.layer(shop(1, || ()));
        let health = Request::get("/healthz").header("x-amzn-trace-id", SAMPLED).body(()).unwrap();
        let asked = Request::get("/orders/7").header("x-quiet", "1").body(()).unwrap();
        for request in [health, asked] {
            let mut body = pin!(answered(&mut service, request));
            while take_frame(body.as_mut()) {}
        }
        assert_eq!(rig.sent(), [0; 0]);
        // A function that panics ignores nothing.
        let odd = Request::get("/panic").header("x-amzn-trace-id", SAMPLED).body(()).unwrap();
        let mut body = pin!(answered(&mut service, odd));
        while take_frame(body.as_mut()) {}
    });
    assert_eq!(names(&rig.sent()), ["shop"]);
}

fn panics(path: &str) -> bool {
    assert!(path != "/panic", "a bug of the program's own");
    false
}

#[test]
fn in_lambda_a_request_is_a_subsegment_of_the_runtimes_span() {
    let rig = lambda("");
    rig.run(|| {
        let invoke = info_span!("Lambda runtime invoke", requestId = "r", xrayTraceId = SAMPLED).entered();
        let mut body = pin!(answered(&mut served(1), request()));
        while take_frame(body.as_mut()) {}
        drop(invoke);
    });
    let sent = rig.sent();
    assert_eq!(names(&sent), ["GET"]);
    assert_eq!(sent[0]["type"], "subsegment");
    assert_eq!(sent[0]["trace_id"], "1-66f1a2b3-0123456789abcdef01234567");
    assert_eq!(sent[0]["parent_id"], "53995c3f42cd8ad8");
    assert_eq!(sent[0]["http"]["request"]["url"], "http://shop.example/orders/7");
    assert_eq!(rig.handle.stats().bad_headers, 0);
}

#[test]
fn in_lambda_without_that_span_the_requests_header_says_where_it_belongs() {
    let rig = lambda("");
    rig.run(|| {
        let mut body = pin!(answered(&mut served(1), request()));
        while take_frame(body.as_mut()) {}
        drop(answered(&mut served(1), Request::new(())));
    });
    let sent = rig.sent();
    assert_eq!(names(&sent), ["GET"], "and one without it belongs nowhere");
    assert_eq!((&sent[0]["type"], &sent[0]["parent_id"]), (&"subsegment".into(), &"53995c3f42cd8ad8".into()));
}

#[test]
fn a_layer_that_is_off_or_absent_lets_everything_pass() {
    let rig = Rig::new(|b| b.enabled(false));
    let run = || {
        let mut service = served(1);
        let asks =
            Request::get("/").header("x-amzn-trace-id", "Root=1-66f1a2b3-0123456789abcdef01234567;Sampled=?");
        let response = answer(&mut service, asks.body(()).unwrap());
        assert!(response.headers().is_empty(), "nobody has decided");
        let mut body = pin!(response.into_body());
        assert!(take_frame(body.as_mut()) && !take_frame(body.as_mut()));
    };
    rig.run(run);
    run();
    assert_eq!(rig.sent(), [0; 0]);
}

/// Hands the current span to a task in the background, as `tokio::spawn(task.instrument(Span::current()))` does.
fn leaving_task(
    held: &Arc<Mutex<Vec<Span>>>,
) -> AtOnce<impl Fn(Request<()>) -> Response<Frames> + Clone + use<>> {
    let held = Arc::clone(held);
    shop(1, move || held.lock().unwrap().extend([Span::current(), info_span!("task")]))
}

#[test]
fn a_request_whose_span_a_task_holds_is_sent_when_its_body_has_ended() {
    let rig = Rig::new(|b| b);
    rig.run(|| {
        let held = Arc::default();
        let mut service = XrayHttpLayer::new().layer(leaving_task(&held));
        let response = answer(&mut service, request());
        let mut body = pin!(response.into_body());
        rig.pass(SECOND);
        assert!(take_frame(body.as_mut()));
        assert_eq!(rig.sent(), [0; 0], "the body has not ended");
        assert!(!take_frame(body.as_mut()));
        let sent = rig.sent();
        assert_eq!(names(&sent), ["shop"], "sent while the task holds the span");
        let segment = &sent[0];
        assert_eq!(segment["http"]["response"]["status"], 200);
        assert_eq!(segment["end_time"].as_f64(), Some(1_800_000_001.0));
        assert!(segment.get("in_progress").is_none() && segment.get("type").is_none(), "{segment}");
        assert_eq!(names(segment["subsegments"].as_array().unwrap()), ["work", "frame"]);
        assert_eq!(rig.handle.stats().sampled, 1);

        rig.pass(SECOND);
        let [span, task] = held.lock().unwrap().drain(..).collect::<Vec<_>>().try_into().unwrap();
        drop(task);
        let sent = rig.sent();
        assert_eq!(names(&sent), ["task"], "what comes later leaves alone");
        assert_eq!((&sent[0]["type"], &sent[0]["parent_id"]), (&"subsegment".into(), &segment["id"]));
        assert_eq!(sent[0]["trace_id"], segment["trace_id"]);
        span.in_scope(|| drop(info_span!("late")));
        drop(span);
        let sent = rig.sent();
        assert_eq!(names(&sent), ["late", "HTTP request"]);
        assert_eq!(sent[0]["parent_id"], sent[1]["id"], "in the request's late part");
        assert_eq!((&sent[1]["type"], &sent[1]["parent_id"]), (&"subsegment".into(), &segment["id"]));
    });
    let stats = rig.handle.stats();
    assert_eq!(stats.closed, stats.folded + stats.emitted + stats.dropped, "{stats:?}");
    assert_eq!((stats.sampled, stats.documents), (1, 4));
}

#[test]
fn a_task_that_adds_nothing_adds_no_document() {
    let rig = Rig::new(|b| b);
    rig.run(|| {
        let held = Arc::default();
        let mut service = XrayHttpLayer::new().layer(leaving_task(&held));
        let response = answer(&mut service, request());
        // A client that hangs up ends the request as well.
        drop(response);
        assert_eq!(names(&rig.sent()), ["shop"]);
        held.lock().unwrap().clear();
        assert_eq!(names(&rig.sent()), ["task"]);
    });
}
