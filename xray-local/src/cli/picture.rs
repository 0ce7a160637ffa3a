//! Traces in the terminal: the waterfall of a trace, and a summary as one line.

use serde_json::Value;
use xray_sdk::local::{Trace, Waterfall};

use super::output::plain;
use super::when;
use crate::model::Time;

/// The waterfalls of a trace as `BatchGetTraces` returns it. A trace without documents has none.
pub(super) fn waterfall(trace: &Value, all: bool) -> String {
    let segments = trace.get("Segments").and_then(Value::as_array).into_iter().flatten();
    waterfall_of(segments.filter_map(|segment| segment.get("Document")?.as_str()), all)
}

/// The waterfalls of documents.
pub(super) fn waterfall_of<'a>(documents: impl Iterator<Item = &'a str>, all: bool) -> String {
    let traces = Trace::from_documents(documents.filter(|document| !is_inferred(document)));
    traces
        .iter()
        .map(|trace| Waterfall::for_stdout(trace).all(all).to_string())
        .collect::<Vec<_>>()
        .join("\n")
}

/// An inferred segment repeats what the call says.
fn is_inferred(document: &str) -> bool {
    serde_json::from_str::<Value>(document)
        .is_ok_and(|document| document.get("inferred") == Some(&Value::Bool(true)))
}

/// The columns of a summary: time, length, state, service, request, id.
pub(super) fn row(summary: &Value) -> Vec<String> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(plain).unwrap_or_default();
    let http = |name: &str| summary.get("Http").and_then(|http| http.get(name));
    let status =
        http("HttpStatus").and_then(Value::as_i64).map(|status| status.to_string()).unwrap_or_default();
    let entry = summary.get("EntryPoint").and_then(|entry| entry.get("Name"));
    let request = format!("{} {}", text(http("HttpMethod")), text(http("HttpURL")));
    vec![
        start(summary).map(when::show).unwrap_or_default(),
        summary.get("Duration").and_then(Value::as_f64).map(when::show_length).unwrap_or_default(),
        format!("{} {status}", state(summary)).trim().to_owned(),
        text(entry),
        request.trim().to_owned(),
        text(summary.get("Id")),
    ]
}

/// Finds the trace's start: AWS's older answers leave it out, and the id says it.
fn start(summary: &Value) -> Option<Time> {
    let seconds = summary.get("StartTime").and_then(Value::as_f64);
    let from_id = || {
        let id: xray_sdk::TraceId = summary.get("Id")?.as_str()?.parse().ok()?;
        Some(f64::from(id.epoch_seconds()))
    };
    seconds.or_else(from_id).map(Time::from_seconds)
}

fn state(summary: &Value) -> &'static str {
    let is = |name: &str| summary.get(name) == Some(&Value::Bool(true));
    if is("IsPartial") {
        "partial"
    } else if is("HasFault") {
        "fault"
    } else if is("HasThrottle") {
        "throttle"
    } else if is("HasError") {
        "error"
    } else {
        "ok"
    }
}
