//! Summaries of a small application, worked out by hand.
//!
//! ```text
//!  seconds   0    0.1   0.2   0.3      1.3   1.6   1.7  1.8   2.0   2.2
//!  api       |--------------------------------------------------|          fault, 500
//!    worker.local   |------------------------|                              fault, remote, called the next
//!      worker             |-------------------------------------------|     fault
//!        handle                 |-------|                                   fault, Timeout: too slow
//!    dynamodb                                      |----|                   throttle, aws, table games
//! ```

use serde_json::json;

use super::support::{START, put, segment, store, store_with_groups, subsegment, trace};
use crate::model::{Length, NodeName, Time};
use crate::query::filter::Filter;
use crate::query::{
    AnnotationSummary, AnnotationValue, CauseEntity, CauseService, HttpSummary, Range, RangeKind, RootCause,
    Sample, Search, Summary, SummaryPage, UserSummary, summaries, traces,
};
use crate::store::Store;

/// The application of the picture, and a second trace of 4 ms that begins after a second.
pub(super) fn application() -> Vec<serde_json::Value> {
    vec![
        segment(
            1,
            1,
            "api",
            0.0,
            2.0,
            json!({
                "origin": "AWS::EC2::Instance", "fault": true, "user": "alice",
                "http": {
                    "request": {"method": "GET", "url": "https://api/score", "user_agent": "curl", "client_ip": "203.0.113.7"},
                    "response": {"status": 500},
                },
                "aws": {"ec2": {"instance_id": "i-1", "availability_zone": "eu-west-1a"}},
                "annotations": {"game": "chess", "moves": 4},
                "subsegments": [
                    subsegment(2, "worker.local", 0.1, 1.5, json!({"namespace": "remote", "fault": true})),
                    subsegment(3, "dynamodb", 1.7, 0.1, json!({
                        "namespace": "aws", "throttle": true, "aws": {"table_name": "games", "operation": "PutItem"},
                        "annotations": {"moves": 5},
                    })),
                ],
            }),
        ),
        segment(
            1,
            4,
            "worker",
            0.2,
            2.0,
            json!({
                "parent_id": format!("{:016x}", 2), "fault": true, "user": "alice", "resource_arn": "arn:worker",
                "annotations": {"game": "chess", "late": true},
                "subsegments": [
                    subsegment(5, "handle", 0.3, 1.0, json!({
                        "fault": true,
                        "cause": {"exceptions": [{"id": "00000000000000ff", "type": "Timeout", "message": "too slow"}]},
                    })),
                ],
            }),
        ),
        segment(2, 6, "api", 1.0, 0.004, json!({"origin": "AWS::EC2::Instance"})),
    ]
}

fn page(store: &Store, search: &Search) -> SummaryPage {
    store.read(|connection| summaries(connection, search)).unwrap()
}

fn all(store: &Store, expression: &str) -> Vec<Summary> {
    page(store, &Search::new(Range::ALL, Filter::parse(expression).unwrap())).summaries
}

fn api() -> NodeName {
    NodeName::new("api", "AWS::EC2::Instance")
}

#[test]
fn a_summary_has_what_the_documents_say() {
    let store = store(&application());
    let found = all(&store, "fault");
    let [summary] = &found[..] else { panic!("{found:?}") };
    assert_eq!(summary.id, trace(1).parse().unwrap());
    assert_eq!(summary.start, Time::from_seconds(START));
    // The latest end is that of worker, 0.2 + 2.0; the earliest start that of api, 0.
    assert_eq!(summary.duration, Length::from_seconds(2.2));
    assert_eq!(summary.response, Some(Length::from_seconds(2.0)));
    // The throttle is that of the inferred segment, not of the root, so there is no error.
    let flags = (summary.has_fault, summary.has_error, summary.has_throttle, summary.is_partial);
    assert_eq!(flags, (true, false, true, false));
    let some = |value: &str| Some(value.to_owned());
    assert_eq!(
        summary.http,
        HttpSummary {
            url: some("https://api/score"),
            status: Some(500),
            method: some("GET"),
            user_agent: some("curl"),
            client_ip: some("203.0.113.7"),
        }
    );
    let worker = NodeName::new("worker", "");
    let games = NodeName::new("games", "AWS::DynamoDB::Table");
    assert_eq!(summary.services, [NodeName::new("api", "client"), api(), worker.clone(), games]);
    assert_eq!(summary.entry_point, Some(api()));
    let string = |value: &str| AnnotationValue::String(value.to_owned());
    assert_eq!(
        summary.annotations,
        [
            AnnotationSummary {
                key: "game".to_owned(),
                values: vec![(string("chess"), vec![api(), worker.clone()])]
            },
            AnnotationSummary {
                key: "late".to_owned(),
                values: vec![(AnnotationValue::Bool(true), vec![worker.clone()])],
            },
            // Both are set by api: one by the segment, one by its subsegment.
            AnnotationSummary {
                key: "moves".to_owned(),
                values: vec![
                    (AnnotationValue::Number(4.0), vec![api()]),
                    (AnnotationValue::Number(5.0), vec![api()])
                ],
            },
        ]
    );
    assert_eq!(summary.users, [UserSummary { name: "alice".to_owned(), services: vec![api(), worker] }]);
    assert_eq!(summary.availability_zones, ["eu-west-1a"]);
    assert_eq!(summary.instance_ids, ["i-1"]);
    assert_eq!(summary.resource_arns, ["arn:worker"]);
    // api, worker.local, dynamodb, worker, handle.
    assert_eq!(summary.spans, 5);
    assert_eq!(summary.matched_event_time, None);
}

#[test]
fn root_causes_are_paths_of_services_and_entities() {
    let store = store(&application());
    let found = all(&store, "fault");
    let entity = |name: &str, remote, coverage, exceptions: &[(&str, &str)]| CauseEntity {
        name: name.to_owned(),
        remote,
        coverage,
        exceptions: exceptions
            .iter()
            .map(|(name, message)| ((*name).to_owned(), (*message).to_owned()))
            .collect(),
    };
    let path = |a: [CauseEntity; 2], b: [CauseEntity; 2]| RootCause {
        client_impacting: true,
        services: vec![
            CauseService { node: api(), inferred: false, entities: a.into() },
            CauseService { node: NodeName::new("worker", ""), inferred: false, entities: b.into() },
        ],
    };
    // Everything on the way to handle has a fault; dynamodb has a throttle, which is none.
    assert_eq!(
        found[0].fault_causes,
        [path(
            [entity("api", false, None, &[]), entity("worker.local", true, None, &[])],
            [entity("worker", false, None, &[]), entity("handle", false, None, &[("Timeout", "too slow")])],
        )]
    );
    assert_eq!(found[0].error_causes, [], "the root has no error");
    // Shares of api's 2.0 s: worker.local 1.5 / 2.0 (dynamodb has 0.1 / 2.0), worker 2.0 / 2.0, handle 1.0 / 2.0.
    assert_eq!(
        found[0].response_time_causes,
        [path(
            [entity("api", false, Some(1.0), &[]), entity("worker.local", true, Some(0.75), &[])],
            [entity("worker", false, Some(1.0), &[]), entity("handle", false, Some(0.5), &[])],
        )]
    );
    let quick = &all(&store, "ok")[0];
    assert_eq!((&quick.fault_causes, &quick.response_time_causes), (&Vec::new(), &Vec::new()));
}

#[test]
fn an_inferred_service_ends_a_root_cause() {
    let store = store(&[segment(
        1,
        1,
        "api",
        0.0,
        1.0,
        json!({"error": true, "subsegments": [
            subsegment(2, "dynamodb", 0.0, 0.9, json!({"namespace": "aws", "throttle": true, "aws": {"table_name": "games"}})),
        ]}),
    )]);
    let cause = &all(&store, "error")[0].error_causes[0];
    let path: Vec<_> = cause
        .services
        .iter()
        .map(|service| {
            let names: Vec<_> = service.entities.iter().map(|entity| entity.name.as_str()).collect();
            (service.node.name.as_str(), service.node.kind.as_str(), service.inferred, names)
        })
        .collect();
    assert_eq!(
        path,
        [("api", "", false, vec!["api", "DynamoDB"]), ("games", "AWS::DynamoDB::Table", true, vec!["games"]),]
    );
}

#[test]
fn pages_are_newest_first_and_stay_when_traces_arrive() {
    let store = store(&[]);
    let put_one = |number: u32| {
        put(&store, &[segment(number, u64::from(number), "a", 0.0, 0.1, json!({}))]);
    };
    (1..=5).for_each(put_one);
    let numbers = |page: &SummaryPage| -> Vec<i64> {
        page.summaries.iter().map(|summary| summary.key.0 & 0x7fff_ffff).collect()
    };
    let search = Search { limit: 2, ..Search::new(Range::ALL, Filter::default()) };
    let first = page(&store, &search);
    assert_eq!((numbers(&first), first.processed), (vec![5, 4], 2));
    put_one(9);
    let second = page(&store, &Search { before: first.next, ..search.clone() });
    assert_eq!((numbers(&second), second.processed), (vec![3, 2], 2));
    let third = page(&store, &Search { before: second.next, ..search });
    assert_eq!((numbers(&third), third.next, third.processed), (vec![1], None, 1));
}

#[test]
fn traces_that_do_not_match_are_counted_as_looked_at() {
    let store = store(&application());
    let found = page(&store, &Search::new(Range::ALL, Filter::parse("fault").unwrap()));
    assert_eq!((found.summaries.len(), found.processed), (1, 2));
    assert_eq!(found.approximate, Time::from_seconds(START));
}

#[test]
fn the_kind_of_range_decides_which_time_counts() {
    // Trace 1 runs from 0 to 2.2, with ends at 2.0 (api), 2.2 (worker), 1.8 (games); trace 2 from 1.0 to 1.004. The
    // time in both ids is 0.
    let store = store(&application());
    let found = |kind, start: f64, end: f64| {
        let range =
            Range { start: Time::from_seconds(START + start), end: Time::from_seconds(START + end), kind };
        let found = page(&store, &Search::new(range, Filter::default()));
        let mut numbers: Vec<i64> =
            found.summaries.iter().map(|summary| summary.key.0 & 0x7fff_ffff).collect();
        numbers.sort_unstable();
        numbers
    };
    assert_eq!(found(RangeKind::TraceId, 0.0, 1.0), [1, 2]);
    assert_eq!(found(RangeKind::TraceId, 1.0, 2.0), [0; 0]);
    assert_eq!(found(RangeKind::TraceId, -1.0, 0.0), [0; 0], "the end does not belong to the range");
    assert_eq!(found(RangeKind::Event, 0.0, 1.0), [1]);
    assert_eq!(found(RangeKind::Event, 1.003, 1.5), [1, 2]);
    assert_eq!(found(RangeKind::Event, 2.1, 9.0), [1]);
    assert_eq!(found(RangeKind::Service, 1.0, 1.5), [2]);
    assert_eq!(found(RangeKind::Service, 1.9, 2.1), [1]);
    assert_eq!(found(RangeKind::Service, 2.3, 9.0), [0; 0]);
    let range = Range {
        start: Time::from_seconds(START + 1.5),
        end: Time::from_seconds(START + 9.0),
        kind: RangeKind::Event,
    };
    let matched = page(&store, &Search::new(range, Filter::default())).summaries[0].matched_event_time;
    assert_eq!(matched, Some(range.start));
}

#[test]
fn a_sample_is_a_share_and_the_same_each_time() {
    let store = store(&[]);
    for number in 0..400_u32 {
        // The low 31 bits of the id decide, spread evenly here.
        let number = number * ((1 << 31) / 400 + 1);
        put(&store, &[segment(number, 1, "a", 0.0, 0.1, json!({}))]);
    }
    let count = |sample| {
        let search = Search { sample, limit: 1_000, ..Search::new(Range::ALL, Filter::default()) };
        page(&store, &search).summaries.len()
    };
    assert_eq!(count(Sample::All), 400);
    assert_eq!(count(Sample::FixedRate(0.25)), 100);
    assert_eq!(count(Sample::FixedRate(0.0)), 0);
    assert_eq!(count(Sample::FixedRate(7.0)), 400);
    assert_eq!(count(Sample::PartialScan), 400);
}

#[test]
fn a_group_has_the_traces_that_matched_when_they_were_stored() {
    let store =
        store_with_groups(&[("slow", "responsetime > 1"), ("broken", "no such = thing"), ("all", "")]);
    put(&store, &application());
    let numbers = |expression: &str| super::support::numbers(&store, expression);
    assert_eq!(numbers("group.name = \"slow\""), [1]);
    assert_eq!(
        numbers("group.name = \"broken\""),
        [0; 0],
        "an expression that is not understood matches nothing"
    );
    assert_eq!(numbers("group.arn = \"arn:all\""), [1, 2]);
    assert_eq!(numbers("group.name != \"slow\""), [1, 2], "both are in `all` too");
    assert_eq!(numbers("!group.name = \"slow\""), [2]);
    let search = Search { group: Some(1), ..Search::new(Range::ALL, Filter::default()) };
    assert_eq!(page(&store, &search).summaries.len(), 1);
}

#[test]
fn a_trace_grows_and_its_revision_with_it() {
    let store = store(&[]);
    put(&store, &[segment(1, 1, "a", 0.0, 0.1, json!({"end_time": null, "in_progress": true}))]);
    let before = &all(&store, "partial")[0];
    assert_eq!((before.revision, before.response, before.is_partial), (1, None, true));
    put(&store, &[segment(1, 1, "a", 0.0, 0.1, json!({}))]);
    assert!(all(&store, "partial").is_empty());
    let after = &all(&store, "ok")[0];
    assert_eq!((after.revision, after.response), (2, Some(Length::from_seconds(0.1))));
}

#[test]
fn documents_come_back_compiled() {
    let store = store(&application());
    let (known, unknown) = (trace(1).parse().unwrap(), trace(7).parse().unwrap());
    let found = store.read(|connection| traces(connection, &[unknown, known])).unwrap();
    assert_eq!(found.missing, [unknown]);
    let [one] = &found.traces[..] else { panic!("{found:?}") };
    assert_eq!((one.id, one.duration, one.limit_exceeded), (known, Length::from_seconds(2.2), false));
    let names: Vec<String> = one
        .segments
        .iter()
        .map(|(_, json)| {
            serde_json::from_str::<serde_json::Value>(json).unwrap()["name"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(names, ["api", "worker", "games"]);
}

#[test]
fn what_was_looked_at_is_counted_whatever_part_of_the_store_it_is() {
    let documents: Vec<_> = (0..40_u32)
        .map(|second| {
            let mut document = segment(1, 1, "a", f64::from(second), 0.1, json!({}));
            document["trace_id"] = json!(format!("1-{:08x}-{:024x}", START as u32 + second, second));
            document
        })
        .collect();
    let store = store(&documents);
    for start in 0..42 {
        for end in start..42 {
            let range = Range::of_ids(
                Time::from_seconds(START + f64::from(start) - 1.0),
                Time::from_seconds(START + f64::from(end) - 1.0),
            );
            let found = page(&store, &Search { limit: 100, ..Search::new(range, Filter::default()) });
            assert_eq!(found.processed, found.summaries.len() as u64, "{start} to {end}");
        }
    }
}
