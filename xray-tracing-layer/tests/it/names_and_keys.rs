//! Names and keys that X-Ray has no room for: sanitized, shortened, or kept as metadata.

use serde_json::json;
use tracing::field::Empty;
use tracing::info_span;
use xray_tracing_layer::XraySpanExt;

use crate::support::{Rig, document_of};

#[test]
fn names_that_x_ray_refuses_are_mended() {
    let rig = Rig::new();
    rig.run(|| {
        let _root = info_span!("").entered();
        info_span!("").in_scope(|| ());
        info_span!("  \t ").in_scope(|| ());
        info_span!("GET /a?b={c}").in_scope(|| ());
        info_span!("tab\there\0").in_scope(|| ());
        info_span!("crab 🦀 <b>").in_scope(|| ());
        info_span!("注文 Bücher").in_scope(|| ());
        info_span!("x", xray.name = "a\"b\\c\u{301}").in_scope(|| ());
        info_span!("kept where the field is blank", xray.name = " \n ").in_scope(|| ());
        info_span!("y", otel.name = debug("quoted")).in_scope(|| ());
        info_span!("z", otel.name = 7).in_scope(|| ());
    });
    rig.assert_picture(
        "
◆ shop
├─ unknown
├─ unknown
├─ GET /a_b=_c_
├─ tab_here_
├─ crab _ _b_
├─ 注文 Bücher
├─ a_b_c_
├─ kept where the field is blank
├─ _quoted_
└─ 7
",
    );
}

#[test]
fn a_megabyte_of_a_name_is_cut_to_two_hundred_characters() {
    const BYTES: &[u8] = &[b'n'; 1 << 20];
    const NAME: &str = match std::str::from_utf8(BYTES) {
        Ok(name) => name,
        Err(_) => "",
    };
    let dynamic = "é".repeat(1 << 19);
    let document = document_of(|| {
        let _root = info_span!(NAME).entered();
        info_span!(NAME).in_scope(|| ());
        info_span!("x", xray.name = dynamic).in_scope(|| ());
        info_span!("y", otel.name = %dynamic).in_scope(|| ());
        info_span!("z", otel.kind = "client", peer.service = dynamic).in_scope(|| ());
    });
    assert_eq!(document["metadata"]["default"]["operation"].as_str().unwrap().chars().count(), 250);
    for child in document["subsegments"].as_array().unwrap() {
        assert_eq!(child["name"].as_str().unwrap().chars().count(), 200);
    }
}

#[test]
fn a_database_at_a_host_is_still_a_name_within_two_hundred_characters() {
    let (database, host) = ("d".repeat(150), "h".repeat(150));
    let document = document_of(|| {
        let _root = info_span!("root").entered();
        info_span!("query", db.system = "postgresql", db.namespace = database, server.address = host)
            .in_scope(|| ());
    });
    assert!(document["subsegments"][0]["name"].as_str().unwrap().len() <= 200);
}

#[test]
fn keys_with_symbols_are_mended_as_annotations_and_kept_as_metadata() {
    let document = document_of(|| {
        let span = info_span!(
            "root",
            "annotation.a-b" = 1,
            "annotation.größe" = 2,
            "annotation." = 3,
            "annotation.dots.stay" = 4,
            "a \"quoted\" key\n" = 5,
            "metadata." = 6,
            "metadata.AWS.x" = 7,
            "{}" = 8,
        );
        span.annotate("user id", 9);
        span.annotate("🦀", 10);
        span.annotate(&"k".repeat(1 << 20), 11);
        XraySpanExt::add_metadata(&span, "AWS.xray", "key", &12);
        XraySpanExt::add_metadata(&span, "", "", &13);
        XraySpanExt::add_metadata(&span, "name\u{0}space", "🦀\\", &14);
        XraySpanExt::add_metadata(&span, &"n".repeat(1 << 20), &"é".repeat(1 << 20), &15);
    });
    let long_key = "k".repeat(500);
    assert_eq!(
        document["annotations"],
        json!({"a_b": 1, "gr__e": 2, "unknown": 3, "dots.stay": 4, "user_id": 9, "_": 10, long_key: 11})
    );
    let (namespace, key) = ("n".repeat(500), "é".repeat(250));
    assert_eq!(
        document["metadata"],
        json!({
            "default": {"a \"quoted\" key\n": 5, "": 13, "{}": 8, "operation": "root"},
            "AWS": {"x": 7},
            "AWS_xray": {"key": 12},
            "name\u{0}space": {"🦀\\": 14},
            namespace: {key: 15},
        })
    );
}

#[test]
fn keys_that_differ_only_before_mending_are_one_annotation() {
    let document = document_of(|| {
        let span = info_span!("root", "annotation.a-b" = 1, "annotation.a+b" = 2);
        span.annotate("a_b", 3);
    });
    assert_eq!(document["annotations"], json!({"a_b": 3}));
}

#[test]
fn of_duplicate_fields_the_last_one_counts() {
    let document = document_of(|| {
        let _span = info_span!("root", x = 1, x = "two", annotation.y = 1, annotation.y = true);
    });
    assert_eq!(document["metadata"]["default"]["x"], "two");
    assert_eq!(document["annotations"], json!({"y": true}));
}

#[test]
fn of_a_field_recorded_twice_the_last_value_counts() {
    let document = document_of(|| {
        let span = info_span!("root", x = 1, http.status_code = 200, annotation.y = Empty);
        span.record("x", "two").record("x", 3.5);
        span.record("http.status_code", 404);
        span.record("annotation.y", 1).record("annotation.y", 2);
        span.annotate("y", 3);
    });
    assert_eq!(document["metadata"]["default"]["x"], 3.5);
    assert_eq!(document["annotations"], json!({"y": 3}));
    assert_eq!(document["http"]["response"]["status"], 404);
    assert_eq!((&document["error"], document.get("fault")), (&json!(true), None));
}

#[test]
fn a_newer_name_for_the_same_thing_wins_whatever_the_order() {
    let document = document_of(|| {
        let _root = info_span!("root").entered();
        info_span!("a", http.request.method = "PUT", http.method = "old").in_scope(|| ());
        info_span!("b", http.method = "old", http.request.method = "PUT").in_scope(|| ());
    });
    for child in document["subsegments"].as_array().unwrap() {
        assert_eq!(child["http"]["request"]["method"], "PUT");
    }
}

#[test]
fn the_51st_annotation_and_its_followers_become_metadata() {
    let rig = Rig::new();
    rig.run(|| {
        let span = info_span!("root", annotation.first = true);
        for i in 1..60 {
            span.annotate(&format!("k{i}"), i);
        }
        span.annotate("k3", "again");
    });
    let document = rig.document();
    assert_eq!(document["annotations"].as_object().unwrap().len(), 50);
    assert_eq!(document["annotations"]["k3"], "again");
    assert_eq!(document["metadata"]["default"]["k50"], 50);
    assert_eq!(document["metadata"]["default"]["k59"], 59);
    assert_eq!(rig.handle.stats().annotations_moved, 10);
}

#[test]
fn a_document_of_many_spans_has_no_more_annotations_than_x_ray_indexes() {
    let rig = Rig::new();
    rig.run(|| {
        let _root = info_span!("root").entered();
        for i in 0..60 {
            info_span!("child", annotation.i = i).in_scope(|| ());
        }
    });
    assert_eq!(rig.trace().span_count(), 61);
}

#[test]
fn keys_that_the_layer_writes_itself_may_be_used_by_fields_too() {
    let document = document_of(|| {
        let _root = info_span!(
            "root",
            operation = "mine",
            rpc.method = "a",
            "metadata.default.rpc.method" = "b",
            xray.limits = "mine",
            nan = f64::NAN,
            client.address = "10.0.0.1",
            "metadata.default.client.address" = "c",
        )
        .entered();
        info_span!("child", client.address = "10.0.0.1", "metadata.default.client.address" = "c")
            .in_scope(|| ());
    });
    assert_eq!(document["metadata"]["default"]["operation"], "mine");
}
