//! The documents of a trace as the service returns them: one per segment, subsegments nested, inferred segments
//! added, members that don't conform removed.
//!
//! Texts are written as the tree is walked, so a chain of ten thousand subsegments takes no deep recursion.

use serde_json::{Map, Value, json};
use xray_sdk::TraceId;

use super::compile::inferred_id;
use super::document::Span;
use super::origin;
use super::tree::{Item, Tree};

/// A document that the service returns: one of `Trace.Segments`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Returned {
    /// The segment's id, 16 hexadecimal digits.
    pub id: String,
    /// The document, as JSON.
    pub document: String,
}

/// The compiled documents of a trace, in order of start; inferred segments last. `documents` are those that were
/// received, in order of arrival.
#[must_use]
pub fn returned(trace: TraceId, documents: &[&[u8]]) -> Vec<Returned> {
    let spans: Vec<Span<'_>> =
        documents.iter().map(|bytes| Span::read(bytes).ok().flatten().unwrap_or_default()).collect();
    let tree = Tree::assemble(&spans);
    let mut members: Vec<Vec<Option<Map<String, Value>>>> =
        documents.iter().map(|bytes| flatten(serde_json::from_slice(bytes).unwrap_or_default())).collect();
    let mut own = |item: &Item<'_>| {
        let (document, number) = item.origin;
        members.get_mut(document).and_then(|spans| spans.get_mut(number)?.take()).unwrap_or_default()
    };
    let mut out = Vec::new();
    let mut inferred = Vec::new();
    for top in tree.tops() {
        let mut text = String::new();
        // Each entry is a span to open, or the closing of the one before.
        let mut pending = vec![Some(top)];
        let mut first = true;
        while let Some(entry) = pending.pop() {
            let Some(at) = entry else {
                text.push_str("]}");
                first = false;
                continue;
            };
            let item = &tree.items[at];
            let mut object = conform(own(item), item);
            if at == top {
                place(
                    &mut object,
                    trace,
                    item.parent_id.filter(|_| item.parent_id.is_some()),
                    item.is_subsegment,
                );
            }
            if tree.is_inferred_from(at) {
                inferred.push(infer(trace, item, &object));
            }
            if !first {
                text.push(',');
            }
            let written = Value::Object(object).to_string();
            if item.children.is_empty() {
                text.push_str(&written);
                first = false;
            } else {
                text.push_str(&written[..written.len() - 1]);
                text.push_str(",\"subsegments\":[");
                first = true;
                pending.push(None);
                pending.extend(item.children.iter().rev().map(|&child| Some(child)));
            }
        }
        out.push(Returned { id: format!("{:016x}", tree.items[top].id), document: text });
    }
    out.extend(inferred);
    out
}

/// A segment or subsegment by itself, with its depth within its top: 0 for the top.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    /// Count of the spans of the same top that hold it.
    pub depth: usize,
    /// Its members, without its subsegments.
    pub members: Map<String, Value>,
}

/// The spans of [`returned`] one by one, each after the one that holds it; inferred segments last.
#[must_use]
pub fn pieces(trace: TraceId, documents: &[&[u8]]) -> Vec<Piece> {
    let spans: Vec<Span<'_>> =
        documents.iter().map(|bytes| Span::read(bytes).ok().flatten().unwrap_or_default()).collect();
    let tree = Tree::assemble(&spans);
    let mut members: Vec<Vec<Option<Map<String, Value>>>> =
        documents.iter().map(|bytes| flatten(serde_json::from_slice(bytes).unwrap_or_default())).collect();
    let (mut pieces, mut inferred) = (Vec::with_capacity(tree.items.len()), Vec::new());
    for top in tree.tops() {
        let mut pending = vec![(0, top)];
        while let Some((depth, at)) = pending.pop() {
            let item = &tree.items[at];
            let (document, number) = item.origin;
            let own = members.get_mut(document).and_then(|spans| spans.get_mut(number)?.take());
            let mut object = conform(own.unwrap_or_default(), item);
            if at == top {
                place(&mut object, trace, item.parent_id, item.is_subsegment);
            }
            if tree.is_inferred_from(at)
                && let Ok(Value::Object(members)) =
                    serde_json::from_str(&infer(trace, item, &object).document)
            {
                inferred.push(Piece { depth: 0, members });
            }
            pieces.push(Piece { depth, members: object });
            pending.extend(item.children.iter().rev().map(|&child| (depth + 1, child)));
        }
    }
    pieces.extend(inferred);
    pieces
}

/// The objects of a document, parents first, each without its `subsegments`: numbered as in [`Tree`].
fn flatten(document: Value) -> Vec<Option<Map<String, Value>>> {
    let (mut flat, mut pending) = (Vec::new(), vec![document]);
    while let Some(span) = pending.pop() {
        let Value::Object(mut members) = span else { continue };
        if let Some(Value::Array(children)) = members.remove("subsegments") {
            pending.extend(children.into_iter().rev().filter(Value::is_object));
        }
        flat.push(Some(members));
    }
    flat
}

/// Keeps the members that the service knows, in the types that it takes.
fn conform(mut members: Map<String, Value>, item: &Item<'_>) -> Map<String, Value> {
    members.retain(|key, value| match key.as_str() {
        "id" | "name" | "namespace" | "origin" | "resource_arn" | "user" => value.is_string(),
        "start_time" | "end_time" => value.is_number(),
        "in_progress" | "error" | "throttle" | "fault" | "traced" => value.is_boolean(),
        "http" | "aws" | "annotations" | "metadata" | "sql" | "service" => value.is_object(),
        "cause" => value.is_object() || value.is_string(),
        "links" | "precursor_ids" => value.is_array(),
        _ => false,
    });
    if !item.span.is_open() {
        members.remove("in_progress");
    }
    if let Some(Value::Object(annotations)) = members.get_mut("annotations") {
        annotations.retain(|_, value| value.is_string() || value.is_number() || value.is_boolean());
    }
    if let Some(Value::Object(http)) = members.get_mut("http") {
        conform_http(http);
    }
    if item.span.is_remote() {
        let name = origin::canonical(item.span).to_owned();
        members.insert("name".to_owned(), Value::String(name));
        if let Some(Value::Object(aws)) = members.get_mut("aws") {
            name_resources(aws);
        }
    }
    members
}

fn conform_http(http: &mut Map<String, Value>) {
    http.retain(|key, value| matches!(key.as_str(), "request" | "response") && value.is_object());
    if let Some(Value::Object(request)) = http.get_mut("request") {
        request.retain(|key, value| match key.as_str() {
            "method" | "url" | "user_agent" | "client_ip" => value.is_string(),
            "x_forwarded_for" | "traced" => value.is_boolean(),
            _ => false,
        });
    }
    if let Some(Value::Object(response)) = http.get_mut("response") {
        response
            .retain(|key, value| matches!(key.as_str(), "status" | "content_length") && value.is_number());
    }
}

/// `resource_names`, from the members that name a resource.
fn name_resources(aws: &mut Map<String, Value>) {
    if aws.contains_key("resource_names") {
        return;
    }
    let names: Vec<Value> = origin::RESOURCE_MEMBERS
        .iter()
        .filter_map(|key| aws.get(*key))
        .filter(|name| name.is_string())
        .cloned()
        .collect();
    if !names.is_empty() {
        aws.insert("resource_names".to_owned(), Value::Array(names));
    }
}

/// Adds to a top what only a document of its own has.
fn place(object: &mut Map<String, Value>, trace: TraceId, parent: Option<u64>, is_subsegment: bool) {
    object.insert("trace_id".to_owned(), json!(trace.to_string()));
    if let Some(parent) = parent {
        object.insert("parent_id".to_owned(), json!(format!("{parent:016x}")));
    }
    if is_subsegment {
        object.insert("type".to_owned(), json!("subsegment"));
    }
}

/// The segment that is inferred from a subsegment.
fn infer(trace: TraceId, item: &Item<'_>, subsegment: &Map<String, Value>) -> Returned {
    let node = origin::node(item.span);
    let id = format!("{:016x}", inferred_id(trace, item.id));
    let mut object = subsegment.clone();
    const COPIED: [&str; 10] = [
        "start_time",
        "end_time",
        "in_progress",
        "http",
        "aws",
        "sql",
        "error",
        "throttle",
        "fault",
        "cause",
    ];
    object.retain(|key, _| COPIED.contains(&key.as_str()));
    place(&mut object, trace, Some(item.id), false);
    object.insert("id".to_owned(), json!(id));
    object.insert("name".to_owned(), json!(node.name));
    object.insert("inferred".to_owned(), json!(true));
    object.insert("origin".to_owned(), json!(node.kind));
    Returned { id, document: Value::Object(object).to_string() }
}
