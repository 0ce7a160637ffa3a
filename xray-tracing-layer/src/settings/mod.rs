//! Frozen values that the builder passes down. Imports nothing of this crate.

pub(crate) mod config;
pub(crate) mod redaction;
pub(crate) mod reentrancy;
