//! A tower layer for clients: each request is a span, and carries its trace header.

use std::fmt::{Debug, Display};
use std::task::{Context, Poll};

use ::http::{Request, Response};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use super::body::XrayHttpBody;
use super::call::Outgoing;
use super::exchange::Exchange;
use super::future::XrayHttpFuture;
use super::grpc::{call_of, is_grpc};

/// Makes a span of each request that a client sends, for the layer to make a subsegment of, and sends the trace header
/// along. (Feature `tower-client`.)
///
/// For hyper-util's client, a tonic channel, or any other tower service that takes `http`'s requests:
/// ```
/// # use tower_layer::Layer;
/// # fn client<S>(client: S) {
/// use xray_tracing_layer::XrayHttpClientLayer;
///
/// let client = XrayHttpClientLayer::new().layer(client);
/// # }
/// ```
///
/// - The subsegment is named by the host, in the namespace `remote`, so that X-Ray draws the service that is called. It
///   has method, URL without its query, status and declared length.
/// - `x-amzn-trace-id` and `traceparent` name it as the parent, in place of what was among the headers. They go out, too,
///   where the trace is not sampled: the decision has to be known everywhere.
/// - It ends with the answer's headers, as in the official SDKs: whoever has the answer may read it late, or never. A gRPC
///   call ends with its trailers, which have its status; a host that its requests don't name is told by the service's
///   name.
/// - An error of the client (refused, timed out) is a fault. A request that is dropped before its answer is marked as
///   cancelled.
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct XrayHttpClientLayer(());

impl XrayHttpClientLayer {
    /// The layer.
    pub fn new() -> Self {
        Self(())
    }
}

impl<S> Layer<S> for XrayHttpClientLayer {
    type Service = XrayHttpClientService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        XrayHttpClientService { inner }
    }
}

/// Made by [`XrayHttpClientLayer`].
#[derive(Clone, Debug)]
pub struct XrayHttpClientService<S> {
    inner: S,
}

impl<S, B, R> Service<Request<B>> for XrayHttpClientService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Debug + Display + 'static,
    R: Body,
    R::Error: Display + 'static,
{
    type Response = Response<XrayHttpBody<R>>;
    type Error = S::Error;
    type Future = XrayHttpFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let is_grpc = is_grpc(request.headers());
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let outgoing = Outgoing {
            method: &method,
            url: &uri,
            host: uri.host(),
            port: uri.port_u16(),
            call: if is_grpc { call_of(uri.path()) } else { None },
        };
        let span = outgoing.open(request.headers_mut());
        let exchange = Exchange::called(span, is_grpc);
        let inner = exchange.span.in_scope(|| self.inner.call(request));
        XrayHttpFuture::new(inner, exchange)
    }
}
