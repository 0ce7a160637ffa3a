//! Decisions on which new traces are recorded.
//!
//! A [`Sampler`] is asked once per trace, where it begins, and only if no trace header decided already. The sampler gets
//! a [`SamplingRequest`] and returns a [`SamplingResult`]. Ready-made: [`DefaultRule`], X-Ray's own default,
//! [`Always`], [`Never`], [`ParentOnly`] and [`Ratio`]; [`KeepSlowAndFailed`], which decides once more at the end;
//! [`LocalRules`] for rules from a file or from code; and, with the feature `central-sampling`, `CentralSampler` for
//! the rules that are kept in X-Ray.

mod request;
mod result;
mod tail_rule;

mod sampler;

mod ratio;
mod reservoir;
mod tail;
mod wildcard;

mod default_rule;
mod local;

#[cfg(feature = "central-sampling")]
mod central;

#[cfg(feature = "central-sampling")]
pub use central::{CentralSampler, CentralStats};
pub use default_rule::DefaultRule;
pub use local::{LocalRule, LocalRules, RuleProblem, RulesError};
pub use ratio::Ratio;
pub use request::{Attributes, SamplingRequest};
pub use result::SamplingResult;
pub use sampler::{Always, Never, ParentOnly, Sampler};
pub use tail::KeepSlowAndFailed;
pub use tail_rule::TailRule;
