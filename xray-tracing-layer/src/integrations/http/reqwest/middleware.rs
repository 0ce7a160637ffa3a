//! Each request of a reqwest client as a span that takes its trace header with it.
//!
//! reqwest's errors name the whole URL; the layer removes its query and its user as it does from any message.

use ::http::Extensions;
use ::reqwest::{Request, Response};
use async_trait::async_trait;
use reqwest_middleware::{Error as Failure, Middleware, Next, Result};
use tracing::{Instrument, Span};

use crate::integrations::http::client_span::{Target, send_header_of};
use crate::integrations::http::exchange::Exchange;
use crate::span_ext::XraySpanExt;

/// Opens a span for each request of a reqwest client, and adds the trace header to the request. (Feature
/// `reqwest-middleware`.)
///
/// ```
/// use reqwest_middleware::ClientBuilder;
/// use xray_tracing_layer::XrayMiddleware;
///
/// let client = ClientBuilder::new(reqwest::Client::new()).with(XrayMiddleware::new()).build();
/// ```
///
/// - The subsegment is named after the host, in the namespace `remote`, so that X-Ray draws a node for it. It
///   has method, URL, status and length. The URL's query is removed, also in messages of errors, unless
///   [`keep_url_query`](crate::Builder::keep_url_query) is set.
/// - The trace header is sent as `x-amzn-trace-id` and as `traceparent`, replacing existing ones. In an
///   unsampled trace it has `Sampled=0`. A request whose span is filtered out sends the header of the span
///   around it.
/// - Without a current segment, the request becomes its own segment, unless
///   [`context_missing`](crate::Builder::context_missing) is `Ignore` or `Count`; then no header is added.
/// - The span ends with the head of the response, the last one after redirects. Errors in the body come later
///   and are not recorded, nor are `reqwest::Client`'s timeouts while the body is read.
/// - An error, such as a refused connection or a timeout, is a fault, with the chain of its sources. A
///   request that is dropped before its response is an error: `Cancelled`.
/// - Added after a middleware that retries, each attempt is a subsegment. Added before it, all attempts
///   together are one.
///
/// `reqwest-tracing` opens a span itself, so each request would appear twice: see
/// [`header_only`](Self::header_only).
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct XrayMiddleware {
    header_only: bool,
}

impl XrayMiddleware {
    /// Creates the middleware that opens a span for each request.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a middleware that opens no span, and adds the current span's header to the request.
    ///
    /// For a client with `reqwest_tracing::TracingMiddleware`: that middleware opens the span, which becomes
    /// the subsegment. This one, added after it, sends the header, which OpenTelemetry's propagators do not
    /// do for X-Ray.
    ///
    /// ```
    /// use xray_tracing_layer::XrayMiddleware;
    ///
    /// let middleware = XrayMiddleware::header_only();
    /// ```
    pub fn header_only() -> Self {
        Self { header_only: true }
    }
}

#[async_trait]
impl Middleware for XrayMiddleware {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        if self.header_only {
            send_header_of(&Span::current(), request.headers_mut());
            return next.run(request, extensions).await;
        }
        let mut call = CancelOnDrop(Some(begin(&mut request)));
        let span = call.0.as_ref().map_or_else(Span::none, |exchange| exchange.span.clone());
        let mut result = next.run(request, extensions).instrument(span).await;
        if let Some(mut exchange) = call.0.take() {
            match &mut result {
                Ok(response) => {
                    let (status, exact) = (response.status(), response.content_length());
                    exchange.respond(status, response.headers_mut(), exact);
                }
                Err(err) => note_failure(&exchange.span, err),
            }
        }
        result
    }
}

fn begin(request: &mut Request) -> Exchange {
    let mut headers = std::mem::take(request.headers_mut());
    let url = request.url();
    let target = Target { url, host: url.host_str(), port: url.port(), path: url.path() };
    let exchange = Exchange::begin_client(request.method(), &target, &mut headers);
    *request.headers_mut() = headers;
    exchange
}

/// A guard that records a cancelled request.
struct CancelOnDrop(Option<Exchange>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        // The layer records a panic when the span closes.
        if let Some(exchange) = self.0.take().filter(|_| !std::thread::panicking()) {
            exchange.abandon("the answer");
        }
    }
}

/// Records why a request failed. The layer takes the URL's query out of the message, wherever it stands.
fn note_failure(span: &Span, failure: &Failure) {
    match failure {
        Failure::Middleware(err) => span.record_error(&**err),
        Failure::Reqwest(err) => span.record_error(err),
    }
}
