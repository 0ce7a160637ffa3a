//! The layer's life: put in late, restored from a copy, and deaf to a close. And what a record's next life sees of the last.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use tracing::field::Empty;
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Subscriber, info_span};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::prelude::*;
use tracing_subscriber::{Registry, registry, reload};
use xray_sdk::sampling::{Always, Never, Sampler, SamplingRequest, SamplingResult};
use xray_sdk::testing::MemoryEmitter;
use xray_sdk::{DaemonAddress, EmitError, Emitter, Packet};

use super::{Rig, SAMPLED};
use crate::XraySpanExt;

/// Counts its starts.
struct Starting(Arc<AtomicU32>);

impl Sampler for Starting {
    fn sample(&self, request: &SamplingRequest<'_>) -> SamplingResult {
        Always.sample(request)
    }

    fn start(&self, _: &DaemonAddress, _: &str) {
        self.0.fetch_add(1, Relaxed);
    }
}

#[test]
fn a_layer_that_a_reload_puts_in_starts_its_sampler_once_a_root_opens() {
    let starts = Arc::new(AtomicU32::new(0));
    let (layer, handle) = crate::builder()
        .emitter(MemoryEmitter::new())
        .sampler(Starting(Arc::clone(&starts)))
        .without_filter()
        .build_with_handle::<Registry>()
        .unwrap();
    let (slot, switch) = reload::Layer::new(None);
    tracing::subscriber::with_default(registry().with(slot), || {
        switch.modify(|slot| *slot = Some(layer)).unwrap();
        assert_eq!(starts.load(Relaxed), 0);
        for _ in 0..3 {
            drop(info_span!("root"));
        }
    });
    assert_eq!((starts.load(Relaxed), handle.stats().closed), (1, 3));
}

/// Counts how often it is reopened.
struct Reopening(Arc<AtomicU32>);

impl Emitter for Reopening {
    fn emit(&self, _: &Packet) -> Result<(), EmitError> {
        Ok(())
    }

    fn reopen(&self) {
        self.0.fetch_add(1, Relaxed);
    }
}

#[test]
fn a_process_that_is_restored_reopens_its_emitter() {
    let reopened = Arc::new(AtomicU32::new(0));
    let rig = Rig::new(|b| b.emitter(Reopening(Arc::clone(&reopened))));
    rig.run(|| drop(info_span!("root")));
    assert_eq!(reopened.load(Relaxed), 0);
    rig.handle.restored();
    assert_eq!(reopened.load(Relaxed), 1);
}

#[test]
fn a_late_header_brings_no_field_of_an_earlier_root_along() {
    let rig = Rig::new(|b| b.sampler(Never));
    rig.run(|| {
        drop(info_span!("former", stale = "left behind", other = 1));
        let root = info_span!("root", own = "kept", unset = Empty);
        root.set_trace_header(&SAMPLED.parse().unwrap());
    });
    let sent = rig.sent();
    assert_eq!(sent[0]["metadata"]["default"], serde_json::json!({"operation": "root", "own": "kept"}));
}

/// Keeps closes from the layer for as long as it is deaf.
struct Deaf<L>(L, Arc<AtomicBool>);

impl<S: Subscriber, L: Layer<S>> Layer<S> for Deaf<L> {
    fn on_new_span(&self, attrs: &Attributes<'_>, id: &Id, ctx: Context<'_, S>) {
        self.0.on_new_span(attrs, id, ctx);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, ctx: Context<'_, S>) {
        self.0.on_record(id, values, ctx);
    }

    fn on_enter(&self, id: &Id, ctx: Context<'_, S>) {
        self.0.on_enter(id, ctx);
    }

    fn on_exit(&self, id: &Id, ctx: Context<'_, S>) {
        self.0.on_exit(id, ctx);
    }

    fn on_close(&self, id: Id, ctx: Context<'_, S>) {
        if !self.1.load(Relaxed) {
            self.0.on_close(id, ctx);
        }
    }
}

#[test]
fn a_span_that_never_closes_is_counted_once_its_number_comes_back() {
    let deaf = Arc::new(AtomicBool::new(false));
    let (layer, handle) = crate::builder()
        .emitter(MemoryEmitter::new())
        .sampler(Always)
        .without_filter()
        .build_with_handle::<Registry>()
        .unwrap();
    let dispatch = Dispatch::new(registry().with(Deaf(layer, Arc::clone(&deaf))));
    tracing::dispatcher::with_default(&dispatch, || {
        let lost = info_span!("lost");
        let id = lost.id();
        lost.in_scope(|| drop(info_span!("folded")));
        deaf.store(true, Relaxed);
        drop(lost);
        deaf.store(false, Relaxed);
        assert_eq!(handle.stats().abandoned, 0);
        let mut numbers = (0..1_000_000).map(|_| info_span!("next").id());
        assert!(numbers.any(|number| number == id), "no number comes back");
    });
    let stats = handle.stats();
    assert_eq!((stats.abandoned, stats.lost_with_parent), (1, 1), "{stats:?}");
}
