//! The builder's method for a queue between the layer and the daemon. The queue itself is in `xray-sdk`.

use xray_sdk::{QueueGuard, QueuedEmitter};

use std::sync::Arc;

use crate::builder::error::BuildError;
use crate::builder::settings::Builder;

impl<F> Builder<F> {
    /// Queues documents, and sends them from a thread that ends with the guard.
    ///
    /// For programs that close hundreds of root spans a second, or more; [`QueuedEmitter`] describes what a queue
    /// gains and costs. With a queue:
    ///
    /// - Documents wait for others, for a tenth of a second by default.
    /// - Documents are lost if the process crashes, or exits without dropping the guard.
    /// - [`Handle::flush`](crate::Handle::flush) waits for documents in the queue.
    /// - [`Stats::emitted`](crate::Stats::emitted) counts documents that the queue accepted. A document that
    ///   finds the queue full is dropped and counted.
    ///
    /// Not for Lambda, which freezes the process after each response: documents would be sent with a later
    /// invocation, or never.
    ///
    /// Call it after [`daemon_address`](Self::daemon_address), because the queue takes the address here. For
    /// a queue with other settings, pass one to [`emitter`](Self::emitter).
    ///
    /// ```no_run
    /// use tracing_subscriber::prelude::*;
    ///
    /// # fn main() -> Result<(), xray_tracing_layer::BuildError> {
    /// let (builder, _guard) = xray_tracing_layer::builder().service_name("shop").queued()?;
    /// tracing_subscriber::registry().with(builder.build()?).init();
    /// # Ok(())
    /// # } // Here the guard is dropped: the queue is sent, and the thread ends.
    /// ```
    ///
    /// # Errors
    /// [`BuildError`] if the address is invalid, or the system could not start the thread.
    pub fn queued(self) -> Result<(Self, QueueGuard), BuildError> {
        let started = QueuedEmitter::start(&self.address()?);
        let (emitter, guard) = started.map_err(|err| BuildError::NoThread(Arc::new(err)))?;
        Ok((self.emitter(emitter), guard))
    }
}
