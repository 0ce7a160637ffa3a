//! Each request of a reqwest client as a span that takes its trace header with it.
//!
//! reqwest's errors name the whole URL; the layer removes its query and its user as it does from any message.

use ::http::Extensions;
use ::reqwest::Request;
use reqwest_middleware::{Middleware, Next};

use super::call::{BoxFuture, Call};

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

impl Middleware for XrayMiddleware {
    // As `async_trait` writes it, but for the future, which is ours: one box, in which little is moved.
    fn handle<'a, 'b, 'c, 'f>(
        &'a self,
        request: Request,
        extensions: &'b mut Extensions,
        next: Next<'c>,
    ) -> BoxFuture<'f>
    where
        'a: 'f,
        'b: 'f,
        'c: 'f,
        Self: 'f,
    {
        Box::pin(Call::new(request, extensions, next, self.header_only))
    }
}
