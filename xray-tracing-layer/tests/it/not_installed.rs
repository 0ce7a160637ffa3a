//! A layer that no subscriber in use has: a diagnostic, as long as that is so.

use tracing::level_filters::LevelFilter;
use tracing::{Dispatch, info_span};
use tracing_subscriber::prelude::*;
use tracing_subscriber::{Layer, Registry, registry, reload};
use xray_sdk::sampling::Always;
use xray_tracing_layer::Diagnostic;

use crate::diagnoses::assert_sentence;
use crate::support::Memory;

#[test]
fn a_layer_that_no_subscriber_in_use_has_is_reported_until_one_has() {
    let expected = [Diagnostic::NotInstalled];
    let build = || {
        let memory = Memory::default();
        xray_tracing_layer::builder().emitter(memory).sampler(Always).build_with_handle::<Registry>().unwrap()
    };
    let (layer, handle) = build();
    assert_eq!(handle.diagnostics(), expected);
    assert_sentence(&expected[0], &["`init`", "`set_default`"]);
    let dispatch = Dispatch::new(registry().with(layer));
    assert_eq!(handle.diagnostics(), [], "in use soon");
    drop(dispatch);
    assert_eq!(handle.diagnostics(), expected);

    let (layer, handle) = build();
    let _ = registry().with(layer).set_default();
    drop(info_span!("root"));
    assert_eq!(handle.diagnostics(), expected, "no guard was kept");

    for wrap in [
        |layer: Box<dyn Layer<Registry> + Send + Sync>| Some(vec![layer]),
        |layer| Some(vec![layer, LevelFilter::TRACE.boxed()]),
    ] {
        let (layer, handle) = build();
        let dispatch = Dispatch::new(registry().with(wrap(layer.boxed())));
        assert_eq!(handle.diagnostics(), [], "a `Vec` does not pass the dispatch on");
        tracing::dispatcher::with_default(&dispatch, || drop(info_span!("root")));
        drop(dispatch);
        assert_eq!(handle.diagnostics(), [], "what it had is sent");
    }
}

#[test]
fn a_layer_that_a_reload_put_there_is_not_reported() {
    let (layer, handle) = xray_tracing_layer::builder()
        .emitter(Memory::default())
        .sampler(Always)
        .without_filter()
        .build_with_handle::<Registry>()
        .unwrap();
    let [none, layer] = [None, Some(layer)];
    let (slot, reload) = reload::Layer::new(none);
    let dispatch = Dispatch::new(registry().with(slot));
    tracing::dispatcher::with_default(&dispatch, || {
        drop(info_span!("before"));
        assert_eq!(handle.diagnostics(), [Diagnostic::NotInstalled]);
        reload.reload(layer).unwrap();
        assert_eq!(handle.diagnostics(), [], "no span yet");
    });
}
