//! Compilation, by documents whose facts are worked out by hand.

use serde_json::{Value, json};
use xray_sdk::TraceId;

use super::{Parsed, compile, returned};
use crate::model::{CauseKind, Compiled, Length, NodeRef, PlaceKind, Scalar};

const TRACE: &str = "1-66f1a2b3-0123456789abcdef01234567";

fn trace_id() -> TraceId {
    TRACE.parse().unwrap()
}

/// A document with an id made of a number, and members that override the defaults.
fn span(id: u64, parent: Option<u64>, members: Value) -> Value {
    let mut span = json!({"id": format!("{id:016x}"), "start_time": 10.0, "end_time": 11.0});
    let object = span.as_object_mut().unwrap();
    if let Some(parent) = parent {
        object.insert("parent_id".to_owned(), json!(format!("{parent:016x}")));
    }
    object.extend(members.as_object().unwrap().clone());
    span
}

fn segment(id: u64, parent: Option<u64>, members: Value) -> Value {
    let mut segment = span(id, parent, members);
    segment.as_object_mut().unwrap().insert("trace_id".to_owned(), json!(TRACE));
    segment
}

fn streamed(id: u64, parent: u64, members: Value) -> Value {
    let mut subsegment = segment(id, Some(parent), members);
    subsegment.as_object_mut().unwrap().insert("type".to_owned(), json!("subsegment"));
    subsegment
}

/// The facts borrow from the documents, which a test never frees.
fn compiled(documents: &[Value]) -> Compiled<'static> {
    let texts = documents.iter().map(|document| &*Box::leak(document.to_string().into_boxed_str()));
    let parsed: Vec<Parsed<'static>> = texts.map(|text| Parsed::stored(text.as_bytes())).collect();
    compile(trace_id(), &*Box::leak(parsed.into_boxed_slice())).unwrap()
}

fn documents(documents: &[Value]) -> Vec<Value> {
    let texts: Vec<String> = documents.iter().map(Value::to_string).collect();
    let bytes: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
    returned(trace_id(), &bytes)
        .iter()
        .map(|returned| serde_json::from_str(&returned.document).unwrap())
        .collect()
}

/// `source>target` of each call, with types where there are any.
fn edges(compiled: &Compiled<'_>) -> Vec<String> {
    let show = |node: &NodeRef<'_>| {
        if node.kind.is_empty() { node.name.to_owned() } else { format!("{}:{}", node.name, node.kind) }
    };
    let edges = compiled.calls.iter().map(|call| {
        let target = &compiled.segments[call.callee].node;
        let source =
            call.caller.map_or_else(|| target.clients(), |caller| compiled.segments[caller].node.clone());
        format!("{}>{}", show(&source), show(target))
    });
    edges.collect()
}

/// A shop that calls a table, a queue, another service and a database.
fn shop() -> Value {
    segment(
        1,
        None,
        json!({
            "name": "shop", "origin": "AWS::EC2::Instance", "user": "ann", "resource_arn": "arn:aws:ec2:x:1:i",
            "start_time": 10.0, "end_time": 12.0,
            "http": {"request": {"method": "GET", "url": "http://shop/", "client_ip": "10.0.0.1", "user_agent": "curl"},
                     "response": {"status": 200, "content_length": "0"}},
            "aws": {"ec2": {"instance_id": "i-1", "availability_zone": "us-east-1a"}},
            "annotations": {"tier": "gold", "list": [1], "age": 30, "vip": true},
            "subsegments": [
                span(2, None, json!({"name": "dynamodb", "namespace": "aws", "start_time": 10.1, "end_time": 10.3,
                                     "aws": {"operation": "GetItem", "table_name": "games"}})),
                span(3, None, json!({"name": "stock", "namespace": "remote", "start_time": 10.3, "end_time": 11.9,
                                     "annotations": {"tier": "inner"}})),
                span(4, None, json!({"name": "render", "start_time": 11.9, "end_time": 12.5,
                    "subsegments": [span(5, None, json!({"name": "shop@db", "namespace": "remote", "sql": {},
                                                         "start_time": 11.9, "end_time": 12.4, "fault": true}))]})),
            ],
        }),
    )
}

#[test]
fn a_segment_with_calls_becomes_a_node_with_edges() {
    let compiled = compiled(&[shop()]);
    assert_eq!(
        edges(&compiled),
        [
            "shop:client>shop:AWS::EC2::Instance",
            "shop:AWS::EC2::Instance>games:AWS::DynamoDB::Table",
            "shop:AWS::EC2::Instance>stock:remote",
            "shop:AWS::EC2::Instance>shop@db:Database::SQL",
        ]
    );
    let trace = &compiled.trace;
    assert_eq!((trace.start.0, trace.end.0), (10_000_000, 12_500_000));
    assert_eq!((trace.response, trace.spans, trace.root), (Some(Length(2_000_000)), 5, Some(0)));
    assert_eq!(
        (trace.flags.ok, trace.flags.fault, trace.flags.inferred, trace.flags.partial),
        (true, false, true, false)
    );
    let root = &compiled.segments[0];
    assert_eq!((root.duration, root.root), (Some(Length(2_500_000)), true));
    assert_eq!((root.http.status, root.http.url), (Some(200), Some("http://shop/")));
    let database = &compiled.segments[3];
    assert_eq!((database.flags.fault, database.flags.inferred, database.flags.ok), (true, true, false));
    let annotations: Vec<_> = compiled.annotations.iter().map(|a| (a.key, a.value.clone())).collect();
    assert_eq!(
        annotations,
        [
            ("age", Scalar::Number(30.0)),
            ("tier", Scalar::String("gold".into())),
            ("vip", Scalar::Boolean(true)),
            ("tier", Scalar::String("inner".into())),
        ]
    );
    assert_eq!(compiled.users[0].name, "ann");
    let places: Vec<_> = compiled.places.iter().map(|place| (place.kind, place.value)).collect();
    assert_eq!(
        places,
        [
            (PlaceKind::Zone, "us-east-1a"),
            (PlaceKind::Instance, "i-1"),
            (PlaceKind::Resource, "arn:aws:ec2:x:1:i")
        ]
    );
}

#[test]
fn a_segment_of_the_callee_replaces_the_inferred_one() {
    let stock = segment(9, Some(3), json!({"name": "stock-service", "start_time": 10.5, "end_time": 11.5}));
    let before = compiled(&[shop()]);
    let after = compiled(&[stock, shop()]);
    assert_eq!(before.segments.iter().filter(|segment| segment.node.name == "stock").count(), 1);
    assert_eq!(after.segments.iter().filter(|segment| segment.node.name == "stock").count(), 0);
    let name = |segment: usize| after.segments[segment].node.name;
    let call = after.calls.iter().find(|call| name(call.callee) == "stock-service").unwrap();
    assert_eq!((call.caller.map(name), call.alias, call.span), (Some("shop"), Some("stock"), 3));
    // The caller's view, not the callee's.
    assert_eq!((call.start.0, call.end.map(|end| end.0)), (10_300_000, Some(11_900_000)));
}

#[test]
fn a_call_of_something_traced_waits_for_its_segment() {
    for members in [json!({"http": {"request": {"traced": true}}}), json!({"traced": true})] {
        let mut call = json!({"name": "stock", "namespace": "remote"});
        call.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let shop = segment(1, None, json!({"name": "shop", "subsegments": [span(2, None, call)]}));
        assert_eq!(edges(&compiled(&[shop])), ["shop:client>shop"]);
    }
}

#[test]
fn every_order_of_arrival_gives_the_same_facts() {
    let parts = [
        segment(1, None, json!({"name": "shop", "subsegments": [span(2, None, json!({"name": "work"}))]})),
        streamed(3, 2, json!({"name": "stock", "namespace": "remote", "start_time": 10.2})),
        segment(4, Some(3), json!({"name": "stock", "origin": "AWS::ECS::Container", "start_time": 10.3})),
        segment(1, None, json!({"name": "shop", "in_progress": true, "end_time": null})),
    ];
    let expected = compiled(&parts);
    assert_eq!(edges(&expected), ["shop:client>shop", "shop>stock:AWS::ECS::Container"]);
    assert!(!expected.trace.flags.partial);
    for a in 0..4 {
        for b in (0..4).filter(|&b| b != a) {
            for c in (0..4).filter(|&c| c != a && c != b) {
                let order = [a, b, c, 6 - a - b - c].map(|at| parts[at].clone());
                assert_eq!(compiled(&order), expected);
            }
        }
    }
}

#[test]
fn what_is_in_progress_makes_the_trace_partial() {
    let open = segment(1, None, json!({"name": "shop", "in_progress": true, "end_time": null}));
    let compiled = compiled(&[open]);
    assert!(compiled.trace.flags.partial && !compiled.trace.flags.ok);
    assert_eq!((compiled.trace.response, compiled.segments[0].end), (None, None));
}

#[test]
fn a_subsegment_without_its_parent_stands_alone() {
    let orphan =
        streamed(2, 1, json!({"name": "work", "subsegments": [span(3, None, json!({"name": "inner"}))]}));
    let alone = documents(std::slice::from_ref(&orphan));
    assert_eq!(alone.len(), 1);
    assert_eq!(
        (&alone[0]["type"], &alone[0]["parent_id"]),
        (&json!("subsegment"), &json!(format!("{:016x}", 1)))
    );
    assert_eq!(alone[0]["subsegments"][0]["name"], "inner");
    let merged = documents(&[orphan, segment(1, None, json!({"name": "shop"}))]);
    assert_eq!(merged.len(), 1);
    assert_eq!(merged[0]["subsegments"][0]["subsegments"][0]["name"], "inner");
    assert_eq!(merged[0]["subsegments"][0].get("type"), None);
}

#[test]
fn returned_documents_are_the_services_own() {
    let documents = documents(&[shop()]);
    assert_eq!(documents.len(), 4);
    let shop = &documents[0];
    assert_eq!(shop["trace_id"], TRACE);
    assert_eq!(shop["http"]["response"], json!({"status": 200}), "a member of a wrong type is removed");
    assert_eq!(shop["annotations"], json!({"tier": "gold", "age": 30, "vip": true}));
    let call = &shop["subsegments"][0];
    assert_eq!((&call["name"], &call["aws"]["resource_names"]), (&json!("DynamoDB"), &json!(["games"])));
    let inferred = &documents[1];
    assert_eq!(
        (&inferred["name"], &inferred["origin"], &inferred["inferred"], &inferred["parent_id"]),
        (&json!("games"), &json!("AWS::DynamoDB::Table"), &json!(true), &call["id"])
    );
    assert_eq!(inferred["aws"]["operation"], "GetItem");
    assert_eq!(documents[3]["fault"], true);
}

#[test]
fn lambdas_two_segments_are_two_nodes() {
    let service = segment(
        1,
        None,
        json!({"name": "resize", "origin": "AWS::Lambda", "start_time": 10.0, "end_time": 11.0}),
    );
    let function = segment(
        2,
        Some(1),
        json!({"name": "resize", "origin": "AWS::Lambda::Function", "start_time": 10.1, "end_time": 10.963,
               "subsegments": [span(3, None, json!({"name": "Initialization", "start_time": 10.1, "end_time": 10.963}))]}),
    );
    let compiled = compiled(&[service, function]);
    assert_eq!(
        edges(&compiled),
        ["resize:client>resize:AWS::Lambda", "resize:AWS::Lambda>resize:AWS::Lambda::Function"]
    );
    let cause = &compiled.causes[0];
    assert_eq!(cause.kind, CauseKind::ResponseTime);
    let path: Vec<_> = cause
        .services
        .iter()
        .map(|service| {
            let entities = service.entities.iter().map(|entity| (entity.name, entity.coverage.unwrap()));
            (service.kind.as_deref().unwrap(), entities.collect::<Vec<_>>())
        })
        .collect();
    assert_eq!(
        path,
        [
            ("AWS::Lambda", vec![("resize", 1.0)]),
            ("AWS::Lambda::Function", vec![("resize", 0.863), ("Initialization", 0.863)])
        ]
    );
}

#[test]
fn a_fault_is_followed_to_where_it_began() {
    let shop = segment(
        1,
        None,
        json!({"name": "shop", "fault": true, "subsegments": [
            span(2, None, json!({"name": "fine"})),
            span(3, None, json!({"name": "stock", "namespace": "remote", "fault": true})),
        ]}),
    );
    let stock = segment(
        4,
        Some(3),
        json!({"name": "stock", "fault": true, "subsegments": [span(5, None, json!({
            "name": "deserialize", "fault": true,
            "cause": {"exceptions": [{"id": "00000000000000aa", "type": "Bad", "message": "no"}]}}))]}),
    );
    let compiled = compiled(&[shop, stock]);
    let faults: Vec<_> = compiled.causes.iter().filter(|cause| cause.kind == CauseKind::Fault).collect();
    assert_eq!(faults.len(), 1);
    let services = &faults[0].services;
    let names: Vec<Vec<&str>> =
        services.iter().map(|service| service.entities.iter().map(|entity| entity.name).collect()).collect();
    assert_eq!(names, [vec!["shop", "stock"], vec!["stock", "deserialize"]]);
    assert!(services[0].entities[1].remote && services[0].root && !services[1].root);
    assert_eq!(services[1].entities[1].exceptions[0].message, "no");
    assert!(services[0].entities[0].exceptions.is_empty());
}

#[test]
fn at_most_fifty_annotation_keys_are_indexed() {
    let annotations: serde_json::Map<String, Value> =
        (0..60).map(|n| (format!("k{n:02}"), json!(n))).collect();
    let compiled = compiled(&[segment(1, None, json!({"name": "shop", "annotations": annotations}))]);
    assert_eq!(compiled.annotations.len(), 50);
}

#[test]
fn links_to_other_traces_are_kept() {
    let links =
        json!([{"trace_id": TRACE.replace("66f1", "66f0"), "id": "00000000000000ff", "attributes": {}}, 7]);
    let compiled = compiled(&[segment(1, None, json!({"name": "worker", "links": links}))]);
    assert_eq!(compiled.links.len(), 1);
    assert_eq!((compiled.links[0].span, compiled.links[0].other), (1, 255));
}

#[test]
fn a_segment_has_at_most_twenty_links_and_a_trace_a_hundred() {
    let links = |from: u64, count: u64| -> Vec<Value> {
        let link =
            |number: u64| json!({"trace_id": format!("1-66f1a2b3-{number:024x}"), "id": "00000000000000ff"});
        (from..from + count).map(link).collect()
    };
    let one = compiled(&[segment(1, None, json!({"name": "worker", "links": links(0, 21)}))]);
    assert_eq!(one.links.len(), 20);
    let segments: Vec<Value> =
        (1..=6).map(|id| segment(id, None, json!({"name": "worker", "links": links(id * 20, 20)}))).collect();
    assert_eq!(compiled(&segments[..5]).links.len(), 100);
    assert_eq!(compiled(&segments).links.len(), 100);
}

#[test]
fn a_chain_of_ten_thousand_and_a_ring_do_no_harm() {
    let mut chain: Vec<Value> =
        (1..10_000).rev().map(|n| streamed(n, n - 1, json!({"name": "step"}))).collect();
    chain.push(segment(0, None, json!({"name": "shop"})));
    assert_eq!(compiled(&chain).trace.spans, 10_000);
    let texts: Vec<String> = chain.iter().map(Value::to_string).collect();
    let bytes: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
    let whole = returned(trace_id(), &bytes);
    assert_eq!(whole.len(), 1);
    assert_eq!(whole[0].document.matches("\"step\"").count(), 9_999);
    assert_eq!(whole[0].document.matches('{').count(), whole[0].document.matches('}').count());

    let ring = [streamed(1, 2, json!({"name": "a"})), streamed(2, 1, json!({"name": "b"}))];
    assert_eq!(compiled(&ring).trace.spans, 2);
    assert_eq!(documents(&ring).len(), 1);
    let calls_itself = [
        segment(1, Some(2), json!({"name": "a", "fault": true})),
        segment(2, Some(1), json!({"name": "b", "fault": true})),
    ];
    assert_eq!(compiled(&calls_itself).segments.len(), 2);
}
