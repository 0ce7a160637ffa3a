//! Who calls and what is allowed: signatures, identities, policies, sessions, and checks of `Host` and `Origin`.
//!
//! ```text
//!  host       may a browser send this at all?           every TCP door, every mode
//!  guard      who calls, what is decided, what is recorded
//!  sts        sessions: AssumeRole, GetCallerIdentity, GetSessionToken
//!  caller     a key's owner with all policies that hold
//!  directory  users, roles, keys: tables of the store
//!  signature  the request signed again and compared     pure
//!  policy     the evaluator                             pure
//! ```
//!
//! Called by [`api`](crate::api) for each request, and by the commands `identity` and `policy test`. Access control here
//! is a test of policies, not a wall: whoever can read the data file has every key.

pub mod action;
mod caller;
pub mod decisions;
pub mod directory;
mod guard;
mod host;
mod instant;
pub mod managed;
mod mode;
pub mod policy;
mod refusal;
mod secret;
pub mod signature;
pub mod sts;

pub use caller::{Caller, Origin};
pub use guard::{Asked, Guard};
pub use host::Hosts;
pub use mode::Mode;
pub use refusal::{Refusal, denial};
pub use secret::NoEntropy;

#[cfg(test)]
mod tests;
