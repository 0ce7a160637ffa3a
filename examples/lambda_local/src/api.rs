//! Lambda's Runtime API (Lambda Developer Guide, "Using the Lambda runtime API"), on loopback: who asks for the
//! next event waits here, and who posts a response is stopped here.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::event::Event;
use crate::http::{Connection, Request};

/// A response that the function posted. Answered when it is dropped.
pub(crate) struct Posted {
    /// Whether it was posted as an error.
    pub(crate) failed: bool,
    pub(crate) body: Vec<u8>,
    /// Whether the body came as a stream.
    pub(crate) streamed: bool,
    _answer: Sender<()>,
}

#[derive(Default)]
struct State {
    events: VecDeque<Event>,
    /// Who waits for which response.
    callers: HashMap<String, Sender<Posted>>,
    init_error: Option<String>,
    /// Whether the function has asked for an event, ever.
    asked: bool,
}

#[derive(Default)]
pub(crate) struct Api {
    state: Mutex<State>,
    came: Condvar,
    started: Condvar,
}

impl Api {
    /// Listens on a free port, for as long as the process lives.
    pub(crate) fn start() -> io::Result<(Arc<Self>, SocketAddr)> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let (api, address) = (Arc::new(Self::default()), listener.local_addr()?);
        let shared = Arc::clone(&api);
        thread::Builder::new().name("runtime-api".to_owned()).spawn(move || {
            for stream in listener.incoming().flatten() {
                let api = Arc::clone(&shared);
                let serve = move || {
                    if let Ok(connection) = Connection::new(stream) {
                        // A function that was killed breaks its connections.
                        let _ = api.serve(connection);
                    }
                };
                let _ = thread::Builder::new().spawn(serve);
            }
        })?;
        Ok((api, address))
    }

    /// Hands an event to the function. Answers where its response will be.
    pub(crate) fn send(&self, event: Event) -> Receiver<Posted> {
        let (sender, receiver) = channel();
        let mut state = self.state();
        state.callers.insert(event.request_id.clone(), sender);
        state.events.push_back(event);
        self.came.notify_one();
        receiver
    }

    /// What the function posted to say that it can't start.
    pub(crate) fn init_error(&self) -> Option<String> {
        self.state().init_error.clone()
    }

    /// Whether the function has asked for an event: its init phase is over.
    pub(crate) fn has_started(&self) -> bool {
        self.state().asked
    }

    /// Waits until the function asks for an event, or `limit` is over.
    pub(crate) fn await_start(&self, limit: Duration) {
        let state = self.state();
        let _ = self.started.wait_timeout_while(state, limit, |state| !state.asked);
    }

    fn serve(&self, mut connection: Connection) -> io::Result<()> {
        while let Some(request) = connection.request()? {
            let Request { method, path, body, streaming, broke_off } = request;
            let route = path.strip_prefix("/2018-06-01/runtime/").unwrap_or_default();
            let route: Vec<_> = route.split('/').collect();
            match (method.as_str(), route.as_slice()) {
                ("GET", ["invocation", "next"]) => self.answer_next(&mut connection)?,
                ("GET", ["restore", "next"]) => connection.respond("200 OK", &[], b"{}")?,
                ("POST", ["invocation", id, kind @ ("response" | "error")]) => {
                    self.take_response(id, *kind == "error" || broke_off, body, streaming);
                    connection.respond("202 Accepted", &[], b"{\"status\":\"OK\"}")?;
                }
                ("POST", ["init" | "restore", "error"]) => {
                    self.state().init_error = Some(String::from_utf8_lossy(&body).into_owned());
                    connection.respond("202 Accepted", &[], b"{\"status\":\"OK\"}")?;
                }
                _ => connection.respond("404 Not Found", &[], b"{}")?,
            }
        }
        Ok(())
    }

    fn answer_next(&self, connection: &mut Connection) -> io::Result<()> {
        let event = {
            let mut state = self.state();
            state.asked = true;
            self.started.notify_all();
            loop {
                match state.events.pop_front() {
                    Some(event) => break event,
                    None => state = self.came.wait(state).unwrap_or_else(PoisonError::into_inner),
                }
            }
        };
        let header = event.header();
        let deadline = event.deadline_ms().to_string();
        let mut headers = vec![
            ("content-type", "application/json"),
            ("lambda-runtime-aws-request-id", event.request_id.as_str()),
            ("lambda-runtime-deadline-ms", deadline.as_str()),
            ("lambda-runtime-invoked-function-arn", event.function_arn.as_str()),
        ];
        headers.extend(header.as_deref().map(|header| ("lambda-runtime-trace-id", header)));
        connection.respond("200 OK", &headers, event.payload.to_string().as_bytes())
    }

    /// Returns when the caller has done with it what is to be done before the function goes on.
    fn take_response(&self, id: &str, failed: bool, body: Vec<u8>, streamed: bool) {
        let (answer, answered) = channel();
        let caller = self.state().callers.remove(id);
        if let Some(caller) = caller
            && caller.send(Posted { failed, body, streamed, _answer: answer }).is_ok()
        {
            // Nothing is ever sent: it ends when the other side is dropped.
            let _ = answered.recv();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
