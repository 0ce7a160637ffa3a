//! Calls of X-Ray's API, as their callers see them.
//!
//! A trait and its types: no HTTP client here. `upload` and `telemetry` call through it.

use std::fmt;
use std::future::Future;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

/// Calls X-Ray's API: `POST`, JSON, signed.
pub trait Call: Send + Sync + 'static {
    /// Posts a JSON body to a path of the endpoint, signed, once, within the client's time limit.
    ///
    /// Any answer of the endpoint is `Ok`, whatever its status.
    fn post(&self, path: &str, body: Bytes) -> impl Future<Output = Result<Reply, CallError>> + Send;

    /// Forgets the credentials, so that the next call asks for them anew.
    fn refresh_credentials(&self);

    /// Signs later calls as of the machine's clock plus this many seconds.
    fn correct_clock(&self, seconds: i64);
}

/// An answer of the endpoint.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

/// The reason why a call has no answer, each with words for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallError {
    /// No credentials were found, so that the call was not made.
    NoCredentials(String),
    /// Nothing listens at the endpoint.
    ConnectionRefused(String),
    /// The endpoint, or the way to it, took too long.
    Timeout(String),
    /// The endpoint's name is not known.
    UnknownHost(String),
    /// The endpoint's certificate was refused, or the handshake failed.
    Tls(String),
    /// Anything else, such as a connection that was cut.
    Other(String),
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCredentials(why) => write!(f, "no credentials: {why}"),
            Self::ConnectionRefused(why) => write!(f, "connection refused: {why}"),
            Self::Timeout(why) => write!(f, "timeout: {why}"),
            Self::UnknownHost(why) => write!(f, "unknown host: {why}"),
            Self::Tls(why) => write!(f, "TLS: {why}"),
            Self::Other(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for CallError {}
