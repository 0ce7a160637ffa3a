//! A request through the integrations for HTTP, without sockets: a server's layer around a service that makes one call,
//! through a client's layer. Whatever is inside of either is ready at once.
//!
//! The request has the headers that a load balancer adds, its trace header among them.

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use http::{Request, Response};
use http_body::Body;
use tower::{Layer, Service, service_fn};
use xray_tracing_layer::{XrayHttpClientLayer, XrayHttpLayer};

/// Serves one request.
#[inline(never)]
pub(super) fn exchange() {
    let request = Request::get("/orders/1234567/item")
        .header("host", "shop.example")
        .header("user-agent", "curl/8.5.0")
        .header("x-forwarded-for", "203.0.113.7")
        .header("x-forwarded-proto", "https")
        .header("x-amzn-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793")
        .body(());
    let Ok(request) = request else { return };
    if let Some(Ok(response)) = at_once(XrayHttpLayer::new().layer(service_fn(shop)).call(request)) {
        let mut body = pin!(response.into_body());
        let mut context = Context::from_waker(Waker::noop());
        while let Poll::Ready(Some(frame)) = body.as_mut().poll_frame(&mut context) {
            let _ = black_box(frame);
        }
    }
}

/// Returns what a future that is ready at once returns.
fn at_once<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// Asks the warehouse, and answers.
fn shop(_: Request<()>) -> Ready<Result<Response<String>, Infallible>> {
    if let Ok(request) = Request::get("http://stock.example:8080/pieces/1234567").body(()) {
        let mut client = XrayHttpClientLayer::new().layer(service_fn(warehouse));
        black_box(at_once(client.call(request)).is_some());
    }
    ready(Ok(Response::new("7 at 42".to_owned())))
}

/// Answers at once.
fn warehouse(request: Request<()>) -> Ready<Result<Response<String>, Infallible>> {
    black_box(request.headers().len());
    ready(Ok(Response::new("7".to_owned())))
}
