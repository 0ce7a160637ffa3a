//! What the environment says about a layer, and what the layer makes of it.

use std::time::Duration;

use tracing::info_span;
use xray_sdk::local::Collector;
use xray_sdk::sampling::Never;

use super::Rig;
use crate::builder::env_tests::environment;
use crate::{Builder, ContextMissing, Diagnostic, current_trace_header};

fn rig(variables: &[(&str, &str)], change: impl FnOnce(Builder) -> Builder) -> Rig {
    Rig::new(|builder| change(builder).environment(environment(variables)))
}

fn root_and_child() -> bool {
    let _root = info_span!("root").entered();
    let _child = info_span!("child").entered();
    current_trace_header().is_some()
}

#[test]
fn a_layer_that_is_off_records_nothing_and_the_environment_goes_before_code() {
    for (variables, enabled, on) in [
        (&[][..], true, true),
        (&[], false, false),
        (&[("AWS_XRAY_SDK_ENABLED", "false")], true, false),
        (&[("AWS_XRAY_SDK_ENABLED", "true")], false, true),
        (&[("AWS_XRAY_SDK_DISABLED", "true")], true, false),
        (&[("AWS_XRAY_SDK_DISABLED", "true"), ("AWS_XRAY_SDK_ENABLED", "true")], true, false),
        (&[("AWS_XRAY_SDK_DISABLED", "false")], false, false),
        (&[("AWS_XRAY_SDK_ENABLED", "perhaps")], true, true),
    ] {
        let rig = rig(variables, |builder| builder.enabled(enabled));
        assert_eq!(rig.run(root_and_child), on, "{variables:?} {enabled}");
        assert_eq!(rig.sent().len(), usize::from(on), "{variables:?} {enabled}");
        assert_eq!(rig.handle.stats().closed, if on { 2 } else { 0 });
    }
}

#[test]
fn the_environments_name_and_address_go_before_those_in_code() {
    let collector = Collector::start().unwrap();
    let address = collector.daemon_address();
    let variables = [("AWS_XRAY_TRACING_NAME", "from env"), ("AWS_XRAY_DAEMON_ADDRESS", &address)];
    let (layer, _handle) = crate::builder()
        .service_name("from code")
        .daemon_address("127.0.0.1:9")
        .sampler(xray_sdk::sampling::Always)
        .environment(environment(&variables))
        .build_with_handle::<tracing_subscriber::Registry>()
        .unwrap();
    let subscriber = tracing_subscriber::layer::SubscriberExt::with(tracing_subscriber::registry(), layer);
    tracing::subscriber::with_default(subscriber, root_and_child);
    assert!(collector.wait_for_documents(1, Duration::from_secs(10)));
    assert_eq!(collector.received().documents()[0].name(), "from env");

    let bad_code = crate::builder()
        .daemon_address("nonsense")
        .environment(environment(&variables))
        .build::<tracing_subscriber::Registry>();
    assert!(bad_code.is_err(), "an error in code is told, although the environment has a good address");
}

#[test]
fn calls_outside_of_a_segment_are_what_the_strategy_makes_of_them() {
    use ContextMissing::{Count, Ignore, MakeSegment};
    for (text, code, sent, counted) in [
        ("", MakeSegment, 1, 1),
        ("", Ignore, 0, 0),
        ("", Count, 0, 1),
        ("LOG_ERROR", Ignore, 1, 1),
        ("ignore_error", Count, 0, 0),
        ("RUNTIME_ERROR", MakeSegment, 0, 1),
        ("PANIC", Ignore, 0, 0),
    ] {
        let rig = rig(&[("AWS_XRAY_CONTEXT_MISSING", text)], |builder| builder.context_missing(code));
        rig.run(|| {
            let call = info_span!("call", otel.kind = "client").entered();
            drop(info_span!("inside"));
            assert_eq!(current_trace_header().is_some(), sent == 1, "{text} {code:?}");
            drop(call);
        });
        assert_eq!(rig.sent().len(), sent, "{text} {code:?}");
        assert_eq!(rig.handle.stats().context_missing, counted, "{text} {code:?}");
        let told = rig.handle.diagnostics().contains(&Diagnostic::ContextMissing(1));
        assert_eq!(told, counted == 1, "{text} {code:?}");
    }
}

#[test]
fn what_is_part_of_something_or_no_call_is_never_missing_its_context() {
    let rig = rig(&[], |builder| builder.context_missing(ContextMissing::Count));
    rig.run(|| {
        info_span!("root").in_scope(|| drop(info_span!("call", otel.kind = "client")));
        drop(info_span!("consumer", otel.kind = "consumer"));
        let header = "Root=1-66f1a2b3-0123456789abcdef01234567;Parent=53995c3f42cd8ad8;Sampled=1";
        drop(info_span!("continued", otel.kind = "client", xray.trace_header = header));
        drop(info_span!("forced", otel.kind = "client", xray.sampled = true));
    });
    assert_eq!(rig.sent().len(), 4);
    assert_eq!(rig.handle.stats().context_missing, 0);
}

#[test]
fn empty_values_are_as_if_absent() {
    let variables = [
        ("AWS_XRAY_DAEMON_ADDRESS", ""),
        ("AWS_XRAY_TRACING_NAME", " "),
        ("AWS_XRAY_SDK_ENABLED", ""),
        ("AWS_XRAY_CONTEXT_MISSING", ""),
    ];
    let rig = rig(&variables, |builder| builder);
    assert!(rig.run(root_and_child));
    assert_eq!(rig.sent().len(), 1, "the address in code counts");
    assert_eq!((rig.handle.stats().bad_settings, rig.handle.diagnostics()), (0, vec![]));
}

#[test]
fn bad_values_are_passed_over_counted_and_told() {
    let rig = rig(
        &[
            ("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1"),
            ("AWS_XRAY_CONTEXT_MISSING", "EXPLODE"),
            ("AWS_XRAY_SDK_ENABLED", "si"),
            ("AWS_XRAY_DEBUG_MODE", "1"),
        ],
        |builder| builder,
    );
    assert!(rig.run(root_and_child));
    assert_eq!(rig.sent().len(), 1);
    assert_eq!(rig.handle.stats().bad_settings, 3, "a variable without effect is not a bad one");
    let told: Vec<String> = rig.handle.diagnostics().iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "AWS_XRAY_DAEMON_ADDRESS=\"127.0.0.1\" is not used: daemon address \"127.0.0.1\" has no port, expected `host:port`",
            "AWS_XRAY_SDK_ENABLED=\"si\" is not used: it is neither true nor false",
            "AWS_XRAY_CONTEXT_MISSING=\"EXPLODE\" is not used: it is none of LOG_ERROR, IGNORE_ERROR and \
             RUNTIME_ERROR",
            "AWS_XRAY_DEBUG_MODE has no effect: the layer writes no log; what it would say is in \
             Handle::diagnostics",
        ]
    );
}

#[test]
fn sql_text_is_left_out_on_demand_and_versions_are_put_in() {
    for (text, drop_in_code, kept) in
        [("", false, true), ("", true, false), ("true", true, true), ("0", false, false)]
    {
        let variables = [
            ("AWS_XRAY_COLLECT_SQL_QUERIES", text),
            ("POSTGRES_DATABASE_VERSION", "17.2"),
            ("MYSQL_DRIVER_VERSION", "9"),
        ];
        let rig = rig(&variables, |b| if drop_in_code { b.without_sql_text() } else { b });
        rig.run(|| {
            let _root = info_span!("root").entered();
            drop(info_span!("query", db.system = "postgresql", db.query.text = "select 1"));
        });
        let sent = rig.sent();
        let call = &sent[0]["subsegments"][0];
        assert_eq!(call["sql"].get("sanitized_query").is_some(), kept, "{text:?} {drop_in_code}");
        assert_eq!(call["namespace"], "remote");
        assert_eq!(call["sql"]["database_version"], "17.2");
        assert!(call["sql"].get("driver_version").is_none());
    }
}

#[test]
fn traces_that_are_not_sampled_have_ids_unless_zeros_are_asked_for() {
    for (text, zeros) in [("", false), ("false", false), ("TRUE", true)] {
        let rig = rig(&[("AWS_XRAY_NOOP_ID", text)], |builder| builder.sampler(Never));
        rig.run(|| {
            let root = info_span!("root").entered();
            let header = current_trace_header().unwrap().to_string();
            let zero = "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0";
            assert_eq!(header == zero, zeros, "{text:?}: {header}");
            drop(root);
            let kept = info_span!("kept");
            crate::XraySpanExt::force_sampling(&kept, true);
        });
        let sent = rig.sent();
        assert_eq!(sent.len(), 1);
        assert_ne!(sent[0]["trace_id"], "1-00000000-000000000000000000000000");
        assert_ne!(sent[0]["id"], "0000000000000000");
    }
}

#[test]
fn a_trace_that_is_kept_at_its_end_has_ids_although_zeros_are_asked_for() {
    let sampler = xray_sdk::sampling::KeepSlowAndFailed::new(Never);
    let rig = rig(&[("AWS_XRAY_NOOP_ID", "true")], |builder| builder.sampler(sampler));
    rig.run(|| info_span!("root").in_scope(|| tracing::error!("refused")));
    let sent = rig.sent();
    assert_ne!(sent[0]["id"], "0000000000000000");
    assert_ne!(sent[0]["trace_id"], "1-00000000-000000000000000000000000");
}

#[test]
fn the_default_sampler_records_everything_where_the_environment_asks_for_it() {
    for (text, never, sent) in [("1", false, 20), ("true", true, 0), ("", true, 0)] {
        let variables = [("XRAY_LOCAL_SAMPLE_ALL", text)];
        let (emitter, layer) = (super::MemoryEmitter::new(), crate::builder());
        let layer = layer.emitter(emitter.clone()).environment(environment(&variables));
        let layer = if never { layer.sampler(Never) } else { layer };
        let (layer, _handle) = layer.build_with_handle::<tracing_subscriber::Registry>().unwrap();
        let subscriber =
            tracing_subscriber::layer::SubscriberExt::with(tracing_subscriber::registry(), layer);
        tracing::subscriber::with_default(subscriber, || {
            (0..20).for_each(|_| drop(info_span!("root").entered()));
        });
        assert_eq!(emitter.received().documents().len(), sent, "{text} {never}");
    }
}
