//! The tower layer for clients: each request is a span, and carries the trace header.
//!
//! ```text
//!  call ──► the span opens, its header is added to the request
//!    └─ future: the client, polled in the span ──► status, length ──► the span closes
//!         └─ body, of gRPC only ──► status in the trailers ──► the span closes
//! ```
//!
//! The form of a client's errors is known here; the request's span is in [`client_span`](super::client_span).

use std::error::Error;
use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::task::{Context, Poll};

use ::http::header::HOST;
use ::http::uri::Authority;
use ::http::{HeaderMap, Request, Response, Uri};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use super::body::XrayHttpBody;
use super::client_span::Target;
use super::exchange::Exchange;
use super::future::XrayHttpFuture;
use crate::span_ext::XraySpanExt;

/// Opens a span for each request of a client, and adds the trace header to the request. (Feature
/// `tower-client`.)
///
/// The layer goes around any service of `http`'s requests: `hyper_util`'s client, tonic's `Channel`, or a
/// stack of layers around one of them.
///
/// ```
/// # fn around<C: Clone>(client: C) -> xray_tracing_layer::http::XrayHttpClientService<C> {
/// use tower_layer::Layer;
/// use xray_tracing_layer::XrayHttpClientLayer;
///
/// XrayHttpClientLayer::new().layer(client)
/// # }
/// ```
///
/// - The subsegment is named after the host, in the namespace `remote`, so that X-Ray draws a node for it. It
///   has method, URL, status and length. The URL's query is removed, unless
///   [`keep_url_query`](crate::Builder::keep_url_query) is set; a password is always removed.
/// - The trace header is sent as `x-amzn-trace-id` and as `traceparent`, replacing existing ones. In an
///   unsampled trace it has `Sampled=0`. A request whose span is filtered out sends the header of the span
///   around it.
/// - Without a current segment, the request becomes its own segment, unless
///   [`context_missing`](crate::Builder::context_missing) is `Ignore` or `Count`; then no header is added.
/// - The span ends with the head of the response, as in the official SDKs. A body that is read slowly, or
///   never, does not change the call's duration. Errors in the body are not recorded.
/// - An error of the client, such as a refused connection or a timeout, is a fault, with the chain of its
///   sources. A request that is dropped before its response, by a timeout around this layer for instance, is
///   an error: `Cancelled`.
/// - A gRPC request is recognized by its content type, and ends with its trailers. Its `grpc-status`, there
///   or among the headers, becomes error, throttle or fault. tonic's `Channel` adds the host behind this
///   layer, so a client has to set it (`with_origin`). Otherwise the subsegment is named after the gRPC
///   service.
/// - Inside a layer that retries, each attempt is a subsegment. Around it, all attempts together are one.
///
/// The compiler infers `Form`, the form of the client's errors: see [`ClientError`].
#[must_use]
pub struct XrayHttpClientLayer<Form = Typed> {
    form: PhantomData<fn(Form)>,
}

impl<Form> XrayHttpClientLayer<Form> {
    /// Creates the layer.
    pub fn new() -> Self {
        Self { form: PhantomData }
    }
}

impl<S, Form> Layer<S> for XrayHttpClientLayer<Form> {
    type Service = XrayHttpClientService<S, Form>;

    fn layer(&self, inner: S) -> Self::Service {
        XrayHttpClientService { inner, form: PhantomData }
    }
}

/// The service that [`XrayHttpClientLayer`] returns.
pub struct XrayHttpClientService<S, Form = Typed> {
    inner: S,
    form: PhantomData<fn(Form)>,
}

impl<S, B, R, Form> Service<Request<B>> for XrayHttpClientService<S, Form>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: ClientError<Form>,
    R: Body,
    R::Error: Display + 'static,
{
    type Response = Response<XrayHttpBody<R>>;
    type Error = S::Error;
    type Future = XrayHttpFuture<S::Future, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let exchange = begin(&mut request);
        let inner = exchange.span.in_scope(|| self.inner.call(request));
        XrayHttpFuture::new(inner, exchange, |span, err| span.record_error(err.as_error()))
    }
}

fn begin<B>(request: &mut Request<B>) -> Exchange {
    // Taken out, to be written while method and URL are read.
    let mut headers = std::mem::take(request.headers_mut());
    let uri = request.uri();
    let named = host_header(&headers, uri);
    let authority = uri.authority().or(named.as_ref());
    let target = Target {
        url: &|| written(uri, named.as_ref()).into(),
        host: authority.map(Authority::host),
        port: authority.and_then(Authority::port_u16),
        path: uri.path(),
    };
    let exchange = Exchange::begin_client(request.method(), &target, &mut headers);
    *request.headers_mut() = headers;
    exchange
}

/// Returns the host of a request whose URI has none, as for a connection that exists already.
fn host_header(headers: &HeaderMap, uri: &Uri) -> Option<Authority> {
    if uri.authority().is_some() {
        return None;
    }
    headers.get(HOST)?.to_str().ok()?.parse().ok()
}

/// Returns a URI as it is displayed, completed by the host header.
fn written(uri: &Uri, named: Option<&Authority>) -> String {
    let scheme = uri.scheme_str().or_else(|| named.map(|_| "http"));
    let authority = uri.authority().or(named).map_or("", Authority::as_str);
    let (scheme, slashes) = scheme.map_or(("", ""), |scheme| (scheme, "://"));
    let (mark, query) = uri.query().map_or(("", ""), |query| ("?", query));
    [scheme, slashes, authority, uri.path(), mark, query].concat()
}

/// The error of a client: an [`Error`] of its own ([`Typed`]), or a box around any ([`Boxed`]). tower's
/// layers for timeouts, retries and buffers have boxes.
pub trait ClientError<Form>: sealed::Sealed<Form> {
    #[doc(hidden)]
    fn as_error(&self) -> &(dyn Error + 'static);
}

/// See [`ClientError`].
#[derive(Clone, Copy, Debug)]
pub enum Typed {}

/// See [`ClientError`].
#[derive(Clone, Copy, Debug)]
pub enum Boxed {}

type BoxError = Box<dyn Error + Send + Sync>;

impl<E: Error + 'static> ClientError<Typed> for E {
    fn as_error(&self) -> &(dyn Error + 'static) {
        self
    }
}

impl ClientError<Boxed> for BoxError {
    fn as_error(&self) -> &(dyn Error + 'static) {
        &**self
    }
}

mod sealed {
    #[expect(unnameable_types, reason = "that is how a trait is sealed")]
    pub trait Sealed<Form> {}
    impl<E: std::error::Error + 'static> Sealed<super::Typed> for E {}
    impl Sealed<super::Boxed> for super::BoxError {}
}

// By hand: a form is not a value and needs no bounds.

impl<Form> Default for XrayHttpClientLayer<Form> {
    fn default() -> Self {
        Self::new()
    }
}

impl<Form> Clone for XrayHttpClientLayer<Form> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Form> Copy for XrayHttpClientLayer<Form> {}

impl<Form> fmt::Debug for XrayHttpClientLayer<Form> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("XrayHttpClientLayer")
    }
}

impl<S: Clone, Form> Clone for XrayHttpClientService<S, Form> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), form: PhantomData }
    }
}

impl<S: fmt::Debug, Form> fmt::Debug for XrayHttpClientService<S, Form> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("XrayHttpClientService").field("inner", &self.inner).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::http::HeaderValue;

    #[test]
    fn a_url_is_whole_if_a_header_names_the_host() {
        for (uri, host, expected) in [
            ("https://shop.example:8443/a?b", Some("other.example"), "https://shop.example:8443/a?b"),
            ("/a?b", Some("shop.example:8080"), "http://shop.example:8080/a?b"),
            ("/a", Some("not a host"), "/a"),
            ("/a", None, "/a"),
            ("shop.example:443", None, "shop.example:443"),
        ] {
            let uri: Uri = uri.parse().unwrap();
            let headers = host.map(|host| (HOST, HeaderValue::from_static(host)));
            let headers: HeaderMap = headers.into_iter().collect();
            let named = host_header(&headers, &uri);
            assert_eq!(written(&uri, named.as_ref()), expected);
        }
    }
}
