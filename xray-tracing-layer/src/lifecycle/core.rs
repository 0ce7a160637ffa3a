//! The layer's state, shared with its handles and with the methods on spans, and its life: installed,
//! restored, removed.
//!
//! The life of a span is in [`open`](crate::lifecycle::open), [`update`](crate::lifecycle::update) and
//! [`close`](crate::lifecycle::close).

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tracing_core::dispatcher::WeakDispatch;
use xray_sdk::document::internal::SegmentOpening;
use xray_sdk::sampling::Sampler;
use xray_sdk::{DaemonAddress, Emitter};

use crate::fields::callsite::CallsiteCache;
use crate::settings::config::{ContextMissing, Streaming};
#[cfg(feature = "http")]
use crate::settings::headers::HeaderSettings;
use crate::settings::redaction::Rules;
use crate::settings::reentrancy::GuardedSampler;
use crate::state::clock::Clock;
use crate::state::closing_span::OnClose;
use crate::state::in_flight_commands::InFlightCommands;
use crate::state::process::host::Host;
use crate::state::process::notices::{Notices, WantedCallsites};
use crate::state::process::origin::Origin;
use crate::state::stats::Counters;
use crate::state::table::Table;
use crate::state::tail::Tail;
use crate::state::unsampled::UnsampledScopes;
use crate::state::waiting::waiting_spans::WaitingSpans;

/// A layer's state, in five nouns. In the order that they have in memory, as [`Spans`] are.
#[repr(C)]
pub(crate) struct Core {
    pub(crate) spans: Spans,
    pub(crate) config: Config,
    pub(crate) output: Output,
    pub(crate) hooks: Hooks,
    pub(crate) install: Install,
}

/// Frozen values from the builder and the environment.
pub(crate) struct Config {
    /// Set if the layer records anything.
    pub(crate) enabled: bool,
    /// The variable that switched the layer off.
    pub(crate) switched_off_by: Option<&'static str>,
    /// Set if Lambda's variables are set, but not the one that its runtime needs.
    pub(crate) lambda_elsewhere: bool,
    pub(crate) context_missing: ContextMissing,
    /// Set if unsampled traces share one id of zeros.
    pub(crate) zero_ids: bool,
    pub(crate) streaming: Streaming,
    pub(crate) rules: Rules,
    /// The segment's name, as the sampler sees it.
    pub(crate) service: String,
    /// The segment's name as X-Ray takes it: sanitized and escaped, without quotes.
    pub(crate) service_name: String,
    /// The beginning of segments' documents, if the name is short.
    pub(crate) opening: Option<SegmentOpening>,
    /// Set if the panic hook records in this layer's spans.
    pub(crate) capture_panics: bool,
    /// Set if the layer's filter is the default one.
    pub(crate) default_filter: bool,
    /// HTTP headers that are recorded and passed on.
    #[cfg(feature = "http")]
    pub(crate) headers: HeaderSettings,
    /// Set if the layer hears of each span that is entered.
    pub(crate) hears_all: bool,
    /// Set if nothing but a span itself says what becomes of it when it closes: no closure of the user's, nor Lambda.
    pub(crate) closes_plainly: bool,
}

/// Open spans, and what their records are made of. What each span looks at comes first, as in
/// [`SpanRecord`](crate::state::record::SpanRecord).
#[repr(C)]
pub(crate) struct Spans {
    pub(crate) table: Table,
    pub(crate) callsites: CallsiteCache,
    pub(crate) unsampled: UnsampledScopes,
    /// Those in which finished documents wait to be sent.
    pub(crate) waiting: WaitingSpans,
    pub(crate) clock: Clock,
    pub(crate) in_flight_commands: InFlightCommands,
    pub(crate) host: Host,
}

/// The way of documents out of the layer.
pub(crate) struct Output {
    pub(crate) emitter: Box<dyn Emitter>,
    /// The part that the process's segments have in common.
    pub(crate) origin: Arc<Origin>,
    pub(crate) counters: Counters,
}

/// The user's code.
pub(crate) struct Hooks {
    pub(crate) sampler: GuardedSampler,
    /// The sampler's type, for diagnostics.
    pub(crate) sampler_name: &'static str,
    /// Called for each recorded span that closes.
    pub(crate) on_close: Option<OnClose>,
    /// The rule of the tail decision, if the sampler has one.
    pub(crate) tail: Option<Arc<Tail>>,
}

/// The layer's place in a subscriber.
pub(crate) struct Install {
    /// Set if background work was started.
    pub(crate) installed: AtomicBool,
    /// Set if the layer was put onto a subscriber, which may not be in use yet, or was asked about a callsite by one.
    pub(crate) layered: AtomicBool,
    /// Set once the layer is dropped.
    pub(crate) dropped: AtomicBool,
    /// Set if `Dispatch::downcast_ref` finds this layer. A layer below a reloadable one, for instance, is not found.
    pub(crate) visible: AtomicBool,
    pub(crate) dispatch: OnceLock<WeakDispatch>,
    pub(crate) wanted: WantedCallsites,
    /// Sentences for diagnostics.
    pub(crate) notices: Notices,
    /// The daemon's address, for a sampler that asks it.
    pub(crate) daemon: DaemonAddress,
    /// The process that built the layer.
    pub(crate) process: u32,
    /// Ends the thread that prints diagnostics when dropped. Absent without such a thread.
    pub(crate) reporter: Mutex<Option<Sender<()>>>,
}

impl Core {
    /// Renews what a copy of the process must not share with the original.
    pub(crate) fn restored(&self) {
        xray_sdk::id::reseed();
        self.output.emitter.reopen();
        self.spans.clock.restored();
    }

    /// Starts background work, when the layer is in use. In Lambda the platform decides and sends the
    /// segment, so there is nothing to start.
    pub(crate) fn install(&self) {
        if !self.install.installed.swap(true, Relaxed) && self.config.enabled && !self.spans.host.is_lambda()
        {
            self.hooks.sampler.start(&self.install.daemon, &self.config.service);
            if let Err(problem) = self.output.origin.detect() {
                self.install.notices.add(problem);
            }
        }
    }

    /// Sends what waits in spans that no subscriber will close any more, counts these spans, and stops background work, when
    /// the layer is dropped.
    pub(crate) fn uninstall(&self) {
        self.install.dropped.store(true, Relaxed);
        self.stream_waiting(Duration::ZERO);
        self.spans.table.for_each(|record| self.abandon(record));
        drop(self.install.reporter.lock().unwrap_or_else(PoisonError::into_inner).take());
        if self.install.installed.load(Relaxed) && self.config.enabled && !self.spans.host.is_lambda() {
            self.hooks.sampler.stop();
        }
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").field("service", &self.config.service).finish_non_exhaustive()
    }
}
