//! An endpoint that takes documents, keeps its own count of them, and fails on demand.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use serde_json::{Value, json};

use super::xray::{Answer, Recorded, XRay};

/// What the endpoint does with a batch.
type Fault = Box<dyn Fn(&[String]) -> Option<Answer> + Send>;

/// The endpoint.
pub(crate) struct Endpoint {
    pub(crate) xray: XRay,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    fault: Option<Fault>,
    /// Documents taken, with how often.
    taken: BTreeMap<String, usize>,
    /// Documents taken in calls that were answered with 200.
    confirmed: usize,
    calls: Vec<Instant>,
}

impl Endpoint {
    /// An endpoint where all is well.
    pub(crate) fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let script = Arc::clone(&state);
        Self { xray: XRay::start(move |request| answer(&script, request)), state }
    }

    pub(crate) fn url(&self) -> String {
        self.xray.url()
    }

    /// From now on a batch is answered with what `fault` says, unless it says nothing.
    pub(crate) fn fail(&self, fault: impl Fn(&[String]) -> Option<Answer> + Send + 'static) {
        self.state.lock().unwrap().fault = Some(Box::new(fault));
    }

    /// From now on all is well.
    pub(crate) fn heal(&self) {
        self.state.lock().unwrap().fault = None;
    }

    /// Documents that were taken, each once.
    pub(crate) fn distinct(&self) -> usize {
        self.state.lock().unwrap().taken.len()
    }

    /// Documents that were taken in answered calls, which is what a daemon may call sent.
    pub(crate) fn confirmed(&self) -> usize {
        self.state.lock().unwrap().confirmed
    }

    /// When the calls came.
    pub(crate) fn calls(&self) -> Vec<Instant> {
        self.state.lock().unwrap().calls.clone()
    }
}

fn answer(state: &Mutex<State>, request: &Recorded) -> Answer {
    if request.path != "/TraceSegments" {
        return super::xray::ok("{}");
    }
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let documents = body["TraceSegmentDocuments"].as_array().unwrap();
    let documents: Vec<String> =
        documents.iter().map(|document| document.as_str().unwrap().to_owned()).collect();
    assert!((1..=50).contains(&documents.len()));
    let mut state = state.lock().unwrap();
    state.calls.push(Instant::now());
    let fault = state.fault.as_ref().and_then(|fault| fault(&documents));
    let unprocessed: Vec<Value> = documents
        .iter()
        .filter(|document| document.contains("unprocessed"))
        .map(|document| {
            let document: Value = serde_json::from_str(document).unwrap();
            json!({"Id": document["id"], "ErrorCode": "ParseError", "Message": "as the script says"})
        })
        .collect();
    if let Some(fault) = fault {
        return fault;
    }
    for document in documents.into_iter().filter(|document| !document.contains("unprocessed")) {
        *state.taken.entry(document).or_default() += 1;
        state.confirmed += 1;
    }
    super::xray::ok(json!({ "UnprocessedTraceSegments": unprocessed }).to_string())
}
