//! The headers of HTTP requests and responses that are recorded, and those that are passed on.

/// The user's choice.
#[derive(Debug, Default)]
pub(crate) struct HeaderSettings {
    pub(crate) request: Vec<RecordedHeader>,
    pub(crate) response: Vec<RecordedHeader>,
    /// The keys of W3C baggage that become annotations.
    pub(crate) baggage: Vec<String>,
    /// Whether received baggage is not passed on.
    pub(crate) drops_baggage: bool,
}

/// A header that is recorded.
#[derive(Debug)]
pub(crate) struct RecordedHeader {
    /// The name, in lower case.
    pub(crate) name: String,
    /// The name of the field that it becomes, by OpenTelemetry's conventions.
    pub(crate) field: String,
    /// Whether the field is an annotation.
    pub(crate) is_annotation: bool,
}
