//! The one line that puts a queue between the layer and the daemon. The queue itself is `xray-sdk`'s.

use xray_sdk::{QueueGuard, QueuedEmitter};

use crate::builder::{BuildError, Builder};

impl<F> Builder<F> {
    /// Queues documents, and sends them from a thread of its own that ends with the guard. For programs that close
    /// thousands of root spans a second; see [`QueuedEmitter`] for what it gains and what it gives up.
    ///
    /// A closed root is then queued, and not yet in the kernel: what is queued is lost when the process crashes or
    /// exits past the guard, [`Handle::flush`](crate::Handle::flush) has something to wait for, and
    /// [`Stats::emitted`](crate::Stats) counts what the queue took. A span whose document finds the queue full is
    /// dropped and counted.
    ///
    /// Not for Lambda, which freezes the process as soon as it has answered: the documents of an invocation would
    /// leave with a later one, or never.
    ///
    /// To be called after [`daemon_address`](Self::daemon_address), since it is here that the queue learns it. For a
    /// queue with other settings, give one to [`emitter`](Self::emitter).
    ///
    /// ```no_run
    /// use tracing_subscriber::prelude::*;
    ///
    /// # fn main() -> Result<(), xray_tracing_layer::BuildError> {
    /// let (builder, _guard) = xray_tracing_layer::builder().service_name("shop").queued()?;
    /// tracing_subscriber::registry().with(builder.build()?).init();
    /// # Ok(())
    /// # } // Here the guard is dropped: what is queued is sent, and the thread ends.
    /// ```
    ///
    /// # Errors
    /// [`BuildError`] if the address can't be used, or the system gives no thread.
    pub fn queued(self) -> Result<(Self, QueueGuard), BuildError> {
        let started = QueuedEmitter::start(&self.address()?);
        let (emitter, guard) = started.map_err(|err| BuildError::NoThread(err.kind()))?;
        Ok((self.emitter(emitter), guard))
    }
}
