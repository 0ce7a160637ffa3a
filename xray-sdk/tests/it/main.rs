//! One binary for all integration tests: a second one would link the crate a second time.

mod collector;
mod ids;
#[cfg(feature = "queue")]
mod queue;
mod udp;
