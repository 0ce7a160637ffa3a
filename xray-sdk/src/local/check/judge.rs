//! The verdict on one document: everything that the other files of this room find, in one list.
//!
//! From outside in: is it UTF-8, is it one JSON object, is it short enough; then its text, its shapes and its
//! rules. A document that is no JSON object gets no further than that.

use std::str;

use serde_json::Value;

use super::problem::{Path, Problem, Problems};
use super::schema::{INDEPENDENT, SEGMENT, SUBSEGMENT};
use super::shape::{check_object, kind};
use super::{rules, text};

/// Checks a document, and returns what X-Ray or another receiver would refuse or lose. Empty for a valid document.
///
/// `document` is what follows the header line: a segment, complete or in progress, or a subsegment sent on its
/// own. The rules are those of the X-Ray developer guide ("segment documents"), of its JSON schema 1.0.0, of the
/// daemon's log, and of the OpenTelemetry collector's `awsxray` receiver, which the CloudWatch agent uses too.
///
/// ```
/// let document = br#"{"name":"shop?","id":"70de5b6f19ff9a0a","trace_id":"1-66f1a2b3-0123456789abcdef01234567",
///                     "start_time":1727112883.125,"in_progress":true,"aws":{"xray":{}}}"#;
/// let problems: Vec<String> = xray_sdk::local::check(document).iter().map(ToString::to_string).collect();
/// assert!(problems[1].starts_with("name: '?' may not stand in a name"), "{problems:?}");
/// ```
#[must_use]
pub fn check(document: &[u8]) -> Vec<Problem> {
    judge(document).1
}

/// The parsed document, if it is a JSON object, with its problems.
pub(in super::super) fn judge(document: &[u8]) -> (Option<Value>, Vec<Problem>) {
    let mut out = Problems::default();
    let value = judge_into(document, &mut out);
    (value, out.into_vec())
}

fn judge_into(document: &[u8], out: &mut Problems) -> Option<Value> {
    let root = Path::Root;
    if document.len() > LARGEST_DOCUMENT {
        out.reject(&root, format!("{} bytes, X-Ray takes {LARGEST_DOCUMENT}", document.len()));
    }
    let text = match str::from_utf8(document) {
        Ok(text) => text,
        Err(err) => {
            out.reject(&root, format!("not UTF-8 at byte {}", err.valid_up_to()));
            return None;
        }
    };
    let value: Value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(err) => {
            out.reject(&root, explain(text, &err));
            return None;
        }
    };
    let Value::Object(object) = &value else {
        out.reject(&root, format!("a document is one JSON object, not {}", kind(&value)));
        return None;
    };
    text::check_compact(text, out);
    text::check_unique_keys(text, out);
    for key in ["id", "trace_id"] {
        text::check_found_by_daemon(text, key, object.get(key).and_then(Value::as_str), out);
    }
    if object.get("type").and_then(Value::as_str) == Some("subsegment") {
        check_object(object, SUBSEGMENT, &root, out);
        for key in INDEPENDENT.iter().filter(|&&key| !object.contains_key(key)) {
            out.reject(&root.key(key), "missing: a subsegment sent on its own needs it");
        }
    } else {
        check_object(object, SEGMENT, &root, out);
    }
    rules::check_document(&value, out);
    Some(value)
}

/// Explains serde_json's error in the words of someone who sent a document.
fn explain(text: &str, err: &serde_json::Error) -> String {
    let said = err.to_string();
    if said.starts_with("recursion limit") {
        return "nested deeper than 128 levels".to_owned();
    }
    if text.starts_with("T1S") || text.starts_with("T1U") {
        return "an OpenTelemetry batch (T1S, T1U): only the X-Ray service itself can read it".to_owned();
    }
    if said.starts_with("trailing characters") {
        return format!("more than one document in the datagram, or text after it: {said}");
    }
    format!("not JSON: {said}")
}

/// The quota says 64 KB and does not say whether that is 64,000 or 65,536: the smaller one is safe.
const LARGEST_DOCUMENT: usize = 64_000;
