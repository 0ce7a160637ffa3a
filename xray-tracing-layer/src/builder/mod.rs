//! How a layer comes about: what the user sets, what the environment says, what is the default. Cold code: the only
//! room that reads the environment, and imported by `lib.rs` alone.

mod build;
mod env;
mod error;
#[cfg(feature = "queued-emitter")]
mod queued;
mod settings;
mod values;

pub use build::{builder, layer};
pub use error::BuildError;
pub use settings::Builder;

#[cfg(test)]
pub(crate) use env::tests as env_tests;
