//! Documents that are too large, taken apart.
//!
//! A trace that is read back has each segment whole, whatever it was sent as; sent again, it must fit again.

use serde_json::{Value, json};

use crate::model::limits;

/// A document as X-Ray accepts it: one that is too large, since it was put together of several, is taken apart into
/// subsegments of their own again.
#[must_use]
pub fn split(document: String) -> Vec<String> {
    if document.len() <= limits::DOCUMENT_BYTES {
        return vec![document];
    }
    let Ok(Value::Object(whole)) = serde_json::from_str(&document) else { return vec![document] };
    let (mut pieces, mut pending) = (Vec::new(), vec![whole]);
    while let Some(mut span) = pending.pop() {
        let children = match span.remove("subsegments") {
            Some(Value::Array(children)) => children,
            _ => Vec::new(),
        };
        let (id, trace) = (span.get("id").cloned(), span.get("trace_id").cloned());
        let own = Value::Object(span.clone()).to_string().len();
        let mut room = limits::DOCUMENT_BYTES.saturating_sub(own + MARGIN);
        let mut kept = Vec::new();
        for child in children {
            let size = child.to_string().len() + 1;
            match child {
                child if size <= room => {
                    room -= size;
                    kept.push(child);
                }
                Value::Object(mut child) => {
                    child.insert("type".to_owned(), json!("subsegment"));
                    child.extend(trace.clone().map(|trace| ("trace_id".to_owned(), trace)));
                    child.extend(id.clone().map(|id| ("parent_id".to_owned(), id)));
                    pending.push(child);
                }
                _ => {}
            }
        }
        if !kept.is_empty() {
            span.insert("subsegments".to_owned(), Value::Array(kept));
        }
        pieces.push(Value::Object(span).to_string());
    }
    pieces
}

/// Bytes of the key `subsegments` and its brackets.
const MARGIN: usize = 32;
