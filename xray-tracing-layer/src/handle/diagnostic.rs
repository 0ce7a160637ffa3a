//! [`Diagnostic`]: a reason why a trace may be missing, with its facts, and a sentence that names the remedy.
//!
//! The conditions that hold at present are found by [`diagnose`](crate::handle::diagnose).

use std::fmt;
use std::mem::discriminant;
use std::time::Duration;

use tracing_core::metadata::LevelFilter;
use xray_sdk::EmitterProblem;

/// A reason why spans do not become traces, or a setting that was ignored.
///
/// The [`Display`](fmt::Display) form is one sentence, which names the remedy.
///
/// ```
/// use tracing_subscriber::Registry;
/// use xray_tracing_layer::Diagnostic;
///
/// let builder = xray_tracing_layer::builder().enabled(false);
/// let (_layer, handle) = builder.build_with_handle::<Registry>()?;
/// assert_eq!(handle.diagnostics(), [Diagnostic::SwitchedOff { variable: None }]);
/// # Ok::<(), xray_tracing_layer::BuildError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Diagnostic {
    /// An invalid setting, which was ignored.
    Config(String),
    /// The layer is switched off.
    SwitchedOff {
        /// The environment variable that switched it off; `None` for [`Builder::enabled`](crate::Builder::enabled).
        variable: Option<&'static str>,
    },
    /// A variable says that the process is a Lambda function, and the runtime's variable is absent.
    ///
    /// In Lambda the platform decides about each trace and sends the segment. Elsewhere nothing is sent then.
    LambdaElsewhere,
    /// The emitter's packets do not reach the daemon.
    Emitter(EmitterProblem),
    /// A sampler that does not follow the rules that it was set up for.
    Sampling(String),
    /// Traces that are not sampled, or left out. One diagnostic for each who decided.
    NotSampled {
        /// The number of closed root spans that were not sampled by that decision.
        traces: u64,
        /// The number of all closed root spans.
        of: u64,
        /// The one that decided.
        by: NotSampledBy,
    },
    /// Spans that were not recorded because too many were open.
    TooManyOpen {
        /// The number of spans that were not recorded.
        spans: u64,
        /// The maximum of open spans, for each thread.
        max: u32,
    },
    /// Root spans that have been open for more than a minute, and of which nothing was sent.
    OpenForLong {
        /// The number of these root spans.
        roots: usize,
        /// The name of the oldest one.
        name: String,
        /// The age of the oldest one.
        age: Duration,
    },
    /// The process is the child of a fork, and the layer was built in the parent.
    Forked {
        /// The process that built the layer.
        parent: u32,
    },
    /// A number of calls to other services outside of any segment. See
    /// [`ContextMissing`](crate::ContextMissing) for what becomes of them.
    ContextMissing(u64),
    /// A feature of the crate `tracing`, `max_level_…` or `release_max_level_…`, that removes spans at `INFO`
    /// from the program.
    StaticLevel(LevelFilter),
    /// No subscriber that is in use has the layer: none was installed, its guard was dropped, or another is the program's.
    NotInstalled,
    /// Filters that disable a level which the layer needs, where the layer has a filter of its own or none. Its filter may be
    /// the reason, or a global one.
    FilterLevel(LevelFilter),
    /// A global filter that disables a level which the layer needs.
    ///
    /// Attach that filter to its own layer: `fmt::layer().with_filter(EnvFilter::from_default_env())`.
    GlobalLevel(LevelFilter),
    /// A global filter that hides spans at `INFO`, at least those that it does not name.
    ///
    /// Detected with a span of the layer's own that is never opened. Not checked if the layer has a filter
    /// other than [`DefaultFilter`](crate::DefaultFilter).
    GlobalFilter,
    /// Another layer that wants no callsite at all, which switches spans off for all layers. An empty `Vec` of
    /// layers does.
    ///
    /// Detected as [`GlobalFilter`](Self::GlobalFilter) is.
    UninterestedLayer,
    /// A global filter that hides spans which the layer's own filter enables.
    HiddenSpans {
        /// The number of callsites.
        callsites: usize,
        /// The first callsite, as `target::name`.
        example: String,
    },
}

/// The one that decided that traces are not sampled, or left out.
///
/// ```
/// use tracing_subscriber::prelude::*;
/// use xray_tracing_layer::{Diagnostic, NotSampledBy};
///
/// let (layer, handle) = xray_tracing_layer::builder().build_with_handle()?;
/// let _guard = tracing_subscriber::registry().with(layer).set_default();
/// drop(tracing::info_span!("health check", xray.sampled = false));
/// let by = NotSampledBy::Program;
/// assert!(handle.diagnostics().contains(&Diagnostic::NotSampled { traces: 1, of: 1, by }));
/// # Ok::<(), xray_tracing_layer::BuildError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotSampledBy {
    /// The sampler.
    Sampler {
        /// The type of the sampler, as the compiler names it.
        name: &'static str,
    },
    /// The header of a caller, with `Sampled=0`.
    Caller,
    /// Lambda, which decides about each invocation.
    Lambda,
    /// The program: by the field `xray.sampled`, by
    /// [`force_sampling`](crate::XraySpanExt::force_sampling), or by `XrayHttpLayer::ignore`.
    Program,
    /// A rule of [`Builder::drop_span`](crate::Builder::drop_span), or the closure of
    /// [`Builder::on_close`](crate::Builder::on_close).
    LeftOut,
    /// The bound on traces that wait for their tail decision: too many did.
    TailFull {
        /// The maximum of traces that wait.
        max: u32,
    },
}

impl fmt::Display for NotSampledBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sampler { name } => {
                write!(f, "were not sampled, by {name}: set another sampler with `Builder::sampler`")
            }
            Self::Caller => f.write_str(
                "were not sampled, by a caller's header with `Sampled=0`: look at the sampling of the caller",
            ),
            Self::Lambda => f.write_str(
                "were not sampled, by Lambda: look at the function's tracing mode, and at the sampling of what invokes \
                 the function",
            ),
            Self::Program => f.write_str(
                "were not sampled, by the program: find `xray.sampled = false`, `force_sampling(false)` or \
                 `XrayHttpLayer::ignore` in it",
            ),
            Self::LeftOut => f.write_str(
                "were left out: narrow the rules of `Builder::drop_span`, or the closure of `Builder::on_close`",
            ),
            Self::TailFull { max } => write!(
                f,
                "were not sampled, because {max} traces waited for their tail decision: raise \
                 `KeepSlowAndFailed::max_open_traces`"
            ),
        }
    }
}

impl Diagnostic {
    /// Returns whether two diagnostics are the same problem, perhaps with other numbers.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Config(one), Self::Config(two)) | (Self::Sampling(one), Self::Sampling(two)) => one == two,
            (Self::Emitter(one), Self::Emitter(two)) => discriminant(one) == discriminant(two),
            (Self::NotSampled { by: one, .. }, Self::NotSampled { by: two, .. }) => {
                discriminant(one) == discriminant(two)
            }
            _ => discriminant(self) == discriminant(other),
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const FIX: &str = "attach that filter to the layer it is meant for, with `.with_filter(..)`";
        match self {
            Self::Config(problem) | Self::Sampling(problem) => f.write_str(problem),
            Self::SwitchedOff { variable: Some(variable) } => {
                write!(f, "the layer is switched off by {variable}: unset it")
            }
            Self::SwitchedOff { variable: None } => {
                f.write_str("the layer is switched off by `Builder::enabled(false)`: remove that call")
            }
            Self::LambdaElsewhere => f.write_str(
                "LAMBDA_TASK_ROOT is set without AWS_LAMBDA_RUNTIME_API, so the layer waits for Lambda's trace \
                 headers: unset LAMBDA_TASK_ROOT outside of Lambda",
            ),
            Self::Emitter(problem) => problem.fmt(f),
            Self::NotSampled { traces, of, by } => write!(f, "{traces} of {of} traces {by}"),
            Self::TooManyOpen { spans, max } => write!(
                f,
                "{spans} spans were not recorded, because {max} were open: close spans, or raise \
                 `Builder::max_open_spans`"
            ),
            Self::OpenForLong { roots: 1, name, age } => write!(
                f,
                "the root span {name:?} has been open for {} s, and a span is sent when it closes: {CLOSE}",
                age.as_secs()
            ),
            Self::OpenForLong { roots, name, age } => write!(
                f,
                "{roots} root spans have been open for long, such as {name:?} for {} s, and a span is sent when \
                 it closes: {CLOSE}",
                age.as_secs()
            ),
            Self::Forked { parent } => write!(
                f,
                "the layer was built in process {parent}, from which this one was forked without the layer's \
                 threads: build the layer after the fork"
            ),
            Self::ContextMissing(calls) => write!(
                f,
                "{calls} calls to other services were made outside of a segment: open a span around them"
            ),
            Self::StaticLevel(level) => write!(
                f,
                "a feature of the crate `tracing` lets only {level} through, X-Ray wants spans at INFO: find the \
                 dependency that enables it with `cargo tree -e features -i tracing`"
            ),
            Self::NotInstalled => f.write_str(
                "no subscriber in use has the layer: install it with `init`, which must be the first in the program, or \
                 keep the guard of `set_default`",
            ),
            Self::FilterLevel(level) => write!(
                f,
                "filters let only {level} through, X-Ray wants spans at INFO: raise the level of the filter on the \
                 X-Ray layer; if another one is the reason, {FIX}"
            ),
            Self::GlobalLevel(level) => {
                write!(f, "a global filter lets only {level} through, X-Ray wants spans at INFO: {FIX}")
            }
            Self::GlobalFilter => write!(f, "a global filter hides spans at INFO from X-Ray: {FIX}"),
            Self::UninterestedLayer => f.write_str(
                "another layer wants no spans at all, which hides them from X-Ray: remove it if it is an empty \
                 `Vec` of layers, or put `LevelFilter::TRACE` into the `Vec`",
            ),
            Self::HiddenSpans { callsites: 1, example } => {
                write!(f, "a global filter hides the span {example} from X-Ray: {FIX}")
            }
            Self::HiddenSpans { callsites, example } => {
                write!(f, "a global filter hides {callsites} spans from X-Ray, such as {example}: {FIX}")
            }
        }
    }
}

const CLOSE: &str = "open a span for each piece of work instead of one around a loop, and drop guards";
