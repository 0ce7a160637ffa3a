//! [`KeepSlowAndFailed`]: a second decision, at the end of a trace that was not sampled, for any sampler. The layer
//! makes that decision, by the rule that is set up here.

use std::time::Duration;

use super::{Sampler, SamplingRequest, SamplingResult, TailRule};
use crate::daemon::DaemonAddress;

/// Keeps traces that failed or took long, although the sampler inside did not sample them.
///
/// The sampler inside decides where a trace begins, and that decision travels on. A trace that it does not sample is
/// recorded in memory all the same, and the tail decision comes when its first span ends:
///
/// | the trace | is |
/// |---|---|
/// | sampled by the sampler inside, or by the caller | sent, as without `KeepSlowAndFailed` |
/// | failed: a fault in any of its spans | sent |
/// | took longer than [`slower_than`](Self::slower_than) | sent |
/// | any other | left out |
///
/// - What is sent is complete within this process. Services that were called saw `Sampled=0`, and recorded nothing,
///   unless they keep failed traces themselves.
/// - A caller's `Sampled=0` is a head decision like the sampler's: such a trace may be kept too. See
///   [`obey_callers`](Self::obey_callers).
/// - Never kept is what Lambda does not sample, what the program itself leaves out (`xray.sampled = false`), and what
///   the sampler inside leaves open ([`ParentOnly`](super::ParentOnly)).
/// - Recording takes time and memory for each trace, also for those that are left out. Both are bounded by
///   [`max_open_traces`](Self::max_open_traces) and [`max_held_bytes`](Self::max_held_bytes).
///
/// A kept trace has the metadata `xray.kept`: `failed` or `slow`.
///
/// ```
/// use std::time::Duration;
/// use xray_sdk::sampling::{DefaultRule, KeepSlowAndFailed};
///
/// let sampler = KeepSlowAndFailed::new(DefaultRule::new()).slower_than(Duration::from_secs(2));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeepSlowAndFailed<S> {
    inside: S,
    rule: TailRule,
}

impl<S> KeepSlowAndFailed<S> {
    /// Adds the tail decision to a sampler. Keeps failed traces; slow ones only after
    /// [`slower_than`](Self::slower_than).
    #[must_use]
    pub fn new(inside: S) -> Self {
        Self { inside, rule: TailRule::default() }
    }

    /// Keeps traces whose first span took longer than `limit`. Defaults to no limit.
    #[must_use]
    pub fn slower_than(mut self, limit: Duration) -> Self {
        self.rule.slower_than = Some(limit);
        self
    }

    /// Counts errors of clients, a status of 4xx for instance, as failures. Defaults to faults alone.
    #[must_use]
    pub fn with_client_errors(mut self) -> Self {
        self.rule.client_errors = true;
        self
    }

    /// Leaves out what a caller has not sampled, without a tail decision. Defaults to deciding about it.
    #[must_use]
    pub fn obey_callers(mut self) -> Self {
        self.rule.obeys_callers = true;
        self
    }

    /// Sets the maximum of traces that wait for their decision. Defaults to 1,000.
    ///
    /// A trace above it is not sampled, as without a tail decision, and counted in the layer's `Stats::tail_full`. A
    /// waiting trace takes what any recorded trace takes: at most 116,000 bytes for each of its open spans, 60,000 of
    /// finished spans and 56,000 of its own data.
    #[must_use]
    pub fn max_open_traces(mut self, traces: u32) -> Self {
        self.rule.max_open_traces = traces;
        self
    }

    /// Sets the maximum of bytes for documents that wait outside of their trace's first span, of all traces. Defaults
    /// to 8 MiB.
    ///
    /// Only long traces need the room: those with more spans than fit into one document. A document above it is lost,
    /// and counted in the layer's `Stats::dropped` if its trace is kept.
    #[must_use]
    pub fn max_held_bytes(mut self, bytes: usize) -> Self {
        self.rule.max_held_bytes = bytes;
        self
    }
}

impl<S: Sampler> Sampler for KeepSlowAndFailed<S> {
    fn sample(&self, request: &SamplingRequest<'_>) -> SamplingResult {
        self.inside.sample(request)
    }

    fn looks_at_request(&self) -> bool {
        self.inside.looks_at_request()
    }

    fn give_back(&self, result: &SamplingResult) {
        self.inside.give_back(result);
    }

    fn observe(&self, result: &SamplingResult, anomaly: bool) {
        self.inside.observe(result, anomaly);
    }

    fn tail(&self) -> Option<TailRule> {
        Some(self.rule)
    }

    fn start(&self, daemon: &DaemonAddress, service: &str) {
        self.inside.start(daemon, service);
    }

    fn stop(&self) {
        self.inside.stop();
    }

    fn flush(&self, timeout: Duration) -> bool {
        self.inside.flush(timeout)
    }

    fn problem(&self) -> Option<String> {
        self.inside.problem()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Always, Never};
    use super::*;

    #[test]
    fn the_head_decision_is_that_of_the_sampler_inside() {
        let request = SamplingRequest::new("shop");
        assert!(KeepSlowAndFailed::new(Always).sample(&request).is_sampled());
        assert!(!KeepSlowAndFailed::new(Never).sample(&request).is_sampled());
        assert!(!KeepSlowAndFailed::new(Never).looks_at_request());
        assert_eq!(Never.tail(), None);
    }

    /// Notes each call.
    #[derive(Default)]
    struct Noting(std::sync::Mutex<Vec<String>>);

    impl Noting {
        fn note(&self, what: impl Into<String>) {
            self.0.lock().unwrap().push(what.into());
        }
    }

    impl Sampler for Noting {
        fn sample(&self, request: &SamplingRequest<'_>) -> SamplingResult {
            self.note(format!("sample {:?}", request.service()));
            SamplingResult::left_open()
        }
        fn looks_at_request(&self) -> bool {
            false
        }
        fn give_back(&self, result: &SamplingResult) {
            self.note(format!("give back {}", result.is_sampled()));
        }
        fn observe(&self, result: &SamplingResult, anomaly: bool) {
            self.note(format!("observe {} {anomaly}", result.is_sampled()));
        }
        fn start(&self, daemon: &DaemonAddress, service: &str) {
            self.note(format!("start {} {service}", daemon == &DaemonAddress::default()));
        }
        fn stop(&self) {
            self.note("stop");
        }
        fn flush(&self, timeout: Duration) -> bool {
            self.note(format!("flush {timeout:?}"));
            timeout > Duration::from_secs(1)
        }
        fn problem(&self) -> Option<String> {
            Some("of the test".to_owned())
        }
    }

    #[test]
    fn whatever_the_sampler_inside_is_asked_and_told_it_hears_behind_pointers_as_well() {
        let noting = std::sync::Arc::new(Noting::default());
        let inside: Box<dyn Sampler> = Box::new(std::sync::Arc::clone(&noting));
        let sampler = KeepSlowAndFailed::new(inside);
        sampler.start(&DaemonAddress::default(), "shop");
        assert_eq!(sampler.sample(&SamplingRequest::new("shop")), SamplingResult::left_open());
        sampler.give_back(&SamplingResult::sampled());
        sampler.observe(&SamplingResult::sampled(), true);
        sampler.observe(&SamplingResult::dropped(), false);
        assert!(!sampler.looks_at_request());
        assert!(!sampler.flush(Duration::from_secs(1)) && sampler.flush(Duration::from_secs(2)));
        assert_eq!(sampler.problem().as_deref(), Some("of the test"));
        sampler.stop();
        let expected = [
            "start true shop",
            "sample Some(\"shop\")",
            "give back true",
            "observe true true",
            "observe false false",
            "flush 1s",
            "flush 2s",
            "stop",
        ];
        assert_eq!(*noting.0.lock().unwrap(), expected);
    }

    #[test]
    fn the_limit_itself_is_not_slow_and_without_a_limit_nothing_is() {
        let second = Duration::from_secs(1);
        let rule = KeepSlowAndFailed::new(Never).slower_than(second).tail().unwrap();
        assert!(!rule.is_slow(second) && rule.is_slow(second + Duration::from_nanos(1)));
        assert!(!TailRule::default().is_slow(Duration::MAX));
        // Behind a pointer, too.
        assert!(std::sync::Arc::new(KeepSlowAndFailed::new(Never)).tail().is_some());
    }
}
