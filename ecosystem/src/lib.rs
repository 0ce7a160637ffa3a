//! The set-up of every test here: the layer as a program installs it, for the whole process, and a collector behind a
//! real socket. The crates that are tried are dependencies of the tests alone.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tracing_subscriber::Registry;
use tracing_subscriber::prelude::*;
use xray_sdk::local::{Collector, Node, Received, Trace, Waterfall};
use xray_sdk::sampling::Always;
use xray_tracing_layer::{Builder, Handle, Stats};

/// The process's subscriber: crates spawn tasks and threads, which know no other. Tests take turns.
pub struct Rig {
    collector: Arc<Collector>,
    handle: Handle,
    before: u64,
    _turn: MutexGuard<'static, ()>,
}

/// With the number of documents that former turns have received.
type Installed = (Arc<Collector>, Handle, u64);

static TURN: Mutex<()> = Mutex::new(());

impl Rig {
    /// The layer with its default filter; every trace is kept, as the service `shop`.
    #[must_use]
    pub fn new() -> Self {
        Self::with(|builder| builder)
    }

    /// The same, with settings of the test binary's own. The first call in a process decides.
    #[expect(clippy::unwrap_used, reason = "a test fails by it")]
    #[must_use]
    pub fn with(change: fn(Builder) -> Builder) -> Self {
        static INSTALLED: Mutex<Option<Installed>> = Mutex::new(None);
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
        let (collector, handle, received) = installed.get_or_insert_with(|| {
            let collector = Arc::new(Collector::start().unwrap());
            let builder = xray_tracing_layer::builder()
                .service_name("shop")
                .daemon_address(&collector.daemon_address())
                .sampler(Always);
            let (layer, handle) = change(builder).build_with_handle::<Registry>().unwrap();
            tracing_subscriber::registry().with(layer).init();
            (collector, handle, 0)
        });
        // A thread of the former turn may have sent a document and not counted it yet, or the other way round.
        let until = Instant::now() + Duration::from_secs(10);
        while *received + count(&collector.received()) != settled(handle).documents && Instant::now() < until
        {
            std::thread::yield_now();
        }
        *received += count(&collector.drain());
        let before = *received;
        Self { collector: Arc::clone(collector), handle: handle.clone(), before, _turn: turn }
    }

    /// Waits for every document that was sent since this rig's turn began, and checks what holds always: the law,
    /// and the validity of each document.
    #[must_use]
    pub fn received(&self) -> Received {
        let stats = settled(&self.handle);
        assert_eq!(stats.closed, stats.folded + stats.emitted + stats.dropped, "the law: {stats:?}");
        let sent = (stats.documents - self.before) as usize;
        let come =
            |received: &Received| received.documents().len() >= sent || !received.rejected().is_empty();
        assert!(self.collector.wait_for(Duration::from_secs(10), come), "{sent} documents were sent");
        let received = self.collector.received();
        assert_eq!(received.problems(), [""; 0], "every document is valid");
        received
    }

    /// Waits until a trace has `spans` spans: what ends on a task of its own may end after its caller.
    #[must_use]
    pub fn trace_of(&self, spans: usize) -> Trace {
        let whole = |received: &Received| received.traces().iter().any(|trace| trace.span_count() >= spans);
        let come = self.collector.wait_for(Duration::from_secs(10), whole);
        let traces = self.received().traces();
        let pictures: String = traces.iter().map(picture).collect();
        assert!(come, "no trace of {spans} spans came:\n{pictures}");
        traces.into_iter().find(|trace| trace.span_count() >= spans).unwrap_or_else(|| unreachable!())
    }

    /// Waits until that many documents came since this rig's turn began. A test waits for all that it causes: the
    /// next one may count on none.
    #[must_use]
    pub fn documents(&self, count: usize) -> Received {
        let come = self.collector.wait_for_documents(count, Duration::from_secs(10));
        let received = self.received();
        assert!(come, "{} documents came, not {count}", received.documents().len());
        received
    }

    /// The layer's counters and what it says of its configuration.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Default for Rig {
    fn default() -> Self {
        Self::new()
    }
}

/// How many documents came, good and bad.
fn count(received: &Received) -> u64 {
    (received.documents().len() + received.rejected().len()) as u64
}

/// The counts when no span is being closed: a document may be here before its thread has counted it.
fn settled(handle: &Handle) -> Stats {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let stats = handle.stats();
        if stats.closed == stats.folded + stats.emitted + stats.dropped || Instant::now() > until {
            return stats;
        }
        std::thread::yield_now();
    }
}

/// A trace as a tree, without times.
#[must_use]
pub fn picture(trace: &Trace) -> String {
    Waterfall::new(trace).tree_only(true).to_string()
}

/// The (sub)segment of that name.
///
/// # Panics
/// If there is none, with a picture of what there is.
#[expect(clippy::panic, reason = "a test fails by it")]
#[must_use]
pub fn find<'a>(trace: &'a Trace, name: &str) -> Node<'a> {
    trace.find(name).unwrap_or_else(|| panic!("no {name:?} in\n{}", picture(trace)))
}

/// Which of X-Ray's flags a (sub)segment has.
#[must_use]
pub fn flags(document: &Value) -> Vec<&'static str> {
    let is_set = |flag: &&str| document.get(*flag) == Some(&Value::Bool(true));
    ["error", "throttle", "fault"].into_iter().filter(is_set).collect()
}
