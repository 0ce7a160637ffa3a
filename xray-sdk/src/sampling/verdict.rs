//! A sampler's answer. It remembers what it took, so that it can be given back.

use std::sync::Arc;

/// Whether one trace is recorded, by which rule, and what that decision took from the sampler.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a verdict that is not used takes a slot from the reservoir for nothing"]
pub struct Verdict {
    sampled: bool,
    rule: Option<Arc<str>>,
    reservoir_second: Option<u32>,
}

impl Verdict {
    /// The trace is recorded.
    pub const fn sampled() -> Self {
        Self::of(true)
    }

    /// The trace is not recorded.
    pub const fn dropped() -> Self {
        Self::of(false)
    }

    const fn of(sampled: bool) -> Self {
        Self { sampled, rule: None, reservoir_second: None }
    }

    /// Names the rule that decided. X-Ray shows it (`aws.xray.sampling_rule_name` in the document).
    pub fn with_rule(self, rule: impl Into<Arc<str>>) -> Self {
        Self { rule: Some(rule.into()), ..self }
    }

    /// Marks that a slot of a reservoir was taken, and in which second, for [`Sampler::give_back`].
    ///
    /// [`Sampler::give_back`]: super::Sampler::give_back
    pub fn with_reservoir_second(self, epoch_seconds: u32) -> Self {
        Self { reservoir_second: Some(epoch_seconds), ..self }
    }

    /// Whether the trace is recorded.
    #[must_use]
    pub const fn is_sampled(&self) -> bool {
        self.sampled
    }

    /// The rule that decided, if it has a name.
    #[must_use]
    pub fn rule(&self) -> Option<&Arc<str>> {
        self.rule.as_ref()
    }

    /// When a slot of a reservoir was taken, in seconds since 1970, if one was.
    #[must_use]
    pub const fn reservoir_second(&self) -> Option<u32> {
        self.reservoir_second
    }
}

impl From<bool> for Verdict {
    fn from(sampled: bool) -> Self {
        Self::of(sampled)
    }
}
