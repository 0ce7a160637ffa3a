//! The contract between whoever begins a trace and whoever decides about it, and the two samplers that need no
//! thought.

use std::sync::Arc;

use super::{SamplingRequest, Verdict};

/// Decides which new traces are recorded.
///
/// It is asked on the thread that begins the trace, so an implementation never blocks and never panics.
///
/// ```
/// use xray_sdk::sampling::{DefaultRule, Sampler, SamplingRequest, Verdict};
///
/// struct NoHealthChecks(DefaultRule);
///
/// impl Sampler for NoHealthChecks {
///     fn sample(&self, request: &SamplingRequest<'_>) -> Verdict {
///         match request.path() {
///             Some("/health") => Verdict::dropped().with_rule("no health checks"),
///             _ => self.0.sample(request),
///         }
///     }
///     fn give_back(&self, verdict: &Verdict) {
///         self.0.give_back(verdict);
///     }
/// }
/// ```
pub trait Sampler: Send + Sync + 'static {
    /// Decides about one new trace.
    fn sample(&self, request: &SamplingRequest<'_>) -> Verdict;

    /// Takes back what a verdict took, since a trace header that came late decided after all. Defaults to nothing.
    fn give_back(&self, verdict: &Verdict) {
        let _ = verdict;
    }
}

impl<S: Sampler + ?Sized> Sampler for Arc<S> {
    fn sample(&self, request: &SamplingRequest<'_>) -> Verdict {
        (**self).sample(request)
    }
    fn give_back(&self, verdict: &Verdict) {
        (**self).give_back(verdict);
    }
}

impl<S: Sampler + ?Sized> Sampler for Box<S> {
    fn sample(&self, request: &SamplingRequest<'_>) -> Verdict {
        (**self).sample(request)
    }
    fn give_back(&self, verdict: &Verdict) {
        (**self).give_back(verdict);
    }
}

/// Records every trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Always;

impl Sampler for Always {
    fn sample(&self, _: &SamplingRequest<'_>) -> Verdict {
        Verdict::sampled()
    }
}

/// Records no trace, except those for which a trace header decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Never;

impl Sampler for Never {
    fn sample(&self, _: &SamplingRequest<'_>) -> Verdict {
        Verdict::dropped()
    }
}
