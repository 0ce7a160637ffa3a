//! The shop's server: routes, and the middleware that gives each request its span.

use std::io;
use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::header::HOST;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{Router, get, post};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tracing::{Instrument, Span, field::Empty, info_span};
use xray_sdk::TraceHeader;

use crate::handlers::{order, payment, price, report};

/// How to reach the shop.
#[derive(Clone)]
pub(crate) struct Shop {
    address: SocketAddr,
    pub(crate) client: Client<HttpConnector, Body>,
}

impl Shop {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

pub(crate) async fn start() -> io::Result<Shop> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let client = Client::builder(TokioExecutor::new()).build_http();
    let shop = Shop { address: listener.local_addr()?, client };
    let router = Router::new()
        .route("/orders/{id}", get(order))
        .route("/orders/{id}/payment", post(payment))
        .route("/prices/{id}", get(price))
        .route("/report", get(report))
        .layer(from_fn(trace))
        .with_state(shop.clone());
    tokio::spawn(async { axum::serve(listener, router).await });
    Ok(shop)
}

async fn trace(request: Request, next: Next) -> Response {
    let span = span_of(&request);
    let response = next.run(request).instrument(span.clone()).await;
    span.record("http.response.status_code", response.status().as_u16());
    response
}

/// The request's span: fields by OpenTelemetry's names, in the trace that the caller's header names.
fn span_of(request: &Request) -> Span {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let route = request.extensions().get::<MatchedPath>().map_or("no route", MatchedPath::as_str);
    info_span!(
        "request",
        otel.kind = "server",
        otel.name = format!("{} {route}", request.method()),
        http.request.method = request.method().as_str(),
        http.response.status_code = Empty,
        http.route = route,
        server.address = header(HOST.as_str()),
        url.path = request.uri().path(),
        xray.trace_header = header(TraceHeader::NAME),
    )
}
