//! Diagnostics: the reasons why a trace may be missing. Cold code.

use std::fmt;

use tracing_core::dispatcher::WeakDispatch;
use tracing_core::metadata::{Kind, LevelFilter};
use tracing_core::{Callsite, Interest, Level, Metadata};

use crate::state::notices::{Notices, WantedCallsites};

/// A reason why spans do not become traces, or a setting that was ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Diagnostic {
    /// An invalid setting, which was ignored.
    Config(String),
    /// A sampler that does not follow the rules that it was set up for.
    Sampling(String),
    /// A number of calls to other services outside of any segment. See
    /// [`ContextMissing`](crate::ContextMissing) for what becomes of them.
    ContextMissing(u64),
    /// A global filter that disables a level which the layer needs.
    ///
    /// Attach that filter to its own layer: `fmt::layer().with_filter(EnvFilter::from_default_env())`.
    GlobalLevel(LevelFilter),
    /// A global filter that hides spans at `INFO`, at least those that it does not name.
    ///
    /// Detected with a span of the layer's own that is never opened. Not checked if the layer has a filter
    /// other than [`DefaultFilter`](crate::DefaultFilter).
    GlobalFilter,
    /// A global filter that hides spans which the layer's own filter enables.
    HiddenSpans {
        /// The number of callsites.
        callsites: usize,
        /// The first callsite, as `target::name`.
        example: String,
    },
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const FIX: &str = "attach that filter to the layer it is meant for, with `.with_filter(..)`";
        match self {
            Self::Config(problem) | Self::Sampling(problem) => f.write_str(problem),
            Self::ContextMissing(calls) => {
                write!(f, "{calls} calls to other services were made outside of a segment")
            }
            Self::GlobalLevel(level) => {
                write!(f, "a global filter lets only {level} through, X-Ray wants spans at INFO: {FIX}")
            }
            Self::GlobalFilter => write!(f, "a global filter hides spans at INFO from X-Ray: {FIX}"),
            Self::HiddenSpans { callsites: 1, example } => {
                write!(f, "a global filter hides the span {example} from X-Ray: {FIX}")
            }
            Self::HiddenSpans { callsites, example } => {
                write!(f, "a global filter hides {callsites} spans from X-Ray, such as {example}: {FIX}")
            }
        }
    }
}

/// Returns those callsites that the subscriber as a whole does not enable.
fn hidden(
    callsites: Vec<&'static Metadata<'static>>,
    dispatch: &WeakDispatch,
) -> Vec<&'static Metadata<'static>> {
    let Some(dispatch) = dispatch.upgrade() else { return Vec::new() };
    // The question changes the thread's state of per-layer filters, which the next span of the thread would
    // find. A thread that ends right after has no next span.
    let ask = || callsites.into_iter().filter(|metadata| !dispatch.enabled(metadata)).collect();
    std::thread::scope(|scope| scope.spawn(ask).join().unwrap_or_default())
}

/// A span that is never opened, to ask about.
///
/// The layer's `register_callsite` is called only if no filter before it rejects the callsite. For this one
/// it need not be.
struct Probe;

impl Callsite for Probe {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        &PROBE
    }
}

static PROBE: Metadata<'static> = tracing_core::metadata! {
    name: "probe",
    target: module_path!(),
    level: Level::INFO,
    fields: &[],
    callsite: &Probe,
    kind: Kind::SPAN
};

/// Collects all diagnostics. `probe` is whether the layer's filter enables the probe.
pub(crate) fn diagnose(
    notices: &Notices,
    sampling: Option<String>,
    context_missing: u64,
    wanted: &WantedCallsites,
    probe: bool,
    dispatch: Option<&WeakDispatch>,
) -> Vec<Diagnostic> {
    let mut found: Vec<_> = notices.all().into_iter().map(Diagnostic::Config).collect();
    found.extend(sampling.map(Diagnostic::Sampling));
    if context_missing > 0 {
        found.push(Diagnostic::ContextMissing(context_missing));
    }
    let Some(dispatch) = dispatch else { return found };
    let level = LevelFilter::current();
    if level < Level::INFO {
        found.push(Diagnostic::GlobalLevel(level));
    } else if probe && !hidden(vec![&PROBE], dispatch).is_empty() {
        found.push(Diagnostic::GlobalFilter);
    }
    let hidden = hidden(wanted.all(), dispatch);
    if let Some(first) = hidden.first() {
        found.push(Diagnostic::HiddenSpans {
            callsites: hidden.len(),
            example: format!("{}::{}", first.target(), first.name()),
        });
    }
    found
}
