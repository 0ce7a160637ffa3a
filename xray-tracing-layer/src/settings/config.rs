//! What the builder hands to the hot path: plain values, frozen. Nothing here reads the environment.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use crate::settings::reentrancy::suppress_recording;

/// Which fields become annotations without a prefix.
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

    /// Whether every field that stands for nothing else is indexed.
    pub(crate) fn all(&self) -> bool {
        self.all
    }
}

/// What becomes of a call to another service that no span of this one encloses.
///
/// X-Ray knows such calls as parts of a segment only. In the official SDKs a call without a segment is an error, for
/// which `AWS_XRAY_CONTEXT_MISSING` has three strategies; here they are these. A call is a span that says so by a
/// field (`otel.kind` of `client` or `producer`, `xray.namespace`, a database's fields). Any other span without a
/// parent is a segment of its own right, and a call with a trace header is one, too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContextMissing {
    /// It becomes a segment, and is counted. `LOG_ERROR`; the default.
    #[default]
    MakeSegment,
    /// It is not recorded. `IGNORE_ERROR`.
    Ignore,
    /// It is not recorded, but counted. `RUNTIME_ERROR`, which elsewhere makes the program fail.
    Count,
}

/// A version that the environment tells of a kind of database.
#[derive(Clone, Debug)]
pub(crate) struct SqlVersion {
    /// What `db.system` begins with.
    pub(crate) system: &'static str,
    pub(crate) key: &'static str,
    pub(crate) version: String,
}

/// The service's database, for libraries that don't name it.
#[derive(Debug, Default)]
pub(crate) struct Database {
    /// As X-Ray takes it: escaped, without quotes.
    pub(crate) name: String,
    /// `postgresql`, `sqlite` …
    pub(crate) system: Option<String>,
}

/// The user's look at each value before it is written.
pub(crate) struct Redact(Box<RedactFn>);

pub(crate) type RedactFn = dyn for<'a> Fn(&str, &'a str) -> Cow<'a, str> + Send + Sync;

impl Redact {
    pub(crate) fn new(redact: Box<RedactFn>) -> Self {
        Self(redact)
    }

    pub(crate) fn apply<'a>(&self, field: &str, value: &'a str) -> Cow<'a, str> {
        suppress_recording(|| (self.0)(field, value))
    }
}

impl fmt::Debug for Redact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redact")
    }
}

/// When children leave a parent that is still open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Streaming {
    /// The most spans that a parent holds.
    pub(crate) after_spans: u32,
    /// A parent that is open for longer holds nothing back. In microseconds.
    pub(crate) after_micros: u64,
    /// A segment that is open for longer announces itself. In microseconds.
    pub(crate) announce_micros: u64,
}

impl Default for Streaming {
    fn default() -> Self {
        Self {
            // Bytes decide, unless the user wants it otherwise: one document is cheaper than many for
            // everyone on its way.
            after_spans: u32::MAX,
            // As long as a person waits for a page, and far below the minutes after which the service closes
            // a trace to changes.
            after_micros: 10_000_000,
            // A live view is refreshed in seconds.
            announce_micros: 5_000_000,
        }
    }
}
