//! The builder and its settings. Settings about values are in [`values`](super::values);
//! [`build`](super::build) makes the layer.

use std::fmt;
use std::time::Duration;

use xray_sdk::Emitter;
use xray_sdk::document::MAX_STRING;
use xray_sdk::origin::Plugins;
use xray_sdk::sampling::Sampler;

use crate::builder::env::{self, Environment};
use crate::layer::filter_mode::{WithDefaultFilter, WithFilter, WithoutFilter};
use crate::settings::callsites::CallsiteSettings;
use crate::settings::config::{ContextMissing, Streaming};
#[cfg(feature = "http")]
use crate::settings::headers::NamedHeaders;
use crate::settings::redaction::Rules;
#[cfg(test)]
use crate::state::clock::Clock;
use crate::state::closing_span::OnClose;
use crate::state::process::host::LambdaFunction;

/// Settings of a layer. Environment variables override them, as in the official SDKs:
///
/// | variable | overrides | values |
/// |---|---|---|
/// | `AWS_XRAY_DAEMON_ADDRESS` | [`daemon_address`](Self::daemon_address) | `host:port`, or `tcp:host:port udp:host:port` |
/// | `AWS_XRAY_TRACING_NAME` | [`service_name`](Self::service_name) | a name |
/// | `AWS_XRAY_CONTEXT_MISSING` | [`context_missing`](Self::context_missing) | `LOG_ERROR`, `IGNORE_ERROR`, `RUNTIME_ERROR` |
/// | `AWS_XRAY_SDK_ENABLED` | [`enabled`](Self::enabled) | `true` or `false`, in any of Python's spellings |
/// | `AWS_XRAY_SDK_DISABLED` | [`enabled`](Self::enabled) | `true` switches off, even if the other variable says `true` |
/// | `AWS_XRAY_COLLECT_SQL_QUERIES` | [`without_sql_text`](Self::without_sql_text) | as `AWS_XRAY_SDK_ENABLED` |
/// | `AWS_XRAY_NOOP_ID` | – | `true`: unsampled traces have ids of zeros. By default they have real ids, for logs |
/// | `XRAY_LOCAL_SAMPLE_ALL` | – | `true`: the default sampler records every trace. `xray-local run` sets it |
/// | `MYSQL_DATABASE_VERSION`, `MYSQL_DRIVER_VERSION`, `POSTGRES_…` | – | written into `sql` |
///
/// An invalid variable is ignored, counted in [`Stats::bad_settings`](crate::Stats::bad_settings), and
/// reported by [`Handle::diagnostics`](crate::Handle::diagnostics).
///
/// ```
/// use tracing_subscriber::prelude::*;
/// use xray_tracing_layer::sdk::sampling::Always;
///
/// let layer = xray_tracing_layer::builder()
///     .service_name("shop")
///     .sampler(Always)
///     .annotate(["tenant"])
///     .build()?;
/// tracing_subscriber::registry().with(layer).init();
/// # Ok::<(), xray_tracing_layer::BuildError>(())
/// ```
#[must_use]
pub struct Builder<F = WithDefaultFilter> {
    pub(super) settings: Settings,
    pub(super) filter: F,
}

/// The settings so far.
pub(super) struct Settings {
    pub(super) service_name: Option<String>,
    pub(super) service_version: Option<String>,
    pub(super) daemon_address: Option<String>,
    pub(super) emitter: Option<Box<dyn Emitter>>,
    /// `None`: the default one.
    pub(super) sampler: Option<(Box<dyn Sampler>, &'static str)>,
    pub(super) callsites: CallsiteSettings,
    #[cfg(feature = "http")]
    pub(super) headers: NamedHeaders,
    pub(super) streaming: Streaming,
    pub(super) rules: Rules,
    pub(super) on_close: Option<OnClose>,
    pub(super) database: Option<(String, String)>,
    pub(super) max_open_spans: u32,
    #[cfg(test)]
    pub(super) clock: Option<Clock>,
    pub(super) lambda: Option<LambdaFunction>,
    pub(super) enabled: bool,
    pub(super) context_missing: ContextMissing,
    pub(super) capture_panics: bool,
    pub(super) plugins: Option<Plugins>,
    /// The interval at which new diagnostics are printed; `None`: never.
    pub(super) report_problems: Option<Duration>,
    pub(super) environment: Environment,
}

impl Builder {
    pub(super) fn new() -> Self {
        let environment = Environment::read();
        let settings = Settings {
            service_name: None,
            service_version: None,
            daemon_address: None,
            emitter: None,
            sampler: None,
            callsites: CallsiteSettings::default(),
            #[cfg(feature = "http")]
            headers: NamedHeaders::default(),
            streaming: Streaming::default(),
            rules: Rules::default(),
            on_close: None,
            database: None,
            max_open_spans: 1 << 16,
            #[cfg(test)]
            clock: None,
            lambda: environment
                .lambda
                .then(|| LambdaFunction::new(env::lambda_header, environment.snapstart)),
            enabled: true,
            context_missing: ContextMissing::default(),
            capture_panics: false,
            plugins: None,
            report_problems: None,
            environment,
        };
        Self { settings, filter: WithDefaultFilter(()) }
    }
}

impl<F> Builder<F> {
    /// Sets the service's name: the segment's name, and the node on X-Ray's map.
    ///
    /// `AWS_XRAY_TRACING_NAME` overrides it. Defaults to the Lambda function's name, or the executable's.
    ///
    /// ```
    /// let builder = xray_tracing_layer::builder().service_name("shop");
    /// ```
    pub fn service_name(mut self, name: impl Into<String>) -> Self {
        self.settings.service_name = Some(name.into());
        self
    }

    /// Sets the service's version, written into each segment. At most 250 characters are kept.
    ///
    /// ```
    /// let builder = xray_tracing_layer::builder().service_version("1.4.2");
    /// ```
    pub fn service_version(mut self, version: impl Into<String>) -> Self {
        self.settings.service_version = Some(version.into().chars().take(MAX_STRING).collect());
        self
    }

    /// Sets the daemon's address: `host:port`, or `tcp:host:port udp:host:port`.
    ///
    /// `AWS_XRAY_DAEMON_ADDRESS` overrides it. Defaults to `127.0.0.1:2000`. An invalid address is an error
    /// of [`build`](Self::build).
    ///
    /// ```
    /// let builder = xray_tracing_layer::builder().daemon_address("xray.internal:2000");
    /// ```
    pub fn daemon_address(mut self, address: &str) -> Self {
        self.settings.daemon_address = Some(address.to_owned());
        self
    }

    /// Sets the emitter. Defaults to UDP to the daemon.
    ///
    /// Spans and events of the emitter itself are not recorded: each would be another document to send.
    ///
    /// ```
    /// use xray_tracing_layer::sdk::{EmitError, Emitter, Packet};
    ///
    /// struct Stdout;
    ///
    /// impl Emitter for Stdout {
    ///     fn emit(&self, packet: &Packet) -> Result<(), EmitError> {
    ///         println!("{}", String::from_utf8_lossy(packet.document()));
    ///         Ok(())
    ///     }
    /// }
    ///
    /// let builder = xray_tracing_layer::builder().emitter(Stdout);
    /// ```
    pub fn emitter(mut self, emitter: impl Emitter) -> Self {
        self.settings.emitter = Some(Box::new(emitter));
        self
    }

    /// Sets the sampler, which decides about traces that no caller has decided about.
    ///
    /// Defaults to [`DefaultRule`](xray_sdk::sampling::DefaultRule): the first trace of each second, and 5 % of the
    /// others. With the variable `XRAY_LOCAL_SAMPLE_ALL`, the default is to record every trace.
    ///
    /// ```
    /// use xray_tracing_layer::sdk::sampling::Always;
    ///
    /// let builder = xray_tracing_layer::builder().sampler(Always);
    /// ```
    pub fn sampler(mut self, sampler: impl Sampler) -> Self {
        self.settings.sampler = Some(named(sampler));
        self
    }

    /// Makes fields of these names annotations, which X-Ray indexes.
    ///
    /// May be called more than once. A field `annotation.<key>` is an annotation in any case.
    ///
    /// ```
    /// let builder = xray_tracing_layer::builder().annotate(["tenant", "order"]);
    /// ```
    pub fn annotate<I>(mut self, fields: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.settings.callsites.annotate.add(fields.into_iter().map(Into::into));
        self
    }

    /// Makes all fields annotations that have no other place in a document, among them the arguments that
    /// `#[instrument]` records.
    ///
    /// ```
    /// let builder = xray_tracing_layer::builder().annotate_all();
    /// ```
    pub fn annotate_all(mut self) -> Self {
        self.settings.callsites.annotate.set_all();
        self
    }

    /// Sets the maximum of finished subsegments, at all levels, that an open span holds. Further ones are
    /// sent when they close.
    ///
    /// Defaults to as many as fit into the span's document, which is the cheapest for everyone on the way.
    ///
    /// ```
    /// let builder = xray_tracing_layer::builder().stream_after(100);
    /// ```
    pub fn stream_after(mut self, subsegments: u32) -> Self {
        self.settings.streaming.after_spans = subsegments;
        self
    }

    /// Sets the strategy for calls to other services outside of any segment.
    ///
    /// `AWS_XRAY_CONTEXT_MISSING` overrides it. Defaults to [`ContextMissing::MakeSegment`].
    ///
    /// ```
    /// use xray_tracing_layer::ContextMissing;
    ///
    /// let builder = xray_tracing_layer::builder().context_missing(ContextMissing::Count);
    /// ```
    pub fn context_missing(mut self, strategy: ContextMissing) -> Self {
        self.settings.context_missing = strategy;
        self
    }

    /// Switches the layer on or off.
    ///
    /// A layer that is off records nothing, sends nothing, starts no thread and has no trace headers.
    /// `AWS_XRAY_SDK_ENABLED` and `AWS_XRAY_SDK_DISABLED` override it. Defaults to `true`.
    ///
    /// ```
    /// let builder = xray_tracing_layer::builder().enabled(false);
    /// ```
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.settings.enabled = enabled;
        self
    }

    /// Prints new [diagnostics](crate::Handle::diagnostics) to standard error, once in each interval.
    ///
    /// A thread does that, until the layer is dropped. A problem is printed once, and again only after it was
    /// gone. Intervals are at least 50 ms long. Defaults to no thread: nothing is printed.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let builder = xray_tracing_layer::builder().report_problems(Duration::from_secs(10));
    /// ```
    pub fn report_problems(mut self, interval: Duration) -> Self {
        self.settings.report_problems = Some(interval);
        self
    }

    /// Detects the platform on which the process runs, and writes it into each segment: `origin`, facts about
    /// instance and container, and log groups.
    ///
    /// Platforms are compiled in by features: `plugins` for all, `plugin-ec2` and so on for one. A
    /// short-lived thread runs the detection when the layer is installed. Segments that end before it are
    /// sent without an origin. In Lambda there is no detection: the function's segment is the platform's own.
    /// Defaults to no detection.
    ///
    /// ```
    /// use xray_tracing_layer::sdk::origin::Plugins;
    ///
    /// let builder = xray_tracing_layer::builder().plugins(Plugins::default());
    /// ```
    pub fn plugins(mut self, plugins: Plugins) -> Self {
        self.settings.plugins = Some(plugins);
        self
    }

    /// Sets the maximum of open spans with a record, for each thread that opens them.
    ///
    /// Recorded spans have a record, and roots that are not recorded. Spans inside those have none.
    /// Spans above it are not recorded, and counted in [`Stats::over_capacity`](crate::Stats::over_capacity).
    /// Spans inside such a span belong to the nearest recorded one, or begin a trace. Defaults to 65,536.
    ///
    /// ```
    /// let builder = xray_tracing_layer::builder().max_open_spans(1_000);
    /// ```
    pub fn max_open_spans(mut self, spans: u32) -> Self {
        self.settings.max_open_spans = spans;
        self
    }

    /// Replaces the default filter. See [`DefaultFilter`](crate::DefaultFilter).
    ///
    /// A custom filter is consulted in every callback; the default filter is not. A custom one is also subject to a
    /// limitation of `tracing-subscriber`: a verdict for `tracing::enabled!`, or for an event whose arguments
    /// contain an `.await`, may be applied to the thread's next span, which is lost then.
    ///
    /// ```
    /// use tracing_subscriber::Registry;
    /// use tracing_subscriber::filter::LevelFilter;
    ///
    /// let layer = xray_tracing_layer::builder().filter(LevelFilter::INFO).build::<Registry>()?;
    /// # Ok::<(), xray_tracing_layer::BuildError>(())
    /// ```
    pub fn filter<G>(self, filter: G) -> Builder<WithFilter<G>> {
        Builder { settings: self.settings, filter: WithFilter(filter) }
    }

    /// Removes the filter: the subscriber's filters apply, or a `with_filter` around the layer.
    ///
    /// The removal saves nothing: the default filter is not consulted for single spans.
    ///
    /// ```
    /// use tracing_subscriber::filter::LevelFilter;
    /// use tracing_subscriber::prelude::*;
    ///
    /// let layer = xray_tracing_layer::builder().without_filter().build()?;
    /// tracing_subscriber::registry().with(layer.with_filter(LevelFilter::INFO)).init();
    /// # Ok::<(), xray_tracing_layer::BuildError>(())
    /// ```
    pub fn without_filter(self) -> Builder<WithoutFilter> {
        Builder { settings: self.settings, filter: WithoutFilter(()) }
    }
}

/// Returns a sampler with the name of its type.
pub(super) fn named<S: Sampler>(sampler: S) -> (Box<dyn Sampler>, &'static str) {
    (Box::new(sampler), std::any::type_name::<S>())
}

impl<F> fmt::Debug for Builder<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("service_name", &self.settings.service_name).finish_non_exhaustive()
    }
}

#[cfg(test)]
impl<F> Builder<F> {
    pub(crate) fn clock(mut self, clock: Clock) -> Self {
        self.settings.clock = Some(clock);
        self
    }

    pub(crate) fn lambda(mut self, header: crate::state::process::host::LambdaHeader) -> Self {
        self.settings.lambda = Some(LambdaFunction::new(header, false));
        self
    }

    pub(crate) fn environment(mut self, environment: Environment) -> Self {
        self.settings.environment = environment;
        self
    }
}
