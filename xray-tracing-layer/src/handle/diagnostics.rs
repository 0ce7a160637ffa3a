//! Why a trace may be missing, for someone who asks. Cold code.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use tracing_core::dispatcher::WeakDispatch;
use tracing_core::metadata::{Kind, LevelFilter};
use tracing_core::{Callsite, Interest, Level, Metadata};

/// Something that keeps spans from becoming traces, or that was not taken as it was configured.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Diagnostic {
    /// A setting could not be used; another was taken instead.
    Config(String),
    /// Sampling does not go by the rules that it was set up for.
    Sampling(String),
    /// So many calls to other services were not part of any segment.
    ///
    /// See [`ContextMissing`](crate::ContextMissing) for what became of them.
    ContextMissing(u64),
    /// A filter that holds for all layers lets no span of a level through that the layer wants.
    ///
    /// Attach that filter to the layer it is meant for: `fmt::layer().with_filter(EnvFilter::from_default_env())`.
    GlobalLevel(LevelFilter),
    /// A filter that holds for all layers hides spans at `INFO`, at least those that it does not name.
    ///
    /// Found with a span of the layer's own that nobody ever opens; not looked for with a filter of the user's
    /// instead of [`DefaultFilter`](crate::DefaultFilter).
    GlobalFilter,
    /// Spans that the layer wants are hidden from it by a filter that holds for all layers.
    HiddenSpans {
        /// At how many places in the code.
        callsites: usize,
        /// The first of them, as `target::name`.
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

/// Sentences about the configuration.
#[derive(Debug)]
pub(crate) struct Notices {
    bad: Vec<String>,
    others: Mutex<Vec<String>>,
}

impl Notices {
    /// `bad` is about settings that could not be used, `notes` about those that could.
    pub(crate) fn new(bad: Vec<String>, notes: Vec<String>) -> Self {
        Self { bad, others: Mutex::new(notes) }
    }

    /// Settings that could not be used.
    pub(crate) fn bad_settings(&self) -> u64 {
        self.bad.len() as u64
    }

    pub(crate) fn add(&self, notice: String) {
        self.others.lock().unwrap_or_else(PoisonError::into_inner).push(notice);
    }

    fn all(&self) -> Vec<String> {
        let others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        self.bad.iter().chain(others.iter()).cloned().collect()
    }
}

/// The span callsites that the layer's own filter let through.
#[derive(Debug, Default)]
pub(crate) struct Wanted(Mutex<Vec<&'static Metadata<'static>>>);

impl Wanted {
    pub(crate) fn note(&self, metadata: &'static Metadata<'static>) {
        if metadata.is_span() {
            let mut wanted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if !wanted.iter().any(|known| std::ptr::eq(*known, metadata)) {
                wanted.push(metadata);
            }
        }
    }

    fn all(&self) -> Vec<&'static Metadata<'static>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Those of some callsites that the subscriber as a whole does not enable.
fn hidden(
    callsites: Vec<&'static Metadata<'static>>,
    dispatch: &WeakDispatch,
) -> Vec<&'static Metadata<'static>> {
    let Some(dispatch) = dispatch.upgrade() else { return Vec::new() };
    // Asking leaves traces in the thread's state of per-layer filters, which the next span of the thread would
    // find. A thread that ends right after has no next span.
    let ask = || callsites.into_iter().filter(|metadata| !dispatch.enabled(metadata)).collect();
    std::thread::scope(|scope| scope.spawn(ask).join().unwrap_or_default())
}

/// A span that is never opened, to ask about. The layer hears of a callsite only if no filter before it says
/// that nobody wants it; of this one it needs to hear nothing.
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

/// Looks for everything. `probe` tells whether the layer's filter wants the probe.
pub(crate) fn diagnose(
    notices: &Notices,
    sampling: Option<String>,
    context_missing: u64,
    wanted: &Wanted,
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
