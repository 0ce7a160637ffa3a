//! Inside of a span that is not recorded: nothing is, but what has nothing to do with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::mpsc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tracing::field::Empty;
use tracing::{Span, error, info_span, trace_span};
use xray_sdk::sampling::Never;
use xray_sdk::{SamplingDecision, TraceHeader};
use xray_tracing_layer::{Builder, XraySpanExt, current_trace_header};

use crate::support::MemoryRig;

const SAMPLED: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";

fn unsampled() -> Span {
    info_span!("unsampled", xray.sampled = false)
}

/// The names of the segments and of what is directly inside of each.
fn shape(documents: &[Value]) -> Vec<(String, Vec<String>)> {
    let name = |document: &Value| document["name"].as_str().unwrap().to_owned();
    let operation = |document: &Value| {
        document["metadata"]["default"]["operation"].as_str().map_or_else(|| name(document), str::to_owned)
    };
    let inside =
        |document: &Value| document["subsegments"].as_array().into_iter().flatten().map(name).collect();
    documents.iter().map(|document| (operation(document), inside(document))).collect()
}

#[test]
fn nothing_is_recorded_and_the_decision_goes_on() {
    let rig = MemoryRig::new();
    rig.run(|| {
        let root = unsampled().entered();
        let roots = root.trace_header().unwrap();
        for _ in 0..3 {
            let child = info_span!("child", order = 7).entered();
            error!("no luck");
            child.record("order", 8);
            let header = current_trace_header().unwrap();
            assert_eq!((header.root(), header.sampled()), (roots.root(), SamplingDecision::NotSampled));
            let _grandchild = info_span!("grandchild").entered();
            assert_eq!(current_trace_header(), Some(header));
        }
    });
    assert_eq!(rig.documents(), [Value::Null; 0]);
    let stats = rig.handle.stats();
    assert_eq!((stats.closed, stats.unsampled, stats.abandoned), (0, 1, 0));
}

#[test]
fn what_comes_after_it_is_recorded_whatever_the_order_of_exits() {
    let rig = MemoryRig::new();
    rig.run(|| {
        let quiet = unsampled();
        let first = quiet.enter();
        let again = quiet.enter();
        drop(info_span!("not recorded"));
        drop(first);
        drop(info_span!("not recorded"));
        let other = info_span!(parent: None, "other");
        let inside = other.enter();
        drop(again);
        drop(info_span!("inside"));
        drop(inside);
        drop(other);
        drop(info_span!("next"));
    });
    assert_eq!(shape(&rig.documents()), [("other".into(), vec!["inside".into()]), ("next".into(), vec![])]);
}

#[test]
fn a_recorded_span_that_is_entered_there_goes_on_with_its_own() {
    let rig = MemoryRig::new();
    rig.run(|| {
        let recorded = info_span!("recorded");
        let _quiet = unsampled().entered();
        drop(info_span!("not recorded"));
        recorded.in_scope(|| {
            drop(info_span!("one"));
            error!("no luck");
            let _inner = unsampled().entered();
            drop(info_span!("not recorded"));
        });
        drop(info_span!("not recorded"));
        drop(info_span!(parent: &recorded, "two"));
        drop(info_span!("not recorded"));
    });
    let documents = rig.documents();
    assert_eq!(shape(&documents), [("recorded".into(), vec!["one".into(), "two".into()])]);
    assert_eq!(documents[0]["cause"]["exceptions"][0]["message"], "no luck");
}

#[test]
fn a_span_that_moves_to_another_thread_stays_what_it_was() {
    let rig = MemoryRig::new();
    let (child, header) = rig.run(|| {
        let _root = unsampled().entered();
        (info_span!("child"), current_trace_header())
    });
    std::thread::scope(|scope| {
        scope.spawn(|| {
            rig.run(|| {
                let _child = child.entered();
                let _grandchild = info_span!("grandchild").entered();
                assert_eq!(current_trace_header(), header);
            });
        });
    });
    assert_eq!(rig.documents(), [Value::Null; 0]);
}

#[test]
fn a_header_that_comes_late_opens_it_and_one_that_comes_too_late_is_counted() {
    let rig = MemoryRig::new();
    let header: TraceHeader = SAMPLED.parse().unwrap();
    rig.run(|| {
        // Another thread brings it while this one is in the span.
        let root = unsampled().entered();
        std::thread::scope(|scope| {
            scope.spawn(|| rig.run(|| root.set_trace_header(&header)));
        });
        drop(info_span!("child"));
    });
    rig.run(|| {
        let root = unsampled().entered();
        drop(info_span!("child"));
        root.set_trace_header(&header);
        drop(info_span!("child"));
    });
    assert_eq!(shape(&rig.documents()), [("unsampled".into(), vec!["child".into()])]);
    assert_eq!(rig.handle.stats().late_headers, 1);
}

#[test]
fn an_id_that_comes_back_is_not_taken_for_the_span_that_had_it() {
    let rig = MemoryRig::new();
    let (send, receive) = mpsc::channel::<Span>();
    let (done, is_done) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let done = done;
            rig.run(|| {
                for span in receive {
                    span.in_scope(|| drop(info_span!("inside")));
                    drop(span);
                    done.send(()).unwrap();
                }
            });
        });
        rig.run(|| {
            let send = send;
            // Closed here, so that the next span gets its place.
            let elsewhere = |span: Span| {
                send.send(span.clone()).unwrap();
                is_done.recv().unwrap();
                span.id()
            };
            let id = elsewhere(unsampled());
            // The other thread knows it as unsampled. In the meantime its id comes back.
            let again = (0..20_000).find_map(|_| {
                let span = info_span!("recorded");
                (span.id() == id).then_some(span)
            });
            elsewhere(again.expect("the registry has other ids now: look when they come back"));
        });
    });
    let documents = shape(&rig.documents());
    assert_eq!(documents.last(), Some(&("recorded".into(), vec!["inside".into()])));
}

#[expect(clippy::disallowed_methods, reason = "it is the wall clock that the document has to agree with")]
#[test]
fn a_span_that_is_forced_there_begins_when_it_is_and_takes_what_is_inside() {
    let rig = MemoryRig::new();
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    let began = now();
    let trace = rig.run(|| {
        let root = unsampled().entered();
        let outer = info_span!("outer").entered();
        let kept = info_span!("kept").entered();
        kept.force_sampling(true);
        kept.annotate("order", 7);
        assert_eq!(kept.trace_header().unwrap().sampled(), SamplingDecision::Sampled);
        drop(info_span!("inside"));
        drop(kept);
        drop(info_span!("not recorded"));
        drop(outer);
        root.trace_header().unwrap().root()
    });
    let documents = rig.documents();
    assert_eq!(shape(&documents), [("kept".into(), vec!["inside".into()])]);
    assert_eq!(documents[0]["trace_id"], trace.to_string());
    assert_eq!(documents[0]["annotations"]["order"], 7);
    let start = documents[0]["start_time"].as_f64().unwrap();
    assert!((began - 1.0..now() + 1.0).contains(&start), "{start} is not now");
}

#[test]
fn a_span_that_the_filter_rejects_can_not_be_forced() {
    let rig = MemoryRig::new();
    rig.run(|| {
        let _root = unsampled().entered();
        let rejected = trace_span!("rejected");
        rejected.force_sampling(true);
        rejected.in_scope(|| drop(info_span!("inside")));
    });
    assert_eq!(rig.documents(), [Value::Null; 0]);
    let root = rig.run(|| info_span!("next"));
    drop(root);
    assert_eq!(shape(&rig.documents()), [("next".into(), vec![])]);
    assert_eq!(rig.handle.stats().abandoned, 0);
}

#[test]
fn one_layers_silence_is_not_anothers() {
    let (quiet, loud) = (MemoryRig::new(), MemoryRig::new());
    let root = quiet.run(unsampled);
    quiet.run(|| {
        let _root = root.enter();
        loud.run(|| drop(info_span!("loud")));
        drop(info_span!("not recorded"));
    });
    assert_eq!(quiet.documents(), [Value::Null; 0]);
    assert_eq!(shape(&loud.documents()), [("loud".into(), vec![])]);
}

/// A root of all sorts of fields, some of them told later.
fn rich_root() -> Span {
    let err = std::io::Error::other("no luck");
    let root = info_span!(
        "GET /orders",
        otel.kind = "server",
        http.request.method = "GET",
        url.full = "https://me:secret@shop.example/orders?q=1",
        user_agent.original = %"curl \"8\"",
        http.response.status_code = Empty,
        error = &err as &dyn std::error::Error,
        order = 7_u64,
        change = -7,
        share = 0.5,
        fresh = true,
        lines = ?["one", "two"],
        user.id = "anna",
        annotation.tier = "gold",
        annotation.seats = 3,
        note = "ü".repeat(20_000),
        place = "first",
    );
    root.record("http.response.status_code", 503);
    root.record("place", "second");
    root
}

/// The only document, without what differs from one to the next.
fn settled(rig: &MemoryRig) -> Value {
    let mut documents = rig.documents();
    assert_eq!(documents.len(), 1, "{documents:?}");
    let mut document = documents.remove(0);
    for key in ["id", "trace_id", "parent_id", "start_time", "end_time"] {
        document.as_object_mut().unwrap().remove(key);
    }
    document["cause"]["exceptions"][0].as_object_mut().unwrap().remove("id");
    document
}

#[test]
fn fields_are_the_same_whether_they_are_written_at_once_or_when_the_span_is_recorded_after_all() {
    let redacted = |builder: Builder| {
        builder.redact(|field, value| match field {
            "user.id" => "somebody".into(),
            _ => value.into(),
        })
    };
    for change in [|builder| builder, redacted] as [fn(Builder) -> Builder; 2] {
        let at_once = MemoryRig::with(change);
        at_once.run(|| drop(rich_root()));
        let expected = settled(&at_once);
        assert_eq!(expected["http"]["response"]["status"], 503);
        assert_eq!(expected["metadata"]["default"]["place"], "second");
        assert_eq!(expected["metadata"]["default"]["order"], 7);

        let header: TraceHeader = SAMPLED.parse().unwrap();
        let told: [&dyn Fn(&Span); 2] =
            [&|root| root.set_trace_header(&header), &|root| root.force_sampling(true)];
        for tell in told {
            let late = MemoryRig::with(|builder| change(builder).sampler(Never));
            late.run(|| tell(&rich_root()));
            assert_eq!(settled(&late), expected);
            assert_eq!(late.handle.stats().values_cut, at_once.handle.stats().values_cut);
        }
    }
}

#[test]
fn nothing_is_asked_of_the_users_code_for_what_is_not_recorded() {
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let rig = MemoryRig::with(|builder| {
        builder.sampler(Never).redact(move |_, value| {
            count.fetch_add(1, Relaxed);
            value.into()
        })
    });
    rig.run(|| drop(info_span!("GET /orders", url.full = "https://shop.example/", order = 7)));
    assert_eq!(asked.load(Relaxed), 0);
    assert_eq!(rig.documents(), [Value::Null; 0]);
}

#[test]
fn a_field_that_no_document_has_is_not_asked_for_its_text() {
    struct Headers(Arc<AtomicU32>);
    impl std::fmt::Debug for Headers {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            self.0.fetch_add(1, Relaxed);
            f.write_str("{}")
        }
    }
    let headers = Headers(Arc::default());
    for change in [|builder: Builder| builder.sampler(Never), |builder| builder] {
        let rig = MemoryRig::with(change);
        rig.run(|| {
            drop(info_span!(target: "tower_http::trace::make_span", "request", method = "GET", headers = ?headers));
        });
    }
    assert_eq!(headers.0.load(Relaxed), 0);
}
