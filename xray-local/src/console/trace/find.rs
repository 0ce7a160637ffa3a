//! Search within a trace: rows in which a name, an id, an annotation's key or any value has the words.

use serde_json::Value;

use crate::console::timeline::Timeline;

/// Rows that are found at most.
const MOST: usize = 10_000;

/// Finds the numbers of rows, in order.
pub(super) fn find(timeline: &Timeline, words: &str) -> Vec<usize> {
    let words = words.trim().to_lowercase();
    if words.is_empty() {
        return Vec::new();
    }
    // As it stands between the quotation marks of JSON.
    let quoted = Value::from(words.as_str()).to_string();
    let quoted = &quoted[1..quoted.len() - 1];
    let rows = timeline.rows.iter().enumerate();
    let found = rows.filter(|(_, row)| row.json.to_lowercase().contains(quoted));
    let found = found.filter(|(_, row)| has(&Value::Object(row.members()), &words));
    found.map(|(at, _)| at).take(MOST).collect()
}

/// Returns whether a value within the JSON has the words, or the key of an annotation or of metadata.
fn has(value: &Value, words: &str) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => flag.to_string() == *words,
        Value::Number(number) => number.to_string().contains(words),
        Value::String(string) => string.to_lowercase().contains(words),
        Value::Array(list) => list.iter().any(|value| has(value, words)),
        Value::Object(members) => members.iter().any(|(key, value)| {
            has(value, words)
                || (matches!(key.as_str(), "annotations" | "metadata")
                    && value
                        .as_object()
                        .is_some_and(|own| own.keys().any(|key| key.to_lowercase().contains(words))))
        }),
    }
}
