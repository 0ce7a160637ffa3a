//! The rules that are kept in X-Ray itself, the same for all services of an account.
//!
//! Read from below: `rule` is what a rule says, `rule_state` what it did and what it may do this second, `rule_set` finds
//! the rule for a request, `wire` is the service's JSON. `sampler` decides, on the caller's thread, and asks
//! no service. `poller` is the other side: it fetches rules and hands in statistics, at times that are arguments;
//! `thread` has the clock and calls it.
//!
//! ```text
//!   a trace begins                                  every 300 s   POST /GetSamplingRules ─► a new set, swapped in
//!        │                                          every 10 s    POST /SamplingTargets
//!        ▼                                                          statistics ─►    ─► quota, rate, boost
//!   sampler ─► set ─► rule ─► state ── counts ─────────────────────────▲                      │
//!        └─ no set, or one an hour old ─► the fallback        state ◄─────────────────────────┘
//! ```

mod rule;
mod rule_set;
mod rule_state;
mod wire;

mod shared;

mod poller;
mod thread;

mod sampler;

pub use sampler::CentralSampler;
pub use shared::CentralStats;

#[cfg(test)]
mod tests;
