//! Access control: signatures, identities, policies, sessions, and checks of `Host` and `Origin`.
//!
//! ```text
//!  host       may a browser send this at all?           every TCP door, every mode
//!  guard      who calls, what is decided, what is recorded
//!  sts        sessions: AssumeRole, GetCallerIdentity, GetSessionToken
//!  identity   users, roles, keys: tables of the store; a caller with all policies that hold
//!  signature  the request signed again and compared     pure
//!  policy     the evaluator                             pure
//! ```
//!
//! Called by [`api`](crate::api) for each request, and by the commands `identity` and `policy test`. Access control here
//! is a test of policies, not a wall: every program that can read the data file has every key.

pub mod action;
pub mod decisions;
mod guard;
mod host;
mod identity;
mod instant;
mod mode;
pub mod policy;
mod refusal;
pub mod signature;
pub mod sts;

pub use guard::{Asked, Guard};
pub use host::Hosts;
pub use identity::{
    AccessKey, Caller, DirectoryError, Identity, IdentityKind, Listed, NewIdentity, NoEntropy, Origin,
    directory, managed,
};
pub use mode::Mode;
pub use refusal::{Refusal, denial};

#[cfg(test)]
mod tests;
