//! Contenders that are subscribers of `tracing`: how each is put behind the same registry, and flushed.

use tracing::{Dispatch, Subscriber, dispatcher};
use tracing_subscriber::prelude::*;
use tracing_subscriber::{Layer, Registry, registry};

use crate::workload::contender::{Setting, World};
use crate::workload::jobs::Job;

/// A subscriber of `tracing`, and how to flush it.
pub(crate) struct Subscribed {
    pub(crate) dispatch: Dispatch,
    pub(crate) flush: Box<dyn Fn() + Send + Sync>,
    /// See [`World::keeps_up`].
    pub(super) keeps_up: Box<dyn Fn() -> bool + Send + Sync>,
}

impl World for Subscribed {
    #[inline(never)]
    fn run(&self, job: Job, times: u32) {
        dispatcher::with_default(&self.dispatch, || (0..times).for_each(|_| job.with_tracing()));
    }

    fn with_tracing(&self, what: &dyn Fn()) -> bool {
        dispatcher::with_default(&self.dispatch, what);
        true
    }

    fn flush(&self) {
        (self.flush)();
    }

    fn keeps_up(&self) -> bool {
        (self.keeps_up)()
    }
}

/// The registry, and beside it the layer that wants all there is, where that is asked for.
pub(crate) fn subscribe<L>(
    setting: Setting,
    layer: L,
    flush: impl Fn() + Send + Sync + 'static,
) -> Box<dyn World>
where
    L: Layer<Registry> + Send + Sync,
{
    let dispatch = dispatch_to(setting, layer);
    Box::new(Subscribed { dispatch, flush: Box::new(flush), keeps_up: Box::new(|| true) })
}

pub(super) fn dispatch_to<L>(setting: Setting, layer: L) -> Dispatch
where
    L: Layer<Registry> + Send + Sync,
{
    let subscriber = registry().with(layer);
    if setting.beside { Dispatch::new(subscriber.with(Idle)) } else { Dispatch::new(subscriber) }
}

/// A layer that does nothing. A registry without any layer never frees its spans, hence it is in the floor.
#[derive(Debug)]
pub(crate) struct Idle;

impl<S: Subscriber> Layer<S> for Idle {}
