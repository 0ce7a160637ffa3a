//! Contenders that are subscribers of `tracing`: how each is put behind the same registry, and flushed.

use std::time::Duration;

use tracing::{Dispatch, Subscriber, dispatcher};
use tracing_subscriber::prelude::*;
use tracing_subscriber::{Layer, Registry, registry};

use crate::workload::contender::{AWAKE, Setting, World, flush_awake};
use crate::workload::cpu_clock::stay_awake;
use crate::workload::jobs::Job;

/// A subscriber of `tracing`, and how to flush it.
pub(crate) struct Subscribed {
    pub(crate) dispatch: Dispatch,
    pub(crate) flush: Box<dyn Fn() + Send + Sync>,
    /// Of a world with a queue that works off by itself what it has: whether nothing is left.
    pub(super) works_off: Option<Box<dyn Fn() -> bool + Send + Sync>>,
    /// See [`World::batch`].
    pub(crate) batch: u32,
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

    fn settle(&self) -> Duration {
        match &self.works_off {
            Some(is_empty) => stay_awake(AWAKE, is_empty),
            None => flush_awake(self),
        }
    }

    fn batch(&self) -> u32 {
        self.batch
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
    Box::new(Subscribed { dispatch, flush: Box::new(flush), works_off: None, batch: 500 })
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

/// Spans after which the queue is left alone until it is empty: their documents fill a quarter of it.
pub(super) const QUEUE_BATCH: u32 = 2_500;
