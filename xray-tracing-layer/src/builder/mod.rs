//! How a layer comes about: what the user wants, what the environment says, what is the default.

pub(crate) mod env;
#[cfg(feature = "queued-emitter")]
mod queued;
mod values;

use std::error::Error;
use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use tracing_core::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;
use xray_sdk::daemon::ParseAddressError;
use xray_sdk::document::MAX_STRING;
use xray_sdk::document::internal::{Buffer, Preamble, put_name};
use xray_sdk::origin::Plugins;
use xray_sdk::sampling::{DefaultRule, Sampler};
use xray_sdk::{DaemonAddress, EmitError, Emitter, Packet, UdpEmitter};

use crate::builder::env::Environment;
use crate::fields::callsite::CallsiteCache;
use crate::fields::visitor::Rules;
use crate::handle::diagnostics::{Notices, Wanted};
use crate::handle::layer_handle::Handle;
use crate::layer::filter_mode::{FilterMode, WithDefaultFilter, WithFilter, WithoutFilter};
use crate::layer::xray_layer::XrayLayer;
use crate::lifecycle::core::Core;
use crate::lifecycle::finished_call::InFlightCommands;
use crate::lifecycle::on_close::OnClose;
use crate::lifecycle::unsampled::UnsampledScopes;
use crate::settings::config::{Annotate, ContextMissing, Database, Streaming};
use crate::settings::reentrancy::GuardedSampler;
use crate::state::clock::Clock;
use crate::state::lambda::LambdaFunction;
use crate::state::origin::Origin;
use crate::state::stats::Counters;
use crate::state::table::Table;

/// A layer with defaults, and what the environment says.
///
/// It never fails: a setting in the environment that can't be used is passed over, and told by
/// [`Handle::diagnostics`] of a layer that was built with a handle.
///
/// ```
/// use tracing_subscriber::prelude::*;
///
/// tracing_subscriber::registry().with(xray_tracing_layer::layer()).init();
/// ```
pub fn layer<S>() -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let builder = Builder::new();
    let address = builder.address_or_default();
    builder.assemble(&address).0
}

/// Starts a layer of which something is not the default.
pub fn builder() -> Builder {
    Builder::new()
}

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
    settings: Settings,
    filter: F,
}

struct Settings {
    service_name: Option<String>,
    service_version: Option<String>,
    daemon_address: Option<String>,
    emitter: Option<Box<dyn Emitter>>,
    sampler: Box<dyn Sampler>,
    annotate: Annotate,
    streaming: Streaming,
    rules: Rules,
    on_close: Option<OnClose>,
    database: Option<(String, String)>,
    max_open_spans: u32,
    #[cfg(test)]
    clock: Option<Clock>,
    lambda: Option<LambdaFunction>,
    enabled: bool,
    context_missing: ContextMissing,
    plugins: Option<Plugins>,
    environment: Environment,
}

impl Builder {
    fn new() -> Self {
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

    /// Builds the layer.
    ///
    /// # Errors
    /// [`BuildError`] if a setting made here can't be used. What the environment says never fails: it is passed
    /// over, and told by [`Handle::diagnostics`].
    pub fn build<S>(self) -> Result<impl Layer<S> + use<S, F>, BuildError>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
        F: FilterMode<S>,
    {
        self.build_with_handle().map(|(layer, _)| layer)
    }

    /// Builds the layer, and a handle to look at what it does.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    pub fn build_with_handle<S>(self) -> Result<(impl Layer<S> + use<S, F>, Handle), BuildError>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
        F: FilterMode<S>,
    {
        let address = self.address()?;
        Ok(self.assemble(&address))
    }

    /// Where the daemon is, by all that was said so far.
    pub(crate) fn address(&self) -> Result<DaemonAddress, BuildError> {
        let named = self.settings.daemon_address.as_ref();
        let parse = |text: &String| text.parse().map_err(|err| BuildError::DaemonAddress(text.clone(), err));
        let named: Option<DaemonAddress> = named.map(parse).transpose()?;
        Ok(self.settings.environment.daemon_address.clone().or(named).unwrap_or_default())
    }

    fn address_or_default(&self) -> DaemonAddress {
        self.settings.environment.daemon_address.clone().unwrap_or_default()
    }

    fn assemble<S>(self, address: &DaemonAddress) -> (F::Layer, Handle)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
        F: FilterMode<S>,
    {
        let Settings { environment, mut rules, .. } = self.settings;
        let service = environment.tracing_name.clone().or(self.settings.service_name);
        let service = service.unwrap_or_else(|| environment.default_name());
        let mut bad = environment.bad;
        let mut name = Buffer::new();
        if put_name(&mut name, &service) {
            let shortened: String = service.chars().take(MAX_STRING).collect();
            bad.push(format!("service name {shortened:?} is sent as {:?}", name.as_str()));
        }
        rules.drop_sql_text = environment.sql_text.map_or(rules.drop_sql_text, |keep| !keep);
        rules.sql_versions = environment.sql_versions;
        let (system, database) = match self.settings.database {
            Some((system, name)) => (Some(system), name),
            None => (None, format!("{service} database")),
        };
        let mut database_name = Buffer::new();
        put_name(&mut database_name, &database);
        rules.database = Database { name: database_name.as_str().to_owned(), system };
        let mut preamble = Preamble::default();
        if let Some(version) = &self.settings.service_version {
            preamble = preamble.with("service", &std::collections::BTreeMap::from([("version", version)]));
        }
        #[cfg(test)]
        let clock = self.settings.clock.unwrap_or_else(Clock::new);
        #[cfg(not(test))]
        let clock = Clock::new();
        let enabled = environment.enabled.unwrap_or(self.settings.enabled);
        let emitter = self.settings.emitter.unwrap_or_else(|| match enabled {
            true => Box::new(UdpEmitter::new(address)),
            false => Box::new(Nowhere),
        });
        let core = Arc::new(Core {
            enabled,
            context_missing: environment.context_missing.unwrap_or(self.settings.context_missing),
            zero_ids: environment.zero_ids.unwrap_or_default(),
            table: Table::new(self.settings.max_open_spans),
            unsampled: UnsampledScopes::new(),
            callsites: CallsiteCache::new(self.settings.annotate),
            clock,
            counters: Counters::default(),
            sampler: GuardedSampler(self.settings.sampler),
            emitter,
            origin: Arc::new(Origin::new(preamble, self.settings.plugins)),
            service,
            service_name: name.as_str().to_owned(),
            streaming: self.settings.streaming,
            rules,
            on_close: self.settings.on_close,
            in_flight_commands: InFlightCommands::default(),
            lambda: self.settings.lambda,
            daemon: address.clone(),
            notices: Notices::new(bad, environment.notes),
            installed: AtomicBool::new(false),
            default_filter: F::is_default(),
            visible: AtomicBool::new(false),
            dispatch: OnceLock::new(),
            wanted: Wanted::default(),
        });
        #[cfg(feature = "fmt")]
        crate::integrations::log::register(&core);
        core.counters.bad_settings.add(core.notices.bad_settings());
        let handle = Handle::new(Arc::clone(&core));
        (self.filter.attach(XrayLayer { core }), handle)
    }
}

#[cfg(test)]
impl<F> Builder<F> {
    pub(crate) fn clock(mut self, clock: Clock) -> Self {
        self.settings.clock = Some(clock);
        self
    }

    pub(crate) fn lambda(mut self, header: crate::state::lambda::LambdaHeader) -> Self {
        self.settings.lambda = Some(LambdaFunction::new(header, false));
        self
    }

    pub(crate) fn environment(mut self, environment: Environment) -> Self {
        self.settings.environment = environment;
        self
    }
}

impl<F> fmt::Debug for Builder<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("service_name", &self.settings.service_name).finish_non_exhaustive()
    }
}

/// Why a layer can't be built as asked.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// The text given to [`Builder::daemon_address`] is not an address.
    DaemonAddress(String, ParseAddressError),
    /// The system gives no thread for [`Builder::queued`].
    #[cfg(feature = "queued-emitter")]
    NoThread(std::io::ErrorKind),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DaemonAddress(text, _) => write!(f, "{text:?} is not an address of the X-Ray daemon"),
            #[cfg(feature = "queued-emitter")]
            Self::NoThread(kind) => write!(f, "no thread for the queue: {kind}"),
        }
    }
}

impl Error for BuildError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::DaemonAddress(_, err) => Some(err),
            #[cfg(feature = "queued-emitter")]
            Self::NoThread(_) => None,
        }
    }
}

/// Where a layer that is switched off would send.
struct Nowhere;

impl Emitter for Nowhere {
    fn emit(&self, _: &Packet) -> Result<(), EmitError> {
        Err(EmitError::Unavailable)
    }
}
