//! Which spans and events become part of a trace unless the user says otherwise.
//!
//! Logs and traces want different things: a log level is turned up and down, a trace is whole or useless. So
//! the layer brings a filter of its own, and `RUST_LOG` neither silences it nor floods it. It decides by the
//! callsite alone; the answer is kept by `tracing` and costs nothing later.

use tracing_core::metadata::LevelFilter;
use tracing_core::{Interest, Level, Metadata};
use tracing_subscriber::layer::{Context, Filter};

use crate::fields::callsite::{has_fields_of_its_span, is_between_invocations};
use crate::lifecycle::finished_call::LibraryEvent;

/// The filter that [`layer`](crate::layer) attaches.
///
/// - Spans at `INFO` and above, and ERROR events, which become exceptions.
/// - Spans and events of libraries that only speak at lower levels, but say what a trace needs: the AWS SDK's
///   operations, tower-http's requests and responses, the spans of `otel::tracing`, the statements of `sqlx`, the
///   commands of `mongodb`, the pauses of Lambda's runtime.
/// - Nothing from the machinery below: `h2`, `hyper`, `tokio`, `rustls`, the inner layers of the AWS SDK.
///
/// To compose it with a filter of your own, use `tracing_subscriber`'s `FilterExt`:
/// ```
/// use tracing_subscriber::filter::{FilterExt, filter_fn};
/// use tracing_subscriber::registry;
///
/// let quiet = filter_fn(|metadata| metadata.name() != "health_check");
/// let layer = xray_tracing_layer::builder()
///     .filter(FilterExt::<tracing_subscriber::Registry>::and(xray_tracing_layer::default_filter(), quiet))
///     .build::<tracing_subscriber::Registry>();
/// # assert!(layer.is_ok());
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct DefaultFilter;

/// The filter that [`layer`](crate::layer) attaches, to compose with others.
#[must_use]
pub fn default_filter() -> DefaultFilter {
    DefaultFilter
}

impl DefaultFilter {
    /// What it says of a callsite, which is all that it goes by.
    pub(crate) fn wants(metadata: &Metadata<'_>) -> bool {
        let (target, level) = (metadata.target(), *metadata.level());
        let is_machinery = || MACHINERY.iter().any(|krate| is_in(target, krate));
        if !metadata.is_span() {
            if is_between_invocations(metadata) {
                return true;
            }
            if LibraryEvent::of(metadata).is_some() || LibraryEvent::is_asked_for(metadata) {
                return level <= Level::DEBUG;
            }
        }
        if metadata.is_event() {
            return (level == Level::ERROR || has_fields_of_its_span(metadata)) && !is_machinery();
        }
        (level <= Level::INFO || level <= lowest_level_of(target)) && !is_machinery()
    }
}

/// The level down to which a library's spans belong into a trace.
fn lowest_level_of(target: &str) -> Level {
    match () {
        // `aws_sdk_` begins the name of a crate, one for each service.
        () if target.starts_with("aws_sdk_") && target.contains("::operation") => Level::DEBUG,
        () if target.starts_with("tower_http::trace") => Level::DEBUG,
        () if target.starts_with("otel::tracing") => Level::TRACE,
        () => Level::INFO,
    }
}

/// Crates whose spans are how things work, not what is being done. `runtime::resource` is tokio's, with
/// console-subscriber in the same registry.
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
    // Its invocations are spans of `lambda_runtime::layers`; these are its workers.
    "lambda_runtime::runtime",
];

fn is_in(target: &str, krate: &str) -> bool {
    target.strip_prefix(krate).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

impl<S> Filter<S> for DefaultFilter {
    fn enabled(&self, metadata: &Metadata<'_>, _ctx: &Context<'_, S>) -> bool {
        Self::wants(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if Self::wants(metadata) { Interest::always() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        // The lowest of `quiet_library`.
        Some(LevelFilter::TRACE)
    }
}
