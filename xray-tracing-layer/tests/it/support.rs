//! A layer, a collector behind a real socket, and what every test asks of them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tracing::span::{Attributes, Id};
use tracing::{Dispatch, Subscriber};
use tracing_subscriber::layer::Context;
use tracing_subscriber::prelude::*;
use tracing_subscriber::{Layer, Registry};
use xray_sdk::local::{Collector, Document, Received, Trace, Waterfall};
use xray_sdk::sampling::Always;
use xray_sdk::{EmitError, Emitter, Packet};
use xray_tracing_layer::{Builder, Handle, Stats, default_filter};

/// One layer that sends to one collector.
pub(crate) struct Rig {
    pub(crate) collector: Collector,
    pub(crate) handle: Handle,
    pub(crate) dispatch: Dispatch,
}

impl Rig {
    /// Records everything, as the service `shop`.
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder)
    }

    pub(crate) fn with(change: impl FnOnce(Builder) -> Builder) -> Self {
        let collector = Collector::start().unwrap();
        let builder = xray_tracing_layer::builder()
            .service_name("shop")
            .daemon_address(&collector.daemon_address())
            .sampler(Always);
        let (layer, handle) = change(builder).build_with_handle::<Registry>().unwrap();
        let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer));
        Self { collector, handle, dispatch }
    }

    /// Runs spans under this rig's subscriber.
    pub(crate) fn run<R>(&self, spans: impl FnOnce() -> R) -> R {
        tracing::dispatcher::with_default(&self.dispatch, spans)
    }

    /// Waits for everything that was sent, and checks what holds always: the law, the bounds, the validity of
    /// every document.
    pub(crate) fn received(&self) -> Received {
        let stats = self.handle.stats();
        assert_eq!(stats.closed, stats.folded + stats.emitted + stats.dropped, "the law: {stats:?}");
        let documents = usize::try_from(stats.documents).unwrap();
        // One that is refused is waited for in vain.
        let come =
            |received: &Received| received.documents().len() >= documents || !received.rejected().is_empty();
        let all = self.collector.wait_for(Duration::from_secs(10), come);
        let received = self.collector.received();
        assert!(
            all,
            "{} of {documents} documents came: {stats:?} {:?}",
            received.documents().len(),
            received.problems()
        );
        assert_eq!(received.rejected().len(), 0, "{:?}", received.problems());
        assert_eq!(received.documents().len(), documents, "no more than were sent");
        assert_eq!(received.problems(), [""; 0], "every document is valid");
        assert!(received.largest_datagram() <= 64_030);
        let documents = received.documents().iter().map(Document::json);
        let finished = documents.filter(|document| document.get("end_time").is_some());
        let spans: u64 = finished.map(span_count).sum();
        assert_eq!(spans + stats.dropped + stats.lost_with_parent, stats.closed, "{stats:?}");
        received
    }

    /// The traces as trees, without times.
    pub(crate) fn picture(&self) -> String {
        let traces = self.received().traces();
        traces.iter().map(|trace| Waterfall::new(trace).tree_only(true).to_string()).collect()
    }
}

impl Rig {
    /// Around a subscriber that the test puts together itself from a layer for `collector`.
    pub(crate) fn around(collector: Collector, handle: Handle, dispatch: impl Into<Dispatch>) -> Self {
        Self { collector, handle, dispatch: dispatch.into() }
    }

    /// Compares the picture of all traces with one that begins with an empty line, so that it stands at the left
    /// edge of a test.
    #[track_caller]
    pub(crate) fn assert_picture(&self, expected: &str) {
        let picture = format!("\n{}", self.picture());
        assert!(picture == expected, "drawn:{picture}\nexpected:{expected}");
    }

    /// The only document that was sent.
    pub(crate) fn document(&self) -> Value {
        let received = self.received();
        let [document] = received.documents() else { panic!("{} documents", received.documents().len()) };
        document.json().clone()
    }

    /// The only trace that was sent.
    pub(crate) fn trace(&self) -> Trace {
        let mut traces = self.received().traces();
        assert_eq!(traces.len(), 1, "traces");
        traces.remove(0)
    }
}

/// The document of spans that `spans` opens and closes, recorded by a rig of their own.
pub(crate) fn document_of(spans: impl FnOnce()) -> Value {
    let rig = Rig::new();
    rig.run(spans);
    rig.document()
}

/// A builder that records everything and sends it to `collector`.
pub(crate) fn builder_for(collector: &Collector) -> Builder {
    xray_tracing_layer::builder()
        .service_name("shop")
        .daemon_address(&collector.daemon_address())
        .sampler(Always)
}

/// Keeps packets in memory: a burst through a socket loses some.
#[derive(Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<Vec<Vec<u8>>>>);

impl Emitter for Memory {
    fn emit(&self, packet: &Packet) -> Result<(), EmitError> {
        self.0.lock().unwrap().push(packet.as_bytes().to_vec());
        Ok(())
    }
}

impl Memory {
    /// The bytes of the largest packet.
    pub(crate) fn largest(&self) -> usize {
        self.0.lock().unwrap().iter().map(Vec::len).max().unwrap_or_default()
    }

    /// The documents, each of them valid.
    pub(crate) fn parsed(&self) -> Vec<Value> {
        let packets = self.0.lock().unwrap();
        let documents = packets.iter().map(|packet| &packet[Packet::HEADER.len()..]);
        documents
            .map(|document| {
                assert_eq!(xray_sdk::local::check(document), []);
                serde_json::from_slice(document).unwrap()
            })
            .collect()
    }
}

/// Counts the spans that are open, as the registry reports them.
struct Witness(Arc<AtomicUsize>);

impl<S: Subscriber> Layer<S> for Witness {
    fn on_new_span(&self, _: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    fn on_close(&self, _: Id, _: Context<'_, S>) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A layer that sends to memory.
pub(crate) struct MemoryRig {
    pub(crate) memory: Memory,
    pub(crate) handle: Handle,
    pub(crate) dispatch: Dispatch,
    open: Arc<AtomicUsize>,
}

impl MemoryRig {
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder)
    }

    pub(crate) fn with(change: impl FnOnce(Builder) -> Builder) -> Self {
        let memory = Memory::default();
        let builder =
            xray_tracing_layer::builder().service_name("shop").emitter(memory.clone()).sampler(Always);
        let (layer, handle) = change(builder).build_with_handle::<Registry>().unwrap();
        let open = Arc::default();
        let witness = Witness(Arc::clone(&open)).with_filter(default_filter());
        let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer).with(witness));
        Self { memory, handle, dispatch, open }
    }

    /// Returns how many spans the registry never closed.
    ///
    /// `tracing-subscriber` 0.3 keeps a span open for good where one thread drops the last handle of its child while
    /// another closes the last child of that: the slot is then cleared within a close of the first thread, and nested
    /// closes don't release the parent.
    pub(crate) fn never_closed(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }

    pub(crate) fn run<R>(&self, spans: impl FnOnce() -> R) -> R {
        tracing::dispatcher::with_default(&self.dispatch, spans)
    }

    /// The documents, as they were sent.
    pub(crate) fn documents_as_sent(&self) -> Vec<String> {
        let text = |packet: &Vec<u8>| String::from_utf8(packet[Packet::HEADER.len()..].to_vec()).unwrap();
        self.memory.0.lock().unwrap().iter().map(text).collect()
    }

    /// The documents, after checking what holds always: the law, the bounds, the validity of each, and that no
    /// span is missing.
    pub(crate) fn documents(&self) -> Vec<Value> {
        let stats = self.handle.stats();
        assert_law(&stats);
        let packets = self.memory.0.lock().unwrap();
        assert_eq!(packets.len() as u64, stats.documents, "{stats:?}");
        let documents: Vec<Value> = packets
            .iter()
            .map(|packet| {
                assert!(packet.len() <= 64_030, "a packet of {} bytes", packet.len());
                let document = packet.strip_prefix(Packet::HEADER.as_bytes()).expect("a header line");
                let problems: Vec<String> =
                    xray_sdk::local::check(document).iter().map(ToString::to_string).collect();
                let beginning = String::from_utf8_lossy(&document[..document.len().min(1_000)]);
                assert_eq!(problems, [""; 0], "in {} bytes: {beginning}", document.len());
                serde_json::from_slice(document).unwrap()
            })
            .collect();
        let finished = documents.iter().filter(|document| document.get("end_time").is_some());
        let spans: u64 = finished.map(span_count).sum();
        assert_eq!(spans, stats.closed, "spans in the documents, spans closed: {stats:?}");
        documents
    }
}

/// Checks that nothing is held. The sum itself holds by its making: what is compared with it are the spans that a test
/// has opened, or those in the documents.
#[track_caller]
pub(crate) fn assert_law(stats: &Stats) {
    assert_eq!(stats.closed, stats.folded + stats.emitted + stats.dropped, "the law: {stats:?}");
}

/// Segments and subsegments in a document, at all levels.
pub(crate) fn span_count(document: &Value) -> u64 {
    let children = document.get("subsegments").and_then(Value::as_array);
    1 + children.into_iter().flatten().map(span_count).sum::<u64>()
}

/// Lets some milliseconds pass, by work: nothing waits for anything here.
pub(crate) fn tick() {
    let start = std::time::Instant::now();
    while start.elapsed() < Duration::from_millis(5) {
        std::hint::spin_loop();
    }
}
