//! The details of one span: tabs' worth of facts, one below the other, as a part of the page.

use maud::{Markup, html};
use serde_json::{Map, Value};

use super::exceptions;
use crate::console::parts::format;
use crate::console::parts::shell;
use crate::console::timeline::{INFERRED, OPEN, ORPHAN, SEGMENT, Timeline, WAITING};
use crate::model::{Length, Time};

/// Writes the details of a row.
pub(super) fn details(timeline: &Timeline, at: usize) -> Markup {
    let Some(row) = timeline.rows.get(at) else { return html! {} };
    let members = row.members();
    let string = |name: &str| members.get(name).and_then(Value::as_str).unwrap_or_default();
    let kind = match (row.has(SEGMENT), row.has(INFERRED)) {
        (_, true) => "inferred segment",
        (true, _) => "segment",
        _ => "subsegment",
    };
    html! {
        h2 { (row.class().badge()) " " (row.name) }
        @for note in notes(timeline, at, &members) { p.note { (note) } }
        dl.facts {
            dt { "Kind" } dd { (kind) @if !string("origin").is_empty() { ", " (string("origin")) }
                @if !string("namespace").is_empty() { ", " (string("namespace")) } }
            dt { "Id" } dd { code { (row.id) } }
            @if !string("parent_id").is_empty() {
                dt { "Parent" } dd { (exceptions::span(timeline, string("parent_id"))) }
            }
            dt { "State" } dd { (row.class().name()) }
            dt { "Start" } dd { (format::time(Time(timeline.start + row.start))) " (+" (format::length(Length(row.start))) ")" }
            dt { "Duration" } dd { @if row.has(OPEN) { "in progress" } @else { (format::length(Length(row.end - row.start))) } }
            dt { "Self time" } dd { (format::length(Length(row.own))) }
            @if !string("user").is_empty() { dt { "User" } dd { (string("user")) } }
        }
        (section("Request", members.get("http")))
        (section("AWS resource", members.get("aws")))
        (section("SQL", members.get("sql")))
        (section("Service", members.get("service")))
        (section("Annotations", members.get("annotations")))
        (section("Metadata", members.get("metadata")))
        (exceptions::cause(timeline, members.get("cause")))
        (links(members.get("links")))
        details {
            summary { "Raw JSON of this span" }
            pre tabindex="0" { (serde_json::to_string_pretty(&members).unwrap_or_default()) }
        }
        (shell::copy(&row.id))
    }
}

/// Oddities of the span, each in a sentence that says why.
fn notes(timeline: &Timeline, at: usize, members: &Map<String, Value>) -> Vec<String> {
    let row = &timeline.rows[at];
    let mut notes = Vec::new();
    if row.has(ORPHAN) {
        let parent = members.get("parent_id").and_then(Value::as_str).unwrap_or_default();
        notes.push(format!(
            "The parent {parent} is not stored: it was not sent yet, not sampled, or refused."
        ));
    }
    if row.has(OPEN) {
        notes.push("The end has not been sent yet.".to_owned());
    }
    let second = |name: &str| members.get(name).and_then(Value::as_f64);
    if second("end_time").zip(second("start_time")).is_some_and(|(end, start)| end < start) {
        notes.push("The end that was sent lies before the start, so the row has no length.".to_owned());
    }
    if row.has(WAITING) {
        notes.push("The called service says that it traces this call (traced: true), but its segment has not arrived.".to_owned());
    }
    if row.has(INFERRED) {
        notes.push("No program sent this segment: X-Ray infers it from the caller's view.".to_owned());
    }
    match members.get("origin").and_then(Value::as_str) {
        Some("AWS::Lambda") => {
            notes.push("This is the Lambda service; your function is the row of the same name with origin AWS::Lambda::Function.".to_owned());
        }
        Some("AWS::Lambda::Function") => {
            notes.push("This is your function; the Lambda service is the row of the same name with origin AWS::Lambda.".to_owned());
        }
        _ => {}
    }
    let parent = timeline.rows[..at].iter().rev().find(|above| above.depth < row.depth);
    if let Some(parent) = parent.filter(|parent| row.start < parent.start && !row.has(INFERRED)) {
        let early = format::length(Length(parent.start - row.start));
        notes.push(format!("This row starts {early} before its parent: the two clocks differ."));
    }
    notes
}

fn section(title: &str, value: Option<&Value>) -> Markup {
    let Some(Value::Object(members)) = value else { return html! {} };
    if members.is_empty() {
        return html! {};
    }
    html! {
        h3 { (title) }
        dl.facts { @for (key, value) in flat(members) { dt { (key) } dd { (value) } } }
    }
}

/// Members with dotted keys; lists as JSON.
fn flat(members: &Map<String, Value>) -> Vec<(String, String)> {
    let mut flat = Vec::new();
    for (key, value) in members {
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                flat.extend(inner.iter().map(|(own, value)| (format!("{key}.{own}"), written(value))));
            }
            value => flat.push((key.clone(), written(value))),
        }
    }
    flat
}

fn written(value: &Value) -> String {
    match value {
        Value::String(string) => string.clone(),
        other => other.to_string(),
    }
}

fn links(links: Option<&Value>) -> Markup {
    let Some(Value::Array(links)) = links else { return html! {} };
    html! {
        h3 { "Links" }
        ul {
            @for link in links {
                @let trace = link.get("trace_id").and_then(Value::as_str).unwrap_or_default();
                li { a href={ "/trace/" (trace) } { (trace) } }
            }
        }
    }
}
