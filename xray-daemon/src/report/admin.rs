//! The HTTP server of `--admin`: `/metrics`, `/healthz`, `/readyz`.
//!
//! There is none unless it is asked for.
//!
//! Takes GET and HEAD from the hosts that the relay knows. Never shows a document or a credential.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use log::info;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::health::Health;
use super::metrics::{CONTENT_TYPE, Metrics};
use crate::relay::Guard;

/// The server, listening.
#[derive(Debug)]
pub struct Admin {
    listener: TcpListener,
}

/// The pages of the server.
#[derive(Debug)]
pub struct Pages {
    /// `/metrics`
    pub metrics: Metrics,
    /// `/healthz` and `/readyz`
    pub health: Health,
    /// The relay's rules for hosts and origins.
    pub guard: Guard,
}

impl Admin {
    /// Opens the port.
    ///
    /// # Errors
    ///
    /// If the address can't be resolved or listened on.
    pub async fn bind(address: &str) -> io::Result<Self> {
        let address =
            address.strip_prefix(':').map_or_else(|| address.to_owned(), |port| format!("0.0.0.0:{port}"));
        Ok(Self { listener: TcpListener::bind(&address).await? })
    }

    /// Returns where the server listens.
    ///
    /// # Errors
    ///
    /// If the system does not say.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` is ready.
    pub async fn serve(self, pages: Pages, stop: impl Future<Output = ()>) {
        if let Ok(address) = self.local_addr() {
            info!("Serving /metrics, /healthz and /readyz on {address}");
        }
        let pages = Arc::new(pages);
        let mut connections = JoinSet::new();
        let mut stop = std::pin::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                Some(_) = connections.join_next() => {}
                accepted = self.listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                    Ok((stream, _)) => {
                        let pages = Arc::clone(&pages);
                        connections.spawn(async move {
                            let service = service_fn(|request| {
                                let answer = pages.answer(&request);
                                async move { Ok::<_, Infallible>(answer) }
                            });
                            let connection = http1::Builder::new()
                                .timer(TokioTimer::new())
                                // One that is kept would keep a place from the next one that asks.
                                .keep_alive(false)
                                .header_read_timeout(HEAD_TIMEOUT)
                                .serve_connection(TokioIo::new(stream), service);
                            // A connection that breaks is the other side's business.
                            let _ = connection.await;
                        });
                    }
                    Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                },
            }
        }
        connections.shutdown().await;
    }
}

const MAX_CONNECTIONS: usize = 16;

const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

impl Pages {
    fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let (mut head, ()) = Request::new(()).into_parts();
        head.uri = request.uri().clone();
        head.version = request.version();
        head.headers = request.headers().clone();
        if let Err(refusal) = self.guard.check(&head) {
            return plain(StatusCode::FORBIDDEN, refusal.to_string());
        }
        if request.method() != Method::GET && request.method() != Method::HEAD {
            return plain(StatusCode::METHOD_NOT_ALLOWED, "GET and HEAD are accepted".to_owned());
        }
        match request.uri().path() {
            "/metrics" => {
                let mut answer = plain(StatusCode::OK, self.metrics.text());
                answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
                answer
            }
            "/healthz" => self.verdict(false),
            "/readyz" => self.verdict(true),
            _ => plain(StatusCode::NOT_FOUND, "/metrics, /healthz and /readyz are here".to_owned()),
        }
    }

    fn verdict(&self, of_readiness: bool) -> Response<Full<Bytes>> {
        let (is_good, line) = self.health.verdict(of_readiness);
        plain(if is_good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, line)
    }
}

fn plain(status: StatusCode, line: String) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::from(line));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}
