//! Real functions, as child processes, under the emulated Lambda.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use lambda_local::{Lambda, Outcome, Settings, Tracing, samples};
use serde_json::{Value, json};

fn start(settings: &Settings) -> Lambda {
    Lambda::start(Path::new(env!("CARGO_BIN_EXE_lambda_local")), settings).unwrap()
}

fn quiet() -> Settings {
    Settings { quiet: true, ..Settings::default() }
}

fn with(name: &str, value: &str) -> Settings {
    Settings { variables: vec![(name.to_owned(), value.to_owned())], ..quiet() }
}

/// How many invocations the long tests make: 10,000 take minutes in a debug build.
#[expect(clippy::disallowed_methods, reason = "a knob of the test")]
fn invocations(default: usize) -> usize {
    std::env::var("LAMBDA_INVOCATIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn names(documents: &[Value]) -> Vec<&str> {
    documents.iter().map(|document| document["name"].as_str().unwrap()).collect()
}

fn span_count(document: &Value) -> usize {
    let children = document["subsegments"].as_array();
    1 + children.into_iter().flatten().map(span_count).sum::<usize>()
}

/// All that came is a subsegment of this invocation's function segment.
#[track_caller]
fn assert_placed(outcome: &Outcome) {
    for document in &outcome.documents {
        assert_eq!(document["trace_id"], *outcome.trace_id);
        assert_eq!(document["parent_id"], *outcome.function_segment);
        assert_eq!(document["type"], "subsegment");
        assert!(document["end_time"].is_f64(), "{document}");
    }
}

/// Waits for complete documents that a task sends on its own time. Before them it may be announced as in progress, if
/// the runtime asks for the next event first.
#[track_caller]
fn late(lambda: &Lambda, outcome: &Outcome, count: usize) -> Vec<Value> {
    let (started, mut documents) = (Instant::now(), Vec::new());
    while documents.len() < count {
        assert!(started.elapsed() < Duration::from_secs(10), "{documents:?}");
        let late = lambda.late_documents(&outcome.trace_id).into_iter();
        documents.extend(late.filter(|document| document.get("in_progress").is_none()));
        thread::yield_now();
    }
    documents
}

#[test]
fn every_subsegment_is_sent_before_the_response_though_the_function_freezes_with_it() {
    let lambda = start(&quiet());
    for number in 0..invocations(300) {
        let (kind, expected, spans): (_, &[&str], _) = match number % 4 {
            0 | 1 => ("order", &["order"], 5),
            2 => ("tops", &["parse", "store", "notify"], 3),
            _ => ("leave", &["leave"], 2),
        };
        let mut outcome = lambda.invoke(Tracing::Active, json!({ "do": kind, "order": number })).unwrap();
        // On a slow machine the task is done before the function is frozen.
        outcome.documents.retain(|document| document["name"] != "afterwards");
        assert_eq!(names(&outcome.documents), expected, "invocation {number}");
        assert_eq!(outcome.documents.iter().map(span_count).sum::<usize>(), spans);
        assert_placed(&outcome);
        if number % 1_000 == 0 {
            lambda.collector().clear();
        }
    }
    assert_eq!(lambda.problems(), [""; 0]);
}

#[test]
fn a_function_may_send_more_than_its_socket_has_room_for() {
    let outcome = start(&quiet()).invoke(Tracing::Active, json!({ "do": "many" })).unwrap();
    assert_eq!(outcome.documents.len(), 300);
}

#[test]
fn what_goes_on_after_the_response_arrives_on_its_own() {
    let lambda = start(&quiet());
    let outcome = lambda.invoke(Tracing::Active, json!({ "do": "leave" })).unwrap();
    assert_eq!(names(&outcome.documents), ["leave"]);
    assert_placed(&outcome);
    // As long as the function is frozen, nothing comes.
    thread::sleep(Duration::from_millis(50));
    assert_eq!(lambda.late_documents(&outcome.trace_id), [0; 0]);
    lambda.thaw().unwrap();
    let afterwards = late(&lambda, &outcome, 1);
    assert_eq!(names(&afterwards), ["afterwards"]);
    assert_eq!(afterwards[0]["parent_id"], outcome.documents[0]["id"]);
    // Its time is that of the wall, also across the freeze.
    let lasted = afterwards[0]["end_time"].as_f64().unwrap() - afterwards[0]["start_time"].as_f64().unwrap();
    assert!((0.05..5.0).contains(&lasted), "{lasted}");
    assert_eq!(lambda.problems(), [""; 0]);
    assert_eq!(lambda.collector().received().problems(), [""; 0]);
}

#[test]
fn a_handlers_span_that_a_task_shares_leaves_in_time_and_what_comes_later_hangs_below_it() {
    let lambda = start(&quiet());
    let outcome = lambda.invoke(Tracing::Active, json!({ "do": "share" })).unwrap();
    assert_eq!(names(&outcome.documents), ["share"]);
    assert_placed(&outcome);
    lambda.thaw().unwrap();
    let afterwards = late(&lambda, &outcome, 2);
    assert_eq!(names(&afterwards), ["afterwards", "share"]);
    assert_eq!(afterwards[0]["parent_id"], afterwards[1]["id"]);
    assert_eq!(afterwards[1]["parent_id"], outcome.documents[0]["id"]);
    assert_eq!(lambda.collector().received().problems(), [""; 0]);
}

#[test]
fn a_function_that_is_killed_at_its_time_out_has_left_a_trace() {
    let variables = vec![("FUNCTION_FORM".to_owned(), "margin".to_owned())];
    let lambda = start(&Settings { variables, timeout: Duration::from_secs(5), ..quiet() });
    let err = lambda.invoke(Tracing::Active, json!({ "do": "hang" })).unwrap_err();
    assert!(err.to_string().contains("timed out"), "{err}");
    // Two of Lambda's, and the function's: one that is finished, one in progress.
    assert!(lambda.collector().wait_for_documents(4, Duration::from_secs(60)));
    let received = lambda.collector().received();
    assert_eq!(received.problems(), [""; 0]);
    let of = |name: &str| {
        let mut documents = received.documents().iter().map(|document| document.json().clone());
        documents.find(|document| document["name"] == name).unwrap_or_else(|| panic!("no {name}"))
    };
    let (handler, begun) = (of("handler"), of("begun"));
    assert_eq!((&handler["in_progress"], &begun["in_progress"]), (&json!(true), &json!(null)));
    assert_eq!(begun["parent_id"], handler["id"]);
}

#[test]
fn one_invocation_is_one_connected_trace() {
    let lambda = start(&quiet());
    let outcome = lambda.invoke(Tracing::Active, json!({ "do": "order", "order": 7 })).unwrap();
    assert!(lambda.collector().wait_for_documents(3, Duration::from_secs(5)));
    let received = lambda.collector().received();
    assert_eq!(received.problems(), [""; 0]);
    let [trace] = &received.traces()[..] else { panic!("one trace") };
    assert_eq!((trace.id(), trace.roots().count()), (&*outcome.trace_id, 1));
    assert_eq!(trace.missing_parents(), [""; 0]);
    assert_eq!(outcome.documents[0]["annotations"]["request_id"].as_str().map(str::len), Some(36));
}

#[test]
fn without_a_recorded_trace_nothing_is_sent_and_the_header_goes_on_as_it_came() {
    for concurrency in [1, 2] {
        let lambda = start(&Settings { concurrency, ..quiet() });
        for tracing in [Tracing::Unsampled, Tracing::PassThrough, Tracing::Off] {
            for kind in ["order", "leave", "tops"] {
                let outcome = lambda.invoke(tracing, json!({ "do": kind })).unwrap();
                assert_eq!(outcome.response["header"].as_str(), outcome.header.as_deref(), "{tracing:?}");
            }
        }
        // Whatever would come late has come when these have.
        for _ in 0..3 {
            lambda.invoke(Tracing::Off, json!({ "do": "order" })).unwrap();
        }
        assert_eq!(lambda.datagrams(), 0);
    }
}

#[test]
fn invocations_side_by_side_never_mix_traces() {
    const WORKERS: usize = 8;
    let each = invocations(600) / WORKERS;
    let lambda = start(&Settings { concurrency: WORKERS, ..quiet() });
    thread::scope(|scope| {
        for worker in 0..WORKERS {
            let lambda = &lambda;
            scope.spawn(move || {
                for number in 0..each {
                    let number = worker * each + number;
                    let event = json!({ "do": "order", "order": number });
                    let outcome = lambda.invoke(Tracing::Active, event).unwrap();
                    assert_eq!(names(&outcome.documents), ["order"]);
                    assert_eq!(span_count(&outcome.documents[0]), 5);
                    assert_eq!(outcome.documents[0]["metadata"]["default"]["order"], number.to_string());
                    assert_placed(&outcome);
                    let header = outcome.response["header"].as_str().unwrap();
                    let id = outcome.documents[0]["id"].as_str().unwrap();
                    assert!(header.starts_with(&format!("Root={};Parent={id};Sampled=1", outcome.trace_id)));
                }
            });
        }
    });
    assert_eq!(lambda.problems(), [""; 0]);
}

#[test]
fn a_receiver_that_dies_changes_nothing_and_one_that_returns_misses_nothing() {
    let lambda = start(&quiet());
    let order = || lambda.invoke(Tracing::Active, json!({ "do": "order" })).unwrap();
    assert_eq!(order().documents.len(), 1);
    lambda.kill_receiver();
    for _ in 0..20 {
        let outcome = order();
        assert!(!outcome.failed && outcome.response["header"].is_string());
    }
    lambda.restart_receiver().unwrap();
    // The socket still holds the news that the last one met no listener.
    let outcome = order();
    assert_eq!(names(&outcome.documents), ["order"]);
    assert_placed(&outcome);
}

#[test]
fn without_any_receiver_the_handler_answers() {
    let lambda = start(&with("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:1"));
    for _ in 0..20 {
        let outcome = lambda.invoke(Tracing::Active, json!({ "do": "order" })).unwrap();
        assert!(!outcome.failed);
    }
    assert_eq!(lambda.datagrams(), 0);
}

#[test]
fn a_handler_that_fails_is_at_fault_and_says_why() {
    for (form, kind, message, place) in [
        ("run", "fail", "\"out of stock\"", "Lambda runtime invoke"),
        ("run", "panic", "the thread panicked in this span", "panics"),
        ("runtime-layer", "fail", "\"out of stock\"", "Lambda invocation"),
        ("runtime-layer", "panic", "the thread panicked in this span", "panics"),
        ("layer", "fail", "out of stock", "handler"),
        ("layer", "panic", "the shelf fell over", "handler"),
    ] {
        let lambda = start(&with("FUNCTION_FORM", form));
        let outcome = lambda.invoke(Tracing::Active, json!({ "do": kind })).unwrap();
        assert!(outcome.failed);
        assert_placed(&outcome);
        let failed: Vec<_> = outcome.documents.iter().filter(|d| d["fault"] == true).collect();
        assert_eq!(failed.len(), 1, "{form} {kind}: {:?}", outcome.documents);
        assert_eq!((failed[0]["name"].as_str(), form), (Some(place), form));
        assert_eq!(failed[0]["cause"]["exceptions"][0]["message"], message);
        assert_eq!(lambda.problems(), [""; 0]);
    }
}

#[test]
fn the_layer_around_a_handler_tells_what_lambda_knows() {
    let lambda = start(&with("FUNCTION_FORM", "layer"));
    for cold in [true, false] {
        let outcome = lambda.invoke(Tracing::Active, json!({ "do": "order" })).unwrap();
        assert_eq!(names(&outcome.documents), ["handler"]);
        assert_placed(&outcome);
        let annotations = &outcome.documents[0]["annotations"];
        assert_eq!((&annotations["cold_start"], &annotations["trigger"]), (&cold.into(), &"sqs".into()));
        assert_eq!(annotations["request_id"].as_str().map(str::len), Some(36));
        assert!(outcome.documents[0]["aws"]["function_arn"].as_str().unwrap().ends_with(":orders"));
        assert_eq!(span_count(&outcome.documents[0]), 6);
    }
    let outcome = lambda.invoke(Tracing::Active, json!({ "do": "leave" })).unwrap();
    assert_eq!(names(&outcome.documents), ["leave", "handler"], "the inner one as well");
    assert_eq!(outcome.documents[0]["parent_id"], outcome.documents[1]["id"]);
    lambda.thaw().unwrap();
    let afterwards = late(&lambda, &outcome, 1);
    assert_eq!(names(&afterwards), ["afterwards"]);
    assert_eq!(afterwards[0]["parent_id"], outcome.documents[0]["id"]);
    assert_eq!(lambda.collector().received().problems(), [""; 0]);
}

#[test]
fn the_layer_around_a_runtime_hands_its_facts_to_the_first_subsegment() {
    let lambda = start(&with("FUNCTION_FORM", "runtime-layer"));
    let outcome = lambda.invoke(Tracing::Active, json!({ "do": "tops" })).unwrap();
    assert_eq!(names(&outcome.documents), ["parse", "store", "notify"]);
    assert_placed(&outcome);
    assert_eq!(outcome.documents[0]["annotations"]["cold_start"], true);
    assert!(outcome.documents[1].get("annotations").is_none());
}

#[test]
fn behind_api_gateway_there_is_no_second_segment() {
    let lambda = start(&with("FUNCTION_FORM", "http"));
    let event = serde_json::from_str(samples::find("api-gateway").unwrap().json).unwrap();
    let outcome = lambda.invoke(Tracing::Active, event).unwrap();
    assert_eq!(outcome.response["statusCode"], 200, "{outcome:?}");
    assert_eq!(names(&outcome.documents), ["GET /orders"]);
    assert_placed(&outcome);
    assert_eq!(lambda.collector().received().problems(), [""; 0]);
}

#[test]
fn a_function_from_a_snapshot_is_traced_from_its_first_invocation_on() {
    let lambda = start(&with("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start"));
    for _ in 0..3 {
        let outcome = lambda.invoke(Tracing::Active, json!({ "do": "order" })).unwrap();
        assert_eq!(names(&outcome.documents), ["order"]);
        assert_placed(&outcome);
    }
}
