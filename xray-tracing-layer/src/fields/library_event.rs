//! Events by which a library says something about the span that they happen in, recognized by their callsite.
//!
//! `tracing`'s events are logs to most programs. A few are not: they carry a finished call, a response, or the state
//! of Lambda's runtime. Which ones these are is known here alone; the default filter lets them through, and
//! `lifecycle` acts on them.

use tracing_core::Metadata;
use tracing_core::metadata::Level;

/// What an event can mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventKind {
    /// Nothing.
    Ignored,
    /// The span it happened in has failed.
    Error,
    /// The same, said by a library that only passes on what the span may know already.
    Echo,
    /// A library tells by an event what belongs to the span.
    Fields,
    /// The AWS SDK tells that an attempt at a call was answered.
    AwsResponse,
    /// Lambda's runtime tells that the handler failed, when its spans were left already.
    LambdaFailure,
    /// Lambda's runtime is between two invocations.
    LambdaIdle,
    /// A library tells of a call that it is done, or will be.
    FinishedCall(LibraryEvent),
}

impl EventKind {
    pub(crate) fn of(metadata: &Metadata<'_>) -> Self {
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
            _ => Self::Ignored,
        }
    }
}

/// What an event tells of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LibraryEvent {
    /// `sqlx`: a statement is done. Whether it failed is not said.
    Statement,
    /// `mongodb`: a command was sent. Only here is the database named.
    CommandStarted,
    /// `mongodb`: it is done, or has failed.
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

    /// Whether a library asks by this callsite if it should tell of its calls, without an event yet: what
    /// `tracing::enabled!` does.
    pub(crate) fn is_asked_for(metadata: &Metadata<'_>) -> bool {
        !metadata.is_span() && !metadata.is_event() && matches!(metadata.target(), SQLX | MONGODB)
    }
}

const SQLX: &str = "sqlx::query";
const MONGODB: &str = "mongodb::command";

/// Events of the loop in which Lambda's runtime asks for invocations. It waits for each to end.
pub(crate) fn is_between_invocations(metadata: &Metadata<'_>) -> bool {
    metadata.is_event() && *metadata.level() == Level::TRACE && metadata.target() == "lambda_runtime::runtime"
}

/// Events by which a library says what it could not say when its span opened.
pub(crate) fn has_fields_of_its_span(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    (target.starts_with("tower_http::trace::on_response") && has(metadata, "status"))
        || is_aws_response(metadata)
}

/// What the AWS SDK says of each answer that it gets, S3's client in two events.
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
