//! The TCP proxy through which SDKs ask X-Ray for sampling rules and targets.
//!
//! Requests come in unsigned from this machine and leave signed with the daemon's credentials. So the relay lends the
//! daemon's role to whatever can reach its port. [`Guard`] refuses what a browser was talked into (foreign `Origin`,
//! unknown `Host`), and can restrict the paths. Nothing is forwarded unsigned, and nothing waits without a limit.

mod guard;

mod headers;

mod stats;

mod server;

pub use guard::{Guard, Refusal};
pub use server::{BindError, Relay, RelaySettings};
pub use stats::{RelayOutcome, RelayStats};
