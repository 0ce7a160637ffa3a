//! How a layer comes about: what the user wants, what the environment says, what is the default.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use tracing_core::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Filtered;
use tracing_subscriber::layer::Filter;
use tracing_subscriber::registry::LookupSpan;
use xray_sdk::daemon::ParseAddressError;
use xray_sdk::document::{Buffer, MAX_STRING, Preamble, put_name};
use xray_sdk::sampling::{DefaultRule, Sampler};
use xray_sdk::{DaemonAddress, Emitter, UdpEmitter};

use crate::clock::Clock;
use crate::config::{Annotate, Redact, Streaming};
use crate::core::{Core, LambdaHeader};
use crate::diagnostics::Wanted;
use crate::env;
use crate::filter::DefaultFilter;
use crate::handle::Handle;
use crate::layer::XrayLayer;
use crate::plan::Plans;
use crate::stats::Counters;
use crate::table::Table;
use crate::visit::Rules;

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

/// Settings of a layer. Where the environment has a say (`AWS_XRAY_DAEMON_ADDRESS`, `AWS_XRAY_TRACING_NAME`),
/// it goes before what is set here, as in the official SDKs.
#[must_use]
pub struct Builder<F = WithFilter<DefaultFilter>> {
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
    max_open_spans: u32,
    #[cfg(test)]
    clock: Option<Clock>,
    lambda: Option<LambdaHeader>,
    problems: Vec<String>,
}

impl Builder {
    fn new() -> Self {
        let settings = Settings {
            service_name: None,
            service_version: None,
            daemon_address: None,
            emitter: None,
            sampler: Box::new(DefaultRule::new()),
            annotate: Annotate::default(),
            streaming: Streaming::default(),
            rules: Rules::default(),
            max_open_spans: 1 << 16,
            #[cfg(test)]
            clock: None,
            lambda: env::is_lambda().then_some(env::lambda_header as LambdaHeader),
            problems: Vec::new(),
        };
        Self { settings, filter: WithFilter(DefaultFilter) }
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

    /// Sends documents by an emitter of your own, instead of UDP to the daemon. Spans that it opens while it is
    /// sending are not recorded: each would be another document to send.
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

    /// Looks at each value of a field before it is written, as text, and may replace it. It is called with the
    /// field's name, on the thread that records the value. A value that comes back borrowed and of the same
    /// length counts as untouched, and keeps its type.
    ///
    /// It does not see what is given to [`XraySpanExt`](crate::XraySpanExt).
    ///
    /// ```
    /// # use std::borrow::Cow;
    /// let builder = xray_tracing_layer::builder().redact(|field, value| match field {
    ///     "password" => Cow::Borrowed("***"),
    ///     _ => Cow::Borrowed(value),
    /// });
    /// ```
    pub fn redact<R>(mut self, redact: R) -> Self
    where
        R: for<'a> Fn(&str, &'a str) -> Cow<'a, str> + Send + Sync + 'static,
    {
        self.settings.rules.redact = Some(Redact::new(Box::new(redact)));
        self
    }

    /// Keeps the query of URLs. Left out by default: it is where tokens and mail addresses travel.
    pub fn keep_url_query(mut self) -> Self {
        self.settings.rules.keep_query = true;
        self
    }

    /// Bounds how many spans may be open at once, for each thread that opens them. Those above are not
    /// recorded, and counted. Defaults to 65,536.
    pub fn max_open_spans(mut self, spans: u32) -> Self {
        self.settings.max_open_spans = spans;
        self
    }

    /// Replaces the filter that decides which spans and events belong into a trace. See [`DefaultFilter`].
    pub fn filter<G>(self, filter: G) -> Builder<WithFilter<G>> {
        Builder { settings: self.settings, filter: WithFilter(filter) }
    }

    /// Leaves filtering to the subscriber, or to a `with_filter` of your own around the layer. That saves what
    /// a filter of its own costs per span, but other layers' global filters are then the layer's too.
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
        F: Attach<S>,
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
        F: Attach<S>,
    {
        let address = self.address()?;
        Ok(self.assemble(&address))
    }

    /// Where the daemon is, by all that was said so far.
    pub(crate) fn address(&self) -> Result<DaemonAddress, BuildError> {
        let Some(text) = &self.settings.daemon_address else { return Ok(self.address_or_default()) };
        let address = text.parse().map_err(|err| BuildError::DaemonAddress(text.clone(), err))?;
        Ok(env::daemon_address().and_then(Result::ok).unwrap_or(address))
    }

    fn address_or_default(&self) -> DaemonAddress {
        env::daemon_address().and_then(Result::ok).unwrap_or_default()
    }

    fn assemble<S>(self, address: &DaemonAddress) -> (F::Layer, Handle)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
        F: Attach<S>,
    {
        let mut settings = self.settings;
        settings.problems.extend(env::daemon_address().and_then(Result::err));
        let service = env::tracing_name().or(settings.service_name).unwrap_or_else(env::default_name);
        let mut name = Buffer::new();
        if put_name(&mut name, &service) {
            let given: String = service.chars().take(MAX_STRING).collect();
            settings.problems.push(format!("service name {given:?} is sent as {:?}", name.as_str()));
        }
        let mut preamble = Preamble::default();
        if let Some(version) = &settings.service_version {
            preamble = preamble.with("service", &std::collections::BTreeMap::from([("version", version)]));
        }
        #[cfg(test)]
        let clock = settings.clock.unwrap_or_else(Clock::new);
        #[cfg(not(test))]
        let clock = Clock::new();
        let core = Arc::new(Core {
            table: Table::new(settings.max_open_spans),
            plans: Plans::new(settings.annotate),
            clock,
            counters: Counters::default(),
            sampler: settings.sampler,
            emitter: settings.emitter.unwrap_or_else(|| Box::new(UdpEmitter::new(address))),
            preamble,
            service,
            service_name: name.as_str().to_owned(),
            streaming: settings.streaming,
            rules: settings.rules,
            lambda: settings.lambda,
            config_problems: settings.problems,
            visible: AtomicBool::new(false),
            dispatch: OnceLock::new(),
            wanted: Wanted::default(),
        });
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

    pub(crate) fn lambda(mut self, header: LambdaHeader) -> Self {
        self.settings.lambda = Some(header);
        self
    }
}

impl<F> fmt::Debug for Builder<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("service_name", &self.settings.service_name).finish_non_exhaustive()
    }
}

/// Of a [`Builder`]: the layer gets a filter of its own.
#[derive(Debug)]
pub struct WithFilter<F>(F);

/// Of a [`Builder`]: the layer gets no filter of its own.
#[derive(Debug)]
pub struct WithoutFilter(());

/// How a filter meets the layer. Implemented by [`WithFilter`] and [`WithoutFilter`] alone.
pub trait Attach<S: Subscriber>: sealed::Sealed {
    /// The layer with its filter.
    type Layer: Layer<S>;

    #[doc(hidden)]
    fn attach(self, layer: XrayLayer) -> Self::Layer;
}

mod sealed {
    #[expect(unnameable_types, reason = "that is how a trait is sealed")]
    pub trait Sealed {}
    impl<F> Sealed for super::WithFilter<F> {}
    impl Sealed for super::WithoutFilter {}
}

impl<S, F> Attach<S> for WithFilter<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    F: Filter<S> + 'static,
{
    type Layer = Filtered<XrayLayer, F, S>;

    fn attach(self, layer: XrayLayer) -> Self::Layer {
        layer.with_filter(self.0)
    }
}

impl<S> Attach<S> for WithoutFilter
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    type Layer = XrayLayer;

    fn attach(self, layer: XrayLayer) -> Self::Layer {
        layer
    }
}

/// Why a layer can't be built as asked.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// The text given to [`Builder::daemon_address`] is not an address.
    DaemonAddress(String, ParseAddressError),
    /// The system gives no thread for [`Builder::queued`].
    #[cfg(feature = "queue")]
    NoThread(std::io::ErrorKind),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DaemonAddress(text, _) => write!(f, "{text:?} is not an address of the X-Ray daemon"),
            #[cfg(feature = "queue")]
            Self::NoThread(kind) => write!(f, "no thread for the queue: {kind}"),
        }
    }
}

impl Error for BuildError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::DaemonAddress(_, err) => Some(err),
            #[cfg(feature = "queue")]
            Self::NoThread(_) => None,
        }
    }
}
