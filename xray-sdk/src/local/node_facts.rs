//! Facts about a span, by name instead of by its JSON: for assertions of tests.

use serde_json::Value;

use super::trace::Node;

/// An exception of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeException<'a> {
    /// Its type: `std::io::Error`, `Error`; empty if the document names none.
    pub kind: &'a str,
    /// Its message; empty if the document has none.
    pub message: &'a str,
}

impl<'a> Node<'a> {
    /// The name of the root span that became this segment: X-Ray names segments by their service.
    ///
    /// `None` for subsegments, whose [`name`](Self::name) is the span's, and for segments of other SDKs.
    #[must_use]
    pub fn operation(&self) -> Option<&'a str> {
        self.metadata("default", "operation")?.as_str()
    }

    /// The value of an annotation.
    #[must_use]
    pub fn annotation(&self, key: &str) -> Option<&'a Value> {
        self.json().get("annotations")?.get(key)
    }

    /// The value of a metadata key in a namespace. Fields of spans are in the namespace `default`.
    #[must_use]
    pub fn metadata(&self, namespace: &str, key: &str) -> Option<&'a Value> {
        self.json().get("metadata")?.get(namespace)?.get(key)
    }

    /// The status of the HTTP response.
    #[must_use]
    pub fn http_status(&self) -> Option<u16> {
        self.json().get("http")?.get("response")?.get("status")?.as_u64()?.try_into().ok()
    }

    /// Returns whether the span is a fault: a 5xx status, or a failure without a status.
    #[must_use]
    pub fn is_fault(&self) -> bool {
        self.flag("fault")
    }

    /// Returns whether the span is an error: a 4xx status.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.flag("error")
    }

    /// Returns whether the span was throttled: status 429.
    #[must_use]
    pub fn is_throttle(&self) -> bool {
        self.flag("throttle")
    }

    /// The exceptions of the span, in the order in which they were recorded.
    pub fn exceptions(&self) -> impl Iterator<Item = NodeException<'a>> + use<'a> {
        let exceptions = self.json().get("cause").and_then(|cause| cause.get("exceptions"));
        exceptions.and_then(Value::as_array).into_iter().flatten().map(|exception| {
            let string = |key| exception.get(key).and_then(Value::as_str).unwrap_or_default();
            NodeException { kind: string("type"), message: string("message") }
        })
    }

    /// The statement of a database call, without its values.
    #[must_use]
    pub fn sql(&self) -> Option<&'a str> {
        self.json().get("sql")?.get("sanitized_query")?.as_str()
    }

    /// The namespace of a subsegment: `aws` or `remote` for a call to another service.
    #[must_use]
    pub fn namespace(&self) -> Option<&'a str> {
        self.json().get("namespace")?.as_str()
    }

    fn flag(&self, key: &str) -> bool {
        self.json().get(key) == Some(&Value::Bool(true))
    }
}
