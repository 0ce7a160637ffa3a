//! All of it together: starts the function, invokes it, freezes it, and reports what it sent.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use xray_sdk::Packet;
use xray_sdk::local::Collector;

use crate::api::{Api, Posted};
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::event::{Event, Tracing, now};
use crate::process::Process;

/// How the function is run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many invocations the function takes at once. Above 1, it is never frozen.
    pub concurrency: usize,
    /// Whether the function is frozen after each response, until the next event.
    pub freeze: bool,
    /// Whether the function's output is thrown away.
    pub quiet: bool,
    /// The function's name. Defaults to `orders`.
    pub name: String,
    /// The time that an invocation may take. Defaults to 10 s. The init phase has 10 s of its own, as in Lambda.
    pub timeout: Duration,
    /// Variables beside those that Lambda sets.
    pub variables: Vec<(String, String)>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            concurrency: 1,
            freeze: true,
            quiet: false,
            name: "orders".to_owned(),
            timeout: Duration::from_secs(10),
            variables: Vec::new(),
        }
    }
}

/// A function under an emulated Lambda.
pub struct Lambda {
    api: Arc<Api>,
    endpoint: Mutex<Option<Endpoint>>,
    endpoint_address: SocketAddr,
    collector: Collector,
    process: Process,
    started: Instant,
    freeze: bool,
    name: String,
    timeout: Duration,
    /// A response whose function is frozen until the next event.
    frozen: Mutex<Option<Posted>>,
}

/// What came of an invocation.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The header that came with the event.
    pub header: Option<String>,
    /// The trace.
    pub trace_id: String,
    /// The function's segment.
    pub function_segment: String,
    /// The response, if it is JSON; null otherwise.
    pub response: Value,
    /// The response as it was posted. A streamed HTTP response begins with its status and headers as JSON.
    pub body: Vec<u8>,
    /// Whether the response was streamed.
    pub streamed: bool,
    /// Whether it answered with an error.
    pub failed: bool,
    /// From the event to the response.
    pub elapsed: Duration,
    /// From the start of the function's process to the response.
    pub since_start: Duration,
    /// The trace's documents that had arrived when the response was posted.
    pub documents: Vec<Value>,
}

impl Lambda {
    /// Starts the function: a program, or a folder with a `bootstrap` in it.
    ///
    /// # Errors
    /// If there is no such program, if the system can't start it, or if there is no free port.
    pub fn start(program: &Path, settings: &Settings) -> Result<Self, Error> {
        let (api, api_address) = Api::start()?;
        let endpoint = Endpoint::bind(0)?;
        let endpoint_address = endpoint.address()?;
        let mut variables: Vec<_> = [
            ("AWS_LAMBDA_RUNTIME_API", api_address.to_string()),
            ("AWS_XRAY_DAEMON_ADDRESS", endpoint_address.to_string()),
            ("AWS_LAMBDA_FUNCTION_NAME", settings.name.clone()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128".to_owned()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
            ("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR".to_owned()),
            ("AWS_REGION", "eu-central-1".to_owned()),
            ("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin".to_owned()),
            ("LAMBDA_TASK_ROOT", "/var/task".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        if settings.concurrency > 1 {
            variables.push(("AWS_LAMBDA_MAX_CONCURRENCY".to_owned(), settings.concurrency.to_string()));
        }
        variables.extend(settings.variables.iter().cloned());
        let (collector, started) = (Collector::start()?, Instant::now());
        Ok(Self {
            api,
            endpoint: Mutex::new(Some(endpoint)),
            endpoint_address,
            collector,
            started,
            process: Process::start(program, &variables, settings.quiet)?,
            freeze: settings.freeze && settings.concurrency == 1,
            name: settings.name.clone(),
            timeout: settings.timeout,
            frozen: Mutex::new(None),
        })
    }

    /// Invokes the function and waits for its response. May be called by as many threads as it takes invocations.
    ///
    /// # Errors
    /// If no response comes within [`Settings::timeout`], if the process ends, asks for no event or reports that it
    /// can't start, or if it can't be frozen. After a time-out, the process has been ended, as Lambda does.
    pub fn invoke(&self, tracing: Tracing, payload: Value) -> Result<Outcome, Error> {
        let event = Event::new(tracing, payload, &self.name, self.timeout);
        let (header, start) = (event.header(), now());
        let sent = Instant::now();
        let receiver = self.api.send(event.clone());
        self.thaw()?;
        let posted = match self.await_response(&receiver) {
            Ok(posted) => posted,
            Err(err) => {
                let end = now();
                self.receive(|_| ());
                if tracing == Tracing::Active {
                    self.show(&event.segments(&self.name, start, end, true));
                }
                return Err(err);
            }
        };
        let (elapsed, since_start, end) = (sent.elapsed(), self.started.elapsed(), now());
        if self.freeze {
            self.process.freeze()?;
        }
        let trace_id = event.trace_id.to_string();
        let documents = self.receive(|endpoint| endpoint.take(&trace_id)).unwrap_or_default();
        if tracing == Tracing::Active {
            self.show(&event.segments(&self.name, start, end, posted.failed));
        }
        let outcome = Outcome {
            header,
            trace_id,
            function_segment: event.function.to_string(),
            response: serde_json::from_slice(&posted.body).unwrap_or_default(),
            body: posted.body.clone(),
            streamed: posted.streamed,
            failed: posted.failed,
            elapsed,
            since_start,
            documents,
        };
        if self.freeze {
            *lock(&self.frozen) = Some(posted);
        }
        Ok(outcome)
    }

    /// Waits until the function has asked for an event.
    fn await_start(&self) -> Result<(), Error> {
        let program = || self.process.program().to_owned();
        while !self.api.has_started() {
            if let Some(why) = self.api.init_error() {
                return Err(Error::Init(why));
            }
            if let Some(status) = self.process.ended() {
                // The process may have posted why, just before its end.
                let ended = || Error::EndedAtOnce(program(), status);
                return Err(self.api.init_error().map_or_else(ended, Error::Init));
            }
            if self.started.elapsed() > INIT_LIMIT {
                return Err(Error::NotAFunction(program(), INIT_LIMIT));
            }
            self.api.await_start(GLANCE);
        }
        Ok(())
    }

    fn await_response(&self, receiver: &Receiver<Posted>) -> Result<Posted, Error> {
        self.await_start()?;
        let sent = Instant::now();
        loop {
            let left = self.timeout.saturating_sub(sent.elapsed());
            if let Ok(posted) = receiver.recv_timeout(left.min(DRAIN)) {
                return Ok(posted);
            }
            if let Some(endpoint) = &mut *lock(&self.endpoint) {
                endpoint.drain();
            }
            if let Some(why) = self.api.init_error() {
                return Err(Error::Init(why));
            }
            if let Some(status) = self.process.ended() {
                return Err(Error::Ended(self.process.program().to_owned(), status));
            }
            if sent.elapsed() >= self.timeout {
                self.process.kill();
                return Err(Error::TimedOut(self.timeout));
            }
        }
    }

    /// Lets a frozen function go on, as the next event does.
    ///
    /// # Errors
    /// If its process is gone.
    pub fn thaw(&self) -> Result<(), Error> {
        let posted = lock(&self.frozen).take();
        if posted.is_some() {
            self.process.thaw()?;
        }
        Ok(())
    }

    /// The documents of a trace that came since they were last asked for.
    pub fn late_documents(&self, trace_id: &str) -> Vec<Value> {
        self.receive(|endpoint| endpoint.take(trace_id)).unwrap_or_default()
    }

    /// What is wrong with documents so far. Empty if the function's layer is right.
    pub fn problems(&self) -> Vec<String> {
        self.receive(|endpoint| endpoint.problems()).unwrap_or_default()
    }

    /// Datagrams that came so far.
    pub fn datagrams(&self) -> usize {
        self.receive(|endpoint| endpoint.datagrams()).unwrap_or_default()
    }

    /// Time that the function's threads ran, as Linux counts it; zero elsewhere.
    pub fn cpu_time(&self) -> Duration {
        self.process.cpu_time()
    }

    /// Where the traces come together: the function's documents and Lambda's.
    pub fn collector(&self) -> &Collector {
        &self.collector
    }

    /// Closes the socket that the function sends to.
    pub fn kill_receiver(&self) {
        *lock(&self.endpoint) = None;
    }

    /// Opens it again, on the same port.
    ///
    /// # Errors
    /// If the port was taken meanwhile.
    pub fn restart_receiver(&self) -> Result<(), Error> {
        *lock(&self.endpoint) = Some(Endpoint::bind(self.endpoint_address.port())?);
        Ok(())
    }

    fn receive<R>(&self, look: impl FnOnce(&mut Endpoint) -> R) -> Option<R> {
        let mut endpoint = lock(&self.endpoint);
        let endpoint = endpoint.as_mut()?;
        endpoint.receive(&self.collector);
        Some(look(endpoint))
    }

    #[expect(clippy::disallowed_methods, reason = "this stands in for Lambda")]
    fn show(&self, documents: &[Value]) {
        let Ok(socket) = std::net::UdpSocket::bind("127.0.0.1:0") else { return };
        for document in documents {
            let _ =
                socket.send_to(format!("{}{document}", Packet::HEADER).as_bytes(), self.collector.address());
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lambda's limit for the init phase (Lambda Developer Guide, "Understanding the execution environment lifecycle").
const INIT_LIMIT: Duration = Duration::from_secs(10);

/// How long to wait between two looks at the function's socket while a response is awaited. The kernel keeps some hundred
/// documents there, and loses the rest.
const DRAIN: Duration = Duration::from_millis(1);

/// How long to wait between two looks at whether the process still lives. A response ends the wait at once.
const GLANCE: Duration = Duration::from_millis(20);
