//! The layers of this process.
//!
//! A format of log lines sees its subscriber's spans, but not the other layers. So a layer registers here
//! when it is built.
//!
//! A list of the process is not how layers find each other elsewhere. Without it, each root would have to store its
//! trace id in its span's extensions, for a format that may not be there: an allocation and a lock on the path of every
//! trace, against a look at this list for each log line.

use std::sync::{Arc, PoisonError, RwLock, Weak};

use tracing_core::dispatcher::WeakDispatch;
use tracing_core::span::Id;
use tracing_subscriber::registry::{LookupSpan, SpanRef};
use xray_sdk::TraceId;

use crate::layer::xray_layer::HiddenCore;
use crate::lifecycle::core::Core;
use crate::state::record::Role;

static LAYERS: RwLock<Vec<Weak<Core>>> = RwLock::new(Vec::new());

/// A layer that was built and still exists.
pub(crate) struct RegisteredLayer(Arc<Core>);

/// Adds a layer.
pub(crate) fn register(core: &Arc<Core>) {
    let mut layers = LAYERS.write().unwrap_or_else(PoisonError::into_inner);
    layers.retain(|layer| layer.strong_count() > 0);
    layers.push(Arc::downgrade(core));
}

/// Returns the layers that exist. Most processes have one.
pub(crate) fn registered() -> Vec<RegisteredLayer> {
    let layers = LAYERS.read().unwrap_or_else(PoisonError::into_inner);
    layers.iter().filter_map(Weak::upgrade).map(RegisteredLayer).collect()
}

impl RegisteredLayer {
    /// Returns the layer's subscriber, if the layer got its dispatch.
    pub(crate) fn dispatch(&self) -> Option<&WeakDispatch> {
        self.0.install.dispatch.get()
    }

    /// Returns whether the layer has stored its core in the span's extensions.
    pub(crate) fn is_left_in<'a, R: LookupSpan<'a>>(&self, span: &SpanRef<'a, R>) -> bool {
        span.extensions().get::<HiddenCore>().is_some_and(|hidden| Arc::ptr_eq(&hidden.0, &self.0))
    }

    /// Returns the trace of the first span in scope that has a record, if it is recorded.
    pub(crate) fn trace_id(&self, scope: impl Iterator<Item = Id>) -> Option<TraceId> {
        self.0.spans.table.nearest(scope.map(|id| id.into_u64()), |_, record| {
            let role = record.context.role;
            (role.is_recorded() || role == Role::PlatformRoot).then_some(record.context.trace_id)
        })?
    }
}
