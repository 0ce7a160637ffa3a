//! The tower layer for servers: each request is a span, from its head to the last byte of the response's
//! body.
//!
//! ```text
//!  call ──► request: header, host, path, client, route ──► the span opens; a root asks the sampler now
//!    └─ future: the handler, polled in the span ──► exchange: status, length, response to `Sampled=?`
//!         └─ body: polled in the span, too ──► end, error, or dropped half-way: the span closes
//! ```
//!
//! A panic is resumed after it is recorded. Without a layer that enables the span, everything passes
//! unchanged.

use std::fmt::{self, Display};
use std::net::SocketAddr;
use std::task::{Context, Poll};

use ::http::{Extensions, Method, Request, Response};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use crate::integrations::errors::note_error;
use crate::integrations::http::body::XrayHttpBody;
use crate::integrations::http::exchange::Exchange;
use crate::integrations::http::future::XrayHttpFuture;
use crate::integrations::http::pass_on::carry;
use crate::integrations::http::recorded_headers::record_request_headers;
use crate::integrations::http::server::ignored::{
    Ignores, RequestHead, ignored_span, is_health_check, is_ignored,
};
use crate::integrations::http::server::server_span::{PeerAddress, ServerSpan, peer_address};
use crate::layer::find::count_caught_panic;

/// Opens a span for each request of a server.
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
/// For tonic: `Server::builder().layer(XrayHttpLayer::new())`. For hyper without tower:
/// `hyper_util::service::TowerToHyperService::new(XrayHttpLayer::new().layer(service))`.
///
/// - The segment continues the caller's trace: `x-amzn-trace-id`, or `traceparent` if the former is absent or
///   invalid. Without a decision in it, the sampler decides, with host, method and path. A caller that
///   requests the decision (`Sampled=?`) gets it in the response.
/// - The segment has method, URL, user agent, client address, status and length. The URL's query is removed,
///   unless [`keep_url_query`](crate::Builder::keep_url_query) is set. The address is the first of
///   `X-Forwarded-For`, marked as such since any client may forge it, or the [peer's](Self::peer_address).
/// - With feature `axum`, around a router or a route (`Router::layer`), the operation is `GET /orders/{id}`.
///   Around the whole (`ServiceBuilder`) no route is matched yet, and the operation is `GET`.
/// - A gRPC request is recognized by its content type. Its operation is `package.Service/Method`. Its
///   `grpc-status`, among the headers or in the trailers, becomes error, throttle or fault.
/// - The span ends with the response's body, and is entered whenever handler or body are polled. A panic and
///   an `Err` of the service are faults. A body that fails is an error, and so is a request that is dropped
///   before its response is complete, by a client that hung up or by a timeout.
///
/// Inside another span the request is a subsegment. In Lambda it is one of the function's segment.
#[derive(Clone, Copy)]
#[must_use]
pub struct XrayHttpLayer {
    peer: PeerAddress,
    ignores: Option<Ignores>,
    ignores_health_checks: bool,
}

impl XrayHttpLayer {
    /// Creates the layer with its defaults.
    pub fn new() -> Self {
        Self { peer: peer_address, ignores: None, ignores_health_checks: false }
    }

    /// Records nothing of the requests for which `ignores` returns `true`, nor of what happens inside of them.
    ///
    /// Defaults to recording all. A call to another service inside of such a request carries `Sampled=0`. A function
    /// that panics ignores none, and is counted in [`Stats::caught_panics`](crate::Stats::caught_panics).
    ///
    /// ```
    /// use xray_tracing_layer::XrayHttpLayer;
    ///
    /// let layer = XrayHttpLayer::new().ignore(|request| request.uri().path().starts_with("/assets/"));
    /// ```
    pub fn ignore(mut self, ignores: fn(&RequestHead<'_>) -> bool) -> Self {
        self.ignores = Some(ignores);
        self
    }

    /// Records nothing of health checks: `/health`, `/healthz`, `/livez`, `/readyz`, `/ping` and the like, and whatever
    /// the health checkers of Elastic Load Balancing, Route 53 and Kubernetes ask for.
    ///
    /// Defaults to recording them. Goes together with [`ignore`](Self::ignore).
    ///
    /// ```
    /// let layer = xray_tracing_layer::XrayHttpLayer::new().ignore_health_checks();
    /// ```
    pub fn ignore_health_checks(mut self) -> Self {
        self.ignores_health_checks = true;
        self
    }

    /// Returns whether a request is ignored; `None` if the function panics.
    fn is_ignored<B>(&self, request: &Request<B>) -> Option<bool> {
        let head = RequestHead::of(request);
        if self.ignores_health_checks && is_health_check(&head) {
            return Some(true);
        }
        self.ignores.map_or(Some(false), |ignores| is_ignored(ignores, head))
    }

    /// Sets how the peer's address is found among a request's extensions.
    ///
    /// Defaults to an extension that is a [`SocketAddr`], or, with feature `axum`, axum's `ConnectInfo` of
    /// one, for servers made by `into_make_service_with_connect_info`. For tonic: `peer_address(|extensions|
    /// extensions.get::<TcpConnectInfo>()?.remote_addr())`.
    ///
    /// ```
    /// use std::net::SocketAddr;
    /// use xray_tracing_layer::XrayHttpLayer;
    ///
    /// let layer = XrayHttpLayer::new();
    /// let layer = layer.peer_address(|extensions| extensions.get::<SocketAddr>().copied());
    /// ```
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

/// The service that [`XrayHttpLayer`] returns.
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
        let ignored = self.layer.is_ignored(&request);
        let exchange = match ignored {
            Some(true) => Exchange::ignored(),
            _ => Exchange::begin(&request, self.layer.peer),
        };
        if ignored.is_none() {
            count_caught_panic(&exchange.span);
        }
        let inner = exchange.span.in_scope(|| self.inner.call(request));
        XrayHttpFuture::new(inner, exchange, |span, err| note_error(span, err, err))
    }
}

impl Exchange {
    fn ignored() -> Self {
        let (requested, length) = (None, None);
        Self { span: ignored_span(), is_client: false, is_grpc: false, requested, has_no_body: false, length }
    }

    fn begin<B>(request: &Request<B>, peer: PeerAddress) -> Self {
        let ServerSpan { span, requested, is_grpc } = ServerSpan::of(request, peer);
        record_request_headers(&span, request.headers());
        carry(&span, request.headers());
        let has_no_body = request.method() == Method::HEAD;
        Self { span, is_client: false, is_grpc, requested, has_no_body, length: None }
    }
}
