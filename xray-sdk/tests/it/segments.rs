//! Documents by hand: what is set is in the document, under the names of X-Ray's schema and within its bounds.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helpers")]

use std::sync::Mutex;

use serde_json::{Value, json};
use xray_sdk::document::{
    Exception, Http, Links, MAX_ANNOTATIONS, MAX_EXCEPTIONS, Namespace, Segment, Sql, StackFrame, Subsegment,
    Timestamp,
};
use xray_sdk::{EmitError, Emitter, Packet, SegmentId, TraceHeader, TraceId};

/// Keeps documents, each of them valid. Refuses the first ones on request.
#[derive(Default)]
struct Sent {
    documents: Mutex<Vec<Value>>,
    refused: Mutex<Vec<EmitError>>,
}

impl Emitter for Sent {
    fn emit(&self, packet: &Packet) -> Result<(), EmitError> {
        let document = packet.as_bytes().strip_prefix(Packet::HEADER.as_bytes()).unwrap();
        assert_eq!(xray_sdk::local::check(document), []);
        if let Some(refusal) = self.refused.lock().unwrap().pop() {
            return Err(refusal);
        }
        self.documents.lock().unwrap().push(serde_json::from_slice(document).unwrap());
        Ok(())
    }
}

impl Sent {
    fn take(&self) -> Vec<Value> {
        std::mem::take(&mut self.documents.lock().unwrap())
    }
}

/// Returns the only document of a segment, without what each has: ids, times, and the SDK's name.
fn document_of(segment: Segment) -> Value {
    let sent = Sent::default();
    segment.emit(&sent).unwrap();
    let mut documents = sent.take();
    assert_eq!(documents.len(), 1);
    let mut document = documents.remove(0);
    let members = document.as_object_mut().unwrap();
    assert_eq!(members["aws"].as_object_mut().unwrap().remove("xray").unwrap()["sdk"], "X-Ray for Rust");
    for name in ["id", "trace_id", "start_time", "end_time"] {
        members.remove(name).unwrap();
    }
    document
}

fn begin() -> Segment {
    Segment::begin("shop", TraceId::new())
}

#[test]
fn whatever_is_set_on_a_segment_is_in_its_document() {
    let mut segment = begin();
    segment.set_origin("AWS::ECS::Container");
    segment.set_user("ann");
    segment.set_service_version("1.4.2");
    let http = Http::request("GET", "https://shop.example/cart").status(404).content_length(17);
    segment.set_http(&http.user_agent("curl/8").client_ip("203.0.113.7", true));
    segment.set_aws("operation", &"GetItem");
    segment.set_aws("account \"id\"", &["1", "2"]);
    segment.annotate("tenant", "blue");
    segment.annotate("items", 3);
    segment.add_metadata("cart", "items", &["tea", "cup"]);
    segment.add_metadata("", "step", &1.5);
    let sender = begin();
    segment.link(sender.trace_id(), sender.id());
    let expected = json!({
        "name": "shop",
        "origin": "AWS::ECS::Container",
        "user": "ann",
        "service": {"version": "1.4.2"},
        "error": true,
        "http": {
            "request": {
                "method": "GET",
                "url": "https://shop.example/cart",
                "user_agent": "curl/8",
                "client_ip": "203.0.113.7",
                "x_forwarded_for": true,
            },
            "response": {"status": 404, "content_length": 17},
        },
        "aws": {"operation": "GetItem", "account \"id\"": ["1", "2"]},
        "annotations": {"tenant": "blue", "items": 3},
        "metadata": {"cart": {"items": ["tea", "cup"]}, "default": {"step": 1.5}},
        "links": [{"trace_id": sender.trace_id().to_string(), "id": sender.id().to_string()}],
    });
    assert_eq!(document_of(segment), expected);
}

#[test]
fn an_address_that_is_not_forwarded_does_not_say_so() {
    let mut segment = begin();
    segment.set_http(&Http::default().client_ip("203.0.113.7", false));
    assert_eq!(document_of(segment)["http"], json!({"request": {"client_ip": "203.0.113.7"}}));
}

#[test]
fn whatever_is_set_on_a_subsegment_is_in_its_document() {
    let [first, second] = [SegmentId::random(), SegmentId::random()];
    let mut query = Subsegment::begin("orders@db").with_namespace(Namespace::Remote);
    query.set_sql(&Sql::query("postgresql", "SELECT ?").url("postgresql://db.local/orders").user("app"));
    query.set_precursors(&[first, second]);
    query.start_at(Timestamp::from_micros(1_800_000_000_000_001));
    query.end_at(Timestamp::from_micros(1_800_000_000_250_000));
    let id = query.id();
    let mut segment = begin();
    segment.attach(query);
    let expected = json!([{
        "id": id.to_string(),
        "name": "orders@db",
        "namespace": "remote",
        "start_time": 1_800_000_000.000_001,
        "end_time": 1_800_000_000.25,
        "sql": {"database_type": "postgresql", "sanitized_query": "SELECT ?", "url": "postgresql://db.local/orders", "user": "app"},
        "precursor_ids": [first.to_string(), second.to_string()],
    }]);
    assert_eq!(document_of(segment)["subsegments"], expected);
}

#[test]
fn each_mark_of_a_failure_sets_the_flags_that_it_stands_for() {
    let flags = |mark: fn(&mut Segment)| {
        let mut segment = begin();
        mark(&mut segment);
        let document = document_of(segment);
        ["error", "throttle", "fault"].map(|flag| document.get(flag) == Some(&true.into()))
    };
    assert_eq!(flags(|_| ()), [false, false, false]);
    assert_eq!(flags(Segment::set_error), [true, false, false]);
    assert_eq!(flags(Segment::set_throttle), [true, true, false]);
    assert_eq!(flags(Segment::set_fault), [false, false, true]);
    assert_eq!(flags(|segment| segment.add_exception(&Exception::new("E", "e"))), [false, false, true]);
    assert_eq!(flags(|segment| segment.add_error(&std::fmt::Error)), [false, false, true]);
}

#[test]
fn an_exception_names_its_cause_its_frames_and_that_it_is_remote() {
    let cause = Exception::new("Timeout", "after 3 s").remote();
    let frame = StackFrame::new("src/cart.rs", 17, "add");
    let effect = Exception::new("OutOfStock", "no \"tea\"").caused_by(cause.id()).with_frame(frame);
    let mut segment = begin();
    segment.add_exception(&effect);
    segment.add_exception(&cause);
    let (cause, effect) = (cause.id().to_string(), effect.id().to_string());
    let stack = json!([{"path": "src/cart.rs", "line": 17, "label": "add"}]);
    let expected = json!([
        {"id": effect, "type": "OutOfStock", "message": "no \"tea\"", "cause": cause, "stack": stack},
        {"id": cause, "type": "Timeout", "message": "after 3 s", "remote": true},
    ]);
    assert_eq!(document_of(segment)["cause"]["exceptions"], expected);
}

#[test]
fn exceptions_and_annotations_above_their_number_are_counted_in_the_document() {
    let mut segment = begin();
    for i in 0..MAX_EXCEPTIONS + 3 {
        segment.add_exception(&Exception::new("E", i.to_string()));
    }
    for i in 0..MAX_ANNOTATIONS + 2 {
        segment.annotate(&format!("key_{i}"), i);
    }
    let document = document_of(segment);
    let exceptions = document["cause"]["exceptions"].as_array().unwrap();
    assert_eq!(exceptions.len(), MAX_EXCEPTIONS as usize);
    assert_eq!(exceptions.last().unwrap()["message"], (MAX_EXCEPTIONS - 1).to_string());
    assert_eq!(document["annotations"].as_object().unwrap().len(), MAX_ANNOTATIONS as usize);
    assert_eq!(document["metadata"]["default"]["key_51"], 51);
    let marks = &document["metadata"]["default"]["xray.limits"];
    assert_eq!(*marks, json!({"cut": 0, "dropped": 3, "moved": 2}));
}

#[test]
fn of_a_full_document_the_newest_string_is_cut_and_what_comes_then_is_dropped() {
    let text = "🦀".repeat(1_000);
    let mut segment = begin();
    for i in 10..26 {
        segment.annotate(&format!("key_{i}"), text.as_str());
    }
    segment.annotate("number", 7);
    let document = document_of(segment);
    let annotations = document["annotations"].as_object().unwrap();
    assert!(annotations.len() > 10 && annotations.get("number").is_none(), "{:?}", annotations.keys());
    let (last, whole) =
        annotations.values().collect::<Vec<_>>().pop().map(|v| (v.clone(), annotations.len() - 1)).unwrap();
    assert_eq!(annotations.values().filter(|value| **value == text).count(), whole);
    let kept = last.as_str().and_then(|last| last.strip_suffix('…')).unwrap();
    assert!(!kept.is_empty() && text.starts_with(kept));
    assert!(document.to_string().len() > 55_000);
    let marks = &document["metadata"]["default"]["xray.limits"];
    assert_eq!((&marks["cut"], &marks["dropped"]), (&1.into(), &(17 - annotations.len()).into()), "{marks}");
}

#[test]
fn an_announced_segment_is_in_progress_and_its_end_follows() {
    let sent = Sent::default();
    let mut segment = begin();
    segment.annotate("tenant", "blue");
    segment.attach(Subsegment::begin("part"));
    segment.announce(&sent).unwrap();
    segment.emit(&sent).unwrap();
    let documents = sent.take();
    let [begun, ended] = &documents[..] else { panic!("{documents:?}") };
    assert_eq!((&begun["in_progress"], &begun["annotations"]["tenant"]), (&true.into(), &"blue".into()));
    assert_eq!((begun.get("end_time"), begun.get("subsegments")), (None, None));
    assert_eq!((&ended["id"], &ended["trace_id"]), (&begun["id"], &begun["trace_id"]));
    assert_eq!((ended.get("in_progress"), &ended["subsegments"][0]["name"]), (None, &"part".into()));
    assert!(ended["end_time"].is_number());
}

#[test]
fn a_subsegment_of_its_own_belongs_to_the_headers_parent_and_without_one_is_not_sent() {
    let header: TraceHeader =
        "Root=1-66f1a2b3-0123456789abcdef01234567;Parent=53995c3f42cd8ad8".parse().unwrap();
    let sent = Sent::default();
    Subsegment::begin("part").emit(&header, &sent).unwrap();
    Subsegment::begin("part").emit(&TraceHeader::new(header.root()), &sent).unwrap();
    let documents = sent.take();
    assert_eq!(documents.len(), 1);
    assert_eq!(documents[0]["type"], "subsegment");
    assert_eq!(documents[0]["trace_id"], "1-66f1a2b3-0123456789abcdef01234567");
    assert_eq!(documents[0]["parent_id"], "53995c3f42cd8ad8");
}

#[test]
fn what_has_no_room_is_sent_before_and_names_its_parent() {
    let large = |name: &str| {
        let mut part = Subsegment::begin(name);
        (0..3).for_each(|i| part.add_metadata("", &format!("text {i}"), &"x".repeat(12_000)));
        part
    };
    let sent = Sent::default();
    let mut segment = begin();
    let mut ids = vec![segment.id().to_string()];
    for _ in 0..3 {
        let mut middle = large("middle");
        ids.push(middle.id().to_string());
        middle.attach(large("inner"));
        segment.attach(middle);
    }
    *sent.refused.lock().unwrap() = vec![EmitError::Full];
    let trace_id = segment.trace_id().to_string();
    assert_eq!(segment.emit(&sent), Err(EmitError::Full), "the first one, although the others are sent");
    let documents = sent.take();
    assert!(documents.len() > 2, "{} documents", documents.len());
    fn names(document: &Value) -> Vec<&str> {
        let parts = document["subsegments"].as_array().into_iter().flatten();
        std::iter::once(document["name"].as_str().unwrap()).chain(parts.flat_map(names)).collect()
    }
    let all: Vec<_> = documents.iter().flat_map(names).collect();
    assert_eq!(all.iter().filter(|name| **name != "shop").count(), 5, "of six, one was refused: {all:?}");
    let (segment, parts) = documents.split_last().unwrap();
    assert_eq!(segment["name"], "shop");
    for part in parts {
        assert_eq!((&part["type"], &part["trace_id"]), (&"subsegment".into(), &trace_id.as_str().into()));
        assert!(ids.contains(&part["parent_id"].as_str().unwrap().to_owned()), "{part}");
    }
}

#[test]
fn links_stay_within_a_batchs_bounds_and_count_what_is_left_out() {
    let id = |i: usize| SegmentId::from(i as u64 + 1);
    let header = |trace: TraceId, i: usize| TraceHeader::new(trace).with_parent(id(i));
    let traces: Vec<_> = (0..=Links::MAX_TRACES).map(|_| TraceId::new()).collect();
    let mut links = Links::new();
    assert!(links.is_empty());
    assert!(!links.add(&TraceHeader::new(traces[0])), "nobody to link to");
    for (i, trace) in traces.iter().enumerate() {
        assert_eq!(links.add(&header(*trace, i)), i < Links::MAX_TRACES);
    }
    assert!(links.add(&header(traces[0], 0)), "which is there");
    assert_eq!((links.len(), links.left_out(), links.is_empty()), (20, 1, false));
    let more: Vec<_> = (100..190).map(|i| header(traces[1], i)).collect();
    links.extend(&more);
    assert_eq!((links.len(), links.left_out()), (Links::MAX_LINKS, 1 + 10));
    let mut segment = begin();
    segment.link(traces[20], id(7));
    segment.set_links(&links);
    let document = document_of(segment);
    let written = document["links"].as_array().unwrap();
    assert_eq!(written.len(), Links::MAX_LINKS);
    assert_eq!(written[99], json!({"trace_id": traces[1].to_string(), "id": id(179).to_string()}));
}
