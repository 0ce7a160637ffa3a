//! The words beside a span: its state, its tag, and the details beneath it.
//!
//! Reads a span's JSON, which the checker has let pass: any key may be missing, none has a wrong type that would
//! matter here. No layout: lines come out clean, of any length.

use serde_json::{Map, Value};

use super::super::trace::Node;
use super::ink::Ink;
use super::text::clean;

/// The state of a span, worst first: several of its flags may be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Fault,
    Throttle,
    Error,
    InProgress,
    Ok,
}

impl State {
    pub(super) fn of(node: &Node<'_>) -> Self {
        let flag = |key| node.json().get(key) == Some(&Value::Bool(true));
        if flag("fault") {
            Self::Fault
        } else if flag("throttle") {
            Self::Throttle
        } else if flag("error") {
            Self::Error
        } else if node.end().is_none() {
            Self::InProgress
        } else {
            Self::Ok
        }
    }

    pub(super) fn ink(self) -> Ink {
        match self {
            Self::Fault => Ink::Fault,
            Self::Throttle => Ink::Throttle,
            Self::Error => Ink::Error,
            Self::InProgress => Ink::InProgress,
            Self::Ok => Ink::Ok,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Fault => "fault",
            Self::Throttle => "throttle",
            Self::Error => "error",
            Self::InProgress => "in progress",
            Self::Ok => "ok",
        }
    }
}

/// `200 ok`, `503 fault`, `in progress`.
pub(super) fn status(node: &Node<'_>) -> String {
    let word = State::of(node).word();
    match node.json().pointer("/http/response/status").and_then(Value::as_i64) {
        Some(status) => format!("{status} {word}"),
        None => word.to_owned(),
    }
}

pub(super) fn name(node: &Node<'_>) -> String {
    clean(node.name())
}

/// A name with `*` for each run of digits: what names have in common that differ by digits only.
pub(super) fn pattern(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        match c.is_ascii_digit() {
            true if out.ends_with(DIGITS) => {}
            true => out.push(DIGITS),
            false => out.push(c),
        }
    }
    out
}

/// The mark in front of a segment's name, which subsegments don't have.
pub(super) fn mark(node: &Node<'_>) -> &'static str {
    if node.is_subsegment() { "" } else { "◆ " }
}

/// `[aws]`, `[remote]`; for a segment what it runs on, `[ECS::Container]`.
pub(super) fn tag(node: &Node<'_>) -> Option<String> {
    let tag = if node.is_subsegment() {
        text(node.json(), "/namespace").filter(|&namespace| namespace != "local")?
    } else {
        let origin = text(node.json(), "/origin")?;
        origin.strip_prefix("AWS::").unwrap_or(origin)
    };
    Some(format!("[{}]", clean(tag)))
}

/// The lines beneath a span, the most telling first. Annotations are not among them: they flow.
pub(super) fn details(node: &Node<'_>) -> Vec<(Ink, String)> {
    let json = node.json();
    let mut lines = Vec::new();
    if node.parent_missing() {
        lines.push((Ink::Dim, format!("parent {} was not received", node.parent_id().unwrap_or_default())));
    }
    if let Some(url) = text(json, "/http/request/url") {
        lines.push((Ink::Dim, format!("{} {url}", text(json, "/http/request/method").unwrap_or_default())));
    } else if let Some(operation) = text(json, "/metadata/default/operation") {
        // A segment is named by its service: this is what it was asked to do.
        lines.push((Ink::Dim, operation.to_owned()));
    }
    if let Some(operation) = text(json, "/aws/operation") {
        lines.push((Ink::Dim, format!("{operation} {}", resource(json).unwrap_or_default())));
    }
    if let Some(query) = text(json, "/sql/sanitized_query") {
        lines.push((Ink::Dim, query.to_owned()));
    }
    lines.extend(links(json).into_iter().map(|line| (Ink::Dim, line)));
    let ink = match State::of(node) {
        State::Ok | State::InProgress => Ink::Fault,
        state => state.ink(),
    };
    lines.extend(exceptions(json).into_iter().map(|line| (ink, line)));
    lines.iter_mut().for_each(|(_, line)| *line = clean(line));
    lines
}

/// `key=value` each, in order of the keys.
pub(super) fn annotations(node: &Node<'_>) -> Vec<String> {
    let annotations = node.json().get("annotations").and_then(Value::as_object);
    annotations.into_iter().flat_map(Map::iter).map(|(key, value)| pair(key, value)).collect()
}

/// `key=value` each for the namespace `default`, `namespace.key=value` for others.
pub(super) fn metadata(node: &Node<'_>) -> Vec<String> {
    let namespaces = node.json().get("metadata").and_then(Value::as_object);
    let mut pairs = Vec::new();
    for (namespace, values) in namespaces.into_iter().flat_map(Map::iter) {
        match values.as_object() {
            Some(values) if namespace == "default" => {
                pairs.extend(values.iter().map(|(key, value)| pair(key, value)));
            }
            Some(values) => {
                let named = |(key, value): (&String, &Value)| pair(&format!("{namespace}.{key}"), value);
                pairs.extend(values.iter().map(named));
            }
            None => pairs.push(pair(namespace, values)),
        }
    }
    pairs
}

fn pair(key: &str, value: &Value) -> String {
    match value {
        Value::String(text) => clean(&format!("{key}={text}")),
        other => clean(&format!("{key}={other}")),
    }
}

/// `linked to 1-66f1a2b3-0123456789abcdef01234567, segment 53995c3f42cd8ad8`
fn links(json: &Value) -> Vec<String> {
    let links = json.get("links").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let link = |link: &Value| {
        let segment = text(link, "/id").map(|id| format!(", segment {id}")).unwrap_or_default();
        Some(format!("linked to {}{segment}", text(link, "/trace_id")?))
    };
    let mut lines: Vec<_> = links.iter().filter_map(link).take(LINK_LINES).collect();
    if links.len() > LINK_LINES {
        lines.push(format!("… {} more links", links.len() - LINK_LINES));
    }
    lines
}

/// Keys that name an AWS call's subject; the first that is there is shown.
fn resource(json: &Value) -> Option<&str> {
    [
        "/table_name",
        "/table_names/0",
        "/queue_url",
        "/bucket_name",
        "/topic_arn",
        "/function_name",
        "/resource_names/0",
    ]
    .iter()
    .find_map(|pointer| json.get("aws").and_then(|aws| text(aws, pointer)))
}

/// `type: message`, and beneath each exception the chain of those that caused it.
fn exceptions(json: &Value) -> Vec<String> {
    if let Some(id) = text(json, "/cause") {
        return vec![format!("because of exception {id}, further down")];
    }
    let Some(exceptions) = json.pointer("/cause/exceptions").and_then(Value::as_array) else {
        return Vec::new();
    };
    let is_cause =
        |id| exceptions.iter().any(|other| id == text(other, "/cause") && id != text(other, "/id"));
    let mut lines = Vec::new();
    for top in exceptions.iter().filter(|&exception| !is_cause(text(exception, "/id"))) {
        lines.push(exception(top));
        let mut at = top;
        // A chain may run in a ring.
        while lines.len() < EXCEPTION_LINES {
            let Some(cause) = text(at, "/cause") else { break };
            let Some(next) = exceptions.iter().find(|other| text(other, "/id") == Some(cause)) else { break };
            lines.push(format!("caused by {}", exception(next)));
            at = next;
        }
        if lines.len() >= EXCEPTION_LINES {
            lines.push("…".to_owned());
            break;
        }
    }
    lines
}

fn exception(exception: &Value) -> String {
    match (text(exception, "/type"), text(exception, "/message")) {
        (Some(kind), Some(message)) if !kind.is_empty() => format!("{kind}: {message}"),
        (kind, message) => message.or(kind).unwrap_or("exception").to_owned(),
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str)
}

/// The character that stands for a run of digits.
const DIGITS: char = '*';

/// Links that are drawn of one span; the others are counted.
const LINK_LINES: usize = 5;

/// Lines of exceptions that are drawn of one span; a longer chain is most likely a loop.
const EXCEPTION_LINES: usize = 12;
