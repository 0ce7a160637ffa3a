//! All of it together: starts the function, invokes it, freezes it, and tells what it sent.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;
use xray_sdk::Packet;
use xray_sdk::local::Collector;

use crate::api::{Api, Posted};
use crate::endpoint::Endpoint;
use crate::event::{Event, Tracing};
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
    /// Variables beside those that Lambda sets.
    pub variables: Vec<(String, String)>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { concurrency: 1, freeze: true, quiet: false, variables: Vec::new() }
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
    /// What the function answered.
    pub response: Value,
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
    /// Starts the function.
    ///
    /// # Errors
    /// If there is no such program, or no free port.
    pub fn start(program: &Path, settings: &Settings) -> io::Result<Self> {
        let (api, api_address) = Api::start()?;
        let endpoint = Endpoint::bind(0)?;
        let endpoint_address = endpoint.address()?;
        let mut variables: Vec<_> = [
            ("AWS_LAMBDA_RUNTIME_API", api_address.to_string()),
            ("AWS_XRAY_DAEMON_ADDRESS", endpoint_address.to_string()),
            ("AWS_LAMBDA_FUNCTION_NAME", NAME.to_owned()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128".to_owned()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
            ("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR".to_owned()),
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
            frozen: Mutex::new(None),
        })
    }

    /// Invokes the function and waits for its response. May be called by as many threads as it takes invocations.
    ///
    /// # Errors
    /// If no response comes within ten seconds, or the function can't be frozen.
    pub fn invoke(&self, tracing: Tracing, payload: Value) -> io::Result<Outcome> {
        let event = Event::new(tracing, payload);
        let (header, start) = (event.header(), now());
        let sent = Instant::now();
        let receiver = self.api.send(event.clone());
        self.thaw()?;
        let posted = receiver.recv_timeout(PATIENCE).map_err(|_| {
            let why = self.api.init_error().unwrap_or_else(|| "no response".to_owned());
            io::Error::new(io::ErrorKind::TimedOut, why)
        })?;
        let (elapsed, since_start) = (sent.elapsed(), self.started.elapsed());
        if self.freeze {
            self.process.freeze()?;
        }
        let trace_id = event.trace_id.to_string();
        let documents = self.receive(|endpoint| endpoint.take(&trace_id)).unwrap_or_default();
        if tracing == Tracing::Active {
            self.show(&event.segments(NAME, start, now(), posted.failed));
        }
        let outcome = Outcome {
            header,
            trace_id,
            function_segment: event.function.to_string(),
            response: serde_json::from_slice(&posted.body).unwrap_or_default(),
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

    /// Lets a frozen function go on, as the next event does.
    ///
    /// # Errors
    /// If its process is gone.
    pub fn thaw(&self) -> io::Result<()> {
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
    pub fn restart_receiver(&self) -> io::Result<()> {
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

#[expect(clippy::disallowed_methods, reason = "this stands in for Lambda")]
fn now() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

const NAME: &str = "orders";

/// How long a function under test may take.
const PATIENCE: Duration = Duration::from_secs(10);
