//! The default filter: which spans and events belong to a trace.
//!
//! Logs and traces need different filters: a log level is turned up and down, a trace is whole or useless. So
//! the layer brings its own, and `RUST_LOG` neither silences nor floods it. The filter depends on the
//! callsite alone; `tracing` caches its result.

use tracing_core::metadata::LevelFilter;
use tracing_core::{Interest, Level, Metadata};
use tracing_subscriber::layer::{Context, Filter};

use crate::fields::library_event::{
    LibraryEvent, has_fields_of_its_span, is_between_invocations, is_breadcrumb, is_machinery,
};

/// The filter that [`layer`](crate::layer()) attaches.
///
/// - Enables spans at `INFO` and above, and ERROR events, which become exceptions.
/// - Enables spans and events of some libraries at lower levels: the AWS SDK's operations, tower-http's
///   requests and responses, the spans of `otel::tracing`, the statements of `sqlx`, the commands of
///   `mongodb`, the pauses of Lambda's runtime.
/// - Disables the machinery below: `h2`, `hyper`, `tokio`, `rustls`, the inner layers of the AWS SDK.
///
/// To combine it with another filter, use `tracing_subscriber`'s `FilterExt`:
/// ```
/// use tracing_subscriber::filter::{FilterExt, filter_fn};
/// use tracing_subscriber::Registry;
/// use xray_tracing_layer::default_filter;
///
/// let no_health_checks = filter_fn(|metadata| metadata.name() != "health_check");
/// let layer = xray_tracing_layer::builder()
///     .filter(FilterExt::<Registry>::and(default_filter(), no_health_checks))
///     .build::<Registry>();
/// # assert!(layer.is_ok());
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct DefaultFilter {
    breadcrumbs: bool,
}

/// Returns the filter that [`layer`](crate::layer()) attaches, to combine it with others.
#[must_use]
pub fn default_filter() -> DefaultFilter {
    DefaultFilter::default()
}

impl DefaultFilter {
    /// Enables INFO and WARN events as well, for [`Builder::breadcrumbs`](crate::Builder::breadcrumbs). The filter that
    /// the builder attaches by itself does that already.
    ///
    /// ```
    /// let filter = xray_tracing_layer::default_filter().with_breadcrumbs();
    /// ```
    #[must_use]
    pub fn with_breadcrumbs(self) -> Self {
        Self { breadcrumbs: true }
    }

    /// Returns the filter's decision, which depends on the callsite alone.
    pub(crate) fn wants(self, metadata: &Metadata<'_>) -> bool {
        let (target, level) = (metadata.target(), *metadata.level());
        let is_machinery = || is_machinery(target);
        if !metadata.is_span() {
            if is_between_invocations(metadata) {
                return true;
            }
            if LibraryEvent::of(metadata).is_some() || LibraryEvent::is_asked_for(metadata) {
                return level <= Level::DEBUG;
            }
        }
        if metadata.is_event() {
            let is_wanted = level == Level::ERROR || has_fields_of_its_span(metadata);
            return is_wanted && !is_machinery() || self.breadcrumbs && is_breadcrumb(metadata);
        }
        (level <= Level::INFO || level <= lowest_level_of(target)) && !is_machinery()
    }
}

/// Returns the lowest level at which a library's spans belong to a trace.
fn lowest_level_of(target: &str) -> Level {
    // Each service has a crate whose name begins with `aws_sdk_`.
    let is_aws_operation = target.starts_with("aws_sdk_") && target.contains("::operation");
    if is_aws_operation || target.starts_with("tower_http::trace") {
        Level::DEBUG
    } else if target.starts_with("otel::tracing") {
        Level::TRACE
    } else {
        Level::INFO
    }
}

impl<S> Filter<S> for DefaultFilter {
    fn enabled(&self, metadata: &Metadata<'_>, _ctx: &Context<'_, S>) -> bool {
        self.wants(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.wants(metadata) { Interest::always() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        // The lowest level of `lowest_level_of`.
        Some(LevelFilter::TRACE)
    }
}

#[cfg(test)]
mod tests {
    use tracing::metadata::Kind;
    use tracing_core::Callsite;

    use super::*;

    #[test]
    fn info_events_are_enabled_on_request_alone_and_machinery_never() {
        let info = tracing::callsite! {
            name: "event", kind: Kind::EVENT, target: "shop", level: Level::INFO, fields: message
        };
        let debug = tracing::callsite! {
            name: "event", kind: Kind::EVENT, target: "shop", level: Level::DEBUG, fields: message
        };
        let machinery = tracing::callsite! {
            name: "event", kind: Kind::EVENT, target: "hyper::proto", level: Level::WARN, fields: message
        };
        let (plain, asked) = (default_filter(), default_filter().with_breadcrumbs());
        for (metadata, expected) in
            [(info.metadata(), true), (debug.metadata(), false), (machinery.metadata(), false)]
        {
            assert!(!plain.wants(metadata));
            assert_eq!(asked.wants(metadata), expected, "{metadata:?}");
        }
    }
}
