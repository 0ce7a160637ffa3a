//! The parts of a document that a daemon has to know.
//!
//! Documents are forwarded unread. Only one that may be in progress, and one that X-Ray refused, is looked into, and
//! a document that is no JSON has no identity.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use serde::Deserialize;

/// A document's own ids, if it is JSON and has them.
#[derive(Debug, Default, Deserialize)]
pub struct Identity<'a> {
    /// `trace_id`
    #[serde(borrow, default)]
    pub trace_id: Option<Cow<'a, str>>,
    /// `id`, of the segment or subsegment itself.
    #[serde(borrow, default)]
    pub id: Option<Cow<'a, str>>,
    #[serde(default)]
    in_progress: bool,
}

impl<'a> Identity<'a> {
    /// Reads a document. Members that are nested are not its own.
    #[must_use]
    pub fn of(document: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(document).ok()
    }
}

/// Returns whether a complete document will follow this one: its own `in_progress` is true.
#[must_use]
pub fn is_in_progress(document: &[u8]) -> bool {
    IN_PROGRESS.find(document).is_some()
        && Identity::of(document).is_some_and(|identity| identity.in_progress)
}

/// Few documents have the word, and only these are parsed.
static IN_PROGRESS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"in_progress\""));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_in_progress_by_its_own_member_alone() {
        for (document, expected) in [
            (r#"{"id":"a","in_progress":true}"#, true),
            (r#"{ "in_progress" : true , "id" : "a" }"#, true),
            (r#"{"in_progress":false}"#, false),
            (r#"{"metadata":{"x":{"in_progress":true}}}"#, false),
            (r#"{"subsegments":[{"in_progress":true}]}"#, false),
            (r#"{"name":"\"in_progress\":true"}"#, false),
            (r#""in_progress""#, false),
            (r#"{"in_progress":true"#, false),
            ("", false),
        ] {
            assert_eq!(is_in_progress(document.as_bytes()), expected, "{document}");
        }
    }

    #[test]
    fn ids_are_the_documents_own_wherever_they_stand() {
        let document =
            br#"{"subsegments":[{"id":"b"}], "trace_id" : "1-2-3", "id":"a\u0061", "parent_id":"c"}"#;
        let identity = Identity::of(document).unwrap();
        assert_eq!((identity.trace_id.as_deref(), identity.id.as_deref()), (Some("1-2-3"), Some("aa")));
        assert!(Identity::of(b"not JSON").is_none());
    }
}
