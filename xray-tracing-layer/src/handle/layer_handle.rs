//! The handle of a layer: counters, diagnostics, and a way to wait.

use std::sync::Arc;
use std::time::{Duration, Instant};

use xray_sdk::sampling::Sampler;

use crate::handle::diagnose::diagnose;
use crate::handle::diagnostic::Diagnostic;
use crate::lifecycle::core::Core;
use crate::state::stats::Stats;

/// A handle to a layer, from [`Builder::build_with_handle`](crate::Builder::build_with_handle).
///
/// Cheap to clone. A handle keeps no subscriber alive.
///
/// ```
/// use std::time::Duration;
/// use tracing_subscriber::prelude::*;
///
/// let (layer, handle) = xray_tracing_layer::builder().build_with_handle()?;
/// tracing_subscriber::registry().with(layer).init();
/// // …
/// handle.flush(Duration::from_secs(1));
/// assert_eq!(handle.stats().dropped, 0);
/// # Ok::<(), xray_tracing_layer::BuildError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Handle {
    pub(crate) core: Arc<Core>,
}

impl Handle {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// Returns the layer's counters.
    ///
    /// ```
    /// use tracing_subscriber::Registry;
    ///
    /// let (_layer, handle) = xray_tracing_layer::builder().build_with_handle::<Registry>()?;
    /// let stats = handle.stats();
    /// assert_eq!(stats.closed, stats.folded + stats.emitted + stats.dropped + stats.held);
    /// # Ok::<(), xray_tracing_layer::BuildError>(())
    /// ```
    #[must_use]
    pub fn stats(&self) -> Stats {
        let mut stats = self.core.output.counters.snapshot(self.core.output.emitter.stats());
        stats.caught_panics += self.core.spans.callsites.settings().drop_rules.panics.count();
        stats.caught_panics += self.core.config.rules.panics() + self.core.hooks.sampler.panics.count();
        stats
    }

    /// Waits until finished documents are sent and sampling statistics are reported, for at most `timeout`.
    ///
    /// Documents that open spans hold to send them together ([`Stats::held`]) are sent first. Returns `false` if time ran
    /// out. The wait depends on what is configured:
    ///
    /// | configured | waits for |
    /// |---|---|
    /// | the default emitter | nothing: a closed root is already in the kernel |
    /// | a queue (feature `queued-emitter`) | documents that are in memory |
    /// | central sampling | the daemon's response to the statistics of the last seconds |
    ///
    /// ```
    /// use std::time::Duration;
    /// use tracing_subscriber::Registry;
    ///
    /// let (_layer, handle) = xray_tracing_layer::builder().build_with_handle::<Registry>()?;
    /// assert!(handle.flush(Duration::from_secs(1)));
    /// # Ok::<(), xray_tracing_layer::BuildError>(())
    /// ```
    pub fn flush(&self, timeout: Duration) -> bool {
        let began = Instant::now();
        let streamed = self.core.stream_waiting(timeout);
        let emitted = self.core.output.emitter.flush(timeout.saturating_sub(began.elapsed())) && streamed;
        self.core.hooks.sampler.flush(timeout.saturating_sub(began.elapsed())) && emitted
    }

    /// Returns the reasons why traces may be missing at present, each with a remedy.
    ///
    /// [Troubleshooting](crate::guide::troubleshooting) lists them all.
    /// [`Builder::report_problems`](crate::Builder::report_problems) prints them.
    ///
    /// The subscriber is asked from a thread that ends before this method returns.
    ///
    /// ```
    /// use tracing_subscriber::Registry;
    ///
    /// let (_layer, handle) = xray_tracing_layer::builder().build_with_handle::<Registry>()?;
    /// for problem in handle.diagnostics() {
    ///     eprintln!("X-Ray: {problem}");
    /// }
    /// # Ok::<(), xray_tracing_layer::BuildError>(())
    /// ```
    #[must_use]
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        diagnose(&self.core)
    }

    /// Renews the seeds of ids, the socket and the clock, after the process was restored from a snapshot.
    ///
    /// In Lambda with SnapStart the layer does this itself, at the first invocation.
    ///
    /// ```
    /// use tracing_subscriber::Registry;
    ///
    /// let (_layer, handle) = xray_tracing_layer::builder().build_with_handle::<Registry>()?;
    /// handle.restored(); // from the hook that runs after a restore
    /// # Ok::<(), xray_tracing_layer::BuildError>(())
    /// ```
    pub fn restored(&self) {
        self.core.restored();
    }
}
