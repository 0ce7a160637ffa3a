//! Requests that end while something still holds their span, under a sampler with a tail rule.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use tracing::info_span;
use tracing_subscriber::prelude::*;
use tracing_subscriber::reload;
use xray_sdk::sampling::{Always, KeepSlowAndFailed, Never};
use xray_sdk::testing::MemoryEmitter;

use super::{Rig, names};
use crate::layer::find::with_core;
use crate::lifecycle::core::Core;

#[test]
fn a_request_that_the_head_samples_is_sent_at_its_early_end() {
    let rig = Rig::new(|b| b.sampler(KeepSlowAndFailed::new(Always)));
    rig.run(|| {
        let root = info_span!("root");
        with_core(&root, Core::emit_ended);
        assert_eq!(names(&rig.sent()), ["shop"]);
    });
    assert_eq!(rig.sent(), [0; 0]);
}

#[test]
fn a_request_that_is_left_out_at_its_early_end_is_shown_to_the_closure_once() {
    for has_child in [false, true] {
        let shown = Arc::new(AtomicU32::new(0));
        let rig = Rig::new(|b| {
            let shown = Arc::clone(&shown);
            b.sampler(KeepSlowAndFailed::new(Never)).on_close(move |span| {
                shown.fetch_add(u32::from(span.is_segment()), Relaxed);
            })
        });
        rig.run(|| {
            let root = info_span!("root", tenant = "blue");
            if has_child {
                root.in_scope(|| drop(info_span!("child")));
            }
            with_core(&root, Core::emit_ended);
        });
        assert_eq!(rig.sent(), [0; 0]);
        assert_eq!((shown.load(Relaxed), rig.handle.stats().unsampled), (1, 1), "{has_child}");
    }
}

#[test]
fn spans_of_a_request_that_was_left_out_are_not_lost_with_its_span() {
    let (layer, handle) = crate::builder()
        .emitter(MemoryEmitter::new())
        .sampler(KeepSlowAndFailed::new(Never))
        .build_with_handle()
        .unwrap();
    let (slot, switch) = reload::Layer::new(Some(layer));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(slot), || {
        let root = info_span!("root");
        root.in_scope(|| drop(info_span!("child")));
        with_core(&root, Core::emit_ended);
        switch.modify(|layer| *layer = None).unwrap();
    });
    let stats = handle.stats();
    assert_eq!((stats.unsampled, stats.abandoned, stats.lost_with_parent), (1, 1, 0), "{stats:?}");
}
