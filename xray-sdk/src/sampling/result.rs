//! [`SamplingResult`]: a sampler's decision, and the reservoir slot that it took.

use std::sync::Arc;

/// A sampler's decision about one trace: whether it is recorded, by which rule, and which slot was taken.
///
/// ```
/// use xray_sdk::sampling::SamplingResult;
///
/// let result = SamplingResult::sampled().with_rule("checkout");
/// assert!(result.is_sampled());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "an unused result wastes a slot of the reservoir"]
pub struct SamplingResult {
    decision: Decision,
    /// Set if the sampler wants to observe the trace's end.
    watched: bool,
    /// The part that decided, for samplers that are made of several.
    source: Source,
    rule: Option<Arc<str>>,
    reservoir_second: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decision {
    Sampled,
    Dropped,
    Open,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Unknown,
    /// A local rule, by its place from 1; 0 for the default.
    Local(u32),
    #[cfg(feature = "central-sampling")]
    Central(Central),
}

/// The central rule that decided, and how.
#[cfg(feature = "central-sampling")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Central {
    /// The rule's number in this process. Cheaper to hand around than its name, which most verdicts don't need.
    pub(super) rule: u32,
    /// Set if the decision took the one slot of a second that a process may take without having been assigned any.
    pub(super) borrowed: bool,
}

impl SamplingResult {
    /// Records the trace.
    pub const fn sampled() -> Self {
        Self::of(Decision::Sampled)
    }

    /// Drops the trace, here and in the services that are called.
    pub const fn dropped() -> Self {
        Self::of(Decision::Dropped)
    }

    /// Drops the trace here, and leaves the decision to the services that are called.
    pub const fn left_open() -> Self {
        Self::of(Decision::Open)
    }

    const fn of(decision: Decision) -> Self {
        Self { decision, watched: false, source: Source::Unknown, rule: None, reservoir_second: None }
    }

    /// Sets the rule that decided. X-Ray shows it (`aws.xray.sampling_rule_name` in the document).
    pub fn with_rule(self, rule: impl Into<Arc<str>>) -> Self {
        Self { rule: Some(rule.into()), ..self }
    }

    /// Sets the second whose reservoir slot was taken, for [`Sampler::give_back`].
    ///
    /// [`Sampler::give_back`]: super::Sampler::give_back
    pub fn with_reservoir_second(self, epoch_seconds: u32) -> Self {
        Self { reservoir_second: Some(epoch_seconds), ..self }
    }

    /// Requests a call of [`Sampler::observe`] when the trace's first span ends, recorded or not.
    ///
    /// [`Sampler::observe`]: super::Sampler::observe
    pub fn with_observation(self) -> Self {
        Self { watched: true, ..self }
    }

    pub(super) fn with_local_rule(self, number: u32) -> Self {
        Self { source: Source::Local(number), ..self }
    }

    /// The place of the local rule that decided, from 1, unless it was the default.
    pub(super) const fn local_rule(&self) -> Option<u32> {
        match self.source {
            Source::Local(number) if number > 0 => Some(number),
            _ => None,
        }
    }

    #[cfg(feature = "central-sampling")]
    #[inline]
    pub(super) fn of_central_rule(
        sampled: bool,
        name: &Arc<str>,
        reservoir_second: Option<u32>,
        central: Central,
        watched: bool,
    ) -> Self {
        let decision = if sampled { Decision::Sampled } else { Decision::Dropped };
        let rule = if sampled { Some(Arc::clone(name)) } else { None };
        Self { decision, watched, source: Source::Central(central), rule, reservoir_second }
    }

    /// Returns the central rule that decided, if one did.
    #[cfg(feature = "central-sampling")]
    pub(super) const fn central(&self) -> Option<Central> {
        match self.source {
            Source::Central(central) => Some(central),
            _ => None,
        }
    }

    /// Returns whether the trace is recorded.
    #[must_use]
    pub const fn is_sampled(&self) -> bool {
        matches!(self.decision, Decision::Sampled)
    }

    /// Returns whether the decision is left to the services that are called.
    #[must_use]
    pub const fn is_left_open(&self) -> bool {
        matches!(self.decision, Decision::Open)
    }

    /// Returns whether the sampler wants to observe the trace's end.
    #[must_use]
    pub const fn is_watched(&self) -> bool {
        self.watched
    }

    /// Returns the name of the rule that decided, if it has one.
    #[must_use]
    pub fn rule(&self) -> Option<&Arc<str>> {
        self.rule.as_ref()
    }

    /// Returns the second whose reservoir slot was taken, since 1970, if one was.
    #[must_use]
    pub const fn reservoir_second(&self) -> Option<u32> {
        self.reservoir_second
    }
}

impl From<bool> for SamplingResult {
    fn from(sampled: bool) -> Self {
        if sampled { Self::sampled() } else { Self::dropped() }
    }
}
