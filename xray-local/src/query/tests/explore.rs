//! The console's questions: counts worked out by hand over twelve traces.

use serde_json::{Value, json};

use super::support::{put, segment, store, store_with_groups, trace};
use crate::query::filter::keyword::Field;
use crate::query::filter::{Expr, Filter, Occurring, Predicate, Subject};
use crate::query::{
    Facet, Range, Search, blockers, chips, compare, histogram, linked, occurring, of_edge, of_node, of_times,
};
use crate::store::{Store, StoreError};

/// Twelve traces. The slow ones, 9 to 12, take a second and more; three of these have tenant blue, and so has one of
/// the eight quick ones.
fn traffic() -> Store {
    let mut documents = Vec::new();
    for number in 1..=12_u32 {
        let is_slow = number >= 9;
        let tenant = if [1, 9, 10, 11].contains(&number) { "blue" } else { "green" };
        documents.push(segment(number, 1, "api", 0.0, if is_slow { f64::from(number) / 8.0 } else { 0.05 }, json!({
            "annotations": {"tenant": tenant, "number": number},
            "user": if number % 2 == 0 { "alice" } else { "bob" },
            "fault": number == 12,
            "http": {
                "request": {"method": "GET", "url": if is_slow { "https://api/slow" } else { "https://api/quick" }},
                "response": {"status": if number == 12 { 500 } else { 200 }},
            },
        })));
        if number == 12 {
            documents.push(segment(
                number,
                2,
                "db",
                0.0,
                0.1,
                json!({
                    "parent_id": format!("{:016x}", 1), "http": {"request": {"url": "https://db/x"}},
                }),
            ));
        }
    }
    store(&documents)
}

fn search(expression: &str) -> Search {
    Search { limit: 1_000, ..Search::new(Range::ALL, Filter::parse(expression).unwrap()) }
}

#[test]
fn the_selected_traces_differ_in_what_is_frequent_among_them() {
    let store = traffic();
    let slow = Filter::parse("responsetime >= 1").unwrap();
    let found = store.read(|connection| compare(connection, &search(""), slow.expr().unwrap())).unwrap();
    assert_eq!((found.selected, found.rest), (4, 8));
    let shares: Vec<(String, u64, u64, f64)> = found
        .differences
        .iter()
        .map(|difference| {
            let occurrence = &difference.occurrence;
            (occurrence.condition.to_string(), occurrence.traces, difference.rest, difference.excess)
        })
        .collect();
    let share = |condition: &str| shares.iter().find(|(found, ..)| found == condition).cloned();
    // 4 of 4 against 0 of 8, and the other way round.
    assert_eq!(
        share(r#"http.url = "https://api/slow""#).map(|found| (found.1, found.2, found.3)),
        Some((4, 0, 1.0))
    );
    assert_eq!(
        share(r#"http.url = "https://api/quick""#).map(|found| (found.1, found.2, found.3)),
        Some((0, 8, -1.0))
    );
    // 3 of 4 against 1 of 8: 0.75 - 0.125.
    assert_eq!(
        share(r#"annotation.tenant = "blue""#).map(|found| (found.1, found.2, found.3)),
        Some((3, 1, 0.625))
    );
    // 1 of 4 against 0 of 8.
    assert_eq!(share("http.status = 500").map(|found| (found.1, found.2, found.3)), Some((1, 0, 0.25)));
    assert_eq!(share(r#"service(id(name: "db", type: ""))"#).map(|found| found.3), Some(0.25));
    // Half of either side: no difference.
    assert_eq!(share(r#"user = "alice""#), None);
    assert!(shares.is_sorted_by(|a, b| a.3.abs() >= b.3.abs()), "{shares:?}");
}

#[test]
fn every_condition_of_the_console_finds_its_traces() {
    let store = traffic();
    let found = store.read(|connection| chips(connection, &search(""), 100)).unwrap();
    for chip in &found {
        let text = chip.condition.to_string();
        assert_eq!(Filter::parse(&text).unwrap().expr(), Some(&chip.condition));
        assert_eq!(super::support::numbers(&store, &text).len() as u64, chip.traces, "{text}");
    }
    let of = |facet: Facet| -> Vec<(String, u64)> {
        let chips = found.iter().filter(|chip| chip.facet == facet);
        chips.map(|chip| (chip.label.clone(), chip.traces)).collect()
    };
    let pair = |label: &str, traces| (label.to_owned(), traces);
    assert_eq!(of(Facet::Annotation("tenant".to_owned())), [pair("green", 8), pair("blue", 4)]);
    assert_eq!(of(Facet::Status), [pair("200", 11), pair("500", 1)]);
    assert_eq!(of(Facet::Service), [pair("api", 12), pair("db", 1)]);
    assert_eq!(of(Facet::User), [pair("alice", 6), pair("bob", 6)]);
    let few = store.read(|connection| chips(connection, &search(""), 1)).unwrap();
    assert_eq!(few.iter().filter(|chip| chip.facet == Facet::User).count(), 1);
}

#[test]
fn what_the_buttons_write_is_parsed_again() {
    let inner = Expr::Test(Predicate::Set(Subject::Field(Field::Fault)));
    for (expr, expected) in [
        (of_node("a\"b", "", None), r#"service(id(name: "a\"b", type: ""))"#),
        (
            of_node("fn", "AWS::Lambda", Some(inner.clone())),
            r#"service(id(name: "fn", type: "AWS::Lambda")) { fault }"#,
        ),
        (
            of_edge(("a", "client"), ("a", "remote"), Some(inner)),
            r#"edge(id(name: "a", type: "client"), id(name: "a", type: "remote")) { fault }"#,
        ),
        (of_times(5, 1_250), "responsetime >= 0.005 AND responsetime < 1.25"),
    ] {
        assert_eq!(expr.to_string(), expected);
        assert_eq!(Filter::parse(expected).unwrap().expr(), Some(&expr));
    }
}

#[test]
fn the_histogram_counts_each_class() {
    let store = traffic();
    let found = store.read(|connection| histogram(connection, &search(""), 20)).unwrap();
    // 50 ms eight times; 1125, 1250, 1375 and 1500 ms. 50 to 1500 in steps of 100: 0 to 15, sixteen buckets.
    assert_eq!((found.traces, found.buckets.len()), (12, 16));
    let counts: Vec<_> = found
        .buckets
        .iter()
        .filter(|bucket| bucket.ok + bucket.error + bucket.throttle + bucket.fault > 0)
        .map(|bucket| (bucket.from, bucket.ok, bucket.fault))
        .collect();
    assert_eq!(counts, [(0, 8, 0), (1_100, 1, 0), (1_200, 1, 0), (1_300, 1, 0), (1_500, 0, 1)]);
    for bucket in &found.buckets {
        let matching = super::support::numbers(&store, &bucket.condition.to_string());
        assert_eq!(matching.len() as u64, bucket.ok + bucket.fault, "{}", bucket.condition);
    }
    let none = store.read(|connection| histogram(connection, &search("user = \"nobody\""), 20)).unwrap();
    assert_eq!((none.traces, none.buckets.len()), (0, 0));
}

#[test]
fn the_condition_that_removed_everything_is_named() {
    let store = traffic();
    let expression =
        r#"annotation.tenant = "green" AND responsetime < 1 AND http.url CONTAINS "db" AND fault"#;
    assert_eq!(super::support::numbers(&store, expression), [0; 0]);
    let found = store.read(|connection| blockers(connection, &search(expression))).unwrap();
    let counts: Vec<_> =
        found.iter().map(|blocker| (blocker.condition.to_string(), blocker.alone, blocker.without)).collect();
    let count = |condition: &str, alone, without| (condition.to_owned(), alone, without);
    assert_eq!(
        counts,
        [
            count(r#"annotation.tenant = "green""#, 8, 0),
            count("responsetime < 1", 8, 0),
            // Without it, 12 has to be quick, which it is not.
            count(r#"http.url CONTAINS "db""#, 0, 0),
            count("fault", 1, 0),
        ]
    );
    let notes: Vec<_> = found.iter().filter_map(|blocker| blocker.note.as_deref()).collect();
    assert_eq!(notes, [r#"only the root segment is searched; service() { http.url CONTAINS "db" } finds 1"#]);
    assert!(store.read(|connection| blockers(connection, &search(""))).unwrap().is_empty());
}

#[test]
fn values_are_listed_for_the_completion() {
    let store = traffic();
    let list = |what: Occurring, typed: &str| {
        store.read(|connection| occurring(connection, &what, typed, 3)).unwrap()
    };
    assert_eq!(list(Occurring::AnnotationKeys, ""), ["number", "tenant"]);
    assert_eq!(list(Occurring::AnnotationKeys, "t"), ["tenant"]);
    assert_eq!(list(Occurring::NodeNames, ""), ["api", "db"]);
    assert_eq!(list(Occurring::NodeTypes, ""), ["", "client"]);
    assert_eq!(list(Occurring::Accounts, ""), [""; 0]);
    let of = |field| Occurring::Values(Subject::Field(field));
    assert_eq!(list(Occurring::Values(Subject::Annotation("tenant".to_owned())), "b"), ["blue"]);
    assert_eq!(list(Occurring::Values(Subject::Annotation("number".to_owned())), ""), [""; 0]);
    assert_eq!(list(of(Field::HttpUrl), "https://api/"), ["https://api/quick", "https://api/slow"]);
    assert_eq!(list(of(Field::HttpUrl), "https://api/quick"), ["https://api/quick"]);
    assert_eq!(list(of(Field::User), ""), ["alice", "bob"]);
    assert_eq!(list(of(Field::HttpStatus), ""), ["200", "500"]);
    assert_eq!(list(of(Field::HttpMethod), ""), ["GET"]);
    for field in [
        Field::HttpClientIp,
        Field::HttpUserAgent,
        Field::AvailabilityZone,
        Field::InstanceId,
        Field::ResourceArn,
        Field::GroupName,
        Field::GroupArn,
        Field::Type,
        Field::Message,
        Field::Duration,
    ] {
        assert_eq!(list(of(field), ""), [""; 0], "{field:?}");
    }
}

#[test]
fn linked_traces_are_found_from_either_side() {
    let store = store_with_groups(&[]);
    let link: Value = json!([{"trace_id": trace(1), "id": format!("{:016x}", 1)}]);
    put(
        &store,
        &[
            segment(1, 1, "queue", 0.0, 0.1, json!({})),
            segment(2, 2, "consumer", 0.0, 0.1, json!({"links": link})),
        ],
    );
    let keys = super::support::matching(&store, "");
    let linked = |key| -> Result<_, StoreError> { store.read(|connection| linked(connection, key, 10)) };
    assert_eq!(linked(keys[0]).unwrap(), [keys[1]]);
    assert_eq!(linked(keys[1]).unwrap(), [keys[0]]);
}
