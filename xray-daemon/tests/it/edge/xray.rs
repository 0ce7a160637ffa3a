//! An HTTP endpoint on loopback that answers by a script and remembers what it was sent.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) version: Version,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Recorded {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Signs the request again with the same key and compares, as the service does.
    pub(crate) fn is_signed_with(
        &self,
        scheme: &str,
        region: &str,
        service: &str,
        credentials: &Credentials,
    ) -> bool {
        let authorization = self.header("authorization").unwrap_or_default();
        let part = |name: &str| {
            let (_, rest) = authorization.split_once(name).unwrap();
            rest.split([',', ' ']).next().unwrap().to_owned()
        };
        let signed: Vec<String> = part("SignedHeaders=").split(';').map(str::to_owned).collect();
        let date = self.header("x-amz-date").unwrap();
        let time = parse_date(date);
        let headers = signed
            .iter()
            .filter(|name| !["x-amz-date", "x-amz-security-token"].contains(&name.as_str()))
            .map(|name| (name.as_str(), self.header(name).unwrap()));
        let uri = format!("{scheme}://{}{}", self.header("host").unwrap(), self.path);
        let identity = credentials.clone().into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name(service)
            .time(time)
            .settings(SigningSettings::default())
            .build()
            .unwrap()
            .into();
        let request =
            SignableRequest::new(self.method.as_str(), uri, headers, SignableBody::Bytes(&self.body))
                .unwrap();
        let (_, signature) = sign(request, &parameters).unwrap().into_parts();
        part("Signature=") == signature && self.header("x-amz-security-token") == credentials.session_token()
    }

    /// The time that the request was signed for, in seconds since 1970.
    pub(crate) fn signed_at(&self) -> u64 {
        parse_date(self.header("x-amz-date").unwrap()).duration_since(UNIX_EPOCH).unwrap().as_secs()
    }
}

fn parse_date(date: &str) -> std::time::SystemTime {
    let rfc3339 = format!(
        "{}-{}-{}T{}:{}:{}Z",
        &date[..4],
        &date[4..6],
        &date[6..8],
        &date[9..11],
        &date[11..13],
        &date[13..15]
    );
    rfc3339.parse::<jiff::Timestamp>().unwrap().into()
}

/// What the script says to a request.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Reply {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: String,
    },
    /// No answer, and the connection stays open.
    Hang,
    /// The head, a part of the body, and then nothing.
    HangInBody,
    /// The connection is closed without an answer.
    Cut,
}

pub(crate) fn ok(body: impl Into<String>) -> Answer {
    status(200, body)
}

pub(crate) fn status(status: u16, body: impl Into<String>) -> Answer {
    Answer::Reply { status, headers: vec![("content-type", "application/json".into())], body: body.into() }
}

pub(crate) fn error(code: u16, name: &'static str) -> Answer {
    let headers = vec![("x-amzn-errortype", name.to_owned())];
    Answer::Reply { status: code, headers, body: r#"{"Message":"as the script says"}"#.into() }
}

type Script = Arc<dyn Fn(&Recorded) -> Answer + Send + Sync>;

/// The endpoint. It ends when it is dropped.
pub(crate) struct XRay {
    address: SocketAddr,
    scheme: &'static str,
    requests: Arc<Mutex<Vec<Recorded>>>,
    connections: Arc<AtomicUsize>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl XRay {
    pub(crate) fn start(script: impl Fn(&Recorded) -> Answer + Send + Sync + 'static) -> Self {
        Self::start_at("127.0.0.1:0", None, script)
    }

    pub(crate) fn start_tls(
        tls: TlsAcceptor,
        script: impl Fn(&Recorded) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::start_at("127.0.0.1:0", Some(tls), script)
    }

    pub(crate) fn start_at(
        address: &str,
        tls: Option<TlsAcceptor>,
        script: impl Fn(&Recorded) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = std::net::TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let requests = Arc::default();
        let connections = Arc::default();
        let (stop, stopped) = oneshot::channel();
        let server = Server { script: Arc::new(script), requests: Arc::clone(&requests), tls };
        let counted = Arc::clone(&connections);
        let thread = thread::Builder::new()
            .spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    let listener = TcpListener::from_std(listener).unwrap();
                    tokio::select! {
                        () = server.accept(listener, counted) => {}
                        _ = stopped => {}
                    }
                });
            })
            .unwrap();
        Self { address, scheme, requests, connections, stop: Some(stop), thread: Some(thread) }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// The URL with a name in place of the address, for certificates.
    pub(crate) fn url_by_name(&self) -> String {
        format!("{}://localhost:{}", self.scheme, self.address.port())
    }

    pub(crate) fn requests(&self) -> Vec<Recorded> {
        self.requests.lock().unwrap().clone()
    }

    /// Returns the documents of all uploads, in their order.
    pub(crate) fn documents(&self) -> Vec<String> {
        let requests = self.requests();
        let uploads = requests.iter().filter(|request| request.path == "/TraceSegments");
        let documents = uploads.flat_map(|request| {
            let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
            let documents = body["TraceSegmentDocuments"].as_array().unwrap().clone();
            documents.into_iter().map(|document| document.as_str().unwrap().to_owned())
        });
        documents.collect()
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for XRay {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = self.thread.take().unwrap().join();
    }
}

#[derive(Clone)]
struct Server {
    script: Script,
    requests: Arc<Mutex<Vec<Recorded>>>,
    tls: Option<TlsAcceptor>,
}

type Body = Pin<Box<dyn hyper::body::Body<Data = Bytes, Error = Infallible> + Send>>;

impl Server {
    async fn accept(self, listener: TcpListener, connections: Arc<AtomicUsize>) {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            connections.fetch_add(1, Ordering::SeqCst);
            let server = self.clone();
            tokio::spawn(async move {
                let tls = server.tls.clone();
                let server = Arc::new(server);
                let service = service_fn(move |request| {
                    let server = Arc::clone(&server);
                    async move { server.answer(request).await }
                });
                let http = auto::Builder::new(TokioExecutor::new());
                // A connection that breaks is what some tests are about.
                let _ = match tls {
                    Some(tls) => match tls.accept(stream).await {
                        Ok(stream) => http.serve_connection(TokioIo::new(stream), service).await,
                        Err(_) => Ok(()),
                    },
                    None => http.serve_connection(TokioIo::new(stream), service).await,
                };
            });
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Body>, &'static str> {
        let (head, body) = request.into_parts();
        let recorded = Recorded {
            method: head.method,
            path: head.uri.path_and_query().unwrap().as_str().to_owned(),
            version: head.version,
            headers: head.headers,
            body: body.collect().await.map_err(|_| "cut")?.to_bytes(),
        };
        let answer = (self.script)(&recorded);
        self.requests.lock().unwrap().push(recorded);
        match answer {
            Answer::Cut => Err("cut"),
            Answer::Hang => {
                std::future::pending::<()>().await;
                unreachable!()
            }
            Answer::HangInBody => {
                let (sender, receiver) = futures_channel();
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_secs(600)).await;
                    drop(sender);
                });
                let body: Body = Box::pin(StreamBody::new(receiver));
                Ok(Response::new(body))
            }
            Answer::Reply { status, headers, body } => {
                let body: Body = Box::pin(Full::from(body));
                let mut response = Response::new(body);
                *response.status_mut() = StatusCode::from_u16(status).unwrap();
                for (name, value) in headers {
                    response.headers_mut().insert(name, value.parse().unwrap());
                }
                Ok(response)
            }
        }
    }
}

/// A stream with one frame and no end before the sender is dropped.
fn futures_channel() -> (oneshot::Sender<()>, Partial) {
    let (sender, end) = oneshot::channel();
    (sender, Partial { is_first: true, end })
}

struct Partial {
    is_first: bool,
    end: oneshot::Receiver<()>,
}

impl futures_core::Stream for Partial {
    type Item = Result<Frame<Bytes>, Infallible>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.is_first) {
            return std::task::Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"{\"Unprocessed")))));
        }
        Future::poll(Pin::new(&mut self.end), cx).map(|_| None)
    }
}
