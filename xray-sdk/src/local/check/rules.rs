//! Rules between the keys of a document: times, flags and their reasons, ids, counts.
//!
//! Each rule looks at one segment or subsegment, wherever it is nested; ids are the document's. The
//! shapes are checked elsewhere: here, a key of the wrong type counts as absent.

use std::collections::HashSet;

use serde_json::Value;

use super::problem::{Path, Problems, quoted};

/// Applies every rule to a document and to what is nested in it.
pub(super) fn check_document(document: &Value, out: &mut Problems) {
    let is_subsegment = text(document, "/type") == Some("subsegment");
    if let Some(kind) = text(document, "/type").filter(|&kind| kind != "subsegment") {
        out.warn(
            &Path::Root.key("type"),
            format!("{} means nothing: only \"subsegment\" does", quoted(kind)),
        );
    }
    let mut counts = Counts { trace_id: text(document, "/trace_id"), ..Counts::default() };
    check_span(document, !is_subsegment, &Path::Root, &mut counts, out);
}

/// Counts and ids that are gathered over the whole document.
#[derive(Default)]
struct Counts<'a> {
    trace_id: Option<&'a str>,
    ids: HashSet<&'a str>,
    exceptions: HashSet<&'a str>,
}

fn check_span<'a>(
    span: &'a Value,
    is_segment: bool,
    path: &Path<'_>,
    counts: &mut Counts<'a>,
    out: &mut Problems,
) {
    check_times(span, path, out);
    check_flags(span, path, out);
    check_ids(span, path, counts, out);
    check_exceptions(span, path, counts, out);
    check_place(span, is_segment, path, out);
    if let Some(Value::Object(annotations)) = span.get("annotations")
        && annotations.len() > INDEXED_ANNOTATIONS
    {
        let message = format!("{}, X-Ray indexes {INDEXED_ANNOTATIONS} of a trace", annotations.len());
        out.warn(&path.key("annotations"), message);
    }
    if let Some(Value::Array(links)) = span.get("links")
        && links.len() > LINKS
    {
        out.warn(&path.key("links"), format!("{} links, X-Ray keeps {LINKS} of a trace", links.len()));
    }
    if let Some(Value::Array(children)) = span.get("subsegments") {
        let list = path.key("subsegments");
        for (index, child) in children.iter().enumerate() {
            check_span(child, false, &list.index(index), counts, out);
        }
    }
}

fn check_times(span: &Value, path: &Path<'_>, out: &mut Problems) {
    let open = flag(span, "in_progress");
    match (span.get("end_time").is_some(), open) {
        (false, false) => out.reject(&path.key("end_time"), "missing, and `in_progress` is not true"),
        (true, true) => out.warn(&path.key("in_progress"), "true, and yet there is an `end_time`"),
        _ => {}
    }
    let time = |key| span.get(key).and_then(Value::as_f64);
    if let (Some(start), Some(end)) = (time("start_time"), time("end_time"))
        && end < start
    {
        out.warn(&path.key("end_time"), format!("{end} is before the start, {start}"));
    }
    for key in ["start_time", "end_time"] {
        if time(key).is_some_and(|time| !(0.0..SECONDS_END).contains(&time)) {
            out.warn(&path.key(key), "not seconds since 1970: are these milliseconds?");
        }
    }
}

/// `error` is for 4xx, `throttle` with it for 429, `fault` for 5xx. The OpenTelemetry receiver doesn't read the
/// flags: it works them out from the status, else from the presence of a cause.
fn check_flags(span: &Value, path: &Path<'_>, out: &mut Problems) {
    let status = span.pointer("/http/response/status").and_then(Value::as_i64);
    if let Some(key) = ["error", "throttle", "fault"].into_iter().find(|key| flag(span, key))
        && span.get("cause").is_none()
        && status.is_none_or(|status| status < 400)
    {
        let message =
            "true without a cause or an http status of 400 or more: an OpenTelemetry collector loses it";
        out.warn(&path.key(key), message);
    }
    let expected: &[&str] = match status {
        Some(429) => &["error", "throttle"],
        Some(400..=499) => &["error"],
        Some(500..=599) => &["fault"],
        _ => &[],
    };
    for key in expected.iter().filter(|key| !flag(span, key)) {
        out.warn(
            &path.key(key),
            format!("not true, and yet the http status is {}", status.unwrap_or_default()),
        );
    }
}

fn check_ids<'a>(span: &'a Value, path: &Path<'_>, counts: &mut Counts<'a>, out: &mut Problems) {
    if let Some(id) = text(span, "/id") {
        if !counts.ids.insert(id) {
            out.warn(&path.key("id"), format!("{} occurs twice in the document", quoted(id)));
        }
        if text(span, "/parent_id") == Some(id) {
            out.warn(&path.key("parent_id"), "is its own id");
        }
    }
    if let (Some(own), Some(root)) = (text(span, "/trace_id"), counts.trace_id)
        && own != root
    {
        out.warn(&path.key("trace_id"), format!("{} differs from the document's", quoted(own)));
    }
}

/// A cause that is a string refers to an exception of another document, so only the shape of that is checked.
fn check_exceptions<'a>(span: &'a Value, path: &Path<'_>, counts: &mut Counts<'a>, out: &mut Problems) {
    let Some(Value::Array(exceptions)) = span.pointer("/cause/exceptions") else { return };
    let ids: HashSet<&str> = exceptions.iter().filter_map(|exception| text(exception, "/id")).collect();
    let cause = path.key("cause");
    let list = cause.key("exceptions");
    for (index, exception) in exceptions.iter().enumerate() {
        let path = list.index(index);
        if let Some(id) = text(exception, "/id").filter(|&id| !counts.exceptions.insert(id)) {
            out.warn(&path.key("id"), format!("{} is the id of two exceptions", quoted(id)));
        }
        if let Some(id) = text(exception, "/cause").filter(|&id| !ids.contains(id)) {
            out.warn(&path.key("cause"), format!("no exception of this cause has the id {}", quoted(id)));
        }
    }
}

/// Checks for keys that belong to a segment alone, or to a subsegment alone.
fn check_place(span: &Value, is_segment: bool, path: &Path<'_>, out: &mut Problems) {
    let pointer = |pointer: &str| span.pointer(pointer).is_some();
    let http = path.key("http");
    let request = http.key("request");
    if is_segment {
        if !pointer("/aws/xray") {
            out.warn(
                &path.key("aws").key("xray"),
                "missing: without it an OpenTelemetry collector exports no `aws` at all",
            );
        }
        for key in ["sql", "precursor_ids", "namespace", "traced"] {
            if span.get(key).is_some() {
                out.warn(&path.key(key), "is for subsegments");
            }
        }
        if pointer("/http/request/traced") {
            out.warn(&request.key("traced"), "is for subsegments");
        }
    } else {
        for key in ["origin", "resource_arn"] {
            if span.get(key).is_some() {
                out.warn(&path.key(key), "is for segments");
            }
        }
        if pointer("/http/request/client_ip") {
            out.warn(
                &request.key("client_ip"),
                "is for segments: an OpenTelemetry collector makes a segment of this",
            );
        }
        if pointer("/http/request/x_forwarded_for") {
            out.warn(&request.key("x_forwarded_for"), "is for segments");
        }
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str)
}

fn flag(span: &Value, key: &str) -> bool {
    span.get(key) == Some(&Value::Bool(true))
}

/// Annotations per trace that X-Ray indexes (X-Ray quotas). Held against each span: what a whole trace may have
/// can't be known before it is over, and those above are kept, only not indexed.
const INDEXED_ANNOTATIONS: usize = 50;
/// Links per trace (X-Ray developer guide, trace linking).
const LINKS: usize = 100;
/// The end of the year 9999, in seconds. Milliseconds of this century lie beyond it.
const SECONDS_END: f64 = 253_402_300_800.0;
