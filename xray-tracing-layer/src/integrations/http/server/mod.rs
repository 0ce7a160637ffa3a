//! A tower layer for servers: each request is a span, from its arrival to the last byte of its answer's body.
//!
//! ```text
//!  call ──► request: header, host, path, client, route ──► the span opens; a root asks the sampler now
//!    └─ future: the handler, polled inside of it ──► exchange: status, length, the answer to `Sampled=?`
//!         └─ body: polled inside of it, too ──► end, error, or dropped half-way: the span closes
//! ```
//!
//! A panic goes on its way once it is noted. Without a layer that wants the span, everything just passes through.

use std::fmt::{self, Display};
use std::net::SocketAddr;
use std::task::{Context, Poll};

use ::http::{Extensions, Method, Request, Response};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use super::body::XrayHttpBody;
use super::exchange::Exchange;
use super::future::XrayHttpFuture;
use crate::integrations::errors::note_error;

mod server_span;

use server_span::ServerSpan;

/// Makes a span of each request that a server gets, for the layer to make a segment of. (Feature `tower-server`.)
///
/// ```
/// # #[cfg(feature = "axum")] {
/// # use axum::{Router, routing::get};
/// use xray_tracing_layer::XrayHttpLayer;
///
/// let app: Router = Router::new()
///     .route("/orders/{id}", get(|| async { "an order" }))
///     .layer(XrayHttpLayer::new());
/// # }
/// ```
///
/// For tonic it is `Server::builder().layer(XrayHttpLayer::new())`, and for hyper without tower
/// `hyper_util::service::TowerToHyperService::new(XrayHttpLayer::new().layer(service))`.
///
/// - The trace goes on that the request's header names: `x-amzn-trace-id`, or `traceparent` where that is absent or
///   can't be read. Without a decision in it the sampler is asked, with host, method and path. A caller that asks
///   for the decision (`Sampled=?`) is told with the answer.
/// - The segment gets method, URL, user agent, client address, status and length. Of a URL, the query is left out,
///   unless the builder says [`keep_url_query`](crate::Builder::keep_url_query). The address is the first of
///   `X-Forwarded-For`, marked as such since anyone may write there, else the [peer's](Self::peer_address).
/// - With feature `axum`, around a router or a route (`Router::layer`), the operation is `GET /orders/{id}`. Around
///   the whole (`ServiceBuilder`) no route is matched yet, and it is `GET`.
/// - A gRPC request is known by its content type. Its operation is `package.Service/Method`, and its `grpc-status`,
///   among the headers or in the trailers, becomes error, throttle or fault.
/// - The span ends with the answer's body, and is entered whenever handler or body are polled. A panic and an `Err`
///   of the service are faults. A request that is dropped before its answer is complete, by a client that hung up
///   or by a timeout, is an error, and so is a body that fails.
///
/// Inside of another span it is a subsegment: in Lambda, where the function's segment is the platform's, that of
/// the runtime.
#[derive(Clone, Copy)]
#[must_use]
pub struct XrayHttpLayer {
    peer: PeerAddress,
}

/// Where a request's extensions tell who is at the other end of the connection.
type PeerAddress = fn(&Extensions) -> Option<SocketAddr>;

impl XrayHttpLayer {
    /// The layer with its defaults.
    pub fn new() -> Self {
        Self { peer: server_span::peer_address }
    }

    /// Replaces how the peer's address is found among a request's extensions. Defaults to an extension that is a
    /// [`SocketAddr`], or, with feature `axum`, axum's `ConnectInfo` of one, for servers that are made by
    /// `into_make_service_with_connect_info`.
    ///
    /// tonic tells it so:
    /// `peer_address(|extensions| extensions.get::<TcpConnectInfo>()?.remote_addr())`.
    pub fn peer_address(mut self, find: fn(&Extensions) -> Option<SocketAddr>) -> Self {
        self.peer = find;
        self
    }
}

impl Default for XrayHttpLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for XrayHttpLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("XrayHttpLayer").finish_non_exhaustive()
    }
}

impl<S> Layer<S> for XrayHttpLayer {
    type Service = XrayHttpService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        XrayHttpService { inner, layer: *self }
    }
}

/// Made by [`XrayHttpLayer`].
#[derive(Clone, Debug)]
pub struct XrayHttpService<S> {
    inner: S,
    layer: XrayHttpLayer,
}

impl<S, B, R> Service<Request<B>> for XrayHttpService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Display + 'static,
    R: Body,
    R::Error: Display + 'static,
{
    type Response = Response<XrayHttpBody<R>>;
    type Error = S::Error;
    type Future = XrayHttpFuture<S::Future, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let exchange = Exchange::begin(&request, self.layer.peer);
        let inner = exchange.span.in_scope(|| self.inner.call(request));
        XrayHttpFuture::new(inner, exchange, |span, err| note_error(span, err, err))
    }
}

impl Exchange {
    fn begin<B>(request: &Request<B>, peer: PeerAddress) -> Self {
        let ServerSpan { span, requested, is_grpc } = ServerSpan::of(request, peer);
        let has_no_body = request.method() == Method::HEAD;
        Self { span, is_client: false, is_grpc, requested, has_no_body, length: None }
    }
}
