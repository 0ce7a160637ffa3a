//! What a layer owns, shared with its handles and with the extension methods of spans. No logic of its own:
//! see [`open`](crate::lifecycle::open), [`update`](crate::lifecycle::update) and [`close`](crate::lifecycle::close) for a span's fall.

use std::cell::RefCell;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::thread::LocalKey;

use tracing_core::dispatcher::WeakDispatch;
use xray_sdk::document::internal::{Body, Buffer};
use xray_sdk::sampling::Sampler;
use xray_sdk::{DaemonAddress, Emitter, Packet};

use crate::fields::callsite::CallsiteCache;
use crate::fields::visitor::Rules;
use crate::handle::diagnostics::{Notices, Wanted};
use crate::lifecycle::finished_call::InFlightCommands;
use crate::lifecycle::on_close::OnClose;
use crate::lifecycle::unsampled::UnsampledScopes;
use crate::settings::config::{ContextMissing, Streaming};
use crate::settings::reentrancy::{GuardedSampler, suppress_recording};
use crate::state::clock::Clock;
use crate::state::lambda::LambdaFunction;
use crate::state::origin::Origin;
use crate::state::stats::Counters;
use crate::state::table::Table;

pub(crate) struct Core {
    /// A layer that is switched off opens no record, so nothing else happens either.
    pub(crate) enabled: bool,
    pub(crate) context_missing: ContextMissing,
    /// Whether traces that are not sampled share one id of zeros.
    pub(crate) zero_ids: bool,
    pub(crate) table: Table,
    pub(crate) callsites: CallsiteCache,
    pub(crate) clock: Clock,
    pub(crate) counters: Counters,
    pub(crate) sampler: GuardedSampler,
    pub(crate) emitter: Box<dyn Emitter>,
    /// What the process's segments have in common.
    pub(crate) origin: Arc<Origin>,
    /// The segment's name, as the sampler sees it.
    pub(crate) service: String,
    /// The same, as X-Ray takes it: escaped, without quotes.
    pub(crate) service_name: String,
    pub(crate) streaming: Streaming,
    pub(crate) rules: Rules,
    /// Called for each span that closes.
    pub(crate) on_close: Option<OnClose>,
    pub(crate) in_flight_commands: InFlightCommands,
    pub(crate) unsampled: UnsampledScopes,
    /// In Lambda only.
    pub(crate) lambda: Option<LambdaFunction>,
    /// Whether the layer's filter is the default one.
    pub(crate) default_filter: bool,
    /// For whoever needs more of the daemon than the emitter.
    pub(crate) daemon: DaemonAddress,
    /// What is to be said about the configuration.
    pub(crate) notices: Notices,
    /// Whether what runs beside the callbacks was started.
    pub(crate) installed: AtomicBool,
    /// Whether `Dispatch::downcast_ref` finds this layer. Not through a reloadable one, for instance.
    pub(crate) visible: AtomicBool,
    pub(crate) dispatch: OnceLock<WeakDispatch>,
    pub(crate) wanted: Wanted,
}

impl Core {
    /// The process is a copy of the one that the layer was built in.
    pub(crate) fn restored(&self) {
        xray_sdk::id::reseed();
        self.emitter.reopen();
        self.clock.anchor(self.clock.ticks());
    }

    /// The layer is in use: the moment to start what the user asked for and what needs a thread. In Lambda, which
    /// decides by itself and sends the segment by itself, there is nothing to start.
    pub(crate) fn install(&self) {
        if !self.installed.swap(true, Relaxed) && self.enabled && self.lambda.is_none() {
            self.sampler.start(&self.daemon, &self.service);
            if let Err(problem) = self.origin.detect() {
                self.notices.add(problem);
            }
        }
    }

    /// The layer is gone.
    pub(crate) fn uninstall(&self) {
        if self.installed.load(Relaxed) && self.enabled && self.lambda.is_none() {
            self.sampler.stop();
        }
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").field("service", &self.service).finish_non_exhaustive()
    }
}

/// Lends this thread's packet, to fill and to send. What it is lent for a second time meanwhile, by an emitter
/// that uses `tracing` itself, gets a new one.
pub(crate) fn with_packet<R>(use_it: impl FnOnce(&mut Packet) -> R) -> R {
    thread_local!(static PACKET: RefCell<Option<Packet>> = const { RefCell::new(None) });
    suppress_recording(|| lend(&PACKET, use_it))
}

/// Lends a body to collect fields in before their record is locked.
pub(crate) fn with_body<R>(use_it: impl FnOnce(&mut Body) -> R) -> R {
    thread_local!(static BODY: RefCell<Option<Body>> = const { RefCell::new(None) });
    lend(&BODY, |body: &mut Body| {
        body.clear();
        use_it(body)
    })
}

/// Lends a buffer for text that is on its way into a body.
pub(crate) fn with_buffer<R>(use_it: impl FnOnce(&mut Buffer) -> R) -> R {
    thread_local!(static BUFFER: RefCell<Option<Buffer>> = const { RefCell::new(None) });
    lend(&BUFFER, |buffer: &mut Buffer| {
        buffer.clear();
        use_it(buffer)
    })
}

/// A thread's own of its kind.
type Own<T> = LocalKey<RefCell<Option<T>>>;

fn lend<T: Default, R>(own: &'static Own<T>, use_it: impl FnOnce(&mut T) -> R) -> R {
    match own.try_with(|own| own.try_borrow_mut().is_ok()) {
        Ok(true) => own.with_borrow_mut(|own| use_it(own.get_or_insert_default())),
        // Lent already, or gone: the thread is at its end.
        _ => use_it(&mut T::default()),
    }
}
