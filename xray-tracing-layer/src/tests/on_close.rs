//! The closure that is called for each span that closes.

use std::sync::{Arc, Mutex};

use serde_json::json;
use tracing::{Level, error, event, info_span};

use xray_sdk::sampling::{Sampler, SamplingRequest, SamplingResult};

use super::{Rig, SAMPLED, names};
use crate::{Builder, XraySpanExt};

type Shown = Arc<Mutex<Vec<String>>>;

/// Notes what is shown, and adds to it.
fn show(builder: Builder, shown: &Shown) -> Builder {
    let shown = Arc::clone(shown);
    builder.on_close(move |span| {
        let (micros, status, failed) = (span.duration().as_micros(), span.status(), span.has_failed());
        let kind = if span.is_segment() { "segment" } else { "subsegment" };
        shown.lock().unwrap().push(format!("{} {kind} {micros} {status:?} {failed}", span.name()));
        span.annotate("micros", micros as u64);
        span.add_metadata("", "trace", &span.trace_id().to_string());
        // Neither is recorded, nor shown: there would be no end.
        info_span!("of its own").in_scope(|| error!("of its own"));
    })
}

#[test]
fn each_span_is_shown_once_when_it_is_over_and_can_be_added_to() {
    let shown = Shown::default();
    let rig = Rig::new(|b| show(b, &shown));
    rig.run(|| {
        let root = info_span!("GET {}", http.response.status_code = 404).entered();
        rig.pass(10);
        info_span!("child").in_scope(|| {
            rig.pass(5);
            error!("failed");
        });
        event!(target: "sqlx::query", Level::DEBUG, summary = "select 1", elapsed_secs = 0.000_003);
        assert!(root.trace_header().is_some());
    });
    assert_eq!(
        *shown.lock().unwrap(),
        [
            "child subsegment 5 None true",
            "sqlx::query subsegment 3 None false",
            "GET {} segment 15 Some(404) true",
        ]
    );
    let sent = rig.sent();
    assert_eq!(names(&sent), ["shop"]);
    assert_eq!(sent[0]["annotations"], json!({"micros": 15}));
    assert_eq!(sent[0]["metadata"]["default"]["trace"], sent[0]["trace_id"]);
    let children = sent[0]["subsegments"].as_array().unwrap();
    assert_eq!(
        (&children[0]["annotations"], &children[1]["annotations"]),
        (&json!({"micros": 5}), &json!({"micros": 3}))
    );
}

#[test]
fn a_closure_that_panics_takes_nothing_with_it() {
    let rig = Rig::new(|b| {
        b.on_close(|span| {
            span.annotate("before", true);
            panic!("of the closure's own");
        })
    });
    rig.run(|| {
        let _root = info_span!("root").entered();
        drop(info_span!("child"));
        // Also where the thread panics already, and a second one would abort.
        let caught = std::panic::catch_unwind(|| {
            let _child = info_span!("child").entered();
            panic!("of the program's own");
        });
        assert!(caught.is_err());
    });
    let sent = rig.sent();
    assert_eq!(sent[0]["annotations"], json!({"before": true}));
    assert_eq!(sent[0]["subsegments"].as_array().map(Vec::len), Some(2));
    let stats = rig.handle.stats();
    assert_eq!((stats.closed, stats.folded, stats.emitted), (3, 2, 1));
}

#[test]
fn spans_that_are_not_recorded_are_not_shown() {
    let shown = Shown::default();
    let rig = Rig::new(|b| show(b.sampler(xray_sdk::sampling::Never), &shown));
    rig.run(|| drop(info_span!("root")));
    assert!(shown.lock().unwrap().is_empty());
}

#[test]
fn in_lambda_a_span_that_departs_is_shown_before_and_not_again() {
    let shown = Shown::default();
    let rig = Rig::new(|b| show(b.lambda(|| SAMPLED.parse().ok()), &shown));
    rig.run(|| {
        let handler = info_span!("handler");
        handler.in_scope(|| rig.pass(7));
        crate::layer::find::with_core(&handler, crate::lifecycle::core::Core::emit_early);
        assert_eq!(*shown.lock().unwrap(), ["handler subsegment 7 None false"]);
        assert_eq!(rig.sent()[0]["annotations"], json!({"micros": 7}));
        handler.in_scope(|| drop(info_span!("late")));
    });
    assert_eq!(shown.lock().unwrap().len(), 2, "the late one, and nothing of the handler again");
    let stats = rig.handle.stats();
    assert_eq!(stats.closed, stats.folded + stats.emitted + stats.dropped);
}

#[test]
fn fields_are_read_whatever_they_are_in_the_document() {
    let seen = Shown::default();
    let rig = Rig::new(|b| {
        let seen = Arc::clone(&seen);
        b.annotate(["tenant"]).on_close(move |span| {
            for name in [
                "tenant",
                "order.id",
                "text",
                "list.size",
                "http.request.method",
                "url.path",
                "server.address",
                "http.response.status_code",
                "db.query.text",
                "late",
                "metadata.cart.items",
                "annotation.extra",
                "extra",
                "absent",
                "password",
                "empty",
            ] {
                let value = span.field(name).map_or_else(|| "-".to_owned(), std::borrow::Cow::into_owned);
                seen.lock().unwrap().push(format!("{name}={value}"));
            }
        })
    });
    rig.run(|| {
        let span = info_span!(
            "work",
            tenant = "blue",
            order.id = 7,
            text = "a \"quoted\"\nline",
            list.size = 2.5,
            http.request.method = "GET",
            url.path = "/a",
            server.address = "h.example",
            http.response.status_code = 404,
            db.query.text = "SELECT 1",
            late = tracing::field::Empty,
            password = "secret",
            empty = tracing::field::Empty,
        );
        span.record("late", true);
        span.add_metadata("cart", "items", &[1, 2]);
        span.annotate("extra", 5);
    });
    assert_eq!(
        *seen.lock().unwrap(),
        [
            "tenant=blue",
            "order.id=7",
            "text=a \"quoted\"\nline",
            "list.size=2.5",
            "http.request.method=GET",
            "url.path=/a",
            "server.address=h.example",
            "http.response.status_code=404",
            "db.query.text=SELECT ?",
            "late=true",
            "metadata.cart.items=[1,2]",
            "annotation.extra=5",
            "extra=5",
            "absent=-",
            "password=-",
            "empty=-",
        ]
    );
}

#[test]
fn a_span_gets_another_name_other_fields_and_another_status() {
    let rig = Rig::new(|b| {
        b.on_close(|span| {
            assert!(span.remove_field("card") && !span.remove_field("card"));
            assert!(span.remove_field("annotation.tenant") && !span.remove_field("absent"));
            assert_eq!(span.field("card"), None);
            let name = format!("{} {}", span.name(), span.field("route").unwrap_or_default());
            span.rename(&name);
            span.set_status(503);
            assert!(span.has_failed() && span.status() == Some(503));
        })
    });
    rig.run(|| {
        let open = || info_span!("call", card = "4111", annotation.tenant = "blue", route = "/a?b", kept = 1);
        let _root = open().entered();
        drop(open());
    });
    let sent = rig.sent();
    let child = &sent[0]["subsegments"][0];
    assert_eq!((&sent[0]["name"], &child["name"]), (&json!("shop"), &json!("call /a_b")));
    assert_eq!(sent[0]["metadata"]["default"]["operation"], "call /a?b");
    for document in [&sent[0], child] {
        assert_eq!(
            (&document["fault"], &document["http"]["response"]["status"]),
            (&json!(true), &json!(503))
        );
        assert_eq!(document["metadata"]["default"]["kept"], 1);
        assert!(document["metadata"]["default"].get("card").is_none());
        assert!(document.get("annotations").is_none());
    }
}

#[test]
fn a_name_that_is_too_long_is_cut_and_one_that_is_empty_ignored_and_both_are_counted() {
    for (name, child, operation, (cut, dropped)) in [
        ("é".repeat(200), "é".repeat(200), "é".repeat(125), (1, 0)),
        ("x".repeat(201), "x".repeat(200), "x".repeat(201), (1, 0)),
        ("x".repeat(300), "x".repeat(200), "x".repeat(250), (2, 0)),
        (String::new(), "child".to_owned(), "root".to_owned(), (0, 2)),
        (" \t".to_owned(), "child".to_owned(), "root".to_owned(), (0, 2)),
    ] {
        let new = name.clone();
        let rig = Rig::new(|b| b.on_close(move |span| span.rename(&new)));
        rig.run(|| info_span!("root").in_scope(|| drop(info_span!("child"))));
        let sent = rig.sent();
        assert_eq!(sent[0]["subsegments"][0]["name"], child, "{name:?}");
        assert_eq!(sent[0]["metadata"]["default"]["operation"], operation, "{name:?}");
        let stats = rig.handle.stats();
        assert_eq!((stats.values_cut, stats.values_dropped), (cut, dropped), "{name:?}");
    }
    // By a field as well.
    let rig = Rig::new(|b| b);
    rig.run(|| info_span!("root").in_scope(|| drop(info_span!("child", otel.name = "x".repeat(201)))));
    assert_eq!(rig.handle.stats().values_cut, 1);
}

#[test]
fn a_panic_after_the_drop_keeps_the_span_and_is_counted() {
    let rig = Rig::new(|b| {
        b.on_close(|span| {
            span.drop_span();
            panic!("of the closure's own");
        })
    });
    rig.run(|| drop(info_span!("root")));
    assert_eq!(rig.sent().len(), 1);
    assert_eq!(rig.handle.stats().caught_panics, 1);
}

#[test]
fn a_span_that_ends_early_is_read_changed_and_left_out_as_any() {
    let rig = Rig::new(|b| {
        b.lambda(|| SAMPLED.parse().ok()).on_close(|span| match span.name() {
            "handler" => {
                assert_eq!(span.field("tenant").as_deref(), Some("blue"));
                assert!(span.remove_field("tenant"));
                assert_eq!(span.field("tenant"), None);
                span.rename("order");
                span.set_status(404);
                assert_eq!((span.status(), span.has_failed()), (Some(404), true));
            }
            "ping" => span.drop_span(),
            _ => {}
        })
    });
    let end_early = |span: &tracing::Span| {
        crate::layer::find::with_core(span, crate::lifecycle::core::Core::emit_early);
    };
    rig.run(|| {
        let handler = info_span!("handler", tenant = "blue", kept = 1);
        handler.in_scope(|| rig.pass(7));
        end_early(&handler);
        let sent = rig.sent();
        assert_eq!((&sent[0]["name"], &sent[0]["error"]), (&json!("order"), &json!(true)));
        assert_eq!(sent[0]["metadata"]["default"], json!({"kept": 1}));
        let ping = info_span!("ping");
        end_early(&ping);
        ping.in_scope(|| drop(info_span!("late")));
        drop(ping);
        assert_eq!(names(&rig.sent()), ["late"], "it belongs to what is around");
    });
    let stats = rig.handle.stats();
    assert_eq!((stats.left_out, stats.late_decisions), (1, 0));
    assert_eq!(stats.closed, stats.folded + stats.emitted + stats.dropped);
}

#[test]
fn a_redaction_hook_or_sampler_that_panics_is_counted_and_its_value_is_not_sent() {
    struct Panics;
    impl Sampler for Panics {
        fn sample(&self, _: &SamplingRequest<'_>) -> SamplingResult {
            panic!("of the sampler")
        }
    }
    let rig = Rig::new(|b| {
        b.redact(|field, value| if field == "card" { panic!("of the hook") } else { value.into() })
    });
    rig.run(|| drop(info_span!("root", card = "hunter2", order = 7)));
    assert_eq!(rig.handle.stats().caught_panics, 1);
    let sent = rig.sent();
    assert_eq!(sent[0]["metadata"]["default"]["card"], "…");
    assert_eq!(sent[0]["metadata"]["default"]["order"], 7);
    let rig = Rig::new(|b| b.sampler(Panics));
    rig.run(|| drop(info_span!("root")));
    let stats = rig.handle.stats();
    assert_eq!((stats.caught_panics, stats.unsampled, rig.sent().len()), (1, 1, 0));
}

#[test]
fn the_parts_of_a_url_are_shown_beside_the_whole() {
    let shown = Shown::default();
    let rig = Rig::new(|b| {
        let shown = Arc::clone(&shown);
        b.on_close(move |span| {
            let fields = ["url.full", "server.address", "server.port"].map(|name| span.field(name));
            shown.lock().unwrap().push(format!("{fields:?}"));
        })
    });
    rig.run(|| {
        let _root = info_span!("root").entered();
        info_span!(
            "call",
            otel.kind = "client",
            url.full = "http://stock.example:8080/pieces/7",
            server.address = "stock.example",
            server.port = 8080_u64,
        );
    });
    let expected = r#"[Some("http://stock.example:8080/pieces/7"), Some("stock.example"), Some("8080")]"#;
    assert_eq!(shown.lock().unwrap()[0], expected);
}
