//! Holds a value against its shape: types, lengths, patterns, required keys.
//!
//! One value at a time: what keys owe to each other is the business of the rules. Recursion goes as deep as the
//! JSON does, which its parser has bounded.

use serde_json::{Map, Value};

use super::problem::{Path, Problems, quoted};
use super::schema::{CAUSE, Field, SUBSEGMENT, Shape};
use crate::document::is_name_char;

/// Checks the keys of one object.
pub(super) fn check_object(
    object: &Map<String, Value>,
    fields: &[Field],
    path: &Path<'_>,
    out: &mut Problems,
) {
    for field in fields {
        match object.get(field.key) {
            Some(value) => check_value(value, field.shape, &path.key(field.key), out),
            None if field.required => out.reject(&path.key(field.key), "missing"),
            None => {}
        }
    }
}

fn check_value(value: &Value, shape: Shape, path: &Path<'_>, out: &mut Problems) {
    match (shape, value) {
        (Shape::Text(longest), Value::String(text)) => check_length(text, longest, path, out),
        (Shape::Name, Value::String(name)) => check_name(name, path, out),
        (Shape::Id, Value::String(id)) => check_id(id, path, out),
        (Shape::TraceId, Value::String(id)) => check_trace_id(id, path, out),
        (Shape::OneOf(allowed), Value::String(text)) => {
            if !allowed.contains(&text.as_str()) {
                out.reject(path, format!("{} is not one of {}", quoted(text), allowed.join(", ")));
            }
        }
        (Shape::DatabaseUrl, Value::String(url)) => check_database_url(url, path, out),
        (Shape::Number, Value::Number(_)) | (Shape::Bool, Value::Bool(_)) => {}
        (Shape::Integer, Value::Number(number)) if number.is_i64() || number.is_u64() => {}
        (Shape::Object(fields), Value::Object(object)) => check_object(object, fields, path, out),
        (Shape::Subsegment, Value::Object(object)) => check_object(object, SUBSEGMENT, path, out),
        (Shape::List(item), Value::Array(list)) => {
            for (index, value) in list.iter().enumerate() {
                check_value(value, *item, &path.index(index), out);
            }
        }
        (Shape::Annotations, Value::Object(object)) => check_annotations(object, path, out),
        (Shape::Metadata, Value::Object(object)) => check_metadata(object, path, out),
        (Shape::Cause, Value::String(id)) => check_id(id, path, out),
        (Shape::Cause, Value::Object(object)) => check_object(object, CAUSE, path, out),
        (shape, value) => out.reject(path, format!("must be {}, not {}", wanted(shape), kind(value))),
    }
}

fn check_length(text: &str, longest: usize, path: &Path<'_>, out: &mut Problems) {
    let length = text.chars().count();
    if length > longest {
        out.reject(path, format!("{length} characters, at most {longest} are allowed"));
    }
}

fn check_name(name: &str, path: &Path<'_>, out: &mut Problems) {
    check_length(name, LONGEST_NAME, path, out);
    if name.is_empty() {
        out.reject(path, "empty");
    }
    if let Some(c) = name.chars().find(|&c| !is_name_char(c)) {
        out.reject(
            path,
            format!("{c:?} may not stand in a name: letters, numbers, blanks and _.:/%&#=+-@ may"),
        );
    }
}

fn check_id(id: &str, path: &Path<'_>, out: &mut Problems) {
    if id.len() != 16 || !id.bytes().all(|b| b.is_ascii_hexdigit()) {
        out.reject(path, format!("{} is not 16 hexadecimal digits", quoted(id)));
    } else {
        check_lower_case(id, path, out);
    }
}

fn check_trace_id(id: &str, path: &Path<'_>, out: &mut Problems) {
    let parts: Vec<&str> = id.split('-').collect();
    let is_hex = |part: &str, length| part.len() == length && part.bytes().all(|b| b.is_ascii_hexdigit());
    if !matches!(parts[..], ["1", time, unique] if is_hex(time, 8) && is_hex(unique, 24)) {
        out.reject(path, format!("{} is not 1-, 8 hexadecimal digits, -, 24 hexadecimal digits", quoted(id)));
    } else {
        check_lower_case(id, path, out);
    }
}

/// The schema takes both cases, but ids are compared as text along the way.
fn check_lower_case(id: &str, path: &Path<'_>, out: &mut Problems) {
    if id.bytes().any(|b| b.is_ascii_uppercase()) {
        out.warn(
            path,
            format!(
                "{} has upper-case digits: a receiver that compares ids as strings misses it",
                quoted(id)
            ),
        );
    }
}

/// Keys may hold dots: the guide's field list knows only letters, digits and `_`, but the SDKs' newer documentation
/// and AWS's own exporter let the dot pass, and so does the service.
fn check_annotations(object: &Map<String, Value>, path: &Path<'_>, out: &mut Problems) {
    for (key, value) in object {
        let path = path.key(key);
        if key.is_empty() || key.len() > LONGEST_ANNOTATION_KEY {
            out.warn(&path, "X-Ray drops it: a key has 1 to 500 characters");
        } else if !key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.') {
            out.warn(&path, "X-Ray drops it: a key has letters, digits, `_` and `.` only");
        }
        match value {
            Value::String(text) => check_length(text, LONGEST_ANNOTATION, &path, out),
            Value::Number(_) | Value::Bool(_) => {}
            other => {
                out.reject(&path, format!("must be a string, a number or a boolean, not {}", kind(other)));
            }
        }
    }
}

fn check_metadata(object: &Map<String, Value>, path: &Path<'_>, out: &mut Problems) {
    for (namespace, value) in object {
        let path = path.key(namespace);
        if namespace.starts_with("AWS.") {
            out.warn(&path, "namespaces that begin with `AWS.` are X-Ray's own");
        }
        if !value.is_object() {
            out.reject(&path, format!("a namespace must hold an object, not {}", kind(value)));
        }
    }
}

/// The OpenTelemetry receiver refuses the document unless the URL matches `^([^/]+:(?://[^/]+/)?)([^\?]+)\??.*$`:
/// that is a scheme, a colon, and something other than a query after it.
fn check_database_url(url: &str, path: &Path<'_>, out: &mut Problems) {
    let scheme = url.split('/').next().unwrap_or_default();
    let fits = scheme
        .match_indices(':')
        .any(|(at, _)| at > 0 && url[at + 1..].chars().next().is_some_and(|first| first != '?'));
    if !fits {
        let message =
            format!("{} is no scheme:… URL: an OpenTelemetry collector refuses the document", quoted(url));
        out.reject(path, message);
    }
}

fn wanted(shape: Shape) -> &'static str {
    match shape {
        Shape::Text(_) | Shape::Name | Shape::Id | Shape::TraceId | Shape::OneOf(_) | Shape::DatabaseUrl => {
            "a string"
        }
        Shape::Number => "a number",
        Shape::Integer => "an integer",
        Shape::Bool => "a boolean",
        Shape::Object(_) | Shape::Subsegment | Shape::Annotations | Shape::Metadata => "an object",
        Shape::List(_) => "an array",
        Shape::Cause => "an exception's id or an object",
    }
}

pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Characters of a name (X-Ray developer guide, segment documents).
const LONGEST_NAME: usize = 200;
/// Characters of an annotation's key and of its string value (schema 1.0.0).
const LONGEST_ANNOTATION_KEY: usize = 500;
const LONGEST_ANNOTATION: usize = 1000;
