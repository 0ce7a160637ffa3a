//! A layer, a collector behind a real socket, and what every test asks of them.

use std::time::Duration;

use tracing::Dispatch;
use tracing_subscriber::Registry;
use tracing_subscriber::prelude::*;
use xray_sdk::local::{Collector, Received, Waterfall};
use xray_sdk::sampling::Always;
use xray_tracing_layer::{Builder, Handle};

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
        let all = self.collector.wait_for_documents(documents, Duration::from_secs(10));
        let received = self.collector.received();
        assert!(all, "{} of {documents} documents came: {stats:?}", received.documents().len());
        assert_eq!(received.documents().len(), documents, "no more than were sent");
        assert_eq!(received.problems(), [""; 0], "every document is valid");
        assert!(received.largest_datagram() <= 64_030);
        received
    }

    /// The traces as trees, without times.
    pub(crate) fn picture(&self) -> String {
        let traces = self.received().traces();
        traces.iter().map(|trace| Waterfall::new(trace).tree_only(true).to_string()).collect()
    }
}
