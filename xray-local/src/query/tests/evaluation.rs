//! Surprises of expressions over traces, case by case.

use serde_json::{Value, json};

use super::support::{numbers, segment, store, subsegment};
use crate::query::filter::Filter;
use crate::query::search::{Pace, find_at};
use crate::query::{Range, Search};

#[test]
fn two_services_are_looked_for_independently() {
    let store = store(&[
        segment(1, 1, "a", 0.0, 1.0, json!({"fault": true})),
        segment(1, 2, "b", 0.0, 1.0, json!({"fault": true, "parent_id": "0000000000000001"})),
        segment(1, 3, "b", 0.0, 1.0, json!({"error": true, "parent_id": "0000000000000001"})),
        segment(2, 4, "a", 0.0, 1.0, json!({"fault": true})),
    ]);
    assert_eq!(numbers(&store, r#"service("a"){fault} AND service("b"){error}"#), [1]);
    // `service("b")` with both at once needs one segment with both.
    assert_eq!(numbers(&store, r#"service("b"){fault error}"#), [0; 0]);
}

#[test]
fn one_segment_satisfies_the_whole_of_the_braces() {
    let store = store(&[
        segment(1, 1, "a", 0.0, 0.1, json!({"fault": true})),
        segment(1, 2, "a", 0.0, 2.0, json!({"parent_id": "0000000000000001"})),
        segment(2, 3, "a", 0.0, 2.0, json!({"fault": true})),
    ]);
    assert_eq!(numbers(&store, r#"service("a"){fault AND responsetime > 1}"#), [2]);
    assert_eq!(numbers(&store, r#"service("a"){fault} AND service("a"){responsetime > 1}"#), [1, 2]);
}

#[test]
fn a_service_that_is_absent_satisfies_the_inverted_test() {
    let store = store(&[
        segment(1, 1, "a", 0.0, 0.1, json!({"fault": true})),
        segment(2, 2, "a", 0.0, 0.1, json!({})),
        segment(3, 3, "b", 0.0, 0.1, json!({})),
    ]);
    assert_eq!(numbers(&store, r#"!service("a"){fault}"#), [2, 3]);
    assert_eq!(numbers(&store, r#"service("a"){!fault}"#), [2]);
    assert_eq!(numbers(&store, r#"!service("a")"#), [3]);
    assert_eq!(numbers(&store, r#"service("A")"#), [0; 0], "names are compared with their case");
}

#[test]
fn a_trace_without_a_completed_root_is_not_ok() {
    let store = store(&[
        segment(1, 1, "a", 0.0, 0.1, json!({"end_time": null, "in_progress": true})),
        segment(
            2,
            2,
            "a",
            0.0,
            0.1,
            json!({"type": "subsegment", "parent_id": "00000000000000ff", "end_time": null, "in_progress": true}),
        ),
        segment(3, 3, "a", 0.0, 0.1, json!({})),
    ]);
    assert_eq!(numbers(&store, "ok"), [3]);
    assert_eq!(numbers(&store, "!ok"), [1, 2]);
    assert_eq!(numbers(&store, "ok = false"), [1, 2]);
    assert_eq!(numbers(&store, "error OR fault OR throttle"), [0; 0]);
    assert_eq!(numbers(&store, "partial"), [1, 2]);
    assert_eq!(numbers(&store, "responsetime"), [3]);
}

#[test]
fn an_annotation_keeps_its_type() {
    let with = |number: u32, value| {
        segment(number, u64::from(number), "a", 0.0, 0.1, json!({"annotations": {"n": value}}))
    };
    let store = store(&[
        with(1, json!(5)),
        with(2, json!("5")),
        with(3, json!(6.5)),
        with(4, json!(true)),
        with(5, json!(false)),
        segment(6, 6, "a", 0.0, 0.1, json!({})),
    ]);
    assert_eq!(numbers(&store, "annotation.n = 5"), [1]);
    assert_eq!(numbers(&store, r#"annotation.n = "5""#), [2]);
    assert_eq!(numbers(&store, "annotation.n != 5"), [2, 3, 4, 5], "another type is another value");
    assert_eq!(numbers(&store, "!annotation.n = 5"), [2, 3, 4, 5, 6]);
    assert_eq!(numbers(&store, "annotation.n > 1"), [1, 3]);
    assert_eq!(numbers(&store, r#"annotation.n CONTAINS "5""#), [2]);
    assert_eq!(numbers(&store, "annotation.n"), [1, 2, 3, 4], "false is not set");
    assert_eq!(numbers(&store, "!annotation.n"), [5, 6]);
    assert_eq!(numbers(&store, "annotation.n = false"), [5]);
    assert_eq!(numbers(&store, "annotation.N"), [0; 0], "keys keep their case");
}

#[test]
fn one_key_with_two_values_has_both() {
    let store = store(&[
        segment(1, 1, "a", 0.0, 0.1, json!({"annotations": {"k": "a"}})),
        segment(
            1,
            2,
            "b",
            0.0,
            0.1,
            json!({"parent_id": "0000000000000001", "subsegments": [
                subsegment(3, "f", 0.0, 0.1, json!({"annotations": {"k": "b"}})),
            ]}),
        ),
    ]);
    assert_eq!(numbers(&store, r#"annotation.k = "a" AND annotation.k = "b""#), [1]);
    assert_eq!(
        numbers(&store, r#"service("b") { annotation.k = "b" }"#),
        [1],
        "subsegments count for their segment"
    );
    assert_eq!(numbers(&store, r#"service("b") { annotation.k = "a" }"#), [0; 0]);
}

#[test]
fn a_missing_status_satisfies_no_comparison() {
    let store = store(&[
        segment(1, 1, "fn", 0.0, 0.1, json!({"origin": "AWS::Lambda"})),
        segment(2, 2, "fn", 0.0, 0.1, json!({"http": {"response": {"status": 500}}})),
    ]);
    assert_eq!(numbers(&store, "http.status >= 500"), [2]);
    assert_eq!(numbers(&store, "http.status != 500"), [0; 0]);
    assert_eq!(numbers(&store, "!http.status = 500"), [1]);
}

#[test]
fn a_throttle_is_an_error() {
    let store = store(&[segment(1, 1, "a", 0.0, 0.1, json!({"throttle": true}))]);
    assert_eq!(numbers(&store, "throttle"), [1]);
    assert_eq!(numbers(&store, "error"), [1]);
    assert_eq!(numbers(&store, "ok OR fault"), [0; 0]);
}

#[test]
fn strings_are_compared_byte_by_byte() {
    let url = "https://shop/ünï\\\"é\u{1f980}?q=100%_*".to_owned() + &"x".repeat(900);
    let store = store(&[segment(1, 1, "a", 0.0, 0.1, json!({"http": {"request": {"url": url}}}))]);
    let parts = [
        "/",
        "é",
        "%",
        "_",
        "H",
        "sh",
        "ï\\",
        "%_",
        "É\u{1f980}",
        "\u{1f980}?",
        "sho",
        "SHO",
        "ünï\\\"é\u{1f980}",
        "100%_*",
        "SHOP",
        "'",
        "",
        &url,
        "x\u{1f980}",
        "\u{1f980}",
    ];
    for part in parts {
        let quoted = format!("\"{}\"", part.replace('\\', "\\\\").replace('"', "\\\""));
        for (operator, expected) in [
            ("CONTAINS", url.contains(part)),
            ("BEGINSWITH", url.starts_with(part)),
            ("ENDSWITH", url.ends_with(part)),
            ("=", url == part),
            ("!=", url != part),
        ] {
            let found = numbers(&store, &format!("http.url {operator} {quoted}"));
            assert_eq!(found.len(), usize::from(expected), "{operator} {part}");
        }
    }
}

#[test]
fn only_the_root_segments_http_is_searched() {
    let store = store(&[
        segment(
            1,
            1,
            "a",
            0.0,
            0.1,
            json!({"subsegments": [
                subsegment(2, "b", 0.0, 0.1, json!({"namespace": "remote", "http": {"request": {"url": "http://b/x"}}})),
            ]}),
        ),
        segment(
            1,
            3,
            "c",
            0.0,
            0.1,
            json!({"parent_id": "00000000000000ff", "http": {"request": {"url": "http://c/x"}}}),
        ),
    ]);
    assert_eq!(numbers(&store, "http.url"), [0; 0]);
    assert_eq!(numbers(&store, r#"service() { http.url CONTAINS "c/x" }"#), [1]);
    assert_eq!(numbers(&store, r#"service("b") { inferred AND http.url CONTAINS "b/x" }"#), [1]);
}

#[test]
fn an_edge_is_the_callers_view() {
    let store = store(&[
        segment(
            1,
            1,
            "web",
            0.0,
            1.0,
            json!({"subsegments": [
                subsegment(2, "db", 0.1, 0.5, json!({"namespace": "remote", "error": true})),
            ]}),
        ),
        segment(1, 3, "db", 0.2, 0.1, json!({"parent_id": "0000000000000002"})),
    ]);
    assert_eq!(numbers(&store, r#"edge("web", "db") { error }"#), [1]);
    assert_eq!(numbers(&store, r#"service("db") { error }"#), [0; 0]);
    assert_eq!(numbers(&store, r#"edge("web", "db") { responsetime >= 0.5 }"#), [1]);
    assert_eq!(numbers(&store, r#"edge("db", "web")"#), [0; 0]);
    assert_eq!(numbers(&store, r#"edge("", "db")"#), [1]);
    assert_eq!(numbers(&store, r#"edge("web", "")"#), [1]);
    // The node in front of a root segment has the segment's name, and is meant by its type alone.
    assert_eq!(numbers(&store, r#"edge("web", "web")"#), [0; 0]);
    assert_eq!(numbers(&store, r#"edge(id(name: "web", type: "client"), "web") { ok }"#), [1]);
    assert_eq!(numbers(&store, r#"service(id(name: "web", type: "client"))"#), [1]);
}

#[test]
fn both_nodes_of_a_lambda_function_have_its_name() {
    let store = store(&[
        segment(1, 1, "fn", 0.0, 1.0, json!({"origin": "AWS::Lambda"})),
        segment(
            1,
            2,
            "fn",
            0.1,
            0.8,
            json!({"origin": "AWS::Lambda::Function", "parent_id": "0000000000000001", "fault": true}),
        ),
        segment(2, 3, "fn", 0.0, 1.0, json!({})),
    ]);
    assert_eq!(numbers(&store, r#"service("fn")"#), [1, 2]);
    assert_eq!(numbers(&store, r#"service("fn") { fault }"#), [1]);
    assert_eq!(numbers(&store, r#"service(id(name: "fn", type: "AWS::Lambda")) { fault }"#), [0; 0]);
    assert_eq!(numbers(&store, r#"service(id(type: "AWS::Lambda::Function")) { fault }"#), [1]);
    assert_eq!(numbers(&store, r#"service(id(name: "fn", type: ""))"#), [2]);
    assert_eq!(numbers(&store, "fault"), [0; 0], "a fault that the root did not pass on");
}

#[test]
fn no_filter_is_every_trace() {
    let store = store(&[segment(1, 1, "a", 0.0, 0.1, json!({})), segment(2, 2, "b", 0.0, 0.1, json!({}))]);
    assert_eq!(numbers(&store, " "), [1, 2]);
    assert!(Filter::parse("nonsense").is_err());
}

#[test]
fn the_one_trace_without_what_all_others_have_is_found() {
    let documents: Vec<Value> = (1..=40)
        .map(|number| {
            let (name, user) = if number == 17 { ("other", "bob") } else { ("shop", "ann") };
            let more = json!({
                "user": user, "annotations": {"who": user},
                // Two nodes of one name, neither of which all others have.
                "origin": if number % 2 == 0 { "AWS::EC2::Instance" } else { "AWS::ECS::Container" },
            });
            segment(number, u64::from(number), name, f64::from(number), 0.1, more)
        })
        .collect();
    let store = store(&documents);
    let pace = Pace { first: 2, largest: 4, subtracted: 4, steps_before_keys: 1, ..Pace::default() };
    let pair = r#"!service(id(type: "AWS::EC2::Instance")) AND !service(id(type: "AWS::ECS::Container"))"#;
    for (expression, expected) in [
        (r#"!user = "ann""#, vec![17]),
        (r#"!annotation.who = "ann""#, vec![17]),
        (r#"!service("shop")"#, vec![17]),
        (r#"!service("shop") AND !user = "bob""#, vec![]),
        (pair, vec![]),
    ] {
        let search = Search::new(Range::ALL, Filter::parse(expression).unwrap());
        let keys = store.read(|connection| find_at(connection, &search, &pace)).unwrap().keys;
        let found: Vec<i64> = keys.iter().map(|key| key.0 & 0x7fff_ffff).collect();
        assert_eq!(found, expected, "{expression}");
    }
}
