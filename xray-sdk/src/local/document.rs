//! [`Document`]: an accepted document, its bytes, its parsed value, and the keys that most callers need.
//!
//! A document exists only if X-Ray would take it, so those keys are there and well-formed. Cloning one copies a
//! pointer. [`Received`](super::Received) makes them, the assembly of traces reads them.

use std::sync::Arc;

use serde_json::Value;

use super::check::{Problem, Severity, judge};

/// A document that the daemon forwards and X-Ray takes: a segment, complete or in progress, or a subsegment sent
/// on its own.
#[derive(Clone, Debug)]
pub struct Document(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    text: String,
    json: Value,
    problems: Vec<Problem>,
}

impl Document {
    /// Judges a datagram's document.
    ///
    /// # Errors
    /// All its problems, if at least one of them makes a receiver refuse it.
    pub(super) fn judge(bytes: &[u8]) -> Result<Self, Vec<Problem>> {
        let (json, problems) = judge(bytes);
        match json {
            Some(json) if problems.iter().all(|problem| problem.severity != Severity::Reject) => {
                let text = String::from_utf8_lossy(bytes).into_owned();
                Ok(Self(Arc::new(Inner { text, json, problems })))
            }
            _ => Err(problems),
        }
    }

    /// Reads a document that X-Ray has taken already. Returns `None` for what is no JSON object.
    pub(super) fn taken(text: &str) -> Option<Self> {
        let json: Value = serde_json::from_str(text).ok().filter(Value::is_object)?;
        Some(Self(Arc::new(Inner { text: text.to_owned(), json, problems: Vec::new() })))
    }

    /// Returns the document as a value.
    #[must_use]
    pub fn json(&self) -> &Value {
        &self.0.json
    }

    /// Returns the document, byte for byte as it was received.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// Returns the problems by which a receiver would lose part of the document.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.0.problems
    }

    /// The trace it belongs to: `1-66f1a2b3-0123456789abcdef01234567`.
    #[must_use]
    pub fn trace_id(&self) -> &str {
        self.string("trace_id").unwrap_or_default()
    }

    /// Its own id, 16 hexadecimal digits.
    #[must_use]
    pub fn id(&self) -> &str {
        self.string("id").unwrap_or_default()
    }

    /// The id of the segment or subsegment it belongs under. A segment has one if its caller is traced.
    #[must_use]
    pub fn parent_id(&self) -> Option<&str> {
        self.string("parent_id")
    }

    /// The name of the service, for a segment; of what was called, for a subsegment.
    #[must_use]
    pub fn name(&self) -> &str {
        self.string("name").unwrap_or_default()
    }

    /// Returns whether the document is a subsegment sent on its own, not a segment.
    #[must_use]
    pub fn is_subsegment(&self) -> bool {
        self.string("type") == Some("subsegment")
    }

    /// Returns whether the document is in progress.
    #[must_use]
    pub fn is_in_progress(&self) -> bool {
        self.0.json.get("in_progress") == Some(&Value::Bool(true))
    }

    /// Segments and subsegments in it: itself and all that is nested.
    #[must_use]
    pub fn span_count(&self) -> usize {
        let (mut count, mut pending) = (0, vec![&self.0.json]);
        while let Some(span) = pending.pop() {
            count += 1;
            pending.extend(span.get("subsegments").and_then(Value::as_array).into_iter().flatten());
        }
        count
    }

    fn string(&self, key: &str) -> Option<&str> {
        self.0.json.get(key).and_then(Value::as_str)
    }
}
