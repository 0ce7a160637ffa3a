//! Events that carry information about a span, recognized by their callsite.
//!
//! Most of `tracing`'s events are logs. A few carry a finished call, a response, or the state of Lambda's
//! runtime. Only this file knows which; the default filter enables them, and `lifecycle` acts on them.

use tracing_core::Metadata;
use tracing_core::metadata::Level;

/// The meaning of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventKind {
    /// No meaning for a trace.
    Ignored,
    /// The current span has failed.
    Error,
    /// The current span has failed, according to a library that may repeat a known error.
    Echo,
    /// The event's fields belong to the current span.
    Fields,
    /// The AWS SDK received the response to one attempt.
    AwsResponse,
    /// Lambda's runtime reports a failed handler, after the handler's spans were exited.
    LambdaFailure,
    /// Lambda's runtime is between two invocations.
    LambdaIdle,
    /// The event is kept with its span.
    Breadcrumb,
    /// A library describes a call that has finished, or has started.
    FinishedCall(LibraryEvent),
}

impl EventKind {
    /// Returns the meaning. `breadcrumbs` says whether INFO and WARN events are kept.
    pub(crate) fn of(metadata: &Metadata<'_>, breadcrumbs: bool) -> Self {
        if !metadata.is_event() {
            return Self::Ignored;
        }
        if let Some(call) = LibraryEvent::of(metadata) {
            return Self::FinishedCall(call);
        }
        match *metadata.level() {
            Level::ERROR if metadata.target().starts_with("tower_http::trace::on_failure") => Self::Echo,
            Level::ERROR if metadata.target() == "lambda_runtime::layers::panic" => Self::LambdaFailure,
            Level::ERROR => Self::Error,
            _ if is_aws_response(metadata) => Self::AwsResponse,
            _ if has_fields_of_its_span(metadata) => Self::Fields,
            _ if is_between_invocations(metadata) => Self::LambdaIdle,
            _ if breadcrumbs && is_breadcrumb(metadata) => Self::Breadcrumb,
            _ => Self::Ignored,
        }
    }
}

/// Returns whether an event may be kept with its span.
pub(crate) fn is_breadcrumb(metadata: &Metadata<'_>) -> bool {
    metadata.is_event()
        && matches!(*metadata.level(), Level::INFO | Level::WARN)
        && !is_machinery(metadata.target())
}

/// A library's description of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LibraryEvent {
    /// `sqlx`: a statement has finished. The event does not carry whether it failed.
    Statement,
    /// `mongodb`: a command was sent. Only this event names the database.
    CommandStarted,
    /// `mongodb`: a command has finished or failed.
    CommandEnded,
}

impl LibraryEvent {
    pub(crate) fn of(metadata: &Metadata<'_>) -> Option<Self> {
        let has = |field| metadata.fields().field(field).is_some();
        match metadata.target() {
            SQLX if has("elapsed_secs") => Some(Self::Statement),
            MONGODB if has("durationMS") => Some(Self::CommandEnded),
            MONGODB if has("databaseName") => Some(Self::CommandStarted),
            _ => None,
        }
    }

    /// Returns whether a library uses this callsite to ask if its events are enabled, as `tracing::enabled!` does.
    pub(crate) fn is_asked_for(metadata: &Metadata<'_>) -> bool {
        !metadata.is_span() && !metadata.is_event() && matches!(metadata.target(), SQLX | MONGODB)
    }
}

const SQLX: &str = "sqlx::query";
const MONGODB: &str = "mongodb::command";

/// Returns whether an event is of the loop in which Lambda's runtime asks for invocations. The loop waits for each
/// invocation to end.
pub(crate) fn is_between_invocations(metadata: &Metadata<'_>) -> bool {
    metadata.is_event() && *metadata.level() == Level::TRACE && metadata.target() == "lambda_runtime::runtime"
}

/// Returns whether an event carries fields that were unknown when its span opened.
pub(crate) fn has_fields_of_its_span(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    (target.starts_with("tower_http::trace::on_response") && has(metadata, "status"))
        || is_aws_response(metadata)
}

/// Returns whether an event describes a response that the AWS SDK received. S3's client sends two.
fn is_aws_response(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    target.starts_with("aws_sdk_")
        && target.contains("::operation")
        && (has(metadata, REQUEST_ID) || has(metadata, EXTENDED_REQUEST_ID))
}

fn has(metadata: &Metadata<'_>, field: &str) -> bool {
    metadata.fields().field(field).is_some()
}

pub(crate) const REQUEST_ID: &str = "request_id";

/// S3's second id.
pub(crate) const EXTENDED_REQUEST_ID: &str = "extended_request_id";

/// Returns whether a target belongs to a crate whose spans and events describe machinery.
pub(crate) fn is_machinery(target: &str) -> bool {
    MACHINERY.iter().any(|krate| is_in(target, krate))
}

/// Crates whose spans describe machinery. `runtime::resource` is tokio's, with console-subscriber in the same
/// registry.
const MACHINERY: &[&str] = &[
    "h2",
    "hyper",
    "hyper_util",
    "tokio",
    "tokio_util",
    "runtime::resource",
    "rustls",
    "aws_smithy_runtime",
    "aws_smithy_runtime_api",
    "aws_smithy_http_client",
    "aws_config",
    // Invocations are spans of `lambda_runtime::layers`; these are its workers.
    "lambda_runtime::runtime",
];

fn is_in(target: &str, krate: &str) -> bool {
    target.strip_prefix(krate).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}
