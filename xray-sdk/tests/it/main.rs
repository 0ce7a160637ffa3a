//! One binary for all integration tests: a second one would link the crate a second time.

mod collector;
mod ids;
mod policies;
#[cfg(feature = "queued-emitter")]
mod queued;
mod segments;
mod support;
mod udp;
