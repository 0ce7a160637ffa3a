//! The headers of HTTP requests and responses that are recorded, and those that are passed on.

/// The names as the builder got them.
#[derive(Debug, Default)]
pub(crate) struct NamedHeaders {
    pub(crate) request: Vec<String>,
    pub(crate) response: Vec<String>,
    /// The keys of baggage that become annotations.
    pub(crate) baggage: Vec<String>,
    pub(crate) drops_baggage: bool,
}

/// The user's choice, checked.
#[derive(Debug, Default)]
pub(crate) struct HeaderSettings {
    pub(crate) request: Vec<RecordedHeader>,
    pub(crate) response: Vec<RecordedHeader>,
    /// The keys of W3C baggage that become annotations.
    pub(crate) baggage: Vec<String>,
    /// Set if received baggage is not passed on.
    pub(crate) drops_baggage: bool,
}

/// A header that is recorded.
#[derive(Debug)]
pub(crate) struct RecordedHeader {
    /// The name, in lower case.
    pub(crate) name: String,
    /// The name of the field that it becomes, by OpenTelemetry's conventions.
    pub(crate) field: String,
    /// Set if the field is an annotation.
    pub(crate) is_annotation: bool,
}
