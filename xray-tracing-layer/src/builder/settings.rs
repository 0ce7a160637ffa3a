//! The builder, and what can be set on it. What values become on their way into documents is set in
//! [`values`](super::values); a layer is made of it all in [`build`](super::build).

use std::fmt;

use xray_sdk::Emitter;
use xray_sdk::document::MAX_STRING;
use xray_sdk::origin::Plugins;
use xray_sdk::sampling::{DefaultRule, Sampler};

use crate::builder::env::{self, Environment};
use crate::layer::filter_mode::{WithDefaultFilter, WithFilter, WithoutFilter};
use crate::settings::config::{Annotate, ContextMissing, Streaming};
use crate::settings::redaction::Rules;
#[cfg(test)]
use crate::state::clock::Clock;
use crate::state::closing_span::OnClose;
use crate::state::host::LambdaFunction;

/// Settings of a layer. Where the environment has a say, it goes before what is set here, as in the official SDKs:
///
/// | variable | goes before | values |
/// |---|---|---|
/// | `AWS_XRAY_DAEMON_ADDRESS` | [`daemon_address`](Self::daemon_address) | `host:port`, or `tcp:host:port udp:host:port` |
/// | `AWS_XRAY_TRACING_NAME` | [`service_name`](Self::service_name) | a name |
/// | `AWS_XRAY_CONTEXT_MISSING` | [`context_missing`](Self::context_missing) | `LOG_ERROR`, `IGNORE_ERROR`, `RUNTIME_ERROR` |
/// | `AWS_XRAY_SDK_ENABLED` | [`enabled`](Self::enabled) | `true` or `false`, in any of Python's spellings |
/// | `AWS_XRAY_SDK_DISABLED` | the same | `true` switches off, whatever the other says |
/// | `AWS_XRAY_COLLECT_SQL_QUERIES` | [`without_sql_text`](Self::without_sql_text) | as `AWS_XRAY_SDK_ENABLED` |
/// | `AWS_XRAY_NOOP_ID` | – | `true`: traces that aren't sampled have ids of zeros. By default they have ids, for logs |
/// | `MYSQL_DATABASE_VERSION`, `MYSQL_DRIVER_VERSION`, `POSTGRES_…` | – | written into `sql` |
///
/// A value that can't be used is passed over, counted in [`Stats::bad_settings`](crate::Stats::bad_settings), and
/// told by [`Handle::diagnostics`].
#[must_use]
pub struct Builder<F = WithDefaultFilter> {
    pub(super) settings: Settings,
    pub(super) filter: F,
}

/// What was set so far.
pub(super) struct Settings {
    pub(super) service_name: Option<String>,
    pub(super) service_version: Option<String>,
    pub(super) daemon_address: Option<String>,
    pub(super) emitter: Option<Box<dyn Emitter>>,
    pub(super) sampler: Box<dyn Sampler>,
    pub(super) annotate: Annotate,
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
    pub(super) plugins: Option<Plugins>,
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
            sampler: Box::new(DefaultRule::new()),
            annotate: Annotate::default(),
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
            plugins: None,
            environment,
        };
        Self { settings, filter: WithDefaultFilter(()) }
    }
}

impl<F> Builder<F> {
    /// Names the service: the segment's name, and the node on X-Ray's map. `AWS_XRAY_TRACING_NAME` goes before
    /// it. Defaults to the Lambda function's name, else to that of the executable.
    pub fn service_name(mut self, name: impl Into<String>) -> Self {
        self.settings.service_name = Some(name.into());
        self
    }

    /// Names the service's version, written into each segment. At most 250 characters are kept.
    pub fn service_version(mut self, version: impl Into<String>) -> Self {
        self.settings.service_version = Some(version.into().chars().take(MAX_STRING).collect());
        self
    }

    /// Says where the daemon is: `host:port`, or `tcp:host:port udp:host:port`. `AWS_XRAY_DAEMON_ADDRESS` goes
    /// before it. Defaults to `127.0.0.1:2000`.
    pub fn daemon_address(mut self, address: &str) -> Self {
        self.settings.daemon_address = Some(address.to_owned());
        self
    }

    /// Sends documents by an emitter of your own, instead of UDP to the daemon. Spans and events of its own are not
    /// recorded while it is sending: each would be another document to send.
    pub fn emitter(mut self, emitter: impl Emitter) -> Self {
        self.settings.emitter = Some(Box::new(emitter));
        self
    }

    /// Decides which traces are recorded, where no caller has decided. Defaults to [`DefaultRule`]: the first of
    /// each second, and 5 % of the rest.
    pub fn sampler(mut self, sampler: impl Sampler) -> Self {
        self.settings.sampler = Box::new(sampler);
        self
    }

    /// Turns fields of these names into annotations, which X-Ray indexes. May be called more than once. A field
    /// `annotation.<key>` is one without being named here.
    pub fn annotate<I>(mut self, fields: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.settings.annotate.add(fields.into_iter().map(Into::into));
        self
    }

    /// Turns all fields into annotations that have no other place in a document. Arguments that `#[instrument]`
    /// records are among them.
    pub fn annotate_all(mut self) -> Self {
        self.settings.annotate.set_all();
        self
    }

    /// Sets how many finished subsegments, at all levels, an open span holds; the next ones are sent when they
    /// close. Defaults to as many as fit into its document, which is the cheapest for everyone on the way.
    pub fn stream_after(mut self, subsegments: u32) -> Self {
        self.settings.streaming.after_spans = subsegments;
        self
    }

    /// Says what becomes of calls to other services that are not part of anything. `AWS_XRAY_CONTEXT_MISSING` goes
    /// before it. Defaults to [`ContextMissing::MakeSegment`].
    pub fn context_missing(mut self, strategy: ContextMissing) -> Self {
        self.settings.context_missing = strategy;
        self
    }

    /// Switches the layer off, or on again. `AWS_XRAY_SDK_ENABLED` and `AWS_XRAY_SDK_DISABLED` go before it. A layer
    /// that is off records nothing, sends nothing, starts nothing, and has no trace header to give. Defaults to
    /// `true`.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.settings.enabled = enabled;
        self
    }

    /// Finds out where the process runs, and tells it in each segment: `origin`, what is known of instance and
    /// container, and the log groups. Places are compiled in by features: `plugins` for all, `plugin-ec2` and so
    /// on for one.
    ///
    /// A short-lived thread asks once the layer is installed. Segments that end before it knows are sent without
    /// waiting. In Lambda nobody asks: the function's segment is the platform's own. Defaults to not asking.
    pub fn plugins(mut self, plugins: Plugins) -> Self {
        self.settings.plugins = Some(plugins);
        self
    }

    /// Bounds how many spans may be open at once, for each thread that opens them. Those above are not
    /// recorded, and counted; what is inside them belongs to the nearest span that is, or begins a trace of its
    /// own. Defaults to 65,536.
    pub fn max_open_spans(mut self, spans: u32) -> Self {
        self.settings.max_open_spans = spans;
        self
    }

    /// Replaces the filter that decides which spans and events belong into a trace. See
    /// [`DefaultFilter`](crate::DefaultFilter).
    ///
    /// It stands in front of each callback, as filters of `tracing-subscriber` do, which the default one needs not. And
    /// `tracing-subscriber` may take what such a filter says for what it says of the thread's next span: after
    /// `tracing::enabled!`, and where an event's arguments wait for something, as in `info!("{}", answer.await)`. Then that
    /// span is missing. With the default filter none is.
    pub fn filter<G>(self, filter: G) -> Builder<WithFilter<G>> {
        Builder { settings: self.settings, filter: WithFilter(filter) }
    }

    /// Leaves filtering to the subscriber, or to a `with_filter` of your own around the layer. Other layers' global
    /// filters are then the layer's too. It costs as much: the default filter is not asked about single spans.
    pub fn without_filter(self) -> Builder<WithoutFilter> {
        Builder { settings: self.settings, filter: WithoutFilter(()) }
    }
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

    pub(crate) fn lambda(mut self, header: crate::state::host::LambdaHeader) -> Self {
        self.settings.lambda = Some(LambdaFunction::new(header, false));
        self
    }

    pub(crate) fn environment(mut self, environment: Environment) -> Self {
        self.settings.environment = environment;
        self
    }
}
