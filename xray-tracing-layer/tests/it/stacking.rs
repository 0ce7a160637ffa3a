//! The layer in the company of others: two of them, filters around it and above it, reload, options, boxes, and
//! subscribers within subscribers.

use tracing::level_filters::LevelFilter;
use tracing::{Dispatch, Level, Span, error, info_span};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::prelude::*;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, registry, reload};
use xray_sdk::local::Collector;
use xray_sdk::sampling::Always;
use xray_tracing_layer::{Diagnostic, XraySpanExt, current_trace_header};

use crate::support::{MemoryRig, Rig, builder_for, tick};

/// A request with work inside and an error, seen from every callback.
fn request() {
    let root = info_span!("request", late = tracing::field::Empty);
    let _in = root.enter();
    info_span!("load", order = 7).in_scope(|| {
        Span::current().annotate("tenant", "blue");
        error!("no luck");
    });
    root.record("late", 1);
    root.set_http_status(503);
    assert!(current_trace_header().is_some_and(|header| header.parent().is_some()));
}

const REQUEST: &str = "
◆ shop  503 fault
└─ load  fault  tenant=blue
";

pub(crate) fn collector() -> Collector {
    Collector::start().unwrap()
}

/// Two layers on one registry, each with a collector of its own.
fn two_layers() -> (Rig, Rig) {
    let (one, two) = (collector(), collector());
    let (first, first_handle) = builder_for(&one).build_with_handle().unwrap();
    let (second, second_handle) = builder_for(&two).build_with_handle().unwrap();
    let dispatch = Dispatch::new(registry().with(first).with(second));
    let one = Rig::around(one, first_handle, dispatch.clone());
    let two = Rig::around(two, second_handle, dispatch);
    (one, two)
}

#[test]
fn two_layers_on_one_registry_each_send_the_whole_trace() {
    let (one, two) = two_layers();
    one.run(|| {
        let root = info_span!("root");
        let _in = root.enter();
        info_span!("child", annotation.a = 1).in_scope(|| error!("failed"));
        root.record("x", 1);
    });
    for rig in [&one, &two] {
        rig.assert_picture("\n◆ shop\n└─ child  fault  a=1\n");
    }
    assert_ne!(one.trace().id(), two.trace().id(), "two services, two traces");
}

#[test]
fn of_two_layers_the_upper_one_is_spoken_to() {
    let (one, two) = two_layers();
    let header = one.run(|| {
        let span = info_span!("root");
        span.annotate("a", 1);
        span.trace_header().unwrap()
    });
    one.assert_picture("\n◆ shop\n");
    two.assert_picture("\n◆ shop  a=1\n");
    assert_eq!(header.root().to_string(), two.trace().id());
}

#[test]
fn under_two_layers_a_request_still_ends_when_it_was_left() {
    let (one, two) = two_layers();
    one.run(|| {
        let root = info_span!("root");
        let background = root.in_scope(|| info_span!("background"));
        drop(root);
        tick();
        drop(background);
    });
    for rig in [&one, &two] {
        let trace = rig.trace();
        let (root, background) = (trace.find("shop").unwrap(), trace.find("background").unwrap());
        assert!(root.end().unwrap() + 0.001 < background.end().unwrap(), "{root:?} {background:?}");
    }
}

#[test]
fn it_may_stand_under_any_filter_option_box_and_reload() {
    fn check(name: &str, stack: impl FnOnce(&Collector) -> (xray_tracing_layer::Handle, Dispatch)) {
        let collector = collector();
        let (handle, dispatch) = stack(&collector);
        let rig = Rig::around(collector, handle, dispatch);
        rig.run(request);
        let picture = format!("\n{}", rig.picture());
        assert_eq!(picture, REQUEST, "{name}");
    }
    check("with_filter", |collector| {
        let (layer, handle) = builder_for(collector).without_filter().build_with_handle().unwrap();
        let layer = layer.with_filter(filter_fn(|_| true));
        (handle, Dispatch::new(registry().with(layer)))
    });
    check("with_filter around its own", |collector| {
        let (layer, handle) = builder_for(collector).build_with_handle().unwrap();
        (handle, Dispatch::new(registry().with(layer.with_filter(LevelFilter::INFO))))
    });
    check("without filter", |collector| {
        let (layer, handle) = builder_for(collector).without_filter().build_with_handle().unwrap();
        (handle, Dispatch::new(registry().with(layer)))
    });
    check("Some", |collector| {
        let (layer, handle) = builder_for(collector).build_with_handle().unwrap();
        (handle, Dispatch::new(registry().with(Some(layer)).with(None::<LevelFilter>)))
    });
    check("boxed", |collector| {
        let (layer, handle) = builder_for(collector).build_with_handle().unwrap();
        (handle, Dispatch::new(registry().with(layer.boxed())))
    });
    check("in a vec", |collector| {
        let (layer, handle) = builder_for(collector).build_with_handle().unwrap();
        let layers = vec![fmt::layer().with_writer(std::io::sink).boxed(), layer.boxed()];
        (handle, Dispatch::new(registry().with(layers)))
    });
    check("reload", |collector| {
        let (layer, handle) = builder_for(collector).build_with_handle().unwrap();
        (handle, Dispatch::new(registry().with(reload::Layer::new(layer).0)))
    });
    check("and_then", |collector| {
        let (layer, handle) = builder_for(collector).build_with_handle().unwrap();
        let both = layer.and_then(fmt::layer().with_writer(std::io::sink));
        (handle, Dispatch::new(registry().with(both)))
    });
    check("above fmt", |collector| {
        let (layer, handle) = builder_for(collector).build_with_handle().unwrap();
        (handle, Dispatch::new(registry().with(fmt::layer().with_writer(std::io::sink)).with(layer)))
    });
    check("below a fmt that is off", |collector| {
        let (layer, handle) = builder_for(collector).build_with_handle().unwrap();
        let logs = fmt::layer().with_writer(std::io::sink).with_filter(EnvFilter::new("off"));
        (handle, Dispatch::new(registry().with(layer).with(logs)))
    });
    check("above a fmt that only wants warnings", |collector| {
        let (layer, handle) = builder_for(collector).build_with_handle().unwrap();
        let logs =
            fmt::layer().json().with_writer(std::io::sink).with_filter(EnvFilter::new("warn,it=error"));
        (handle, Dispatch::new(registry().with(logs).with(layer)))
    });
}

#[test]
fn a_layer_that_is_not_there_records_nothing_and_breaks_nothing() {
    let subscriber = registry().with(None::<xray_tracing_layer::XrayLayer>).with(LevelFilter::INFO);
    tracing::subscriber::with_default(subscriber, || {
        let span = info_span!("root");
        span.annotate("a", 1);
        assert_eq!(span.trace_header(), None);
        span.in_scope(|| assert_eq!(current_trace_header(), None));
    });
}

#[test]
fn a_layer_taken_out_and_put_back_by_reload_goes_on_with_new_traces() {
    let collector = collector();
    let (layer, handle) = builder_for(&collector).without_filter().build_with_handle::<Registry>().unwrap();
    let (layer, switch) = reload::Layer::new(Some(layer));
    let rig = Rig::around(collector, handle, registry().with(layer));
    let kept = std::cell::Cell::new(None);
    rig.run(|| {
        let before = info_span!("before");
        let child = info_span!(parent: &before, "closed while it was out");
        let out = |slot: &mut Option<_>| kept.set(slot.take());
        switch.modify(out).unwrap();
        drop(child);
        let unseen = info_span!("unseen");
        unseen.annotate("a", 1);
        switch.modify(|slot| *slot = kept.take()).unwrap();
        info_span!(parent: &before, "after").in_scope(|| ());
        info_span!(parent: &unseen, "a root, as far as the layer knows").in_scope(|| ());
        drop(before);
    });
    rig.assert_picture("\n◆ shop\n└─ after\n◆ shop\n");
}

#[test]
fn a_new_layer_put_in_by_reload_records_and_can_be_spoken_to() {
    let (one, two) = (collector(), collector());
    let (first, first_handle) = builder_for(&one).without_filter().build_with_handle::<Registry>().unwrap();
    let (second, second_handle) = builder_for(&two).without_filter().build_with_handle::<Registry>().unwrap();
    let (layer, switch) = reload::Layer::new(first.boxed());
    let dispatch = Dispatch::new(registry().with(layer));
    let one = Rig::around(one, first_handle, dispatch.clone());
    let two = Rig::around(two, second_handle, dispatch);
    one.run(|| {
        request();
        switch.reload(second.boxed()).unwrap();
        request();
    });
    one.assert_picture(REQUEST);
    two.assert_picture(REQUEST);
}

#[test]
fn a_subscriber_within_another_takes_its_own_spans_only() {
    let (outer, inner) = (Rig::new(), Rig::new());
    outer.run(|| {
        let outside = info_span!("outside");
        let _in = outside.enter();
        inner.run(|| {
            let inside = info_span!("inside");
            let _in = inside.enter();
            info_span!("child").in_scope(|| ());
            // A span of the outer one that is used in here stays the outer one's.
            outside.annotate("from", "within");
            inside.annotate("own", true);
            assert_ne!(outside.trace_header().unwrap().root(), inside.trace_header().unwrap().root());
        });
        info_span!("after").in_scope(|| ());
    });
    outer.assert_picture("\n◆ shop  from=within\n└─ after\n");
    inner.assert_picture("\n◆ shop  own=true\n└─ child\n");
}

#[test]
fn a_root_that_closes_under_another_subscriber_is_still_sent() {
    let (one, two) = (Rig::new(), Rig::new());
    let root = one.run(|| info_span!("root"));
    one.run(|| root.in_scope(|| info_span!("child").in_scope(|| ())));
    two.run(|| {
        let own = info_span!("own");
        let _in = own.enter();
        root.in_scope(|| ());
        drop(root);
        info_span!("child of two").in_scope(|| ());
    });
    one.assert_picture("\n◆ shop\n└─ child\n");
    two.assert_picture("\n◆ shop\n└─ child of two\n");
}

#[test]
fn asking_for_diagnostics_disturbs_no_span() {
    let collector = collector();
    let (layer, handle) = builder_for(&collector).build_with_handle().unwrap();
    let logs = fmt::layer().with_writer(std::io::sink).with_filter(EnvFilter::new("off"));
    let rig = Rig::around(collector, handle, registry().with(layer).with(logs));
    rig.run(|| {
        let _root = info_span!("root").entered();
        assert_eq!(rig.handle.diagnostics(), []);
        info_span!("child").in_scope(|| assert_eq!(rig.handle.diagnostics(), []));
    });
    rig.assert_picture("\n◆ shop\n└─ child\n");
}

#[test]
fn a_service_name_that_is_mended_is_told() {
    let rig = Rig::with(|builder| builder.service_name("shop*"));
    rig.run(|| drop(info_span!("root")));
    rig.assert_picture("\n◆ shop_\n");
    assert_eq!(
        rig.handle.diagnostics(),
        [Diagnostic::Config("service name \"shop*\" is sent as \"shop_\"".to_owned())]
    );
}

/// Wants everything, so that others' filters are asked each time.
struct Curious;

impl<S: tracing::Subscriber> Layer<S> for Curious {}

#[test]
fn nothing_is_lost_to_what_a_filter_was_asked_before() {
    let collector = collector();
    let (layer, handle) = builder_for(&collector).build_with_handle().unwrap();
    let rig = Rig::around(collector, handle, registry().with(layer).with(Curious));
    let ask = || {
        // What is answered is about this, and not about what comes next.
        assert!(tracing::enabled!(Level::INFO) && tracing::enabled!(Level::TRACE));
    };
    rig.run(|| {
        ask();
        let root = info_span!("request").entered();
        ask();
        let load = info_span!("load", order = 7).entered();
        drop(tracing::debug_span!("not wanted"));
        ask();
        error!("no luck");
        ask();
        load.record("order", 8);
        drop(load);
        ask();
        drop(root);
    });
    rig.assert_picture("\n◆ shop\n└─ load  fault\n");
    assert_eq!(rig.document()["subsegments"][0]["cause"]["exceptions"][0]["message"], "no luck");
    assert_eq!(rig.document()["subsegments"][0]["metadata"]["default"]["order"], 8);
}

#[test]
fn spans_that_a_reload_leaves_open_are_counted_with_what_was_folded_into_them() {
    let (layer, handle) = xray_tracing_layer::builder()
        .emitter(crate::support::Memory::default())
        .sampler(Always)
        .build_with_handle()
        .unwrap();
    let (slot, reload) = reload::Layer::new(Some(layer));
    tracing::subscriber::with_default(registry().with(slot), || {
        let root = info_span!("root");
        root.in_scope(|| drop(info_span!("folded")));
        let other = info_span!("other");
        reload.modify(|layer| *layer = None).unwrap();
        drop((root, other));
        drop(info_span!("after"));
    });
    let stats = handle.stats();
    assert_eq!(
        (stats.closed, stats.folded, stats.abandoned, stats.lost_with_parent),
        (1, 1, 2, 1),
        "{stats:?}"
    );
}

#[test]
fn what_a_thread_does_under_another_subscriber_leaves_its_own_spans_entered() {
    let (outer, inner) = (MemoryRig::new(), MemoryRig::new());
    outer.run(|| {
        let _root = info_span!("root").entered();
        // Registries number their spans alike.
        inner.run(|| info_span!("other").in_scope(|| info_span!("part").in_scope(|| ())));
        inner.run(|| drop(info_span!("other").entered()));
        info_span!("child").in_scope(|| drop(info_span!("grandchild")));
    });
    let documents = outer.documents();
    assert_eq!(documents.len(), 1);
    assert_eq!(documents[0]["subsegments"][0]["subsegments"][0]["name"], "grandchild");
    let others = inner.documents();
    assert_eq!((others.len(), &others[0]["subsegments"][0]["name"]), (2, &"part".into()));
}
