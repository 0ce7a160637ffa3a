//! What spans become, as pictures.

use std::io;

use serde_json::Value;
use tracing::field::Empty;
use tracing::{Span, error, info_span};
use xray_sdk::sampling::Never;
use xray_tracing_layer::{XraySpanExt, current_trace_header};

use crate::support::{Rig, document_of};

/// Compares pictures without caring for the indentation of the expected one.
#[track_caller]
fn assert_picture(rig: &Rig, expected: &str) {
    let expected: Vec<_> = expected.lines().map(|line| line.trim().trim_start_matches('.')).collect();
    let picture = rig.picture();
    let lines: Vec<_> = picture.lines().map(str::trim_end).collect();
    assert_eq!(lines.join("\n"), expected.join("\n").trim());
}

#[test]
fn a_root_is_a_segment_and_what_is_inside_are_its_subsegments() {
    let rig = Rig::new();
    rig.run(|| {
        let root = info_span!("GET /orders/{id}", http.response.status_code = Empty);
        let _in = root.enter();
        info_span!("load", annotation.tenant = "blue").in_scope(|| drop(info_span!("cache")));
        drop(info_span!(
            "query",
            db.system = "postgresql",
            db.namespace = "orders",
            server.address = "db.example"
        ));
        root.record("http.response.status_code", 200);
    });
    assert_picture(
        &rig,
        "◆ shop  200 ok
         ├─ load  tenant=blue
         │  └─ cache
         └─ orders@db.example [remote]",
    );
    assert_eq!(rig.received().documents().len(), 1, "one request is one document");
}

#[test]
fn each_root_is_a_trace_of_its_own() {
    let rig = Rig::new();
    rig.run(|| {
        let _outer = info_span!("outer").entered();
        drop(info_span!(parent: None, "other"));
    });
    let received = rig.received();
    assert_eq!(received.traces().len(), 2);
    let names: Vec<_> =
        received.documents().iter().map(|d| d.json()["metadata"]["default"]["operation"].clone()).collect();
    assert_eq!(names, ["other", "outer"]);
}

#[test]
fn an_explicit_parent_goes_before_the_current_span() {
    let rig = Rig::new();
    rig.run(|| {
        let root = info_span!("root");
        let first = info_span!(parent: &root, "first");
        let _in = info_span!(parent: &root, "second").entered();
        drop(info_span!(parent: &first, "child"));
        drop(first);
    });
    assert_picture(
        &rig,
        "◆ shop
         ├─ first
         │  └─ child
         └─ second",
    );
}

#[test]
fn an_error_event_is_an_exception_with_its_place_and_its_chain_of_sources() {
    let rig = Rig::new();
    rig.run(|| {
        let _root = info_span!("root").entered();
        let err = io::Error::new(io::ErrorKind::TimedOut, io::Error::other("socket gone"));
        info_span!("call").in_scope(|| error!(error = &err as &dyn std::error::Error, order = 7, "gave up"));
    });
    let received = rig.received();
    let call = &received.documents()[0].json()["subsegments"][0];
    assert_eq!(call["fault"], true);
    assert!(received.documents()[0].json().get("fault").is_none(), "a parent is judged for itself");
    let exceptions = call["cause"]["exceptions"].as_array().unwrap();
    let messages: Vec<_> =
        exceptions.iter().map(|e| (e["type"].as_str().unwrap(), e["message"].as_str().unwrap())).collect();
    assert_eq!(messages, [("TimedOut", "socket gone"), ("Error", "gave up order=7")]);
    assert_eq!(
        exceptions[1]["cause"], exceptions[0]["id"],
        "the event's message names the error as its cause"
    );
    let frame = &exceptions[0]["stack"][0];
    assert!(frame["path"].as_str().unwrap().ends_with("placement.rs"), "{frame}");
    assert!(frame["line"].as_u64().unwrap() > 0);
}

#[test]
fn a_chain_of_sources_is_linked_from_effect_to_cause() {
    #[derive(Debug)]
    struct Checkout(Payment);
    #[derive(Debug)]
    struct Payment(io::Error);
    impl std::fmt::Display for Checkout {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("checkout failed")
        }
    }
    impl std::fmt::Display for Payment {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("payment refused")
        }
    }
    impl std::error::Error for Checkout {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }
    impl std::error::Error for Payment {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }
    let rig = Rig::new();
    rig.run(|| {
        let root = info_span!("root");
        root.record_error(&Checkout(Payment(io::ErrorKind::ConnectionRefused.into())));
    });
    let received = rig.received();
    let exceptions = received.documents()[0].json()["cause"]["exceptions"].as_array().unwrap();
    let seen: Vec<_> =
        exceptions.iter().map(|e| (e["type"].as_str().unwrap(), e["message"].as_str().unwrap())).collect();
    assert_eq!(seen[..2], [("Checkout", "checkout failed"), ("Payment", "payment refused")]);
    assert_eq!(seen[2].1, "connection refused");
    assert_eq!(exceptions[0]["cause"], exceptions[1]["id"]);
    assert_eq!(exceptions[1]["cause"], exceptions[2]["id"]);
    assert!(exceptions[2].get("cause").is_none());
}

#[test]
fn what_tracing_has_no_words_for_goes_through_the_extension() {
    let rig = Rig::new();
    rig.run(|| {
        let _root = info_span!("root").entered();
        info_span!("work").in_scope(|| {
            let span = Span::current();
            span.annotate("tenant", "blue");
            span.annotate("retries", 2);
            span.annotate("beta", true);
            span.add_metadata("cart", "items", &[1, 2, 3]);
            XraySpanExt::add_metadata(&span, "", "note", &"plain");
            span.set_user("u-17");
            span.set_http_status(429);
        });
    });
    let received = rig.received();
    let root = received.documents()[0].json();
    let work = &root["subsegments"][0];
    assert_eq!(root["user"], "u-17", "the user belongs to the segment");
    assert_eq!(work["annotations"], serde_json::json!({"tenant": "blue", "retries": 2, "beta": true}));
    assert_eq!(work["metadata"]["cart"]["items"], serde_json::json!([1, 2, 3]));
    assert_eq!(work["metadata"]["default"]["note"], "plain");
    assert_eq!((&work["error"], &work["throttle"]), (&true.into(), &true.into()));
    assert!(work.get("fault").is_none());
}

#[test]
fn a_span_that_panics_is_a_fault() {
    let rig = Rig::new();
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        rig.run(|| {
            let _root = info_span!("root").entered();
            let _work = info_span!("work").entered();
            std::panic::resume_unwind(Box::new("no message is printed"));
        });
    }));
    assert!(caught.is_err());
    assert_picture(
        &rig,
        "◆ shop  fault
         └─ work  fault",
    );
}

#[test]
fn a_root_is_the_same_wherever_the_fields_stand_that_decide() {
    const HEADER: &str = "Root=1-66f1a2b3-0123456789abcdef01234567;Parent=53995c3f42cd8ad8";
    const NOT_SAMPLED: &str = "Root=1-66f1a2b3-0123456789abcdef01234567;Sampled=0";
    // The fields that decide come first, and then last.
    macro_rules! roots {
        ($($decides:ident.$field:ident = $value:expr),*) => {[
            || info_span!(
                "root", $($decides.$field = $value,)* http.request.method = "GET", user.id = %"bob", rows = 7, secret = "x"
            ),
            || info_span!(
                "root", http.request.method = "GET", user.id = %"bob", rows = 7, secret = "x", $($decides.$field = $value,)*
            ),
        ]};
    }
    type Roots = [fn() -> Span; 2];
    let cases: [(Roots, Option<&str>); 7] = [
        (roots!(otel.kind = "server", xray.trace_header = HEADER), Some("53995c3f42cd8ad8")),
        (
            roots!(otel.kind = "client", xray.trace_header = tracing::field::display(HEADER)),
            Some("53995c3f42cd8ad8"),
        ),
        (roots!(xray.trace_header = "nonsense"), Some("")),
        (roots!(xray.trace_header = NOT_SAMPLED), None),
        (roots!(xray.trace_header = NOT_SAMPLED, xray.sampled = true), Some("")),
        (roots!(xray.trace_header = HEADER, xray.sampled = "false"), None),
        (roots!(rpc.system = "aws-api", xray.namespace = "remote"), Some("")),
    ];
    for (roots, parent) in cases {
        let documents = roots.map(|root| {
            let rig = Rig::new();
            rig.run(|| drop(root()));
            let received = rig.received();
            received.documents().first().map(|document| {
                let mut document = document.json().clone();
                for own in ["id", "trace_id", "start_time", "end_time"] {
                    document[own].take();
                }
                document
            })
        });
        assert_eq!(documents[0], documents[1]);
        let parent_id =
            documents[0].as_ref().map(|document| document["parent_id"].as_str().unwrap_or_default());
        assert_eq!(parent_id, parent);
    }
}

#[test]
fn an_end_user_who_is_known_only_inside_and_later_belongs_to_the_segment() {
    let document = document_of(|| {
        let _root = info_span!("root").entered();
        let inside = info_span!("inside", user.id = Empty);
        inside.record("user.id", "ann");
    });
    assert_eq!(document["user"], "ann");
}

#[test]
fn a_namespace_may_be_stated_and_others_than_x_rays_are_ignored() {
    let document = document_of(|| {
        let _root = info_span!("root").entered();
        for namespace in ["aws", "remote", "local"] {
            info_span!("call", xray.namespace = namespace);
        }
    });
    let parts = document["subsegments"].as_array().unwrap();
    let namespaces: Vec<_> = parts.iter().map(|part| part.get("namespace").and_then(Value::as_str)).collect();
    assert_eq!(namespaces, [Some("aws"), Some("remote"), None]);
}

#[test]
fn nothing_of_a_trace_is_in_the_next_one() {
    let rig = Rig::with(|b| b.sampler(Never));
    rig.run(|| {
        let header = "Root=1-66f1a2b3-0123456789abcdef01234567;Parent=53995c3f42cd8ad8;Sampled=0;Lineage=a:1";
        // More than the layer's pool holds of a thread's records.
        for _ in 0..100 {
            drop(info_span!("root", tenant = "blue", xray.trace_header = header, user.id = "ann"));
        }
        let next = info_span!("next", order = Empty);
        next.force_sampling(true);
        next.in_scope(|| assert!(!current_trace_header().unwrap().to_string().contains("Lineage")));
        next.record("order", 7);
    });
    let document = rig.document();
    assert_eq!((document.get("user"), document.get("parent_id")), (None, None));
    assert_eq!(document["metadata"]["default"], serde_json::json!({"operation": "next", "order": 7}));
}
