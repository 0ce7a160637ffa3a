//! Which new traces are recorded.
//!
//! A [`Sampler`] is asked once per trace, where it begins, and only if no trace header decided already. It gets
//! a [`SamplingRequest`] and answers with a [`Verdict`]. Ready-made: [`DefaultRule`], X-Ray's own default,
//! [`Always`], [`Never`] and [`Ratio`].

mod request;
mod sampler;
mod verdict;

mod ratio;
mod reservoir;

mod default_rule;

pub use default_rule::DefaultRule;
pub use ratio::Ratio;
pub use request::SamplingRequest;
pub use sampler::{Always, Never, Sampler};
pub use verdict::Verdict;
