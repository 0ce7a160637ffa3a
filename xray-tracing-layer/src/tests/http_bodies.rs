//! Bodies of responses: what a reader learns of them, and how a request ends with its body.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use ::http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use tower_layer::Layer;

use super::at_once::{AtOnce, answer};
use super::*;
use crate::XrayHttpLayer;
use crate::integrations::http::XrayHttpBody;

type Step = fn() -> Option<Result<Frame<&'static [u8]>, io::Error>>;

/// A body whose frames are the results of functions. Its length is unknown.
#[derive(Clone)]
struct Steps(&'static [Step]);

impl Body for Steps {
    type Data = &'static [u8];
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<&'static [u8]>, io::Error>>> {
        let Some((step, rest)) = self.0.split_first() else { return Poll::Ready(None) };
        self.0 = rest;
        drop(info_span!("frame"));
        Poll::Ready(step())
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = SizeHint::new();
        hint.set_lower(self.0.len() as u64);
        hint
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        drop(info_span!("drop"));
    }
}

/// Answers with a body, and a header that says how long the body is.
fn answers(
    steps: &'static [Step],
    length: Option<&'static str>,
) -> AtOnce<impl Fn(Request<()>) -> Response<Steps>> {
    AtOnce(move |request: Request<()>| {
        let mut response = Response::new(Steps(steps));
        if request.headers().contains_key("content-type") {
            response.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
        }
        if request.uri().path() == "/nothing" {
            *response.status_mut() = StatusCode::NO_CONTENT;
        }
        if let Some(length) = length {
            response.headers_mut().insert("content-length", length.parse().unwrap());
        }
        response
    })
}

const DATA: Step = || Some(Ok(Frame::data(b"frame")));
const BROKEN: Step = || Some(Err(io::Error::other("the disk is gone")));
const PANICS: Step = || panic!("half a body");
const TRAILERS: Step = || {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", "8".parse().unwrap());
    trailers.insert("grpc-message", "no more".parse().unwrap());
    Some(Ok(Frame::trailers(trailers)))
};

fn request(method: Method, uri: &str) -> Request<()> {
    Request::builder().method(method).uri(uri).body(()).unwrap()
}

fn grpc() -> Request<()> {
    let mut request = request(Method::POST, "http://shop.example/shop.Orders/Place");
    request.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
    request
}

/// Serves a request, hands the body to `read`, and returns the document, which is sent by then.
fn served(
    answers: AtOnce<impl Fn(Request<()>) -> Response<Steps>>,
    request: Request<()>,
    read: impl FnOnce(Pin<&mut XrayHttpBody<Steps>>),
) -> Value {
    let rig = Rig::new(|b| b);
    rig.run(|| {
        let mut service = XrayHttpLayer::new().layer(answers);
        let mut body = Box::pin(answer(&mut service, request).into_body());
        read(body.as_mut());
        drop(body);
    });
    let mut sent = rig.sent();
    sent.retain(|document| document.get("http").is_some());
    assert_eq!(sent.len(), 1, "{sent:?}");
    sent.remove(0)
}

fn take(body: &mut Pin<&mut XrayHttpBody<Steps>>) -> Option<Result<Frame<&'static [u8]>, io::Error>> {
    match body.as_mut().poll_frame(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(frame) => frame,
        Poll::Pending => panic!("pending"),
    }
}

fn inside(document: &Value) -> Vec<&str> {
    document["subsegments"].as_array().map_or(vec![], |all| names(all))
}

/// Returns the message of a document's only exception, if there is one.
fn message(document: &Value) -> Option<&str> {
    document["cause"]["exceptions"][0]["message"].as_str()
}

#[test]
fn a_body_says_of_itself_what_the_one_inside_says() {
    served(answers(&[DATA, DATA], None), request(Method::GET, "/"), |mut body| {
        assert_eq!((body.size_hint().lower(), body.is_end_stream()), (2, false));
        assert!(take(&mut body).is_some());
        assert_eq!((body.size_hint().lower(), body.is_end_stream()), (1, false));
        assert!(take(&mut body).is_some());
        assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(0), true));
        assert!(take(&mut body).is_none() && take(&mut body).is_none());
    });
}

#[test]
fn a_body_that_is_read_to_its_end_is_counted_and_dropped_in_the_requests_span() {
    let document =
        served(
            answers(&[DATA, DATA], None),
            request(Method::GET, "/"),
            |mut body| {
                while take(&mut body).is_some() {}
            },
        );
    assert_eq!(document["http"]["response"]["content_length"], 10);
    assert_eq!(inside(&document), ["frame", "frame", "drop"]);
    assert_eq!((document.get("error"), document.get("fault"), message(&document)), (None, None, None));
}

#[test]
fn a_body_that_breaks_off_is_an_error_with_its_reason() {
    let document = served(answers(&[DATA, BROKEN, DATA], None), request(Method::GET, "/"), |mut body| {
        assert!(take(&mut body).is_some_and(|frame| frame.is_ok()));
        assert!(take(&mut body).is_some_and(|frame| frame.is_err()));
        assert!(take(&mut body).is_none(), "nothing follows");
    });
    assert_eq!((&document["error"], message(&document)), (&true.into(), Some("the disk is gone")));
    assert_eq!(document["http"]["response"]["content_length"], 5);
    let document = served(answers(&[DATA, BROKEN], Some("50")), request(Method::GET, "/"), |mut body| {
        assert!(take(&mut body).is_some() && take(&mut body).is_some());
    });
    assert_eq!(document["http"]["response"]["content_length"], 50, "as the response says");
}

#[test]
fn a_response_without_a_body_has_a_length_of_zero() {
    for (steps, method) in [(&[] as &[_], Method::GET), (&[DATA], Method::HEAD)] {
        let document = served(answers(steps, None), request(method, "/"), |_| ());
        assert_eq!(document["http"]["response"]["content_length"], 0);
        assert_eq!((message(&document), document.get("error")), (None, None));
    }
}

#[test]
fn a_body_that_panics_ends_its_request_at_once() {
    let rig = Rig::new(|b| b);
    let mut sent = Vec::new();
    rig.run(|| {
        let mut service = XrayHttpLayer::new().layer(answers(&[DATA, PANICS], None));
        let mut body = Box::pin(answer(&mut service, request(Method::GET, "/")).into_body());
        assert!(take(&mut body.as_mut()).is_some());
        assert!(catch_unwind(AssertUnwindSafe(|| take(&mut body.as_mut()))).is_err());
        sent = rig.sent();
        assert!(take(&mut body.as_mut()).is_none());
    });
    assert_eq!((sent.len(), rig.sent().len()), (1, 0));
    assert_eq!((&sent[0]["fault"], message(&sent[0])), (&true.into(), Some("half a body")));
    assert_eq!(inside(&sent[0]), ["frame", "frame", "drop"]);
    assert!(sent[0]["http"]["response"].get("content_length").is_none(), "{}", sent[0]);
}

/// Calls a server and reads the body. Returns whether the call's span closed before that, and its document.
#[cfg(feature = "tower-client")]
fn called(answers: AtOnce<impl Fn(Request<()>) -> Response<Steps>>, request: Request<()>) -> (bool, Value) {
    let rig = Rig::new(|b| b);
    let is_closed_early = rig.run(|| {
        let _root = info_span!("root").entered();
        let mut client = crate::XrayHttpClientLayer::new().layer(answers);
        let mut body = Box::pin(answer(&mut client, request).into_body());
        let is_closed_early = rig.handle.stats().closed > 0;
        while take(&mut body.as_mut()).is_some() {}
        is_closed_early
    });
    let root = rig.sent().remove(0);
    let calls = root["subsegments"].as_array().unwrap();
    (is_closed_early, calls.iter().find(|span| span["namespace"] == "remote").unwrap().clone())
}

#[cfg(feature = "tower-client")]
#[test]
fn a_call_ends_with_the_head_of_its_response_unless_a_grpc_status_follows() {
    let (is_closed_early, call) =
        called(answers(&[DATA, BROKEN], None), request(Method::GET, "http://shop.example/"));
    assert!(is_closed_early);
    assert_eq!((message(&call), call.get("fault")), (None, None), "{call}");
    let (is_closed_early, call) = called(answers(&[DATA, TRAILERS], None), grpc());
    assert!(!is_closed_early);
    assert_eq!(message(&call), Some("no more"), "{call}");
    let (is_closed_early, call) = called(answers(&[DATA, BROKEN], None), grpc());
    assert!(!is_closed_early);
    assert_eq!((&call["fault"], message(&call)), (&true.into(), Some("the disk is gone")), "{call}");
}

#[test]
fn a_body_that_is_dropped_is_cancelled_only_if_something_is_missing() {
    let (get, head) = (|| request(Method::GET, "/"), || request(Method::HEAD, "/"));
    let nothing = || request(Method::GET, "/nothing");
    for (length, frames, request, is_whole) in [
        (None, 0, get(), false),
        (None, 1, get(), false),
        (None, 2, get(), true),
        (Some("5"), 1, get(), true),
        (Some("10"), 1, get(), false),
        (Some("10"), 0, head(), true),
        (Some("10"), 0, nothing(), true),
    ] {
        let case = format!("{length:?} {frames} {request:?}");
        let document = served(answers(&[DATA, DATA], length), request, |mut body| {
            (0..frames).for_each(|_| assert!(take(&mut body).is_some()));
        });
        let cancelled = message(&document).is_some_and(|message| message.contains("the end of the body"));
        assert_eq!(cancelled, !is_whole, "{case}: {document}");
        assert!(inside(&document).ends_with(&["drop"]), "{case}: {document}");
    }
}

#[test]
fn a_grpc_status_in_the_trailers_ends_the_request() {
    let document = served(answers(&[DATA, TRAILERS, DATA], None), grpc(), |mut body| {
        assert!(take(&mut body).is_some());
        assert!(take(&mut body).is_some_and(|frame| frame.unwrap().is_trailers()));
        assert!(take(&mut body).is_none(), "nothing follows trailers");
    });
    assert_eq!(message(&document), Some("no more"), "{document}");
    assert_eq!(document["cause"]["exceptions"][0]["type"], "RESOURCE_EXHAUSTED");
    let document = served(answers(&[TRAILERS], None), request(Method::GET, "/"), |mut body| {
        assert!(take(&mut body).is_some());
    });
    assert_eq!(message(&document), None, "no gRPC");
}
