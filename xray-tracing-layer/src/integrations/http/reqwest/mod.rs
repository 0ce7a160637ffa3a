//! A middleware for reqwest, by `reqwest-middleware`: each request is a span, and takes its trace header with it. Its
//! errors need a look of their own, as they tell the whole URL: that is `failure`'s.

use ::http::Extensions;
use ::reqwest::{Request, Response};
use async_trait::async_trait;
use reqwest_middleware::{Middleware, Next, Result};
use tracing::{Instrument, Span};

use self::error::note_failure;
use super::client_span::{Target, send_header_of};
use super::exchange::Exchange;

mod error;

/// Makes a span of each request of a reqwest client, for the layer to make a subsegment of, and puts the trace header
/// among the request's. (Feature `reqwest-middleware`.)
///
/// ```
/// use reqwest_middleware::ClientBuilder;
/// use xray_tracing_layer::XrayMiddleware;
///
/// let client = ClientBuilder::new(reqwest::Client::new()).with(XrayMiddleware::new()).build();
/// ```
///
/// - The subsegment is named by the host and is in the namespace `remote`, so that X-Ray draws a node of it. It gets
///   method, URL, status and length. Of a URL, the query is left out, also where an error tells it, unless the builder
///   says [`keep_url_query`](crate::Builder::keep_url_query).
/// - Its header goes out as `x-amzn-trace-id` and as `traceparent`, in place of any that is there. A request in a
///   trace that isn't sampled carries `Sampled=0`; one whose span is filtered out, the header of the span around it.
///   Outside of any segment, a request is one of its own; if the builder's
///   [`context_missing`](crate::Builder::context_missing) says that it is none, it goes as it is.
/// - The span ends with the head of the answer, the last one if there were redirects. What is read of the body, and
///   what goes wrong in it, comes later: `reqwest::Client`'s own timeouts are seen here only before that.
/// - An error, a refused connection or a timeout, is a fault, with the chain of its sources. A request that is dropped
///   before its answer is an error: `Cancelled`.
/// - Behind a middleware that retries (`with` puts it before this one), each attempt is a subsegment; before it, all
///   of them together are one.
///
/// Beside `reqwest-tracing`, whose middleware opens a span itself, each request would be there twice:
/// see [`header_only`](Self::header_only).
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct XrayMiddleware {
    header_only: bool,
}

impl XrayMiddleware {
    /// The middleware with a span for each request.
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens no span, and puts the header of the current one among the request's.
    ///
    /// For a client that has `reqwest_tracing::TracingMiddleware` as well: that one opens the span, which becomes the
    /// subsegment, and this one, added after it, sends its header, which OpenTelemetry's propagators don't do for
    /// X-Ray.
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

/// A request without an answer yet.
struct CancelOnDrop(Option<Exchange>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        // A panic is noted by the layer, when the span closes.
        if let Some(exchange) = self.0.take().filter(|_| !std::thread::panicking()) {
            exchange.abandon("the answer");
        }
    }
}
