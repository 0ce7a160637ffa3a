//! The crate from outside: real sockets, real files.
//!
//! Each file holds one subject. What other programs see of the server is tested in `tests/python`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "helpers of tests, which the exceptions for tests do not reach"
)]

#[cfg(feature = "aws")]
mod aws;
mod central;
mod faults;
mod flags;
mod foreign;
mod model;
mod paging;
mod policies;
mod program;
mod server;
mod serving;
mod terminal;
