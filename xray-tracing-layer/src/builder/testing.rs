//! A layer for a program's own tests: every trace is recorded, and kept in memory.
//!
//! Cold code, called by tests only.

use tracing::Dispatch;
use tracing::dispatcher::DefaultGuard;
use tracing_core::Subscriber;
use tracing_subscriber::registry::{LookupSpan, Registry};
use tracing_subscriber::{Layer, layer::SubscriberExt as _};
use xray_sdk::sampling::Always;
use xray_sdk::testing::MemoryEmitter;

use crate::builder::error::BuildError;
use crate::builder::settings::Builder;
use crate::handle::layer_handle::Handle;
use crate::layer::filter_mode::FilterMode;

impl<F> Builder<F> {
    /// Builds a layer that records every trace and keeps it in memory, with its handle and the collector.
    ///
    /// The emitter of the builder is replaced. A sampler that was set stays, for tests of [sampling](crate::guide::testing);
    /// without one it is `Always`. For a subscriber of one's own; [`install_for_test`] makes one.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tracing_subscriber::prelude::*;
    ///
    /// let (layer, _handle, collector) = xray_tracing_layer::builder().for_tests()?;
    /// let _guard = tracing_subscriber::registry().with(layer).set_default();
    /// tracing::info_span!("checkout", annotation.tenant = "blue").in_scope(|| ());
    ///
    /// let trace = &collector.wait_for_traces(1, Duration::ZERO)?[0];
    /// let checkout = trace.find("checkout").ok_or("no such span")?;
    /// assert_eq!(checkout.annotation("tenant"), Some(&"blue".into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`BuildError`] if a setting made in code is invalid.
    ///
    /// [`install_for_test`]: Self::install_for_test
    pub fn for_tests<S>(self) -> Result<(impl Layer<S> + use<S, F>, Handle, MemoryEmitter), BuildError>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
        F: FilterMode<S>,
    {
        let collector = MemoryEmitter::new();
        let (layer, handle) = self.into_memory(&collector).build_with_handle()?;
        Ok((layer, handle, collector))
    }

    /// Installs a layer for this thread's tests until the guard is dropped.
    ///
    /// Records every trace, unless the builder has a sampler. Tests that run in parallel do not see each other's traces,
    /// since each has its thread. `#[tokio::test]` runs on the test's thread as well, unless its flavor is `multi_thread`:
    /// then hand [`dispatch`](TestTraces::dispatch) to the tasks, by `tracing::instrument::WithSubscriber`.
    ///
    /// ```
    /// let traces = xray_tracing_layer::builder().service_name("shop").install_for_test()?;
    /// tracing::info_span!("checkout").in_scope(|| tracing::info_span!("charge").in_scope(|| ()));
    /// assert_eq!(traces.tree(), "◆ shop\n└─ charge\n");
    /// # Ok::<(), xray_tracing_layer::BuildError>(())
    /// ```
    ///
    /// # Errors
    /// [`BuildError`] if a setting made in code is invalid.
    pub fn install_for_test(self) -> Result<TestTraces, BuildError>
    where
        F: FilterMode<Registry>,
        F::Layer: Send + Sync,
    {
        let collector = MemoryEmitter::new();
        let built: (F::Layer, Handle) = self.into_memory(&collector).built()?;
        let (layer, handle) = built;
        let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer));
        let guard = tracing::dispatcher::set_default(&dispatch);
        Ok(TestTraces { collector, handle, dispatch, _guard: guard })
    }

    /// Sends everything to memory, and records every trace unless a sampler was set.
    fn into_memory(self, collector: &MemoryEmitter) -> Self {
        let with_emitter = self.emitter(collector.clone());
        if with_emitter.settings.sampler.is_some() { with_emitter } else { with_emitter.sampler(Always) }
    }
}

/// The traces of a test. While this is alive, spans of its thread are recorded; see
/// [`Builder::install_for_test`].
#[derive(Debug)]
pub struct TestTraces {
    collector: MemoryEmitter,
    handle: Handle,
    dispatch: Dispatch,
    _guard: DefaultGuard,
}

impl TestTraces {
    /// Returns the collector, which holds all documents.
    ///
    /// ```
    /// let traces = xray_tracing_layer::builder().install_for_test()?;
    /// assert_eq!(traces.collector().received().problems(), Vec::<String>::new());
    /// # Ok::<(), xray_tracing_layer::BuildError>(())
    /// ```
    #[must_use]
    pub fn collector(&self) -> &MemoryEmitter {
        &self.collector
    }

    /// Returns the layer's handle.
    ///
    /// ```
    /// let traces = xray_tracing_layer::builder().install_for_test()?;
    /// assert_eq!(traces.handle().stats().closed, 0);
    /// # Ok::<(), xray_tracing_layer::BuildError>(())
    /// ```
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Returns the subscriber, for threads and tasks that are not the test's own.
    ///
    /// ```
    /// let traces = xray_tracing_layer::builder().service_name("shop").install_for_test()?;
    /// let dispatch = traces.dispatch().clone();
    /// let work = || tracing::info_span!("elsewhere").in_scope(|| ());
    /// std::thread::spawn(move || tracing::dispatcher::with_default(&dispatch, work)).join().unwrap();
    /// assert!(traces.collector().received().traces()[0].find("elsewhere").is_some());
    /// # Ok::<(), xray_tracing_layer::BuildError>(())
    /// ```
    #[must_use]
    pub fn dispatch(&self) -> &Dispatch {
        &self.dispatch
    }

    /// Returns all traces as trees without times, one after the other.
    ///
    /// ```
    /// let traces = xray_tracing_layer::builder().service_name("shop").install_for_test()?;
    /// tracing::info_span!("checkout").in_scope(|| ());
    /// assert_eq!(traces.tree(), "◆ shop\n");
    /// # Ok::<(), xray_tracing_layer::BuildError>(())
    /// ```
    #[must_use]
    pub fn tree(&self) -> String {
        self.collector.received().traces().iter().map(xray_sdk::local::Trace::tree).collect()
    }
}
