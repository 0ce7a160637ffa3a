//! Frozen values that the builder passes down. Imports nothing of this crate.

pub(crate) mod callsites;
pub(crate) mod config;
pub(crate) mod drop_rule;
#[cfg(feature = "http")]
pub(crate) mod headers;
pub(crate) mod redaction;
pub(crate) mod reentrancy;
pub(crate) mod user_code;
