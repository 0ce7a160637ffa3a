//! A tower layer for clients: each request is a span, and takes its trace header with it.
//!
//! ```text
//!  call ──► the span opens, its header goes among the request's
//!    └─ future: the client at work, polled inside of it ──► status, length ──► the span closes
//!         └─ body, of gRPC only ──► status in the trailers ──► the span closes
//! ```
//!
//! How a client's library calls its errors is known here; what a request says of itself is `call`'s affair.

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

/// Makes a span of each request that a client sends, for the layer to make a subsegment of, and puts the trace header
/// among the request's. (Feature `tower-client`.)
///
/// It goes around whatever takes `http`'s requests: `hyper_util`'s client, tonic's `Channel`, or a stack of layers
/// around one of them.
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
/// - The subsegment is named by the host and is in the namespace `remote`, so that X-Ray draws a node of it. It gets
///   method, URL, status and length. Of a URL, the query is left out, unless the builder says
///   [`keep_url_query`](crate::Builder::keep_url_query), and a password always.
/// - Its header goes out as `x-amzn-trace-id` and as `traceparent`, in place of any that is there. A request in a
///   trace that isn't sampled carries `Sampled=0`; one whose span is filtered out, the header of the span around it.
///   Outside of any segment, a request is one of its own; if the builder's
///   [`context_missing`](crate::Builder::context_missing) says that it is none, it goes as it is.
/// - The span ends with the head of the answer, as in the official SDKs: a body that is read slowly, or never, does
///   not change how long a call took, nor keeps its trace from being sent. What goes wrong in the body is not noted.
/// - An error of the client, a refused connection or a timeout, is a fault, with the chain of its sources. A request
///   that is dropped before its answer, by a timeout around this layer for instance, is an error: `Cancelled`.
/// - A gRPC request is known by its content type, and ends with its trailers: `grpc-status`, there or among the
///   headers, becomes error, throttle or fault. tonic's `Channel` adds the host behind this layer, so a client has to
///   be told of it (`with_origin`); without, the subsegment is named by the gRPC service.
/// - Inside of a layer that retries, each attempt is a subsegment; around it, all of them together are one.
///
/// `Form` is the form of the client's errors, and found by the compiler: see [`ClientError`].
#[must_use]
pub struct XrayHttpClientLayer<Form = Typed> {
    form: PhantomData<fn(Form)>,
}

impl<Form> XrayHttpClientLayer<Form> {
    /// The layer.
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

/// Made by [`XrayHttpClientLayer`].
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
    // Taken out to be written to while method and URL are read.
    let mut headers = std::mem::take(request.headers_mut());
    let uri = request.uri();
    let named = host_header(&headers, uri);
    let authority = uri.authority().or(named.as_ref());
    let target = Target {
        url: &Whole { uri, authority: named.as_ref() },
        host: authority.map(Authority::host),
        port: authority.and_then(Authority::port_u16),
        path: uri.path(),
    };
    let exchange = Exchange::begin_client(request.method(), &target, &mut headers);
    *request.headers_mut() = headers;
    exchange
}

/// The host of a request whose URI is a path only, as for a connection that was made beforehand.
fn host_header(headers: &HeaderMap, uri: &Uri) -> Option<Authority> {
    if uri.authority().is_some() {
        return None;
    }
    headers.get(HOST)?.to_str().ok()?.parse().ok()
}

/// A URI with what it leaves to a header.
struct Whole<'a> {
    uri: &'a Uri,
    authority: Option<&'a Authority>,
}

impl Display for Whole<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(authority) = self.authority {
            write!(f, "{}://{authority}", self.uri.scheme_str().unwrap_or("http"))?;
        }
        self.uri.fmt(f)
    }
}

/// What a client fails with: an [`Error`] of its own ([`Typed`]), or a box around any ([`Boxed`]). tower's layers for
/// timeouts, retries and buffers have boxes; what they wrap may have either.
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

// By hand: a form is no value, and asks for nothing.

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
            assert_eq!(Whole { uri: &uri, authority: named.as_ref() }.to_string(), expected);
        }
    }
}
