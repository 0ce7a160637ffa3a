//! The builder: the user's settings, the environment, the defaults.
//!
//! Cold code, and the only room that reads the environment. Only `lib.rs` imports it.

mod build;
mod contents;
mod env;
mod error;
#[cfg(feature = "http")]
mod headers;
#[cfg(feature = "queued-emitter")]
mod queued;
mod settings;
#[cfg(feature = "testing")]
mod testing;
mod values;

pub use build::{builder, layer};
pub use error::BuildError;
pub use settings::Builder;
#[cfg(feature = "testing")]
pub use testing::TestTraces;

#[cfg(test)]
pub(crate) use env::tests as env_tests;
