//! Calls of the shop to others: a service over HTTP, one that is down, and a database.

use std::{error, fmt, io};

use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use hyper_util::client::legacy::Error;
use tokio::net::TcpStream;
use tokio::time::sleep;
use tracing::{Span, instrument};
use xray_tracing_layer::{XraySpanExt, http::inject};

use crate::handlers::ms;
use crate::shop::Shop;

/// Asks the price service, here the shop itself, with the header of the trace.
#[instrument(skip(shop), fields(otel.kind = "client", peer.service = "prices", url.full))]
pub(crate) async fn ask_price(shop: &Shop, id: u32) -> Result<StatusCode, Error> {
    let (span, url) = (Span::current(), shop.url(&format!("/prices/{id}")));
    span.record("url.full", &url);
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = url.parse().unwrap_or_default();
    inject(request.headers_mut());
    let status = shop.client.request(request).await?.status();
    span.set_http_status(status.as_u16());
    Ok(status)
}

/// Asks the payment service. Nothing listens on its port, which the trace shows with the whole chain of errors.
#[instrument(fields(otel.kind = "client", peer.service = "payments"))]
pub(crate) async fn charge(order: u32) -> Result<(), PaymentError> {
    let connected = TcpStream::connect("127.0.0.1:1").await;
    connected.map(drop).map_err(PaymentError).inspect_err(|err| Span::current().record_error(err))
}

#[derive(Debug)]
pub(crate) struct PaymentError(io::Error);

impl fmt::Display for PaymentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the payment service can't be reached")
    }
}

impl error::Error for PaymentError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(&self.0)
    }
}

/// Stands in for a database, whose driver would open a span like this one.
#[instrument(skip_all, fields(
    otel.kind = "client", server.address = "db.example",
    db.system = "postgresql", db.namespace = "shop", db.query.text = text,
))]
pub(crate) async fn query(text: &str) {
    sleep(ms(12)).await;
}
