//! What a program keeps of its layer: counts, diagnoses, and a way to wait.

use std::sync::Arc;
use std::time::{Duration, Instant};

use xray_sdk::sampling::Sampler;

use crate::handle::diagnostics::{Diagnostic, diagnose};
use crate::lifecycle::core::Core;
use crate::state::stats::Stats;

/// A view of a layer, from [`Builder::build_with_handle`](crate::Builder::build_with_handle). Cheap to clone;
/// it keeps no subscriber alive.
#[derive(Clone, Debug)]
pub struct Handle {
    pub(crate) core: Arc<Core>,
}

impl Handle {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// What became of the layer's spans so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.core.counters.snapshot(self.core.emitter.stats())
    }

    /// Waits until the emitter handed on all it took, and the sampler all it counted, for at most `timeout`; `false` when time ran out.
    ///
    /// With the default emitter there is nothing to wait for: a closed root is already in the kernel. With a queue
    /// (feature `queued-emitter`) it is in memory for some milliseconds, and this waits until it is in the kernel. With
    /// central sampling, it hands in the statistics of the last seconds as well, which needs the daemon's answer.
    pub fn flush(&self, timeout: Duration) -> bool {
        let began = Instant::now();
        let emitted = self.core.emitter.flush(timeout);
        self.core.sampler.flush(timeout.saturating_sub(began.elapsed())) && emitted
    }

    /// Why traces may be missing: settings that could not be used, sampling rules that could not be had, calls
    /// outside of a segment, and filters that hide spans.
    ///
    /// It asks the subscriber from a thread of its own that ends before this returns.
    #[must_use]
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        let core = &self.core;
        diagnose(
            &core.notices,
            core.sampler.problem(),
            self.stats().context_missing,
            &core.wanted,
            core.default_filter,
            core.dispatch.get(),
        )
    }

    /// Call it after the process was restored from a snapshot, as Lambda SnapStart does: ids come from new
    /// seeds, the socket is opened anew, and the clock asks for the time.
    ///
    /// In Lambda with SnapStart the layer does so by itself, at the first invocation.
    pub fn restored(&self) {
        self.core.restored();
    }
}
