//! One binary for all integration tests: a second one would link the crate a second time.

mod collector;
mod ids;
mod policies;
#[cfg(feature = "queue")]
mod queue;
mod support;
mod udp;
