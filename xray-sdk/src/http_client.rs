//! [`HttpClient`]: plain HTTP requests with limits on time and size. Two rooms call it, neither of them on a hot path:
//! central sampling asks the daemon, `origin` asks metadata endpoints.
//!
//! No TLS, no redirects, no proxy from the environment: everything that is asked here is on this machine or one
//! hop away.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use ureq::Agent;

/// Limits on the time and size of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) connect: Duration,
    /// From the beginning to the last byte of the response, resolving a name included.
    pub(crate) total: Duration,
    /// Bytes of a response.
    pub(crate) body: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct HttpClient {
    agent: Agent,
    limits: Limits,
}

impl HttpClient {
    pub(crate) fn new(limits: Limits) -> Self {
        let config = Agent::config_builder()
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .timeout_connect(Some(limits.connect))
            .timeout_global(Some(limits.total))
            .user_agent(concat!("xray-sdk-rust/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { agent: config.into(), limits }
    }

    #[cfg(feature = "central-sampling")]
    pub(crate) fn post_json(&self, url: &str, body: &[u8]) -> Result<Vec<u8>, HttpError> {
        self.guarded(|agent| agent.post(url).header("Content-Type", "application/json").send(body))
    }

    #[cfg(any(feature = "plugin-ec2", feature = "plugin-ecs"))]
    pub(crate) fn get(&self, url: &str, header: Option<(&str, &str)>) -> Result<Vec<u8>, HttpError> {
        self.guarded(|agent| match header {
            Some((name, value)) => agent.get(url).header(name, value).call(),
            None => agent.get(url).call(),
        })
    }

    #[cfg(feature = "plugin-ec2")]
    pub(crate) fn put(&self, url: &str, (name, value): (&str, &str)) -> Result<Vec<u8>, HttpError> {
        self.guarded(|agent| agent.put(url).header(name, value).send_empty())
    }

    /// The client starts a thread for a name's lookup, and panics where the system has none left.
    fn guarded(
        &self,
        request: impl FnOnce(&Agent) -> Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<Vec<u8>, HttpError> {
        let exchange = || {
            let mut response = request(&self.agent)?;
            match response.status().as_u16() {
                200..=299 => Ok(response.body_mut().with_config().limit(self.limits.body).read_to_vec()?),
                status => Err(HttpError::Status(status)),
            }
        };
        catch_unwind(AssertUnwindSafe(exchange))
            .unwrap_or_else(|_| Err(HttpError::Failed("the client gave up".into())))
    }
}

/// The reason why there is no response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HttpError {
    /// The other side refuses.
    Status(u16),
    /// Nothing listens there, or not within reach.
    Absent(String),
    /// The other side isn't in time, or does not speak HTTP.
    Failed(String),
}

impl From<ureq::Error> for HttpError {
    fn from(err: ureq::Error) -> Self {
        use std::io::ErrorKind;
        let absent = match &err {
            ureq::Error::HostNotFound
            | ureq::Error::ConnectionFailed
            | ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => true,
            ureq::Error::Io(err) => matches!(
                err.kind(),
                ErrorKind::ConnectionRefused | ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable
            ),
            _ => false,
        };
        if absent { Self::Absent(err.to_string()) } else { Self::Failed(err.to_string()) }
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "the response has status {status}"),
            Self::Absent(reason) | Self::Failed(reason) => f.write_str(reason),
        }
    }
}
