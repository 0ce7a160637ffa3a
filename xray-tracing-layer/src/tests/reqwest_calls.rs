//! Calls of a reqwest client in ways that no server is needed for: what is inside of the middleware panics, is dropped, or
//! is never polled. With real servers it is tried among other people's crates.

use std::future::{Future, pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use ::http::Extensions;
use reqwest::{Method, Request, Response};
use reqwest_middleware::{ClientBuilder, Middleware, Next, Result};
use serde_json::json;
use tracing::Span;

use super::*;
use crate::XrayMiddleware;

type BoxFuture<'a> = Pin<Box<dyn Future<Output = Result<Response>> + Send + 'a>>;

/// Calls with something behind ours that is no client, and passes the call to `look` as long as it is there.
fn call(inner: impl Middleware, look: impl FnOnce(Pin<&mut dyn Future<Output = Result<Response>>>)) {
    call_by(ClientBuilder::new(reqwest::Client::new()), inner, look);
}

fn call_by(
    outer: ClientBuilder,
    inner: impl Middleware,
    look: impl FnOnce(Pin<&mut dyn Future<Output = Result<Response>>>),
) {
    let client = outer.with(XrayMiddleware::new()).with(inner).build();
    let url = "http://stock.example:8080/pieces/7".parse().unwrap();
    look(pin!(client.execute(Request::new(Method::GET, url))));
}

fn poll(future: Pin<&mut dyn Future<Output = Result<Response>>>) -> Poll<Result<Response>> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn panics<'a>(_: Request, _: &'a mut Extensions, _: Next<'a>) -> BoxFuture<'a> {
    Box::pin(async { panic!("no route {}", 7) })
}

/// Catches a panic of the rest, which is dropped when the thread does not unwind any more.
fn catches<'a>(request: Request, extensions: &'a mut Extensions, next: Next<'a>) -> BoxFuture<'a> {
    Box::pin(async move {
        let mut rest = next.run(request, extensions);
        let panicked = poll_fn(|cx| {
            Poll::Ready(catch_unwind(AssertUnwindSafe(|| rest.as_mut().poll(cx).is_ready())).is_err())
        });
        assert!(panicked.await, "it goes on its way");
        drop(rest);
        pending().await
    })
}

/// Says in the span in which it is dropped that it was.
struct Held;

impl Drop for Held {
    fn drop(&mut self) {
        Span::current().annotate("dropped", true);
    }
}

fn hangs<'a>(_: Request, _: &'a mut Extensions, _: Next<'a>) -> BoxFuture<'a> {
    Box::pin(async {
        let _held = Held;
        pending().await
    })
}

#[test]
fn a_call_that_panics_is_not_cancelled() {
    let rig = Rig::new(|b| b);
    rig.run(|| {
        let _segment = info_span!("segment").entered();
        call(panics, |mut future| {
            let polled = catch_unwind(AssertUnwindSafe(|| poll(future.as_mut()).is_ready()));
            assert!(polled.is_err(), "it goes on its way");
        });
        let outer = ClientBuilder::new(reqwest::Client::new()).with(catches);
        call_by(outer, panics, |future| assert!(poll(future).is_pending()));
    });
    let sent = rig.sent();
    let calls = sent[0]["subsegments"].as_array().unwrap();
    assert_eq!(calls.len(), 2);
    for call in calls {
        assert_eq!((&call["name"], &call["fault"]), (&json!("stock.example"), &json!(true)));
        assert_eq!(call.get("error"), None);
        assert!(!call.to_string().contains("Cancelled"), "{call}");
    }
}

#[test]
fn a_call_that_is_dropped_is_cancelled_and_drops_what_it_holds_in_its_span() {
    let rig = Rig::new(|b| b);
    rig.run(|| {
        let _segment = info_span!("segment").entered();
        call(hangs, |future| assert!(poll(future).is_pending()));
    });
    let sent = rig.sent();
    let call = &sent[0]["subsegments"][0];
    assert_eq!((&call["annotations"], &call["error"]), (&json!({"dropped": true}), &json!(true)));
    assert_eq!(call["cause"]["exceptions"][0]["type"], "Cancelled");
    assert_eq!(call["cause"]["exceptions"][0]["message"], "dropped before the answer");
    let request = json!({"method": "GET", "url": "http://stock.example:8080/pieces/7"});
    assert_eq!(call["http"], json!({"request": request}));
}

#[test]
fn a_call_that_is_never_polled_opens_no_span() {
    let rig = Rig::new(|b| b);
    rig.run(|| info_span!("segment").in_scope(|| call(hangs, |_| ())));
    assert_eq!(rig.sent()[0].get("subsegments"), None);
}

/// Is pending at the first poll, and ready at the second.
fn responds_late<'a>(_: Request, _: &'a mut Extensions, _: Next<'a>) -> BoxFuture<'a> {
    let mut polls = 0;
    Box::pin(poll_fn(move |_| {
        polls += 1;
        if polls < 2 {
            return Poll::Pending;
        }
        Poll::Ready(Ok(::http::Response::builder().status(204).body("").unwrap().into()))
    }))
}

/// Makes a call to its end when it is dropped, as what cleans up behind itself on a server does.
struct CallsOnDrop<'a>(&'a mut Option<u16>);

impl Drop for CallsOnDrop<'_> {
    fn drop(&mut self) {
        call(responds_late, |mut future| {
            assert!(poll(future.as_mut()).is_pending());
            if let Poll::Ready(Ok(response)) = poll(future) {
                *self.0 = Some(response.status().as_u16());
            }
        });
    }
}

#[test]
fn a_call_that_is_polled_while_the_thread_unwinds_goes_on() {
    let (rig, mut status) = (Rig::new(|b| b), None);
    rig.run(|| {
        let cleaned_up = catch_unwind(AssertUnwindSafe(|| {
            let _on_drop = CallsOnDrop(&mut status);
            panic!("of something else");
        }));
        assert!(cleaned_up.is_err(), "it goes on its way");
    });
    assert_eq!(status, Some(204));
}
