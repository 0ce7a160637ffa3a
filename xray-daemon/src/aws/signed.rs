//! The signed HTTP client: uploads, telemetry and relayed calls go through it.
//!
//! One attempt per call. Retries, and what an answer's status means for the documents, are the caller's.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri, header, request, uri};
use http_body_util::{BodyExt, Full, Limited};
use log::debug;
use prometheus_client::metrics::histogram::Histogram;
use tokio::time::Instant;

use super::call::{Call, CallError, Reply};
use super::clock::Clock;
use super::credentials::CredentialStore;
use super::endpoint::Endpoint;
use super::http::{AnswerBody, Signer, Transport};

/// Signs and sends. Clones share connections and credentials.
#[derive(Clone)]
pub struct SignedClient {
    transport: Transport,
    credentials: Arc<CredentialStore>,
    clock: Arc<Clock>,
    endpoint: Endpoint,
    region: Arc<str>,
    user_agent: HeaderValue,
    seconds: Histogram,
}

impl Call for SignedClient {
    async fn post(&self, path: &str, body: Bytes) -> Result<Reply, CallError> {
        let mut headers = self.own_headers("application/json");
        if let Ok(stamp) = HeaderValue::from_str(&timestamp(&self.clock)) {
            headers.insert(TIMESTAMP, stamp);
        }
        let start = Instant::now();
        let reply =
            collect(self.send(&self.endpoint, XRAY, Method::POST, path, headers, body).await?).await?;
        self.seconds.observe(start.elapsed().as_secs_f64());
        Ok(reply)
    }

    fn refresh_credentials(&self) {
        self.credentials.refuse();
    }

    fn correct_clock(&self, seconds: i64) {
        self.clock.correct(seconds);
    }
}

impl SignedClient {
    pub(super) fn new(
        transport: Transport,
        credentials: Arc<CredentialStore>,
        clock: Arc<Clock>,
        endpoint: Endpoint,
        region: &str,
        user_agent: HeaderValue,
    ) -> Self {
        Self {
            transport,
            credentials,
            clock,
            endpoint,
            region: region.into(),
            user_agent,
            seconds: Histogram::new(BUCKETS),
        }
    }

    /// Sends a request of a local program to the same path, signed with the daemon's credentials.
    ///
    /// `headers` must hold none of the sender's own authorization; `relay` removes those. The answer's body ends with
    /// an error when the time of the attempt is up.
    ///
    /// # Errors
    ///
    /// A [`CallError`] if there are no credentials, so that nothing is ever sent unsigned, or if there is no answer.
    pub async fn forward(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response<AnswerBody>, CallError> {
        let answer = self.send(&self.endpoint, XRAY, method, path, headers, body).await?;
        let code = answer.headers().get("x-amzn-errortype").and_then(|code| code.to_str().ok());
        if answer.status().is_client_error() && code.is_some_and(is_about_credentials) {
            self.credentials.refuse();
        }
        Ok(answer)
    }

    /// Returns where calls go to.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Returns the credentials that calls are signed with.
    #[must_use]
    pub fn credentials(&self) -> &Arc<CredentialStore> {
        &self.credentials
    }

    /// Returns the clock that calls are signed by.
    #[must_use]
    pub fn clock(&self) -> &Arc<Clock> {
        &self.clock
    }

    /// Returns the times of calls that got an answer.
    #[must_use]
    pub fn call_seconds(&self) -> &Histogram {
        &self.seconds
    }

    /// Returns the same client with another time limit for an attempt.
    #[must_use]
    pub fn with_attempt_limit(mut self, limit: std::time::Duration) -> Self {
        self.transport.set_attempt_limit(limit);
        self
    }

    pub(super) fn replace_credentials(&mut self, credentials: Arc<CredentialStore>) {
        self.credentials = credentials;
    }

    /// Calls another service, as `config check` does with STS.
    pub(super) async fn post_form(
        &self,
        endpoint: &Endpoint,
        service: &str,
        form: &'static str,
    ) -> Result<Reply, CallError> {
        let headers = self.own_headers("application/x-www-form-urlencoded");
        let body = Bytes::from_static(form.as_bytes());
        collect(self.send(endpoint, service, Method::POST, "/", headers, body).await?).await
    }

    fn own_headers(&self, content_type: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(header::USER_AGENT, self.user_agent.clone());
        headers
    }

    async fn send(
        &self,
        endpoint: &Endpoint,
        service: &str,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response<AnswerBody>, CallError> {
        let credentials = self.credentials.get().await?;
        let mut parts = parts(endpoint, method, path, headers)?;
        let signer =
            Signer { credentials: &credentials, service, region: &self.region, time: self.clock.now() };
        signer.sign(&mut parts, &body)?;
        let answer = self.transport.send(Request::from_parts(parts, Full::new(body))).await?;
        self.learn_time(answer.headers());
        Ok(answer)
    }

    fn learn_time(&self, headers: &HeaderMap) {
        let date = headers.get(header::DATE).and_then(|date| date.to_str().ok());
        if let Some(seconds) = date.and_then(|date| self.clock.learn(date)) {
            debug!("Signing with the machine's clock and {seconds} s");
        }
    }
}

async fn collect(answer: Response<AnswerBody>) -> Result<Reply, CallError> {
    let (head, body) = answer.into_parts();
    match Limited::new(body, REPLY_LIMIT).collect().await {
        Ok(body) => Ok(Reply { status: head.status, headers: head.headers, body: body.to_bytes() }),
        Err(error) => Err(match error.downcast::<CallError>() {
            Ok(error) => *error,
            Err(error) => CallError::Other(format!("the answer's body: {error}")),
        }),
    }
}

/// Bounds of the histogram in seconds, up to the limit of an attempt.
const BUCKETS: [f64; 9] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

/// The most that is read of a reply to a call of the daemon's own.
const REPLY_LIMIT: usize = 1 << 20;

/// Returns whether a code blames the credentials themselves, not their permissions.
fn is_about_credentials(code: &str) -> bool {
    let code = code.split(':').next().unwrap_or(code);
    let code = code.strip_suffix("Exception").unwrap_or(code);
    matches!(code, "ExpiredToken" | "UnrecognizedClient" | "InvalidClientTokenId" | "InvalidToken")
}

fn parts(
    endpoint: &Endpoint,
    method: Method,
    path: &str,
    headers: HeaderMap,
) -> Result<request::Parts, CallError> {
    let invalid =
        |error: &dyn std::fmt::Display| CallError::Other(format!("cannot request `{path}`: {error}"));
    let uri = uri::Builder::new()
        .scheme(endpoint.scheme())
        .authority(endpoint.authority())
        .path_and_query(path)
        .build()
        .map_err(|error| invalid(&error))?;
    let host = HeaderValue::from_str(&host_of(&uri)).map_err(|error| invalid(&error))?;
    let (mut parts, ()) = Request::new(()).into_parts();
    parts.method = method;
    parts.uri = uri;
    parts.headers = headers;
    parts.headers.insert(header::HOST, host);
    Ok(parts)
}

/// The header `Host`: without the scheme's own port, as HTTP clients and SigV4 have it.
fn host_of(uri: &Uri) -> String {
    let host = uri.host().unwrap_or_default();
    match (uri.port_u16(), uri.scheme_str()) {
        (None, _) | (Some(443), Some("https")) | (Some(80), Some("http")) => host.to_owned(),
        (Some(port), _) => format!("{host}:{port}"),
    }
}

/// Seconds since 1970 with nine decimals, as AWS's daemon sends it.
fn timestamp(clock: &Clock) -> String {
    let since = clock.now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{}.{:09}", since.as_secs(), since.subsec_nanos())
}

const TIMESTAMP: HeaderName = HeaderName::from_static("x-amzn-xray-timestamp");

/// The name of the service in signatures.
const XRAY: &str = "xray";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_about_credentials_are_known_with_and_without_exception() {
        for code in [
            "ExpiredToken",
            "ExpiredTokenException",
            "UnrecognizedClientException",
            "ExpiredTokenException:x",
        ] {
            assert!(is_about_credentials(code), "{code}");
        }
        for code in ["AccessDeniedException", "InvalidSignatureException", "ThrottledException"] {
            assert!(!is_about_credentials(code), "{code}");
        }
    }

    #[test]
    fn the_host_header_leaves_out_the_schemes_own_port() {
        let cases = [
            ("https://xray.us-east-1.amazonaws.com:443/", "xray.us-east-1.amazonaws.com"),
            ("http://127.0.0.1:2001/", "127.0.0.1:2001"),
            ("http://[::1]:2001/", "[::1]:2001"),
        ];
        for (uri, host) in cases {
            assert_eq!(host_of(&uri.parse().unwrap()), host);
        }
    }
}
