//! A middleware for reqwest: each request is a span, and carries its trace header.

use ::http::Extensions;
use ::http::header::CONTENT_LENGTH;
use ::reqwest::{Request, Response};
use reqwest_middleware::{Middleware, Next, Result};
use tracing::{Instrument, Span};
use xray_sdk::document::Exception;

use super::call::Outgoing;
use super::headers::inject;
use crate::span_ext::{XraySpanExt, update};

/// Makes a span of each request that a reqwest client sends, for the layer to make a subsegment of, and sends the trace
/// header along. (Feature `reqwest-middleware`.)
///
/// ```
/// use reqwest_middleware::ClientBuilder;
/// use xray_tracing_layer::XrayMiddleware;
///
/// let client = ClientBuilder::new(reqwest::Client::new()).with(XrayMiddleware::new()).build();
/// ```
/// What the subsegment has is the same as with [`XrayHttpClientLayer`](crate::http). Behind a middleware that retries,
/// each attempt is one; before it, all attempts together are.
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct XrayMiddleware {
    header_only: bool,
}

impl XrayMiddleware {
    /// The middleware.
    pub fn new() -> Self {
        Self::default()
    }

    /// One that opens no span, but sends the header of the one that is current: behind a middleware that opens spans, such
    /// as `reqwest_tracing`'s.
    pub fn header_only() -> Self {
        Self { header_only: true }
    }
}

#[async_trait::async_trait]
impl Middleware for XrayMiddleware {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        if self.header_only {
            inject(request.headers_mut());
            return next.run(request, extensions).await;
        }
        let mut pending = Pending { span: open(&mut request), answered: false };
        let result = next.run(request, extensions).instrument(pending.span.clone()).await;
        pending.answered = true;
        match &result {
            Ok(response) => {
                pending.span.record("http.response.status_code", response.status().as_u16());
                let declared = response.headers().get(CONTENT_LENGTH);
                if let Some(length) = declared.and_then(|value| value.to_str().ok()?.parse::<u64>().ok()) {
                    pending.span.record("http.response.body.size", length);
                }
            }
            Err(err) => pending.span.record_error(err),
        }
        result
    }
}

fn open(request: &mut Request) -> Span {
    let (method, url) = (request.method().clone(), request.url().clone());
    let (host, port) = (url.host_str(), url.port());
    Outgoing { method: &method, url: &url, host, port, call: None }.open(request.headers_mut())
}

/// A request without an answer so far.
struct Pending {
    span: Span,
    answered: bool,
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.answered {
            update(&self.span, |body| {
                body.set_error();
                body.add_exception(&Exception::new("Cancelled", "dropped before the answer"));
            });
        }
    }
}
