//! The closure that is called for each span that closes.

use std::sync::{Arc, Mutex};

use serde_json::json;
use tracing::{Level, error, event, info_span};

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
