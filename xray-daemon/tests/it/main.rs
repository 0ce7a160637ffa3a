//! The daemon from outside: its arguments, its sockets, and an endpoint on loopback.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails may panic")]
#![allow(clippy::disallowed_methods, reason = "tests are their own processes, clocks and environments")]

mod aws;
mod credentials;
mod edge;
mod faults;
mod guide;
mod header;
mod health;
mod oracle;
mod program;
mod relay;
mod report;
mod runs;
mod shutdown;
mod spool;
mod tidy;
mod tls;
