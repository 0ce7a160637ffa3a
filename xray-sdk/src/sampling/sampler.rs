//! [`Sampler`]: the contract between the code that begins a trace and the code that decides about it, and the samplers
//! without state. Further hooks (start, stop, observe) default to nothing.

use std::sync::Arc;
use std::time::Duration;

use super::{SamplingRequest, SamplingResult, TailRule};
use crate::daemon::DaemonAddress;

/// Decides which new traces are recorded.
///
/// The thread that begins a trace calls the sampler, so an implementation must not block and must not panic.
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
///     fn give_back(&self, result: &SamplingResult) {
///         self.0.give_back(result);
///     }
/// }
/// ```
pub trait Sampler: Send + Sync + 'static {
    /// Decides about one new trace.
    fn sample(&self, request: &SamplingRequest<'_>) -> SamplingResult;

    /// Returns whether decisions depend on more than the service and the time. Defaults to `true`.
    ///
    /// With `false`, the caller does not collect the request's other properties.
    fn looks_at_request(&self) -> bool {
        true
    }

    /// Returns a result's slot, after a late trace header decided instead. Defaults to doing nothing.
    fn give_back(&self, result: &SamplingResult) {
        let _ = result;
    }

    /// Records that a trace's first span ended, if the result was [observed](SamplingResult::with_observation).
    ///
    /// `anomaly` says that the span failed by a fault of this service. Defaults to doing nothing.
    fn observe(&self, result: &SamplingResult, anomaly: bool) {
        let _ = (result, anomaly);
    }

    /// Returns the rule for a second decision, at the end of a trace that was not sampled. Defaults to `None`.
    ///
    /// Asked once, when the layer is built.
    fn tail(&self) -> Option<TailRule> {
        None
    }

    /// Starts background work: traces of `service` are about to begin. Defaults to doing nothing.
    ///
    /// Each call is followed by one of [`stop`](Self::stop). Not called in Lambda.
    fn start(&self, daemon: &DaemonAddress, service: &str) {
        let _ = (daemon, service);
    }

    /// Stops the background work of [`start`](Self::start). Defaults to doing nothing.
    fn stop(&self) {}

    /// Reports the decisions so far, and waits for at most `timeout`. Returns `false` if the report failed.
    ///
    /// Defaults to returning `true`: most samplers report nothing.
    fn flush(&self, timeout: Duration) -> bool {
        let _ = timeout;
        true
    }

    /// Returns a human-readable reason why this sampler is degraded, if it is. Defaults to `None`.
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
            fn tail(&self) -> Option<TailRule> {
                (**self).tail()
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

/// Records no trace, unless a trace header says otherwise.
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

/// Records the traces that callers record, and leaves new traces to the downstream services.
///
/// Unlike [`Never`], `ParentOnly` does not propagate `Sampled=0` for a new trace: the decision is still open.
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
