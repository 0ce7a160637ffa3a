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
    pub(crate) form: HeaderForm,
}

/// The form of a header's value, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderForm {
    /// Hosts with or without ports, separated by commas.
    Hosts,
    /// A URL, or the path of one with or without a query.
    Url,
    /// Text in which URLs stand: each `<…>`, or what follows `url=`.
    WithUrls,
    /// Any other text.
    Text,
}

impl HeaderForm {
    /// Returns the form of the header of that name, in lower case.
    pub(crate) fn of(name: &str) -> Self {
        match name {
            "host" | "x-host" | "x-forwarded-host" | "x-forwarded-server" | "x-original-host" => Self::Hosts,
            "location"
            | "content-location"
            | "destination"
            | "origin"
            | "referer"
            | "referrer"
            | "sourcemap"
            | "x-envoy-original-path"
            | "x-forwarded-path"
            | "x-forwarded-prefix"
            | "x-forwarded-uri"
            | "x-forwarded-url"
            | "x-original-path"
            | "x-original-uri"
            | "x-original-url"
            | "x-request-uri"
            | "x-request-url"
            | "x-rewrite-url" => Self::Url,
            "link" | "refresh" => Self::WithUrls,
            _ => Self::Text,
        }
    }
}
