//! The contract between whoever begins a trace and whoever decides about it, and the samplers that need no
//! thought. What a sampler needs beside questions (a start, an end, news) are hooks that default to nothing.

use std::sync::Arc;
use std::time::Duration;

use super::{SamplingRequest, SamplingResult};
use crate::daemon::DaemonAddress;

/// Decides which new traces are recorded.
///
/// It is asked on the thread that begins the trace, so an implementation never blocks and never panics.
///
/// ```
/// use xray_sdk::sampling::{DefaultRule, Sampler, SamplingRequest, SamplingResult};
///
/// struct NoHealthChecks(DefaultRule);
///
/// impl Sampler for NoHealthChecks {
///     fn sample(&self, request: &SamplingRequest<'_>) -> SamplingResult {
///         match request.path() {
///             Some("/health") => SamplingResult::dropped().with_rule("no health checks"),
///             _ => self.0.sample(request),
///         }
///     }
///     fn give_back(&self, verdict: &SamplingResult) {
///         self.0.give_back(verdict);
///     }
/// }
/// ```
pub trait Sampler: Send + Sync + 'static {
    /// Decides about one new trace.
    fn sample(&self, request: &SamplingRequest<'_>) -> SamplingResult;

    /// Whether decisions depend on what is asked beyond the service and the time. Where they don't, nothing else is
    /// looked up for them. Defaults to `true`.
    fn looks_at_request(&self) -> bool {
        true
    }

    /// Takes back what a verdict took, since a trace header that came late decided after all. Defaults to nothing.
    fn give_back(&self, result: &SamplingResult) {
        let _ = result;
    }

    /// The first span of a trace ended for which the verdict was [`watched`](SamplingResult::watched); `anomaly` says
    /// that it failed by a fault of this service. Defaults to nothing.
    fn observe(&self, result: &SamplingResult, anomaly: bool) {
        let _ = (result, anomaly);
    }

    /// Traces of `service` are about to begin, and the daemon is there: the moment to begin with what needs a
    /// thread. It is not called in Lambda. Each call is followed by one of [`stop`](Self::stop), sooner or later.
    /// Defaults to nothing.
    fn start(&self, daemon: &DaemonAddress, service: &str) {
        let _ = (daemon, service);
    }

    /// The traces that [`start`](Self::start) spoke of are over. Defaults to nothing.
    fn stop(&self) {}

    /// Waits until whoever is to be told of the decisions so far was told, for at most `timeout`; `false` if they
    /// could not be told. Defaults to having nobody to tell.
    fn flush(&self, timeout: Duration) -> bool {
        let _ = timeout;
        true
    }

    /// Why decisions are not what they were meant to be, for a person to read. Defaults to `None`.
    fn problem(&self) -> Option<String> {
        None
    }
}

macro_rules! pass_on {
    ($($pointer:ident),*) => {$(
        impl<S: Sampler + ?Sized> Sampler for $pointer<S> {
            fn sample(&self, request: &SamplingRequest<'_>) -> SamplingResult {
                (**self).sample(request)
            }
            fn looks_at_request(&self) -> bool {
                (**self).looks_at_request()
            }
            fn give_back(&self, result: &SamplingResult) {
                (**self).give_back(result);
            }
            fn observe(&self, result: &SamplingResult, anomaly: bool) {
                (**self).observe(result, anomaly);
            }
            fn start(&self, daemon: &DaemonAddress, service: &str) {
                (**self).start(daemon, service);
            }
            fn stop(&self) {
                (**self).stop();
            }
            fn flush(&self, timeout: Duration) -> bool {
                (**self).flush(timeout)
            }
            fn problem(&self) -> Option<String> {
                (**self).problem()
            }
        }
    )*};
}

pass_on!(Arc, Box);

/// Records every trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Always;

impl Sampler for Always {
    fn sample(&self, _: &SamplingRequest<'_>) -> SamplingResult {
        SamplingResult::sampled()
    }

    fn looks_at_request(&self) -> bool {
        false
    }
}

/// Records no trace, except those for which a trace header decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Never;

impl Sampler for Never {
    fn sample(&self, _: &SamplingRequest<'_>) -> SamplingResult {
        SamplingResult::dropped()
    }

    fn looks_at_request(&self) -> bool {
        false
    }
}

/// Records what callers record, and leaves traces that begin here to the services behind.
///
/// Unlike [`Never`], it does not say downstream that a new trace isn't sampled: nobody has decided yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ParentOnly;

impl Sampler for ParentOnly {
    fn sample(&self, _: &SamplingRequest<'_>) -> SamplingResult {
        SamplingResult::left_open()
    }

    fn looks_at_request(&self) -> bool {
        false
    }
}
