//! Maps and series of the application in `summaries`, worked out by hand.

use serde_json::json;

use super::documents::{Traffic, trace_id};
use super::summaries::application;
use super::support::{START, put, segment, store, store_with_groups, subsegment, trace};
use crate::model::{EdgeKind, Length, Time};
use crate::query::filter::tests::generate::Random;
use crate::query::filter::{Filter, Selector};
use crate::query::{
    Graph, Histogram, Node, Period, Range, Search, SeriesSearch, Statistics, graph_of, series, service_graph,
    trace_graph, trace_links,
};
use crate::store::Store;

fn between(start: f64, end: f64) -> Range {
    Range::of_ids(Time::from_seconds(START + start), Time::from_seconds(START + end))
}

fn counts(ok: u64, error: u64, throttle: u64, fault: u64, seconds: f64) -> Statistics {
    Statistics { ok, error, throttle, fault, total_time: Length::from_seconds(seconds) }
}

fn node<'g>(graph: &'g Graph, name: &str, kind: &str) -> &'g Node {
    let found = graph.nodes.iter().find(|node| node.name.name == name && node.name.kind == kind);
    found.unwrap_or_else(|| panic!("{name} {kind}: {graph:?}"))
}

fn times(pairs: &[(i64, u64)]) -> Histogram {
    Histogram { counts: pairs.to_vec() }
}

fn check(graph: &Graph) {
    let api = node(graph, "api", "AWS::EC2::Instance");
    // 2.0 s with a fault, and 4 ms.
    assert_eq!(api.statistics, Some(counts(1, 0, 0, 1, 2.0 + 0.004)));
    assert_eq!(api.responses, times(&[(4, 1), (2_000, 1)]));
    assert_eq!(api.durations, times(&[(4, 1), (2_000, 1)]));
    assert!(api.root && api.active);
    assert_eq!((api.start, api.end), (Time::from_seconds(START), Time::from_seconds(START + 2.0)));

    let worker = node(graph, "worker", "");
    assert_eq!(worker.statistics, Some(counts(0, 0, 0, 1, 2.0)));
    assert!(!worker.root && worker.active && worker.edges.is_empty());

    let games = node(graph, "games", "AWS::DynamoDB::Table");
    assert_eq!(games.statistics, Some(counts(0, 0, 1, 0, 0.1)), "a throttle, as the caller saw it");
    assert!(!games.root && !games.active);

    let client = node(graph, "api", "client");
    assert_eq!((client.statistics, client.root, client.active), (None, false, false));
    assert_eq!((&client.responses, &client.durations), (&times(&[]), &times(&[])));
    let [edge] = &client.edges[..] else { panic!("{client:?}") };
    assert_eq!(graph.nodes[edge.target].name, api.name);
    assert_eq!((Some(edge.statistics), &edge.responses), (api.statistics, &api.responses));
    assert_eq!(edge.aliases, [""; 0]);

    let edge = |to: &Node| {
        let edge = api.edges.iter().find(|edge| graph.nodes[edge.target].name == to.name).unwrap();
        assert_eq!(edge.kind, EdgeKind::Call);
        edge.clone()
    };
    assert_eq!(api.edges.len(), 2);
    // The caller waited 1.5 s, and calls the worker by another name.
    assert_eq!(edge(worker).statistics, counts(0, 0, 0, 1, 1.5));
    assert_eq!(edge(worker).aliases, ["worker.local"]);
    assert_eq!(edge(games).statistics, counts(0, 0, 1, 0, 0.1));
    assert_eq!(edge(games).responses, times(&[(100, 1)]));
    assert_eq!(graph.nodes.len(), 4);
    assert_eq!(graph.start, Some(Time::from_seconds(START)));
}

#[test]
fn the_map_of_two_traces_has_their_counts() {
    let store = store(&application());
    let ids = [trace(1).parse().unwrap(), trace(2).parse().unwrap(), trace(3).parse().unwrap()];
    check(&store.read(|connection| trace_graph(connection, &ids)).unwrap());
    let search = Search::new(Range::ALL, Filter::default());
    check(&store.read(|connection| graph_of(connection, &search)).unwrap());
    check(&store.read(|connection| service_graph(connection, Range::ALL, None)).unwrap());
    // A window that begins and ends within the minute, which began 43 seconds before.
    assert_eq!(START % 60.0, 43.0);
    check(&store.read(|connection| service_graph(connection, between(-20.0, 5.0), None)).unwrap());
}

#[test]
fn a_window_counts_what_started_in_it() {
    let store = store(&application());
    let graph =
        |start, end| store.read(|connection| service_graph(connection, between(start, end), None)).unwrap();
    // api of trace 2 starts at 1.0, the call of games at 1.7; api of trace 1 and worker started before.
    let later = graph(0.5, 60.0);
    assert_eq!(node(&later, "api", "AWS::EC2::Instance").statistics, Some(counts(1, 0, 0, 0, 0.004)));
    assert_eq!(node(&later, "games", "AWS::DynamoDB::Table").statistics, Some(counts(0, 0, 1, 0, 0.1)));
    assert!(!later.nodes.iter().any(|node| node.name.name == "worker"));
    // What is called without a count of its own callers in the window still hangs together.
    assert_eq!(node(&later, "api", "AWS::EC2::Instance").edges.len(), 1);
    assert_eq!(graph(3.0, 60.0), Graph::default());
    assert_eq!(graph(-60.0, 0.0), Graph::default());
}

#[test]
fn the_map_of_a_filter_is_that_of_its_traces() {
    let store = store(&application());
    let search = Search::new(Range::ALL, Filter::parse("ok").unwrap());
    let graph = store.read(|connection| graph_of(connection, &search)).unwrap();
    assert_eq!(graph.nodes.len(), 2);
    assert_eq!(node(&graph, "api", "AWS::EC2::Instance").statistics, Some(counts(1, 0, 0, 0, 0.004)));
}

#[test]
fn a_group_has_a_map_of_its_own() {
    let store = store_with_groups(&[("slow", "responsetime > 1"), ("quick", "responsetime < 1")]);
    put(&store, &application());
    let graph = |group, start, end| {
        store.read(|connection| service_graph(connection, between(start, end), Some(group))).unwrap()
    };
    for (start, end) in [(-100.0, 100.0), (0.0, 5.0)] {
        assert_eq!(
            node(&graph(1, start, end), "api", "AWS::EC2::Instance").statistics,
            Some(counts(0, 0, 0, 1, 2.0))
        );
        assert_eq!(
            node(&graph(2, start, end), "api", "AWS::EC2::Instance").statistics,
            Some(counts(1, 0, 0, 0, 0.004))
        );
    }
    assert!(!graph(1, 0.0, 5.0).old_group_versions);
    let changed: Result<usize, crate::store::StoreError> = store.write_blocking(|connection| {
        Ok(connection
            .execute("UPDATE groups SET modified_us = ? WHERE number = 1", [((START + 1.0) * 1e6) as i64])?)
    });
    changed.unwrap();
    assert!(graph(1, 0.0, 5.0).old_group_versions);
    assert!(!graph(1, 2.0, 5.0).old_group_versions, "changed before the window");
}

#[test]
fn five_requests_of_eight_tenths_of_a_millisecond() {
    let documents: Vec<_> = (1..=5).map(|number| segment(number, 1, "a", 0.0, 0.0008, json!({}))).collect();
    let store = store(&documents);
    let graph = store.read(|connection| service_graph(connection, Range::ALL, None)).unwrap();
    let a = node(&graph, "a", "");
    // 5 * 0.0008 = 0.004; each is shown as 1 ms.
    assert_eq!(a.statistics.unwrap().total_time.rounded_seconds(), 0.004);
    assert_eq!(a.responses, times(&[(1, 5)]));
}

#[test]
fn a_segment_takes_longer_than_its_response_when_work_goes_on() {
    let store = store(&[segment(
        1,
        1,
        "a",
        0.0,
        0.1,
        json!({"subsegments": [
            subsegment(2, "later", 0.05, 0.4, json!({})),
        ]}),
    )]);
    let graph = store.read(|connection| service_graph(connection, Range::ALL, None)).unwrap();
    let a = node(&graph, "a", "");
    // later ends at 0.05 + 0.4.
    assert_eq!((&a.responses, &a.durations), (&times(&[(100, 1)]), &times(&[(450, 1)])));
}

#[test]
fn minutes_rows_and_traces_count_alike() {
    let mut random = Random(5);
    let store = store(&[]);
    for number in 1..=60 {
        put(&store, &Traffic::documents(&mut random, number));
    }
    let ids: Vec<_> = (1..=60).map(|number| trace_id(number).parse().unwrap()).collect();
    let by_traces = store.read(|connection| trace_graph(connection, &ids)).unwrap();
    let by_minutes = store.read(|connection| service_graph(connection, Range::ALL, None)).unwrap();
    let by_rows = store.read(|connection| service_graph(connection, between(-5.0, 15.0), None)).unwrap();
    assert!(by_traces.nodes.len() > 10);
    assert_eq!(by_rows, by_traces);
    // The minutes' bounds may be wider after a trace was written again.
    let without_bounds = |mut graph: Graph| {
        graph.start = None;
        for node in &mut graph.nodes {
            (node.start, node.end) = (Time(0), Time(0));
            node.edges.iter_mut().for_each(|edge| (edge.start, edge.end) = (Time(0), Time(0)));
        }
        graph
    };
    assert_eq!(without_bounds(by_minutes), without_bounds(by_traces));
}

fn periods(store: &Store, selector: Option<&str>, period: f64, forecast: bool) -> Vec<Period> {
    let search = SeriesSearch {
        range: between(-100.0, 100.0),
        group: None,
        selector: selector.map(|selector| Selector::parse(selector).unwrap()),
        period: Length::from_seconds(period),
        forecast,
    };
    store.read(|connection| series(connection, &search)).unwrap()
}

#[test]
fn a_series_has_statistics_period_by_period() {
    let store = store(&application());
    // Without a selector: the edges from clients. Both traces start in the minute that begins 43 s before.
    let [minute] = &periods(&store, None, 60.0, false)[..] else { panic!() };
    assert_eq!((minute.start, minute.of_service), (Time::from_seconds(START - 43.0), false));
    assert_eq!(minute.statistics, counts(1, 0, 0, 1, 2.004));
    assert_eq!(minute.responses, times(&[(4, 1), (2_000, 1)]));
    // Seconds: trace 1 starts in the first, trace 2 in the second.
    let seconds = periods(&store, None, 1.0, false);
    assert_eq!(
        seconds.iter().map(|second| (second.start, second.statistics)).collect::<Vec<_>>(),
        [
            (Time::from_seconds(START), counts(0, 0, 0, 1, 2.0)),
            (Time::from_seconds(START + 1.0), counts(1, 0, 0, 0, 0.004)),
        ]
    );
    for (selector, of_service, statistics) in [
        (r#"service("worker")"#, true, Some(counts(0, 0, 0, 1, 2.0))),
        (r#"id(name: "api", type: "AWS::EC2::Instance")"#, true, Some(counts(1, 0, 0, 1, 2.004))),
        (r#"service("api") { fault }"#, true, Some(counts(0, 0, 0, 1, 2.0))),
        (r#"edge(id(name: "api"), id(name: "worker"))"#, false, Some(counts(0, 0, 0, 1, 1.5))),
        (r#"edge("api", "games") { throttle }"#, false, Some(counts(0, 0, 1, 0, 0.1))),
        (r#"edge("api", "games") { ok }"#, false, None),
        (r#"service("nobody")"#, true, None),
    ] {
        for period in [60.0, 300.0, 10.0] {
            let found = periods(&store, Some(selector), period, false);
            let found: Vec<_> = found.iter().map(|period| (period.of_service, period.statistics)).collect();
            let expected: Vec<_> =
                statistics.map(|statistics| (of_service, statistics)).into_iter().collect();
            assert_eq!(found, expected, "{selector} per {period} s");
        }
    }
}

#[test]
fn a_forecast_comes_from_the_periods_before() {
    let mut documents = Vec::new();
    let mut number = 0;
    // Faults per second: 2, 4, 0.
    for (second, faults) in [(0.0, 2), (1.0, 4), (2.0, 0)] {
        for fault in 0..5 {
            number += 1;
            documents.push(segment(number, 1, "a", second, 0.1, json!({"fault": fault < faults})));
        }
    }
    let store = store(&documents);
    let found = periods(&store, Some(r#"service("a")"#), 1.0, true);
    // Before the second: 2, without deviation. Before the third: mean (2 + 4) / 2 = 3, deviation 1, so 3 - 3 to 3 + 3.
    assert_eq!(
        found.iter().map(|period| period.forecast).collect::<Vec<_>>(),
        [None, Some((2, 2)), Some((0, 6))]
    );
}

/// A trace that sends two messages to a queue, and one whose segment receives both, and a third of a sender that is
/// not stored.
fn messages() -> [Vec<serde_json::Value>; 2] {
    let queue =
        json!({"namespace": "aws", "aws": {"queue_url": "https://sqs.eu-west-1.amazonaws.com/1/orders"}});
    let sent = [subsegment(0x12, "SQS", 0.1, 0.1, queue.clone()), subsegment(0x13, "SQS", 0.3, 0.1, queue)];
    let link = |number: u32, id: u64| json!({"trace_id": trace(number), "id": format!("{id:016x}"), "attributes": {}});
    let links = json!([link(1, 0x12), link(1, 0x13), link(9, 0x12)]);
    [
        vec![segment(1, 0x11, "shop", 0.0, 0.5, json!({"subsegments": sent}))],
        vec![segment(
            2,
            0x21,
            "mailer",
            2.0,
            0.25,
            json!({"links": links, "origin": "AWS::Lambda::Function"}),
        )],
    ]
}

/// The queue has one edge, to the consumer, with the two messages whose sender is stored.
fn check_link(store: &Store) {
    let all =
        |group| store.read(|connection| service_graph(connection, between(-100.0, 100.0), group)).unwrap();
    let ids = [trace(1).parse().unwrap(), trace(2).parse().unwrap()];
    let of_traces = store.read(|connection| trace_graph(connection, &ids)).unwrap();
    for graph in [all(None), of_traces, all(Some(1))] {
        let queue = node(&graph, "orders", "AWS::SQS::Queue");
        assert!(!queue.active && !queue.root);
        let [edge] = &queue.edges[..] else { panic!("{queue:?}") };
        assert_eq!(graph.nodes[edge.target].name.name, "mailer");
        assert_eq!((edge.kind, edge.statistics), (EdgeKind::Link, counts(2, 0, 0, 0, 0.5)));
        // Sent at 0.2 and 0.4, received at 2.0.
        assert_eq!((&edge.ages, &edge.responses), (&times(&[(1_600, 1), (1_800, 1)]), &times(&[])));
    }
    assert_eq!(super::support::numbers(store, "edge(\"orders\", \"mailer\")"), [2]);
    // The second trace has links from the first, and from a ninth that is not stored.
    let links = store.read(|connection| trace_links(connection, &ids)).unwrap();
    let found: Vec<_> =
        links.iter().map(|link| (&*link.node.name, link.source, &link.destinations[..])).collect();
    let (first, ninth) = (ids[0], trace(9).parse().unwrap());
    assert_eq!(found, [("mailer", first, &ids[1..]), ("mailer", ninth, &ids[1..])]);
    assert_eq!(store.read(|connection| trace_links(connection, &ids[..1])).unwrap(), []);
}

#[test]
fn a_queue_is_linked_to_the_consumer_whichever_trace_comes_first() {
    let [sender, receiver] = messages();
    for order in [[&sender, &receiver], [&receiver, &sender]] {
        let store = store_with_groups(&[("mail", "service(\"mailer\")")]);
        order.into_iter().for_each(|documents| put(&store, documents));
        check_link(&store);
        // A later document replaces the rows of either trace; nothing is counted twice.
        let parent = |id: &str| json!({"parent_id": id});
        put(&store, &[segment(1, 0x14, "late", 0.2, 0.1, parent("0000000000000011"))]);
        check_link(&store);
        put(&store, &[segment(2, 0x22, "other", 2.0, 0.1, parent("0000000000000021"))]);
        check_link(&store);
    }
    // Both traces in one batch.
    let store = store_with_groups(&[("mail", "service(\"mailer\")")]);
    put(&store, &[receiver, sender].concat());
    check_link(&store);
}
