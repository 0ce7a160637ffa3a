//! Plain values from the builder, frozen. Nothing here reads the environment.

use std::collections::HashSet;

use xray_sdk::document::internal::Key;

/// The fields that become annotations without a prefix.
#[derive(Clone, Debug, Default)]
pub(crate) struct Annotate {
    fields: HashSet<String>,
    all: bool,
}

impl Annotate {
    pub(crate) fn add(&mut self, fields: impl IntoIterator<Item = String>) {
        self.fields.extend(fields);
    }

    pub(crate) fn set_all(&mut self) {
        self.all = true;
    }

    pub(crate) fn names(&self, field: &str) -> bool {
        self.fields.contains(field)
    }

    /// Returns whether every field without another meaning is indexed.
    pub(crate) fn all(&self) -> bool {
        self.all
    }
}

/// The strategy for a call to another service outside of any segment.
///
/// X-Ray knows such calls only as parts of a segment. In the official SDKs a call without a segment is an
/// error, for which `AWS_XRAY_CONTEXT_MISSING` has three strategies. Their counterparts here are these.
///
/// A call is a span with one of these fields: `otel.kind` of `client` or `producer`, `xray.namespace`, or a
/// database's. Any other span without a parent is a segment. So is a call with a trace header.
///
/// ```
/// use xray_tracing_layer::ContextMissing;
///
/// let builder = xray_tracing_layer::builder().context_missing(ContextMissing::Ignore);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContextMissing {
    /// Makes the call a segment, and counts it: `LOG_ERROR`. The default.
    #[default]
    MakeSegment,
    /// Does not record the call: `IGNORE_ERROR`.
    Ignore,
    /// Does not record the call, and counts it: `RUNTIME_ERROR`, which makes programs fail in other SDKs.
    Count,
}

/// A version of a database, from the environment.
#[derive(Clone, Debug)]
pub(crate) struct SqlVersion {
    /// The beginning of `db.system` that the version applies to.
    pub(crate) system: &'static str,
    pub(crate) key: Key<'static>,
    pub(crate) version: String,
}

/// The service's database, for libraries that do not name theirs.
#[derive(Debug, Default)]
pub(crate) struct Database {
    /// The name, sanitized and escaped, without quotes.
    pub(crate) name: String,
    /// `postgresql`, `sqlite` …
    pub(crate) system: Option<String>,
}

/// The rules for streaming children of an open parent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Streaming {
    /// The maximum of spans that a parent holds.
    pub(crate) after_spans: u32,
    /// The age, in microseconds, above which a parent holds no children back.
    pub(crate) after_micros: u64,
    /// The age, in microseconds, above which a root is sent as in progress.
    pub(crate) in_progress_after_micros: u64,
}

impl Default for Streaming {
    fn default() -> Self {
        Self {
            // Bytes decide by default: one document is cheaper than many for everyone on its way.
            after_spans: u32::MAX,
            // As long as a person waits for a page, and far below the minutes after which X-Ray closes a
            // trace.
            after_micros: 10_000_000,
            // A live view is refreshed in seconds.
            in_progress_after_micros: 5_000_000,
        }
    }
}
