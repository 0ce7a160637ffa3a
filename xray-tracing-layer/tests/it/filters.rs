//! The default filter, filters of one's own, and filters beside the layer: what they hide, and what a hidden span means.

use tracing::level_filters::LevelFilter;
use tracing::{Dispatch, Level, error, event, info_span, span};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::prelude::*;
use tracing_subscriber::{EnvFilter, fmt, registry};
use xray_tracing_layer::{Diagnostic, XraySpanExt, current_trace_header};

use crate::stacking::collector;
use crate::support::{Rig, builder_for};

/// Whether spans of this file are told to be hidden. How many, depends on what ran in this process before.
fn tells_hidden_spans(diagnostics: &[Diagnostic]) -> bool {
    let hides = |d: &Diagnostic| matches!(d, Diagnostic::HiddenSpans { callsites: 1.., example } if example.contains("::"));
    diagnostics.iter().any(hides)
}

#[test]
fn a_global_filter_below_the_layer_that_hides_spans_is_told() {
    let collector = collector();
    let (layer, handle) = builder_for(&collector).build_with_handle().unwrap();
    let subscriber = registry().with(EnvFilter::new("trace,it::filters=warn")).with(layer);
    let rig = Rig::around(collector, handle, subscriber);
    rig.run(|| drop(info_span!("hidden below")));
    let diagnostics = rig.handle.diagnostics();
    assert!(tells_hidden_spans(&diagnostics), "{diagnostics:?}");
    assert!(diagnostics[0].to_string().contains("with_filter"), "{diagnostics:?}");
    assert_eq!(rig.handle.stats().closed, 0);
    rig.run(|| drop(tracing::warn_span!("seen")));
    rig.assert_picture("\n◆ shop\n");
}

#[test]
fn a_global_filter_above_the_layer_that_asks_anew_each_time_is_told() {
    let collector = collector();
    let (layer, handle) = builder_for(&collector).build_with_handle().unwrap();
    // Not by callsite: the layer hears of the callsite, and then never of a span.
    let hides_all = tracing_subscriber::filter::dynamic_filter_fn(|metadata, _| metadata.is_event());
    let subscriber = registry().with(layer).with(hides_all);
    let rig = Rig::around(collector, handle, subscriber);
    rig.run(|| drop(info_span!("hidden above")));
    let diagnostics = rig.handle.diagnostics();
    assert!(tells_hidden_spans(&diagnostics), "{diagnostics:?}");
}

#[test]
fn rust_log_as_a_filter_of_the_whole_subscriber_is_told_wherever_it_stands() {
    for above in [true, false] {
        let collector = collector();
        let (builder, global) = (builder_for(&collector), EnvFilter::new("warn"));
        let (dispatch, handle) = if above {
            let (layer, handle) = builder.build_with_handle().unwrap();
            (Dispatch::new(registry().with(layer).with(global)), handle)
        } else {
            let (layer, handle) = builder.build_with_handle().unwrap();
            (Dispatch::new(registry().with(global).with(layer)), handle)
        };
        let rig = Rig::around(collector, handle, dispatch);
        rig.run(|| drop(info_span!("hidden")));
        let told = rig.handle.diagnostics();
        let filter = |d: &Diagnostic| matches!(d, Diagnostic::GlobalFilter | Diagnostic::GlobalLevel(_));
        assert!(told.iter().any(filter), "above: {above}, {told:?}");
        assert!(told[0].to_string().contains("with_filter"), "it says what to do: {}", told[0]);
        assert_eq!(rig.handle.stats().closed, 0);
    }
}

#[test]
fn without_a_filter_everything_the_subscriber_lets_through_is_recorded() {
    let collector = collector();
    let (layer, handle) = builder_for(&collector).without_filter().build_with_handle().unwrap();
    let rig = Rig::around(collector, handle, registry().with(layer).with(LevelFilter::DEBUG));
    rig.run(|| {
        let _root = info_span!("root").entered();
        span!(target: "hyper::proto", Level::DEBUG, "hyper").in_scope(|| ());
        span!(Level::TRACE, "trace").in_scope(|| ());
    });
    rig.assert_picture("\n◆ shop\n└─ hyper\n");
}

#[test]
fn a_filter_of_ones_own_replaces_the_default() {
    let collector = collector();
    let filter = filter_fn(|metadata| metadata.name() != "health");
    let (layer, handle) = builder_for(&collector).filter(filter).build_with_handle().unwrap();
    let rig = Rig::around(collector, handle, registry().with(layer));
    rig.run(|| {
        let _root = info_span!("root").entered();
        info_span!("health").in_scope(|| ());
        span!(target: "tokio::task", Level::TRACE, "wanted").in_scope(|| ());
    });
    rig.assert_picture("\n◆ shop\n└─ wanted\n");
}

/// Spans of these targets, levels and names.
macro_rules! spans {
    ($(($target:literal, $level:ident, $name:literal)),* $(,)?) => {
        $( span!(target: $target, Level::$level, $name).in_scope(|| ()); )*
    };
}

#[test]
fn the_default_filter_lets_through_what_a_trace_needs_and_no_machinery() {
    let rig = Rig::new();
    rig.run(|| {
        let _root = info_span!("root").entered();
        spans![
            ("app", ERROR, "error"),
            ("app", WARN, "warn"),
            ("app", INFO, "info"),
            ("app", DEBUG, "no debug"),
            ("app", TRACE, "no trace"),
            ("aws_sdk_dynamodb::operation::query", DEBUG, "aws operation"),
            ("aws_sdk_dynamodb::operation::query", TRACE, "no aws trace"),
            ("aws_sdk_dynamodb::client", DEBUG, "no aws client"),
            ("tower_http::trace::make_span", DEBUG, "tower-http"),
            ("tower_http::trace::make_span", TRACE, "no tower-http trace"),
            ("otel::tracing", TRACE, "otel"),
            ("h2", INFO, "no h2"),
            ("h2::codec", ERROR, "no h2::codec"),
            ("hyper", INFO, "no hyper"),
            ("hyper::proto::h1", ERROR, "no hyper::proto"),
            ("hyper_util::client", INFO, "no hyper_util"),
            ("tokio", INFO, "no tokio"),
            ("tokio::task", INFO, "no tokio::task"),
            ("runtime::resource", INFO, "no runtime"),
            ("rustls::conn", INFO, "no rustls"),
            ("aws_smithy_runtime::client", INFO, "no smithy"),
            ("aws_config::imds", INFO, "no aws_config"),
            ("aws_smithy_http_client", INFO, "no smithy http"),
            ("tokio_postgres::query", INFO, "tokio_postgres"),
            ("h2o", INFO, "h2o"),
            ("hyperspace", INFO, "hyperspace"),
        ];
    });
    rig.assert_picture(
        "
◆ shop
├─ error
├─ warn
├─ info
├─ aws operation
├─ tower-http
├─ otel
├─ tokio_postgres
├─ h2o
└─ hyperspace
",
    );
}

#[test]
fn of_events_errors_count_and_what_libraries_tell_of_their_span() {
    let rig = Rig::new();
    rig.run(|| {
        let _root = info_span!("root").entered();
        span!(target: "tower_http::trace::make_span", Level::DEBUG, "request", method = "GET", uri = "/x").in_scope(|| {
            event!(target: "tower_http::trace::on_response", Level::DEBUG, latency = 1, status = 404, "finished");
        });
        span!(target: "aws_sdk_s3::operation::get_object", Level::DEBUG, "GetObject", rpc.system = "aws-api", rpc.service = "S3")
            .in_scope(|| event!(target: "aws_sdk_s3::operation::get_object", Level::DEBUG, request_id = "R1"));
        info_span!("warned").in_scope(|| {
            event!(Level::WARN, "careful");
            event!(target: "app::tower_http", Level::DEBUG, status = 500, "no");
        });
        info_span!("machinery").in_scope(|| event!(target: "hyper::proto", Level::ERROR, "no"));
        info_span!("failed").in_scope(|| event!(Level::ERROR, "yes"));
    });
    rig.assert_picture(
        "
◆ shop
├─ request  404 error
├─ S3 [aws]
├─ warned
├─ machinery
└─ failed  fault
",
    );
    assert_eq!(rig.document()["subsegments"][1]["aws"]["request_id"], "R1");
}

#[test]
fn a_span_that_is_filtered_out_is_transparent() {
    let collector = collector();
    let (layer, handle) = builder_for(&collector).build_with_handle().unwrap();
    // Somebody else wants those spans, so that they exist.
    let logs = fmt::layer().with_writer(std::io::sink);
    let rig = Rig::around(collector, handle, registry().with(layer).with(logs));
    rig.run(|| {
        let root = info_span!("root");
        let _root = root.enter();
        let quiet = tracing::debug_span!("quiet");
        let _quiet = quiet.enter();
        assert_eq!(current_trace_header(), root.trace_header(), "the nearest recorded ancestor's");
        quiet.annotate("lost", 1);
        quiet.record("x", 1);
        error!("reaches the root");
        let quieter = tracing::trace_span!("quieter");
        let inner = info_span!(parent: &quieter, "inner");
        inner.in_scope(|| info_span!("innermost").in_scope(|| ()));
        assert_eq!(quieter.trace_header(), root.trace_header());
    });
    rig.assert_picture("\n◆ shop  fault\n└─ inner\n   └─ innermost\n");
}

#[test]
fn beneath_filtered_spans_alone_a_span_is_a_root() {
    let collector = collector();
    let (layer, handle) = builder_for(&collector).build_with_handle().unwrap();
    let rig =
        Rig::around(collector, handle, registry().with(fmt::layer().with_writer(std::io::sink)).with(layer));
    rig.run(|| {
        let _quiet = tracing::debug_span!("quiet").entered();
        assert_eq!(current_trace_header(), None);
        info_span!("a").in_scope(|| ());
        info_span!("b").in_scope(|| ());
    });
    rig.assert_picture("\n◆ shop\n◆ shop\n");
}
