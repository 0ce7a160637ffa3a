//! Exceptions of a span, with the chain of causes: within the span, and to the span in which an exception was first seen.

use maud::{Markup, html};
use serde_json::Value;

use crate::console::parts::format;
use crate::console::timeline::Timeline;

/// Frames of a stack that are shown.
const FRAMES: usize = 50;

/// Writes the member `cause`: exceptions, or the id of one in another span.
pub(super) fn cause(timeline: &Timeline, cause: Option<&Value>) -> Markup {
    match cause {
        Some(Value::String(id)) => html! {
            h3 { "Exceptions" }
            p { "The cause is " (elsewhere(timeline, id)) "." }
        },
        Some(Value::Object(cause)) => {
            let exceptions = list(cause.get("exceptions"));
            html! {
                h3 { "Exceptions" }
                @if let Some(folder) = cause.get("working_directory").and_then(Value::as_str) {
                    p.dim { "in " code { (folder) } }
                }
                @for exception in exceptions { (write(timeline, exceptions, exception)) }
            }
        }
        _ => html! {},
    }
}

/// A link to a span of the trace, or its id alone if it is not stored.
pub(super) fn span(timeline: &Timeline, id: &str) -> Markup {
    match timeline.position(id) {
        Some(at) => html! {
            a href={ "?span=" (id) } data-span=(id) { (timeline.rows[at].name) } " " code { (id) }
        },
        None => html! { code { (id) } },
    }
}

fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn string<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn number(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_u64).unwrap_or_default()
}

fn write(timeline: &Timeline, all: &[Value], exception: &Value) -> Markup {
    let stack = list(exception.get("stack"));
    let left_out = number(exception, "truncated") + stack.len().saturating_sub(FRAMES) as u64;
    html! {
        div.exception {
            p { strong { (string(exception, "type")) } ": " (string(exception, "message"))
                @if exception.get("remote") == Some(&Value::Bool(true)) { span.dim { " (from the called service)" } } }
            @if let Some(inner) = exception.get("cause").and_then(Value::as_str) {
                p { "Caused by "
                    @match all.iter().find(|other| string(other, "id") == inner) {
                        Some(other) => { strong { (string(other, "type")) } ", see below" }
                        None => (elsewhere(timeline, inner)),
                    } "." }
            }
            @if !stack.is_empty() {
                ol.stack {
                    @for frame in stack.iter().take(FRAMES) {
                        li {
                            (string(frame, "label")) " "
                            span.dim { (string(frame, "path"))
                                @if let Some(line) = frame.get("line") { ":" (line) } }
                        }
                    }
                }
            }
            @if left_out > 0 { p.dim { (format::counted(left_out, "more frame")) @if left_out == 1 { " is" } @else { " are" } " left out." } }
            @let skipped = number(exception, "skipped");
            @if skipped > 0 {
                p.dim { (format::counted(skipped, "exception")) " between this one and its cause" @if skipped == 1 { " is" } @else { " are" } " left out." }
            }
        }
    }
}

/// An exception that another span holds, with a link to that span.
fn elsewhere(timeline: &Timeline, id: &str) -> Markup {
    let holder = timeline.rows.iter().filter(|row| !id.is_empty() && row.json.contains(id)).find_map(|row| {
        let members = row.members();
        let exceptions = list(members.get("cause").and_then(|cause| cause.get("exceptions")));
        let exception = exceptions.iter().find(|exception| string(exception, "id") == id)?;
        Some((row, string(exception, "type").to_owned()))
    });
    match holder {
        Some((row, kind)) => html! { strong { (kind) } ", the exception of " (span(timeline, &row.id)) },
        None => html! { "the exception " code { (id) } ", which is not stored" },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ingest::Piece;

    #[test]
    fn a_cause_leads_to_the_span_that_holds_the_exception() {
        let piece = |members: Value| Piece { depth: 0, members: members.as_object().cloned().unwrap() };
        let timeline = Timeline::new(vec![
            piece(json!({"id": "a", "name": "web", "start_time": 1.0, "end_time": 2.0, "cause": "e1"})),
            piece(json!({"id": "b", "name": "api", "parent_id": "a", "start_time": 1.0, "end_time": 2.0,
                "cause": {"exceptions": [
                    {"id": "e1", "type": "Outer", "message": "<b>", "cause": "e2", "truncated": 3},
                    {"id": "e2", "type": "Inner", "message": "why"}]}})),
        ]);
        let of_web = cause(&timeline, Some(&json!("e1"))).into_string();
        assert!(of_web.contains("<strong>Outer</strong>, the exception of <a href=\"?span=b\""), "{of_web}");
        let members = timeline.rows[1].members();
        let of_api = cause(&timeline, members.get("cause")).into_string();
        assert!(of_api.contains("Caused by <strong>Inner</strong>, see below"), "{of_api}");
        assert!(of_api.contains("&lt;b&gt;") && of_api.contains("3 more frames"), "{of_api}");
        assert!(cause(&timeline, Some(&json!("gone"))).into_string().contains("is not stored"));
    }
}
