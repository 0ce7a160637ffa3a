//! Building a layer: settings and environment become frozen values.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock};

use tracing_core::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;
use xray_sdk::document::MAX_STRING;
use xray_sdk::document::internal::{Buffer, Preamble, SegmentOpening, put_name};
use xray_sdk::sampling::{Always, DefaultRule, Sampler};
use xray_sdk::{DaemonAddress, EmitError, Emitter, Packet, UdpEmitter};

use crate::builder::error::BuildError;
#[cfg(feature = "http")]
use crate::builder::headers;
use crate::builder::settings::{Builder, Settings, named};
use crate::fields::callsite::CallsiteCache;
use crate::handle::layer_handle::Handle;
use crate::handle::reporter;
use crate::layer::filter_mode::FilterMode;
use crate::layer::filtered::FilteredLayer;
use crate::layer::panic_hook;
use crate::layer::xray_layer::XrayLayer;
use crate::lifecycle::core::{Config, Core, Hooks, Install, Output, Spans};
use crate::settings::config::Database;
use crate::settings::reentrancy::GuardedSampler;
use crate::state::clock::Clock;
use crate::state::in_flight_commands::InFlightCommands;
use crate::state::process::host::Host;
use crate::state::process::notices::{Notices, WantedCallsites};
use crate::state::process::origin::Origin;
use crate::state::stats::Counters;
use crate::state::table::Table;
use crate::state::tail::Tail;
use crate::state::unsampled::UnsampledScopes;
use crate::state::waiting::waiting_spans::WaitingSpans;

/// Returns a layer with defaults and the settings of the environment.
///
/// The call never fails: an invalid variable is ignored and counted in
/// [`Stats::bad_settings`](crate::Stats::bad_settings). To see which, build with a [`Handle`].
///
/// ```
/// use tracing_subscriber::prelude::*;
///
/// tracing_subscriber::registry().with(xray_tracing_layer::layer()).init();
/// ```
pub fn layer<S>() -> FilteredLayer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let builder = Builder::new();
    let address = builder.address_or_default();
    builder.assemble(&address).0
}

/// Returns a builder, for a layer with other settings than the defaults.
///
/// ```
/// use tracing_subscriber::prelude::*;
///
/// let layer = xray_tracing_layer::builder().service_name("shop").build()?;
/// tracing_subscriber::registry().with(layer).init();
/// # Ok::<(), xray_tracing_layer::BuildError>(())
/// ```
pub fn builder() -> Builder {
    Builder::new()
}

impl<F> Builder<F> {
    /// Builds the layer.
    ///
    /// ```
    /// use tracing_subscriber::prelude::*;
    ///
    /// let layer = xray_tracing_layer::builder().build()?;
    /// tracing_subscriber::registry().with(layer).init();
    /// # Ok::<(), xray_tracing_layer::BuildError>(())
    /// ```
    ///
    /// # Errors
    /// [`BuildError`] if a setting made in code is invalid. An invalid variable of the environment is ignored
    /// and reported by [`Handle::diagnostics`].
    pub fn build<S>(self) -> Result<impl Layer<S> + use<S, F>, BuildError>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
        F: FilterMode<S>,
    {
        self.build_with_handle().map(|(layer, _)| layer)
    }

    /// Builds the layer, and a handle to observe it.
    ///
    /// ```
    /// use tracing_subscriber::prelude::*;
    ///
    /// let (layer, handle) = xray_tracing_layer::builder().build_with_handle()?;
    /// tracing_subscriber::registry().with(layer).init();
    /// assert_eq!(handle.stats().bad_settings, 0);
    /// # Ok::<(), xray_tracing_layer::BuildError>(())
    /// ```
    ///
    /// # Errors
    /// [`BuildError`] if a setting made in code is invalid.
    pub fn build_with_handle<S>(self) -> Result<(impl Layer<S> + use<S, F>, Handle), BuildError>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
        F: FilterMode<S>,
    {
        self.built()
    }

    pub(crate) fn built<S>(self) -> Result<(F::Layer, Handle), BuildError>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
        F: FilterMode<S>,
    {
        let address = self.address()?;
        #[cfg(feature = "http")]
        headers::check(&self.settings.headers)?;
        Ok(self.assemble(&address))
    }

    /// Returns the daemon's address by the environment, the settings, or the default.
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
        let host = self.settings.lambda.map_or(Host::Machine, Host::Lambda);
        // Lambda freezes and copies processes, and every millisecond of a cold start counts.
        let new_clock = || if host.is_lambda() { Clock::of_system() } else { Clock::of_processor() };
        #[cfg(test)]
        let clock = self.settings.clock.unwrap_or_else(new_clock);
        #[cfg(not(test))]
        let clock = new_clock();
        let enabled = environment.enabled.unwrap_or(self.settings.enabled);
        let emitter = self
            .settings
            .emitter
            .unwrap_or_else(|| if enabled { Box::new(UdpEmitter::new(address)) } else { Box::new(Nowhere) });
        let config = Config {
            enabled,
            switched_off_by: environment.switched_off_by,
            lambda_elsewhere: environment.lambda && !environment.lambda_runtime,
            context_missing: environment.context_missing.unwrap_or(self.settings.context_missing),
            zero_ids: environment.zero_ids.unwrap_or_default(),
            streaming: self.settings.streaming,
            rules,
            service,
            service_name: name.as_str().to_owned(),
            opening: SegmentOpening::new(name.as_str()),
            capture_panics: self.settings.capture_panics,
            default_filter: F::is_default(),
            hears_all: F::hears_all(),
            closes_plainly: self.settings.on_close.is_none() && !host.is_lambda(),
            #[cfg(feature = "http")]
            headers: headers::freeze(self.settings.headers, &self.settings.callsites.annotate),
        };
        let spans = Spans {
            table: Table::new(self.settings.max_open_spans),
            waiting: WaitingSpans::new(),
            callsites: CallsiteCache::new(self.settings.callsites),
            clock,
            unsampled: UnsampledScopes::new(),
            in_flight_commands: InFlightCommands::default(),
            host,
        };
        let output = Output {
            emitter,
            origin: Arc::new(Origin::new(preamble, self.settings.plugins)),
            counters: Counters::default(),
        };
        let (sampler, sampler_name) = self.settings.sampler.unwrap_or_else(|| match environment.sample_all {
            Some(true) => named(Always),
            _ => named(DefaultRule::new()),
        });
        let sampler = GuardedSampler::new(sampler);
        let tail = sampler.tail().map(Tail::new);
        let hooks = Hooks { sampler, sampler_name, on_close: self.settings.on_close, tail };
        let (reporter, end_of_reports) = std::sync::mpsc::channel();
        let interval = self.settings.report_problems;
        let install = Install {
            installed: AtomicBool::new(false),
            layered: AtomicBool::new(false),
            dropped: AtomicBool::new(false),
            visible: AtomicBool::new(false),
            dispatch: OnceLock::new(),
            wanted: WantedCallsites::default(),
            notices: Notices::new(bad, environment.notes),
            daemon: address.clone(),
            process: std::process::id(),
            reporter: Mutex::new(interval.is_some().then_some(reporter)),
        };
        let core = Arc::new(Core { config, spans, output, hooks, install });
        if core.config.capture_panics && enabled {
            panic_hook::install();
        }
        #[cfg(feature = "fmt")]
        crate::layer::registered::register(&core);
        core.output.counters.bad_settings.add(core.install.notices.bad_settings());
        if let Some(Err(problem)) = interval.map(|interval| reporter::start(&core, interval, end_of_reports))
        {
            core.install.notices.add(problem);
        }
        let handle = Handle::new(Arc::clone(&core));
        (self.filter.attach(XrayLayer { core }), handle)
    }
}

/// The emitter of a layer that is switched off.
struct Nowhere;

impl Emitter for Nowhere {
    fn emit(&self, _: &Packet) -> Result<(), EmitError> {
        Err(EmitError::Unavailable)
    }
}
