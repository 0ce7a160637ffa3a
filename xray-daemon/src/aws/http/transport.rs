//! One HTTP client for everything that goes to X-Ray: pool, TLS, proxy, time limits.
//!
//! Knows nothing of signatures.
//!
//! One attempt for each request; what a failure means, and whether to try again, is the caller's to decide.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::{Request, Response};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{Instant, Sleep, timeout_at};

use super::connector::Connector;
use super::failure::classify;
use super::proxy::Proxy;
use super::trust::{Trust, TrustError};
use crate::aws::call::CallError;

/// Time limits of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// To open a TCP connection. Defaults to 2 s.
    pub connect: Duration,
    /// From the start of an attempt to the last byte of its answer.
    ///
    /// Defaults to 5 s; the original has 2 s.
    pub attempt: Duration,
    /// After which an unused connection is closed.
    ///
    /// Defaults to 90 s, so that telemetry's 60 s keep one open.
    pub idle: Duration,
    /// Unused connections kept for each host. Defaults to 8, as in the original.
    pub idle_connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(2),
            attempt: Duration::from_secs(5),
            idle: Duration::from_secs(90),
            idle_connections: 8,
        }
    }
}

/// The pooled client. Clones share the pool.
#[derive(Clone)]
pub(in crate::aws) struct Transport {
    client: Client<HttpsConnector<Connector>, Full<Bytes>>,
    limits: Limits,
}

impl Transport {
    /// Makes the client, and returns a warning about certificates if there is one.
    pub(in crate::aws) fn new(
        trust: &Trust,
        proxy: Proxy,
        limits: Limits,
    ) -> Result<(Self, Option<String>), TrustError> {
        let (tls, warning) = trust.client()?;
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls.clone())
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(Connector::new(proxy, tls, limits.connect));
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(limits.idle)
            .pool_max_idle_per_host(limits.idle_connections)
            // A connection that went dead without a word is noticed within three seconds, as in the original.
            .http2_keep_alive_interval(Duration::from_secs(1))
            .http2_keep_alive_timeout(Duration::from_secs(2))
            .build(connector);
        Ok((Self { client, limits }, warning))
    }

    pub(in crate::aws) fn set_attempt_limit(&mut self, limit: Duration) {
        self.limits.attempt = limit;
    }

    /// Sends a request.
    ///
    /// The limit covers the answer's body as well, which ends with an error when time is up.
    pub(in crate::aws) async fn send(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<AnswerBody>, CallError> {
        let deadline = Instant::now() + self.limits.attempt;
        match timeout_at(deadline, self.client.request(request)).await {
            Ok(Ok(response)) => Ok(response.map(|body| AnswerBody::new(body, deadline))),
            Ok(Err(error)) => Err(classify(&error)),
            Err(_) => Err(timed_out(self.limits.attempt)),
        }
    }
}

fn timed_out(limit: Duration) -> CallError {
    CallError::Timeout(format!("no answer within {} s", limit.as_secs_f64()))
}

/// The body of an answer, with a deadline.
pub struct AnswerBody {
    body: Incoming,
    deadline: Pin<Box<Sleep>>,
}

impl AnswerBody {
    fn new(body: Incoming, deadline: Instant) -> Self {
        Self { body, deadline: Box::pin(tokio::time::sleep_until(deadline)) }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = CallError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CallError>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(frame) => Poll::Ready(frame.map(|frame| frame.map_err(|error| classify(&error)))),
            Poll::Pending => match self.deadline.as_mut().poll(cx) {
                Poll::Ready(()) => {
                    let error = CallError::Timeout("the answer's body took too long".to_owned());
                    Poll::Ready(Some(Err(error)))
                }
                Poll::Pending => Poll::Pending,
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
