//! Adapters for other libraries, each behind a feature if it needs a crate. Only here are `tracing`'s span macros used.

#[cfg(feature = "aws-sdk")]
pub(crate) mod aws_sdk;
#[cfg(any(feature = "lambda", feature = "tower-server", feature = "tower-client"))]
pub(crate) mod errors;
#[cfg(feature = "async-graphql")]
pub(crate) mod graphql;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "lambda")]
pub mod lambda;
#[cfg(feature = "lambda-events")]
pub mod lambda_events;
#[cfg(feature = "fmt")]
pub mod log;
pub(crate) mod query;
