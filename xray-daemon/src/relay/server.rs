//! The listener and the way of one request: guard, body, signature, answer.
//!
//! Bodies are read whole, within one sum of memory for all requests, since a signature needs them. Answers are streamed
//! back as they come. Which requests pass is decided in `guard`, which headers in `headers`.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Either, Full, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use log::{debug, error, info, warn};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::guard::{Guard, Refusal};
use super::headers::{for_upstream, remove_hop_by_hop};
use super::stats::{RelayOutcome, RelayStats};
use crate::aws::{AnswerBody, CallError, SignedClient};
use crate::config::Config;

/// The settings of the relay.
#[derive(Debug, Clone)]
pub struct RelaySettings {
    /// Host and port to listen on; a port alone (`:2000`) means every address.
    pub address: String,
    /// The rules for requests.
    pub guard: Guard,
    /// From the request's last byte to the answer's last.
    pub timeout: Duration,
    /// The largest body that is taken, in bytes.
    pub max_body: usize,
    /// The longest that a body may take, from the moment at which there is room for it. Defaults to 10 s.
    pub body_timeout: Duration,
}

impl From<&Config> for RelaySettings {
    fn from(config: &Config) -> Self {
        Self {
            address: config.tcp_address.clone(),
            guard: Guard::new(&config.relay_allow_hosts, &config.relay_allow_paths, &config.environment),
            timeout: config.relay_timeout,
            max_body: config.relay_max_body,
            body_timeout: BODY_TIMEOUT,
        }
    }
}

/// The reason why the relay does not listen.
#[derive(Debug)]
#[non_exhaustive]
pub enum BindError {
    /// The address can't be resolved. AWS's daemon ends with status 1.
    Address(String, io::Error),
    /// The address is in use, or not allowed. AWS's daemon goes on without a relay.
    Listen(String, io::Error),
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address, error) => {
                write!(f, "TCP address `{address}` can't be used: {error}; `host:port` is accepted")
            }
            Self::Listen(address, error) => {
                write!(f, "proxy http server failed to listen: {address}: {error}")
            }
        }
    }
}

impl std::error::Error for BindError {}

/// The relay, listening.
#[derive(Debug)]
pub struct Relay {
    listener: TcpListener,
    settings: RelaySettings,
    stats: Arc<RelayStats>,
}

impl Relay {
    /// Opens the port.
    ///
    /// # Errors
    ///
    /// If the address can't be resolved or listened on.
    pub async fn bind(settings: RelaySettings, stats: Arc<RelayStats>) -> Result<Self, BindError> {
        let address = match settings.address.strip_prefix(':') {
            Some(port) => format!("0.0.0.0:{port}"),
            None => settings.address.clone(),
        };
        let resolved = tokio::net::lookup_host(&address).await.map(Iterator::collect::<Vec<_>>);
        let resolved = match resolved {
            Ok(addresses) => addresses,
            Err(error) => return Err(BindError::Address(address, error)),
        };
        match TcpListener::bind(&*resolved).await {
            Ok(listener) => Ok(Self { listener, settings, stats }),
            Err(error) => Err(BindError::Listen(address, error)),
        }
    }

    /// Returns where the relay listens, with the port that it got for port 0.
    ///
    /// # Errors
    ///
    /// If the system does not say.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` is ready; requests that are open then are cut, as by AWS's daemon.
    pub async fn serve(self, client: SignedClient, stop: impl Future<Output = ()>) {
        if let Ok(address) = self.local_addr() {
            info!("Starting proxy http server on {address}");
        }
        info!("HTTP Proxy server using X-Ray Endpoint : {}", client.endpoint());
        let service = Arc::new(Service {
            client: client.with_attempt_limit(self.settings.timeout),
            settings: self.settings,
            stats: self.stats,
            bodies: Semaphore::new(ALL_BODIES_KB as usize),
            reported: Mutex::new(None),
        });
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let (crowded, _) = watch::channel(());
        let mut connections = JoinSet::new();
        let mut stop = std::pin::pin!(stop);
        let mut waiting: Option<(TcpStream, SocketAddr)> = None;
        loop {
            tokio::select! {
                () = &mut stop => break,
                Some(_) = connections.join_next() => {}
                accepted = self.listener.accept(), if waiting.is_none() => match accepted {
                    Ok(accepted) => {
                        waiting = Some(accepted);
                        if places.available_permits() == 0 {
                            crowded.send_replace(());
                        }
                    }
                    Err(err) => {
                        error!("proxy http server failed to accept: {err}");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                },
                Ok(place) = Arc::clone(&places).acquire_owned(), if waiting.is_some() => {
                    let Some((stream, sender)) = waiting.take() else { continue };
                    let (service, crowded) = (Arc::clone(&service), crowded.subscribe());
                    connections.spawn(async move {
                        service.serve_connection(stream, sender.ip(), crowded).await;
                        drop(place);
                    });
                }
            }
        }
        connections.shutdown().await;
    }
}

/// Connections at a time.
///
/// An SDK keeps one or two. When all places are taken and one more comes, connections that do nothing between two
/// requests are closed; further ones wait in the kernel.
const MAX_CONNECTIONS: usize = 128;

/// Memory for the head of each connection's request.
const MAX_HEAD: usize = 32 << 10;

/// The header in which AWS's SDKs look for an error's code.
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// Memory for the bodies of all requests, in KB. SDKs send some KB; a request that finds no room waits.
const ALL_BODIES_KB: u32 = 4096;

/// The longest that a connection may take for a request's head, or do nothing.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// The longest that a request's body may take.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// The least time between two lines about requests that went wrong.
const REPORT_EVERY: Duration = Duration::from_secs(60);

type RelayBody = Either<Full<Bytes>, AnswerBody>;

struct Service {
    client: SignedClient,
    settings: RelaySettings,
    stats: Arc<RelayStats>,
    /// Room for bodies, in KB.
    bodies: Semaphore,
    /// The time of the last line about a request that went wrong.
    reported: Mutex<Option<Instant>>,
}

impl Service {
    async fn serve_connection(
        self: Arc<Self>,
        stream: TcpStream,
        sender: IpAddr,
        mut crowded: watch::Receiver<()>,
    ) {
        let service = service_fn(|request| {
            let this = Arc::clone(&self);
            async move { Ok::<_, Infallible>(this.answer(request, sender).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .max_buf_size(MAX_HEAD)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = &mut connection => ended,
            // Ends now if it is idle, else after the request that is under way.
            _ = crowded.changed() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            debug!("A connection to the HTTP Proxy server ended: {error}");
        }
    }

    async fn answer(&self, request: Request<Incoming>, sender: IpAddr) -> Response<RelayBody> {
        debug!("Received request on HTTP Proxy server : {}", request.uri().path());
        let (head, body) = request.into_parts();
        if let Err(refusal) = self.settings.guard.check(&head) {
            return self.refuse(&refusal);
        }
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        if head.method == Method::CONNECT {
            return self.say(RelayOutcome::Refused, StatusCode::METHOD_NOT_ALLOWED, "CONNECT is not relayed");
        }
        // The room is taken until X-Ray answers.
        let (body, _room) = match self.read(body).await {
            Ok(read) => read,
            Err((status, reason)) => return self.say(RelayOutcome::BadBody, status, &reason),
        };
        let headers = for_upstream(head.headers, sender);
        let forwarding = self.client.forward(head.method, path, headers, body);
        match timeout(self.settings.timeout, forwarding).await {
            Ok(Ok(answer)) => self.pass(answer),
            Ok(Err(error)) => self.failed(path, &error),
            Err(_) => {
                let limit = self.settings.timeout.as_secs_f64();
                self.failed(path, &CallError::Timeout(format!("no answer within {limit} s")))
            }
        }
    }

    /// Reads a body into memory when there is room for it among the others.
    ///
    /// The wait for room is no part of the body's time: the sender can do nothing about it.
    async fn read(&self, body: Incoming) -> Result<(Bytes, SemaphorePermit<'_>), (StatusCode, String)> {
        let limit = self.settings.max_body;
        let too_large = || (StatusCode::PAYLOAD_TOO_LARGE, format!("the body is larger than {limit} bytes"));
        let bad =
            |reason: String| (StatusCode::BAD_REQUEST, format!("Unable to consume request body: {reason}"));
        // The length that the sender announces; without one, the largest.
        let length = body.size_hint().exact().unwrap_or(limit as u64);
        if length > limit as u64 {
            return Err(too_large());
        }
        let room = u32::try_from(length / 1024 + 1).unwrap_or(u32::MAX).min(ALL_BODIES_KB);
        let room = self.bodies.acquire_many(room).await.map_err(|error| bad(error.to_string()))?;
        match timeout(self.settings.body_timeout, Limited::new(body, limit).collect()).await {
            Ok(Ok(body)) => Ok((body.to_bytes(), room)),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
            Ok(Err(error)) => Err(bad(error.to_string())),
            Err(_) => Err((StatusCode::REQUEST_TIMEOUT, "the body took too long".to_owned())),
        }
    }

    /// Status, headers and body as they came, but for the headers of the connection.
    fn pass(&self, answer: Response<AnswerBody>) -> Response<RelayBody> {
        self.stats.count(match answer.status().as_u16() {
            ..400 => RelayOutcome::Success,
            400..500 => RelayOutcome::ClientError,
            500.. => RelayOutcome::ServerError,
        });
        let (mut head, body) = answer.into_parts();
        remove_hop_by_hop(&mut head.headers);
        head.version = http::Version::HTTP_11;
        Response::from_parts(head, Either::Right(body))
    }

    fn failed(&self, path: &str, error: &CallError) -> Response<RelayBody> {
        let (outcome, status) = match error {
            CallError::NoCredentials(_) => (RelayOutcome::NoCredentials, StatusCode::SERVICE_UNAVAILABLE),
            CallError::Timeout(_) => (RelayOutcome::Timeout, StatusCode::GATEWAY_TIMEOUT),
            _ => (RelayOutcome::Unreachable, StatusCode::BAD_GATEWAY),
        };
        if self.may_report() {
            error!("Unable to relay {path}: {error}");
        }
        self.say(outcome, status, &error.to_string())
    }

    fn refuse(&self, refusal: &Refusal) -> Response<RelayBody> {
        if self.may_report() {
            warn!("Refused a request on the HTTP Proxy server: {refusal}");
        }
        let status = match refusal {
            Refusal::NoHost => StatusCode::BAD_REQUEST,
            _ => StatusCode::FORBIDDEN,
        };
        self.say(RelayOutcome::Refused, status, &refusal.to_string())
    }

    fn say(&self, outcome: RelayOutcome, status: StatusCode, message: &str) -> Response<RelayBody> {
        self.stats.count(outcome);
        let body = serde_json::json!({ "message": message }).to_string();
        let mut response = Response::new(Either::Left(Full::from(body)));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ERROR_TYPE, HeaderValue::from_static(outcome.code()));
        if outcome == RelayOutcome::BadBody {
            // The rest of the body is not read.
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    /// Returns whether the last line about a request that went wrong is long enough ago.
    fn may_report(&self) -> bool {
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        let may = reported.is_none_or(|last| last.elapsed() >= REPORT_EVERY);
        if may {
            *reported = Some(Instant::now());
        }
        may
    }
}
