//! A document that the service refuses: one entry of `UnprocessedTraceSegments`.

/// Reason for which a document was refused, in the service's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The document's id, where it could be read.
    pub id: Option<String>,
    /// The service's code, such as `MissingId`.
    pub code: &'static str,
    /// The service's message.
    pub message: String,
}
