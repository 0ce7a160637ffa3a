//! The events of `aws_lambda_events`, as Lambda sends them: links from a batch to its senders.

#![expect(clippy::unwrap_used, reason = "a test fails by it")]

use aws_lambda_events::eventbridge::EventBridgeEvent;
use aws_lambda_events::sns::{SnsEvent, SnsEventObj};
use aws_lambda_events::sqs::{SqsEvent, SqsEventObj};
use ecosystem::{Rig, find};
use serde_json::{Value, json};
use tracing::info_span;
use xray_tracing_layer::lambda_events::{Senders, link_senders};

fn header(trace: u8, parent: u8, sampled: u8) -> String {
    format!("Root=1-66f1a2b3-{trace:024x};Parent={parent:016x};Sampled={sampled}")
}

fn link(trace: u8, parent: u8) -> Value {
    json!({"trace_id": format!("1-66f1a2b3-{trace:024x}"), "id": format!("{parent:016x}")})
}

/// The built-in events of the emulated Lambda, which are as AWS documents them.
fn sample(name: &str) -> Value {
    let path = format!("{}/../examples/lambda_local/samples/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn read<E: serde::de::DeserializeOwned>(event: Value) -> E {
    serde_json::from_value(event).unwrap()
}

/// Links an event within a segment. Returns the number and the links.
fn linked(event: &impl Senders) -> (usize, Value) {
    let rig = Rig::new();
    let count = info_span!("batch").in_scope(|| link_senders(event));
    let links = find(&rig.trace_of(1), "shop").json()["links"].clone();
    (count, links)
}

fn assert_linked(event: &impl Senders, links: &[Value]) {
    let expected = if links.is_empty() { Value::Null } else { Value::from(links) };
    assert_eq!(linked(event), (links.len(), expected));
}

#[test]
fn a_batch_of_sqs_is_linked_to_its_senders() {
    let mut event = sample("sqs");
    event["Records"][0]["attributes"]["AWSTraceHeader"] = header(1, 1, 1).into();
    let mut unsampled = event["Records"][0].clone();
    unsampled["attributes"]["AWSTraceHeader"] = header(3, 3, 0).into();
    let mut by_sender = event["Records"][1].clone();
    by_sender["messageAttributes"]["traceparent"] = json!({
        "dataType": "String",
        "stringValue": "00-66f1a2b3000000000000000000000002-0000000000000002-01",
    });
    event["Records"].as_array_mut().unwrap().extend([unsampled, by_sender]);
    let links = [link(1, 1), link(2, 2)];
    assert_linked(&read::<SqsEvent>(event.clone()), &links);
    assert_linked(&read::<SqsEventObj<Value>>(event.clone()), &links);
    assert_linked(&event, &links);
}

#[test]
fn a_batch_of_sns_is_linked_by_the_attribute_that_the_publisher_sets() {
    let mut event = sample("sns");
    assert_linked(&read::<SnsEvent>(event.clone()), &[]);
    event["Records"][0]["Sns"]["MessageAttributes"]["X-Amzn-Trace-Id"] =
        json!({"Type": "String", "Value": header(1, 1, 1)});
    assert_linked(&read::<SnsEvent>(event.clone()), &[link(1, 1)]);
    assert_linked(&read::<SnsEventObj<Value>>(event.clone()), &[link(1, 1)]);
    assert_linked(&event, &[link(1, 1)]);
}

#[test]
fn an_event_of_eventbridge_is_linked_by_the_member_that_the_publisher_sets() {
    let mut event = sample("eventbridge");
    assert_linked(&read::<EventBridgeEvent>(event.clone()), &[]);
    event["detail"]["TraceHeader"] = header(1, 1, 1).into();
    assert_linked(&read::<EventBridgeEvent>(event.clone()), &[link(1, 1)]);
    assert_linked(&event, &[link(1, 1)]);
}

#[test]
fn an_event_of_step_functions_is_linked_by_the_header_in_its_input() {
    for event in [
        json!({"order": 7, "TraceHeader": header(1, 1, 1)}),
        json!({"Execution": {"Id": "arn:e", "Input": {"TraceHeader": header(1, 1, 1)}}, "State": {"Name": "S"}}),
    ] {
        assert_linked(&event, &[link(1, 1)]);
        let header = event.trace_headers().remove(0).to_string();
        let rig = Rig::new();
        drop(info_span!(parent: None, "activity", xray.trace_header = header));
        let trace = rig.trace_of(1);
        assert_eq!(find(&trace, "shop").json()["parent_id"], "0000000000000001");
    }
}

#[test]
fn an_event_of_the_same_trace_is_not_linked() {
    let rig = Rig::new();
    let count = info_span!("work").in_scope(|| {
        let header = xray_tracing_layer::current_trace_header().unwrap().to_string();
        link_senders(&json!({ "TraceHeader": header }))
    });
    assert_eq!((count, &find(&rig.trace_of(1), "shop").json()["links"]), (0, &Value::Null));
}
