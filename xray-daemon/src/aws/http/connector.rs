//! Opens connections: directly, through a proxy's tunnel, or to a proxy that forwards.
//!
//! Names are resolved here, so that a name that does not exist differs from a host that does not answer.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::dns::{GaiAddrs, GaiResolver, Name};
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tower_service::Service;

use super::failure::UnknownHost;
use super::proxy::{Hop, Proxy};

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Opens the TCP connection below TLS, through the proxy if there is one for the destination.
#[derive(Clone)]
pub(super) struct Connector {
    /// Reaches the destination or the proxy, the latter by TLS if its address says `https`.
    direct: HttpsConnector<HttpConnector<Resolver>>,
    plain: HttpConnector<Resolver>,
    proxy: Proxy,
}

impl Connector {
    pub(super) fn new(proxy: Proxy, tls: ClientConfig, connect_timeout: Duration) -> Self {
        let mut plain = HttpConnector::new_with_resolver(Resolver(GaiResolver::new()));
        plain.enforce_http(false);
        plain.set_nodelay(true);
        plain.set_connect_timeout(Some(connect_timeout));
        plain.set_keepalive(Some(Duration::from_secs(30)));
        Self { direct: HttpsConnector::from((plain.clone(), tls)), plain, proxy }
    }
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = BoxError;
    type Future = BoxFuture<Result<Stream, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, destination: Uri) -> Self::Future {
        let Some(Hop { uri, authorization }) = self.proxy.hop(&destination) else {
            let connecting = self.plain.call(destination);
            return Box::pin(async move {
                let io = MaybeHttpsStream::Http(connecting.await?);
                Ok(Stream { io, forwards: false })
            });
        };
        if destination.scheme_str() == Some("http") {
            let connecting = self.direct.call(uri);
            return Box::pin(async move { Ok(Stream { io: connecting.await?, forwards: true }) });
        }
        let mut tunnel = Tunnel::new(uri, self.direct.clone());
        if let Some(authorization) = authorization {
            tunnel = tunnel.with_auth(authorization);
        }
        let connecting = tunnel.call(destination);
        Box::pin(async move { Ok(Stream { io: connecting.await?, forwards: false }) })
    }
}

/// A connection to the destination or to the proxy.
pub(super) struct Stream {
    io: MaybeHttpsStream<TokioIo<TcpStream>>,
    /// `true` if the other end is a proxy that wants whole URLs in the request line.
    forwards: bool,
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        let connected = match &self.io {
            MaybeHttpsStream::Http(io) => io.connected(),
            MaybeHttpsStream::Https(_) => Connected::new(),
        };
        connected.proxy(self.forwards)
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl Write for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, buffers)
    }
}

/// The system's resolver, with errors that can be recognized.
#[derive(Debug, Clone)]
pub(super) struct Resolver(GaiResolver);

impl Service<Name> for Resolver {
    type Response = GaiAddrs;
    type Error = UnknownHost;
    type Future = BoxFuture<Result<GaiAddrs, UnknownHost>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), UnknownHost>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let host = name.as_str().to_owned();
        let resolving = self.0.call(name);
        Box::pin(async move { resolving.await.map_err(|source| UnknownHost { host, source }) })
    }
}
